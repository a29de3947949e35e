"""Sample products and the stacks built from them, shared by all tests that only read them."""

from __future__ import annotations

import pytest

from tests.sample_products import SampleStack

from .running import Run, build, samples


@pytest.fixture(scope="session")
def gamma(tmp_path_factory: pytest.TempPathFactory) -> SampleStack:
    """Six noise-free interferograms with all layers, two of them in the neighboring zone."""
    return samples(tmp_path_factory, products=6, rows=200, columns=220, noise=False)


@pytest.fixture(scope="session")
def built(gamma: SampleStack, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The stack with default options, as NetCDF and as Zarr."""
    folder = tmp_path_factory.mktemp("built")
    return build(gamma.folder, NETCDF=folder / "stack.nc", ZARR=folder / "stack.zarr")


@pytest.fixture(scope="session")
def per_pair(gamma: SampleStack, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The stack with the static layers of every product."""
    folder = tmp_path_factory.mktemp("per_pair")
    return build(gamma.folder, NETCDF=folder / "stack.nc", STATIC_LAYERS="per_pair")


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
