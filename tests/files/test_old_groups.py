"""Stores of version 0.1.0 lose the attributes on which GDAL 3.13 crashes, and nothing else."""

import os

import numpy as np
import pytest
import xarray as xr
import zarr

from hyp3_stack.core.errors import OutputError
from hyp3_stack.core.files.old_groups import has_old_groups, mend_groups

GROUPS = ("spatially_optimized", "temporally_optimized")
SPATIAL = {"spatial:dimensions": ["y", "x"], "spatial:shape": [3, 4], "proj:code": "EPSG:32610"}
CONVENTIONS = [{"name": "proj", "uuid": "f1"}, {"name": "spatial", "uuid": "68"}]


def make_store(path, zarr_format, of_group):
    values = np.arange(24.0).reshape(2, 3, 4)
    bounds = np.array([[0.0, 1.0], [1.0, 2.0]])
    layer = xr.DataArray(values, dims=("pair", "y", "x"), attrs={**SPATIAL, "units": "1"})
    stack = xr.Dataset(
        {"unw_phase": layer, "time_bnds": (("pair", "nv"), bounds)},
        attrs={"title": "Höhe \N{SNOWMAN}", "noise": float("nan"), **of_group},
    )
    for group in GROUPS:
        stack.to_zarr(path, group=group, zarr_format=zarr_format, mode="a")
    zarr.consolidate_metadata(path, zarr_format=zarr_format)
    return stack


def is_old(path):
    return has_old_groups(
        lambda name: (path / name).read_bytes() if (path / name).is_file() else b""
    )


@pytest.mark.filterwarnings("ignore:Consolidated metadata")
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_groups_lose_them_and_arrays_keep_them(tmp_path, zarr_format):
    path = tmp_path / "old.zarr"
    made = make_store(path, zarr_format, {**SPATIAL, "zarr_conventions": CONVENTIONS})
    assert is_old(path)
    assert mend_groups(path) > 0
    assert not is_old(path)
    expected = {"proj:code", "title", "noise", "zarr_conventions"}
    for group in GROUPS:
        for consolidated in (True, False):
            with xr.open_zarr(path, group=group, consolidated=consolidated) as found:
                assert set(found.attrs) == expected
                assert found.attrs["title"] == made.attrs["title"]
                assert np.isnan(found.attrs["noise"])
                assert found.attrs["zarr_conventions"] == CONVENTIONS[:1]
                assert found["unw_phase"].attrs == made["unw_phase"].attrs
                np.testing.assert_array_equal(found["unw_phase"], made["unw_phase"])
    stamps = {file: file.stat().st_mtime_ns for file in path.rglob("*")}
    assert mend_groups(path) == 0
    assert stamps == {file: file.stat().st_mtime_ns for file in path.rglob("*")}


@pytest.mark.filterwarnings("ignore:Consolidated metadata")
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_store_without_them_is_left_alone(tmp_path, zarr_format):
    make_store(tmp_path / "new.zarr", zarr_format, {"proj:code": "EPSG:32610"})
    assert not is_old(tmp_path / "new.zarr")
    assert mend_groups(tmp_path / "new.zarr") == 0


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '"spatial:"', "[" * 100_000, '{"metadata": []}', '{"metadata": 3}']
    + ['{"consolidated_metadata": {"metadata": {"a": 1}}, "node_type": "group", "attributes": 1}'],
)
@pytest.mark.parametrize("name", [".zattrs", ".zmetadata", "zarr.json"])
def test_documents_that_are_none_are_left_to_the_reader(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert not is_old(tmp_path)
    assert mend_groups(tmp_path) == 0
    assert (tmp_path / name).read_text() == text


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_store_that_cannot_be_written(tmp_path):
    path = tmp_path / "old.zarr"
    make_store(path, 2, SPATIAL)
    path.chmod(0o555)
    with pytest.raises(OutputError, match=r"\.zmetadata cannot be written"):
        mend_groups(path)
