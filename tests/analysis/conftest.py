"""Stacks of sample products whose displacement is known, and what is made of them."""

import pytest

from tests.running import build, samples
from tests.sample_products import Signals

MOVING = Signals(
    motion=0.0, turbulent=0.0, stratified=0.0, height_error=0.0, linear=0.1, step=0.02, step_day=40
)
LAYERS = ("unw_phase", "corr", "dem", "lv_theta", "water_mask")


@pytest.fixture(scope="session")
def moving(tmp_path_factory):
    """Interferograms of a linear motion and a step, without noise."""
    return samples(
        tmp_path_factory,
        products=15,
        rows=60,
        columns=70,
        noise=False,
        sidecars=False,
        neighbor_zone_share=0.0,
        layers=LAYERS,
        signals=MOVING,
    )


@pytest.fixture(scope="session")
def moving_stack(moving, tmp_path_factory):
    """Their stack, as NetCDF and Zarr."""
    folder = tmp_path_factory.mktemp("moving")
    return build(moving.folder, NETCDF=folder / "pairs.nc", ZARR=folder / "pairs.zarr")


@pytest.fixture(scope="session")
def inverted(moving_stack, tmp_path_factory):
    """Its displacement with default options, as NetCDF and Zarr."""
    from .inverting import invert

    folder = tmp_path_factory.mktemp("inverted")
    return invert(
        moving_stack.zarr, NETCDF=folder / "displacement.nc", ZARR=folder / "displacement.zarr"
    )
