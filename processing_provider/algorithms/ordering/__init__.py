"""Algorithms from an area of interest to jobs that are ordered, watched and ordered again."""
