"""A written stack is read back block by block, from every form that it can have."""

from __future__ import annotations

import pickle
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import h5py
import netCDF4
import numpy as np
import pytest
import xarray as xr

from hyp3_stack.core.errors import InvalidParameterError
from hyp3_stack.core.files.written_stack import StackKind, open_stack, open_stack_groups
from hyp3_stack.core.run.reporter import SilentReporter
from tests.running import Run
from tests.written_stacks import Written

GROUPS = ("spatially_optimized", "temporally_optimized")
FORMS = ("netcdf", "format 2", "format 3", "shards")
BLOCKS = (
    (slice(None), slice(None), slice(None)),
    (slice(1, 4), slice(50, 51), slice(60, None)),
    ([0, 1, 4], slice(0, 130), slice(33, 97)),
    ([], slice(5, 6), slice(5, 6)),
)


@pytest.fixture(params=FORMS)
def place(request: pytest.FixtureRequest, built: Run, stores: dict[bool, Path]) -> Path:
    """The stack of ``gamma`` in one of the forms."""
    given = (built.netcdf, built.zarr, stores[False], stores[True])
    return given[FORMS.index(request.param)]


def decoded(place: Path, group: str | None) -> xr.Dataset:
    if group is None:
        return xr.open_dataset(place, engine="netcdf4")
    return xr.open_zarr(place, group=group, chunks=None)


def test_blocks_are_those_that_xarray_reads(place: Path) -> None:
    with open_stack_groups(place) as groups:
        for stack in groups:
            assert set(stack.layers) > {"unw_phase", "dem", "water_mask"}
            with decoded(place, stack.group) as expected:
                jobs = [(name, *block) for name in stack.layers for block in BLOCKS]
                with ThreadPoolExecutor(4) as pool:
                    found = pool.map(stack.read, *zip(*jobs, strict=True))
                for (name, steps, rows, columns), values in zip(jobs, found, strict=True):
                    layer = expected[name].isel(y=rows, x=columns)
                    if "pair" in layer.dims:
                        layer = layer.isel(pair=steps)
                    np.testing.assert_array_equal(values, layer.values)
                    assert values.dtype == layer.dtype


def test_blocks_can_be_read_in_another_process(built: Run) -> None:
    with open_stack(built.zarr) as stack, open_stack(built.netcdf) as file:
        one, other = (pickle.loads(pickle.dumps(item.blocks)) for item in (stack, file))
        block = ("corr", slice(None), slice(0, 70), slice(0, 70))
        np.testing.assert_array_equal(one.read(*block), other.read(*block))
        assert np.isfinite(one.read(*block)).any()


def test_what_a_stack_is(place: Path) -> None:
    with open_stack(place, prefer=GROUPS[1]) as stack, decoded(place, stack.group) as expected:
        assert stack.group == (None if place.is_file() else GROUPS[1])
        assert stack.kind is StackKind.PAIRS and stack.dimension == "pair"
        xr.testing.assert_identical(
            stack.dataset.drop_vars(stack.layers), expected.drop_vars(stack.layers)
        )
        grid = stack.grid
        assert grid.epsg == 32610
        np.testing.assert_array_equal(grid.x, expected.x)
        np.testing.assert_array_equal(grid.y, expected.y)
        layout = stack.layout()
        assert layout is not None and layout.shape == expected.unw_phase.shape


def test_backscatter(rtc_stack: Written) -> None:
    with open_stack(rtc_stack.netcdf) as stack:
        assert stack.kind is StackKind.BACKSCATTER and stack.dimension == "time"


def test_chunks_that_others_write(built: Run, tmp_path: Path) -> None:
    """Contiguous, with a checksum, scaled by another chunking, and in another byte order."""
    path = tmp_path / "other.nc"
    with open_stack(built.netcdf) as stack:
        values = stack.read("corr")
        raw = stack.raw.load()
    forms: dict[str, dict[str, Any]] = {
        "contiguous": {"contiguous": True, "zlib": False},
        "checked": {"fletcher32": True, "zlib": True, "chunksizes": (2, 30, 40)},
        "unshuffled": {"shuffle": False, "zlib": True, "chunksizes": (6, 30, 40)},
        "plain": {"zlib": False, "shuffle": False, "chunksizes": (1, 30, 40)},
        "big": {"endian": "big", "zlib": True, "chunksizes": (1, 30, 40)},
    }
    with netCDF4.Dataset(path, "w") as file:
        for name, size in raw.sizes.items():
            file.createDimension(str(name), size)
        for name, options in forms.items():
            file.createVariable(name, "f4", ("pair", "y", "x"), fill_value=np.nan, **options)[:] = (
                values
            )
        packed = file.createVariable("packed", "i2", ("pair", "y", "x"), fill_value=-30_000)
        packed.scale_factor, packed.add_offset = 1e-4, 0.5
        packed.set_auto_maskandscale(False)
        packed[:] = np.rint(np.where(np.isnan(values), -3, values - 0.5) * 10_000)
    with open_stack(path) as other:
        np.testing.assert_allclose(other.read("packed"), values, rtol=0, atol=1e-4)
        for name in forms:
            for steps, rows, columns in BLOCKS:
                np.testing.assert_array_equal(
                    other.read(name, steps, rows, columns), values[steps][:, rows, columns]
                )


def test_lost_bytes_are_noticed(built: Run, tmp_path: Path) -> None:
    path, store = tmp_path / "stack.nc", tmp_path / "stack.zarr"
    shutil.copy(built.netcdf, path)
    with h5py.File(path) as file:
        chunk = file["corr"].id.get_chunk_info(0)
    with open(path, "r+b") as file:
        file.seek(chunk.byte_offset + chunk.size // 2)
        file.write(bytes(64))
    shutil.copytree(built.zarr / GROUPS[0], store / GROUPS[0])
    shutil.copy(built.zarr / ".zgroup", store)
    next((store / GROUPS[0] / "corr").glob("0.*")).write_bytes(b"nonsense")
    for place in (path, store):
        with open_stack(place, parameter="NETCDF") as stack:
            with pytest.raises(InvalidParameterError, match=r"NETCDF is .*a part cannot be read"):
                stack.read("corr")
            assert np.isfinite(stack.read("unw_phase")).any()


def test_a_stack_of_a_newer_version(built: Run, tmp_path: Path) -> None:
    path = tmp_path / "new.nc"
    shutil.copy(built.netcdf, path)
    with netCDF4.Dataset(path, "a") as file:
        file.product_version = "7.1"
    with pytest.raises(InvalidParameterError, match=r"written by HyP3 Stack 7.1.*update"):
        with open_stack(path, reporter=SilentReporter()):
            pass


def test_a_stack_that_was_cut(built: Run, tmp_path: Path) -> None:
    with xr.open_dataset(built.netcdf) as stack:
        stack.isel(x=slice(10, 40)).to_netcdf(tmp_path / "cut.nc")
    with open_stack(tmp_path / "cut.nc") as cut:
        with pytest.raises(InvalidParameterError, match="x does not fit its GeoTransform"):
            print(cut.grid)
