"""One row for each parameter: what the core checks, what QGIS declares and what users read."""
