"""Inversions from and to an object store."""

import pytest
import xarray as xr

from hyp3_stack.core.errors import StackError
from tests.object_store.stacks import GROUPS, ONE_GROUP, new_url, open_group
from tests.running import build

from .inverting import invert

pytestmark = pytest.mark.slow


def test_from_store_to_store(object_store, moving, inverted, tmp_path):
    service = {"S3_ENDPOINT": object_store.endpoint}
    pairs, url = new_url(), new_url()
    options = {"LAYERS": "unw_phase,corr,dem", "MASKS": "false", "CHUNKING": "temporal"}
    build(moving.folder, ZARR_URL=pairs, **options, **service)
    run = invert(pairs, ZARR_URL=url, NETCDF=tmp_path / "d.nc", **ONE_GROUP, **service)
    assert run.outputs["ZARR_URL"] == url and run.outputs["LAYERS"][0].startswith("NETCDF:")
    expected = xr.open_dataset(inverted.netcdf)
    for found in (xr.open_dataset(run.netcdf), open_group(url, object_store, GROUPS[0])):
        for name in ("displacement", "velocity", "mask", "dem", "residual_rms"):
            xr.testing.assert_allclose(found[name], expected[name], atol=1e-7)
    with pytest.raises(StackError, match="ZARR_URL"):
        invert(pairs, ZARR_URL=url, **service)
    with pytest.raises(StackError, match="INPUT itself"):
        invert(pairs, ZARR_URL=pairs, **service)
