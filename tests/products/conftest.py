"""Sample products of the tests of what is read."""

from __future__ import annotations

import pytest

from tests.sample_products import SampleStack
from tests.stack.running import samples


@pytest.fixture(scope="session")
def gamma(tmp_path_factory: pytest.TempPathFactory) -> SampleStack:
    """Six noise-free interferograms with all layers, two of them in the neighboring zone."""
    return samples(tmp_path_factory, products=6, rows=200, columns=220, noise=False)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> SampleStack:
    """Four small interferograms with few layers, one of them in the neighboring zone."""
    return samples(
        tmp_path_factory,
        products=4,
        rows=60,
        columns=64,
        noise=False,
        layers=("unw_phase", "corr", "water_mask"),
        sidecars=False,
    )
