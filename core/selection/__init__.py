"""Which products become one stack: by acquisition, path and pass."""
