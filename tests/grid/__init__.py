"""Tests of the grid: its lattice, its plan, warping, and harmonized products."""
