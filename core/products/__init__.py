"""What a folder of HyP3 products holds: names, parameter files, layers, rasters."""
