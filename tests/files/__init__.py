"""Tests of files that are written beside stacks: harmonized products."""
