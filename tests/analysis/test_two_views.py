"""Displacement seen from two sides becomes east and up motion, also where zones differ.

MintPy #1329: stacks in two UTM zones did not fit on each other, by 500 m.
"""

import re

import numpy as np
import xarray as xr

from tests.running import build, samples
from tests.sample_products import Signals
from tests.sample_products.ground_truth import ground_truth

from .inverting import invert

RISING = Signals(motion=0.0, turbulent=0.0, stratified=0.0, height_error=0.0, linear=1.0)
LAYERS = ("unw_phase", "corr", "lv_theta", "lv_phi")
TOLERANCE = 1e-3
"""Meters; one pixel beside its place is 4.7 mm of this motion at its steepest."""


def seen(factory, folder, direction, zone_share, crs, extent, area):
    """Return the motion towards the satellite (m) in the whole period, and what sees it."""
    products = samples(
        factory,
        products=6,
        rows=60,
        columns=64,
        seed=3,
        noise=False,
        sidecars=False,
        direction=direction,
        neighbor_zone_share=zone_share,
        layers=LAYERS,
        signals=RISING,
    )
    pairs = folder / f"{direction}.nc"
    build(products.folder, NETCDF=pairs, TARGET_CRS=crs, EXTENT=extent, RESAMPLING="bilinear")
    moved = folder / f"{direction} moved.nc"
    invert(pairs, NETCDF=moved, REFERENCE_AREA=area, MIN_TEMPORAL_COHERENCE=0)
    with xr.open_dataset(moved) as stack:
        stack.load()
    x, y = np.meshgrid(stack.x, stack.y)
    truth = ground_truth(products.spec, x, y, int(crs[5:])).displacement[-1]
    x0, y0, radius = map(float, re.split(r"[, ]", area)[:3])
    level = np.median(truth[np.hypot(x - x0, y - y0) <= radius])
    elevation, azimuth = stack.lv_theta.values, stack.lv_phi.values
    eastward, upward = np.cos(elevation) * np.cos(azimuth), np.sin(elevation)
    return stack.displacement.values[-1] + level, eastward, upward, truth, stack


def test_two_views_give_east_and_up(tmp_path_factory, tmp_path):
    crs = "EPSG:32610"
    extent = "774500,777300,3843600,3845800 [EPSG:32610]"
    area = "775800,3845300,200"
    one = seen(tmp_path_factory, tmp_path, "ascending", 0.0, crs, extent, area)
    two = seen(tmp_path_factory, tmp_path, "descending", 1.0, crs, extent, area)
    for name in ("x", "y"):
        assert np.array_equal(one[4][name], two[4][name])
    (los1, east1, up1, truth, _), (los2, east2, up2, _, _) = one, two
    determinant = east1 * up2 - east2 * up1
    east = (los1 * up2 - los2 * up1) / determinant
    up = (east1 * los2 - east2 * los1) / determinant
    connected = (one[4].gap_count == 0) & (two[4].gap_count == 0)
    known = np.isfinite(east) & connected.values
    assert known.sum() > 300 and np.ptp((truth / up1)[known]) > 0.01
    assert np.abs(east[known]).max() < TOLERANCE
    assert np.abs((up - truth / up1)[known]).max() < TOLERANCE
