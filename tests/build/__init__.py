"""Tests of the stack: its values against truth, its files, and what happens when a run fails."""
