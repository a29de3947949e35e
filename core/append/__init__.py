"""A stack on disk that more products are appended to."""
