"""Text in stacks: of fixed length on disk, which no reader stumbles over."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr

from hyp3_stack.core.assessment.assess import assess_stack

from ..build.earlier import netcdf_as_before, zarr_as_before
from ..running import build, copy_products, samples
from ..written_stacks import Written

GROUPS = ("spatially_optimized", "temporally_optimized")

# Three handles of one file, two of them closed, and the file opened again: netCDF4 1.7.4 dies of it
# where a variable holds text of variable length.
REOPEN = """
import sys, netCDF4
files = [netCDF4.Dataset(sys.argv[1]) for _ in range(3)]
files[0].close(); files[2].close()
netCDF4.Dataset(sys.argv[1])
"""


def test_netcdf_has_characters_of_fixed_length(written: Written) -> None:
    characters = 0
    with h5py.File(written.netcdf) as file:
        for name, variable in file.items():
            assert h5py.check_string_dtype(variable.dtype) is None or variable.dtype == "S1", name
            if variable.dtype == "S1":
                characters += 1
                assert variable.attrs["_Encoding"] in ("utf-8", b"utf-8")
    with xr.open_dataset(written.netcdf) as stack:
        texts = [name for name, item in stack.variables.items() if item.dtype.kind == "O"]
        assert characters == len(texts) > 8
        assert all(stack[name].ndim == 1 for name in texts)


def test_netcdf_may_be_opened_again(written: Written) -> None:
    done = subprocess.run([sys.executable, "-c", REOPEN, str(written.netcdf)], capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.parametrize("group", GROUPS)
def test_zarr_has_text_of_fixed_length(written: Written, group: str) -> None:
    with xr.open_zarr(written.zarr, group=group) as stack, xr.open_dataset(written.netcdf) as file:
        texts = [name for name, item in file.variables.items() if item.dtype.kind == "O"]
        for name in texts:
            assert stack[name].dtype.kind == "U"
            assert stack[name].values.tolist() == file[name].values.tolist()
            array = json.loads((written.zarr / group / name / ".zarray").read_text())
            assert array["dtype"] == stack[name].dtype.str and array["filters"] is None


@pytest.mark.parametrize(("zarr_format", "groups"), [("2", GROUPS), ("3", GROUPS[:1])])
def test_stacks_of_version_0_1_are_read_and_appended_to(
    zarr_format: str,
    groups: Sequence[str],
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Their text is of variable length; what is appended to them ends as if built at once."""
    stack = samples(tmp_path_factory, products=3, rows=40, columns=40)
    folder, now, before = tmp_path / "products", tmp_path / "now", tmp_path / "before"
    chunking = "both" if groups == GROUPS else "spatial"
    options = {"LAYERS": "unw_phase,dem", "ZARR_FORMAT": zarr_format, "CHUNKING": chunking}
    copied = copy_products(stack, folder)
    whole = build(folder, NETCDF=now / "s.nc", ZARR=now / "s.zarr", **options)
    shutil.move(copied[2], tmp_path / copied[2].name)
    begun = build(folder, NETCDF=tmp_path / "b.nc", ZARR=tmp_path / "b.zarr", **options)
    before.mkdir()
    file = netcdf_as_before(begun.netcdf, before / "s.nc")
    store = zarr_as_before(begun.zarr, before / "s.zarr")
    with xr.open_dataset(begun.netcdf) as new, xr.open_dataset(file) as old:
        assert "x_bnds" in old.data_vars and "x_bnds" in new.coords
    first, second = assess_stack(file), assess_stack(begun.netcdf)
    assert first.summary == second.summary
    assert first.problems == second.problems == ()
    problems = assess_stack(store).problems
    assert sum("GDAL 3.13 crashes" in text for text in problems) == len(groups)

    shutil.move(tmp_path / copied[2].name, copied[2])
    grown = build(folder, NETCDF=file, ZARR=store, APPEND="true", **options)
    assert grown.outputs["STEPS"] == 3
    with h5py.File(file) as one, h5py.File(whole.netcdf) as two:
        assert set(one) == set(two)
        assert {name: one[name].dtype for name in one} == {name: two[name].dtype for name in two}
    for group in groups:
        with (
            xr.open_zarr(store, group=group) as one,
            xr.open_zarr(whole.zarr, group=group) as two,
            xr.open_dataset(file) as three,
        ):
            assert set(one.variables) == set(two.variables) == set(three.variables)
            assert set(one.coords) == set(two.coords) == set(three.coords)
            for name in two.variables:
                if two[name].dtype.kind in "UM":
                    np.testing.assert_array_equal(one[name].values, two[name].values, name)
                    np.testing.assert_array_equal(three[name].values, two[name].values, name)
                    assert one[name].dtype == two[name].dtype
