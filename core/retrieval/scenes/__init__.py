"""From an area of interest to the scenes over it, ranked by track."""
