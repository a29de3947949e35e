"""The science side of HyP3 Stack; it runs in an interpreter of its own, without ``qgis``."""
