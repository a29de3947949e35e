"""The places whose series are drawn: chosen on the map and shown there."""
