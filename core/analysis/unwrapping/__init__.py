"""Unwrapping errors: found by triangles that do not close, repaired by whole cycles."""
