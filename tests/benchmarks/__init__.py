"""Benchmarks against peers on the same products and the same grid; see ``make bench``."""
