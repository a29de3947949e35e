"""A stack as SpatioTemporal Asset Catalog: an item and the collection that it belongs to."""
