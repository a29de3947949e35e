"""Runs on a Dask cluster: its address, what its workers get, and the way pieces take there."""
