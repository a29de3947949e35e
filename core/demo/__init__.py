"""Interferograms made from formulas, for a first look at HyP3 Stack without an account."""
