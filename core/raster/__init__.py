"""Reads one raster, and warps it onto the grid where it lies on another one."""
