"""Layers of QGIS that show a stack: sources, styles, legends, time."""
