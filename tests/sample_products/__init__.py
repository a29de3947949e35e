"""Sample HyP3 products with known truth: real files in the exact format, made from formulas.

``write_products`` writes a stack of products as HyP3 delivers them and returns, for each of them,
the noise-free value of every layer at any map position.
"""

from __future__ import annotations

from .spec import SampleProduct, SampleSpec, SampleStack, Signals
from .stack import write_products

__all__ = ["SampleProduct", "SampleSpec", "SampleStack", "Signals", "write_products"]
