"""The core process: its protocol, its parameters, its end."""
