"""Bands of a layer as frames in time: which is shown when, what it is, and how it plays."""
