"""Parameters that algorithms share, and their values on the way to the core."""
