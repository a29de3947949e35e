"""Tests of the grid: its lattice, its plan and warping."""
