"""Pieces of work that can be interrupted and go on, in threads or on a cluster."""
