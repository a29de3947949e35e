"""Tests of all product types: their layers, mixtures of them, passes, scales, reference points."""
