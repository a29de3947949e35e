"""The QGIS side of HyP3 Stack: parameters, the core process, and layers."""
