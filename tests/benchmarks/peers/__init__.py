"""Peers, each a program of its own that is run in an environment with its packages."""
