"""Sample products and the stacks built from them, shared by all tests that only read them."""

from __future__ import annotations

import pytest

from tests.sample_products import SampleStack

from .running import Run, build


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
