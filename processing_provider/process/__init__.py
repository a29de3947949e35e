"""Processes that QGIS starts: the core, and trials of files that may end them."""
