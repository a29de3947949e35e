"""The science side of HyP3 Stack; it never imports ``qgis`` and runs in an interpreter of its own."""
