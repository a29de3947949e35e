"""Tests of what is read from product folders: names, parameter files, layers, damage."""
