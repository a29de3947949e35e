"""What users of xarray do with a stack: save parts as NetCDF, choose chunks, ask for the CRS."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import netCDF4
import numpy as np
import pytest
import rioxarray  # noqa: F401 - registers the accessor
import xarray as xr
from cf_units import Unit

from hyp3_stack.core.files.written_stack import open_stack

from ..running import Run, build, samples

GROUPS = ("spatially_optimized", "temporally_optimized")
KINDS = {
    "interferograms of one point, format 2": (
        "INSAR_GAMMA",
        {"REFERENCE_POINT": "auto", "LOOK_VECTORS": "true", "ZARR_FORMAT": "2"},
    ),
    "bursts, format 3": ("INSAR_ISCE_BURST", {"ZARR_FORMAT": "3"}),
    "decibels, rounded, in shards": (
        "RTC_GAMMA",
        {"SCALE": "decibel", "KEEP_BITS": "9", "ZARR_FORMAT": "3", "SHARDING": "true"},
    ),
}


@pytest.fixture(scope="module", params=list(KINDS))
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    kind, options = KINDS[request.param]
    stack = samples(tmp_path_factory, product_type=kind, products=3, rows=40, columns=40)
    folder = tmp_path_factory.mktemp("xarray")
    return build(stack.folder, NETCDF=folder / "s.nc", ZARR=folder / "s.zarr", **options)


def layer(stack: xr.Dataset) -> str:
    return next(name for name in ("unw_phase", "VV_backscatter") if name in stack)


def one_map(stack: xr.Dataset) -> xr.DataArray:
    return stack[layer(stack)][1]


def mean_map(stack: xr.Dataset) -> xr.DataArray:
    return stack[layer(stack)].mean(stack[layer(stack)].dims[0])


def part(stack: xr.Dataset) -> xr.Dataset:
    return stack.isel(x=slice(3, 20), y=slice(5, None))


@pytest.mark.parametrize(
    ("group", "cut"),
    [(GROUPS[0], one_map), (GROUPS[1], mean_map), (GROUPS[0], part), (GROUPS[1], part)],
)
def test_parts_of_a_store_become_netcdf(
    run: Run, group: str, cut: Callable[[xr.Dataset], xr.Dataset], tmp_path: Path
) -> None:
    with xr.open_zarr(run.zarr, group=group) as opened:
        wanted = cut(opened).load()
    wanted.to_netcdf(tmp_path / "part.nc")
    with xr.open_dataset(tmp_path / "part.nc") as found:
        assert found.rio.crs.to_epsg() == 32610
        again = found if isinstance(wanted, xr.Dataset) else found[next(iter(found.data_vars))]
        xr.testing.assert_equal(again.drop_vars("spatial_ref"), wanted.drop_vars("spatial_ref"))
        transform = found[layer(found)] if isinstance(wanted, xr.Dataset) else again
        assert transform.rio.resolution() == wanted.rio.resolution()


@pytest.mark.parametrize("group", GROUPS)
def test_nothing_that_a_part_makes_untrue_comes_along(run: Run, group: str) -> None:
    """A part that is saved as Zarr would tell the place of the whole to GDAL."""
    for stack in (
        xr.open_zarr(run.zarr, group=group),
        xr.open_zarr(run.zarr / group),
        xr.open_datatree(run.zarr, engine="zarr")[group].to_dataset(),
    ):
        with stack:
            for name, item in (("", stack), *stack.variables.items()):
                assert not [key for key in item.attrs if ":" in key or key == "_CRS"], name
                assert not [key for key, value in item.attrs.items() if isinstance(value, dict)]


@pytest.mark.parametrize("group", GROUPS)
def test_chunks_may_be_chosen_by_dask(run: Run, group: str) -> None:
    automatic = xr.open_zarr(run.zarr, group=group, chunks="auto")
    chunked = xr.open_zarr(run.zarr, group=group).chunk("auto")
    for stack in (automatic, chunked):
        with stack:
            assert stack.product_name.chunks and stack[layer(stack)].chunks
            assert np.isfinite(stack[layer(stack)].mean().compute())


def test_files_and_stores_open_alike_by_default(run: Run) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        opened = [
            xr.open_dataset(run.netcdf),
            *(xr.open_zarr(run.zarr, group=group) for group in GROUPS),
        ]
    for stack in opened:
        with stack:
            assert stack.rio.crs.to_epsg() == 32610
            assert stack[layer(stack)].rio.crs.to_epsg() == 32610
            assert {"spatial_ref", "x_bnds", "y_bnds", "time_bnds"} <= set(stack.coords)
            assert set(stack.coords) == set(opened[0].coords)
            for name, item in stack.data_vars.items():
                assert item.dims[-2:] == ("y", "x") or item.ndim < 2, name
            part = stack if stack is opened[0] else stack[[layer(stack), "data_mask"]]
            warped = part.rio.reproject("EPSG:4326")
            assert np.isfinite(warped[layer(warped)]).any()


def test_layers_are_the_first_variables_of_a_file(run: Run) -> None:
    with netCDF4.Dataset(run.netcdf) as file:
        ranks = [variable.dimensions[-2:] == ("y", "x") for variable in file.variables.values()]
        first = next(iter(file.variables))
    assert ranks == sorted(ranks, reverse=True) and ranks[0]
    assert first == layer({first: None})  # type: ignore[arg-type]


def test_units_are_those_of_udunits(run: Run) -> None:
    with xr.open_dataset(run.netcdf, decode_times=False) as stack:
        for name, item in stack.variables.items():
            assert "units" not in item.attrs or not Unit(item.attrs["units"]).is_unknown(), name
        if "VV_backscatter" in stack:
            assert Unit(stack.VV_backscatter.attrs["units"]).convert(20.0, "1") == 100.0


def check_saved_again(run: Run, group: str, target: Path) -> None:
    """Save a group as NetCDF by xarray alone: its values stay, and it is a stack again."""
    with xr.open_zarr(run.zarr, group=group) as stack:
        stack.to_netcdf(target)
        with xr.open_dataset(target) as found:
            xr.testing.assert_equal(found, stack)
    with open_stack(target) as again, open_stack(run.netcdf) as first:
        assert again.kind is first.kind and again.grid == first.grid
        assert set(again.layers) == set(first.layers)


@pytest.mark.parametrize("group", GROUPS)
def test_a_store_that_xarray_saves_as_netcdf_is_a_stack(
    run: Run, group: str, tmp_path: Path
) -> None:
    check_saved_again(run, group, tmp_path / "again.nc")


@pytest.mark.parametrize("group", GROUPS)
def test_displacement_that_xarray_saves_as_netcdf_is_a_stack(
    inverted: Run, group: str, tmp_path: Path
) -> None:
    check_saved_again(inverted, group, tmp_path / "again.nc")
