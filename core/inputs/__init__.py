"""Files that come from anywhere: GeoTIFFs, zips, and why they cannot be read."""
