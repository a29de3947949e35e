"""The Zarr pyramid: values of each level, where they lie, and what the conventions ask for."""

import math
import warnings

import numpy as np
import pytest
import xarray as xr
import zarr
from pyproj import CRS

from .exporting import export, group

WIDTH = 533
"""Columns and rows of the part, odd at several levels."""


def place(stack, columns=WIDTH, rows=WIDTH):
    left, top, spacing = float(stack.x[0]) - 40, float(stack.y[0]) + 40, 80
    return f"{left},{left + columns * spacing},{top - rows * spacing},{top} [EPSG:32610]"


@pytest.fixture(scope="module")
def pyramid(request, wide, tmp_path_factory):
    """The part of the stack of one chunking, and its pyramid."""
    chunking = getattr(request, "param", "spatial")
    folder = tmp_path_factory.mktemp("pyramid") / "out"
    with group(wide, chunking, mask_and_scale=False) as stack:
        source = wide / f"{chunking}.zarr"
        run = export(source, folder, FORMAT="pyramid", EXTENT=place(stack))
        assert run.outputs["FILES"] == [str(folder / "pyramid.zarr")] and not run.warnings
        assert [path.name for path in folder.iterdir()] == ["pyramid.zarr"]
        yield stack.isel(x=slice(0, WIDTH), y=slice(0, WIDTH)), folder / "pyramid.zarr"


def levels(store):
    return [level["asset"] for level in zarr.open_group(store).attrs["multiscales"]["layout"]]


@pytest.mark.parametrize("pyramid", ["temporal", "spatial"], indirect=True)
def test_finest_level_is_the_stack_and_each_next_one_has_its_means(pyramid):
    stack, store = pyramid
    assert levels(store) == ["0", "1", "2"]
    for layer, is_mean in (
        ("unw_phase", True),
        ("corr", True),
        ("wrapped_phase", False),
        ("water_mask", False),
    ):
        finer = stack[layer].values
        for level in levels(store):
            found = xr.open_zarr(store, group=level, mask_and_scale=False)[layer]
            assert found.dtype == stack[layer].dtype
            if level != "0":
                edges = [(0, 0)] * (finer.ndim - 2) + [(0, size % 2) for size in finer.shape[-2:]]
                if is_mean:
                    whole = np.pad(finer, edges, constant_values=np.nan)
                    rows, columns = (size // 2 for size in whole.shape[-2:])
                    blocks = whole.reshape(*whole.shape[:-2], rows, 2, columns, 2)
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore", RuntimeWarning)  # of blocks without data
                        expected = np.nanmean(blocks.astype("f8"), axis=(-3, -1)).astype("f4")
                else:
                    expected = finer[..., ::2, ::2]
                np.testing.assert_array_equal(found.values, expected)
                assert np.isnan(expected).any() or not is_mean
            else:
                np.testing.assert_array_equal(found.values, finer)
            finer = found.values


def test_levels_open_in_xarray_with_place_and_cf(pyramid):
    stack, store = pyramid
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for number, level in enumerate(levels(store)):
            for options in ({}, {"consolidated": False}, {"decode_coords": "all"}):
                found = xr.open_zarr(store, group=level, **options)
                assert found.rio.crs.to_epsg() == 32610
            found = xr.open_zarr(store, group=level)
            assert set(found.coords) >= set(xr.decode_cf(stack).coords)
            spacing = 80 * 2**number
            for axis, sign in (("x", 1), ("y", -1)):
                edge = float(stack[axis][0]) - sign * 40
                centers = edge + sign * spacing * (np.arange(found.sizes[axis]) + 0.5)
                np.testing.assert_array_equal(found[axis], centers)
                assert found[axis].attrs.items() >= {"axis": axis.upper(), "units": "m"}.items()
                bounds = np.stack([centers - spacing / 2, centers + spacing / 2], 1)
                bounds = bounds if sign == 1 else bounds[:, ::-1]
                np.testing.assert_array_equal(found[f"{axis}_bnds"], bounds)
            left, top = float(stack.x[0]) - 40, float(stack.y[0]) + 40
            assert found.rio.transform()[:6] == (spacing, 0, left, 0, -spacing, top)
            # By which GDAL 3.13 knows the CRS of a layer with steps.
            assert found.corr.attrs["proj:code"] == "EPSG:32610"
            np.testing.assert_array_equal(found.pair_label, stack.pair_label)
            np.testing.assert_array_equal(found.reference_time, xr.decode_cf(stack).reference_time)
            for layer in ("unw_phase", "water_mask"):
                for name in ("long_name", "units", "flag_meanings"):
                    assert found[layer].attrs.get(name) == stack[layer].attrs.get(name)
            assert found.attrs["number_of_lines"] == found.sizes["y"]
            assert found.attrs["source_stack_id"] == stack.attrs["id"]
            assert "FORMAT=pyramid" in found.attrs["history"].splitlines()[-1]


def test_chunks_and_files(pyramid):
    _, store = pyramid
    for level in levels(store):
        phase = zarr.open_array(store, path=f"{level}/unw_phase")
        assert phase.chunks == (1, 256, 256) and phase.shards == (1, 1024, 1024)
        assert zarr.open_array(store, path=f"{level}/water_mask").shards == (1024, 1024)
        # Shards without data are not written, so that a step is at most a file here.
        files = [path for path in (store / level / "unw_phase" / "c").rglob("*") if path.is_file()]
        assert len(files) == 3


def test_conventions(pyramid):
    stack, store = pyramid
    attributes = dict(zarr.open_group(store).attrs)
    # Names and descriptions are constants of their schemas.
    assert {item["name"]: item["description"] for item in attributes["zarr_conventions"]} == {
        "multiscales": "Multiscale layout of zarr datasets",
        "proj": "Coordinate reference system information for geospatial data",
        "spatial": "Spatial coordinate information",
    }
    assert attributes["proj:code"] == "EPSG:32610"
    assert CRS.from_wkt(attributes["proj:wkt2"]).to_epsg() == 32610
    left, top = float(stack.x[0]) - 40, float(stack.y[0]) + 40
    assert attributes["spatial:bbox"] == [left, top - WIDTH * 80, left + WIDTH * 80, top]
    size = WIDTH
    for number, level in enumerate(attributes["multiscales"]["layout"]):
        assert level["asset"] == str(number)
        assert level.get("derived_from") == (str(number - 1) if number else None)
        # Scales would be of y and x only, and GDAL 3.13 leaves arrays with steps out then.
        assert level.get("transform") == ({} if number else None)
        spacing = 80.0 * 2**number
        own = dict(zarr.open_array(store, path=f"{number}/corr").attrs)
        for said in (level, own):
            assert said["spatial:shape"] == [size, size]
            assert said["spatial:transform"] == [spacing, 0.0, left, 0.0, -spacing, top]
        # A group with arrays says nothing of them: GDAL 3.13 would crash.
        assert not [name for name in zarr.open_group(store, path=str(number)).attrs if ":" in name]
        size = math.ceil(size / 2)


def test_a_part_of_steps_and_layers(rtc_stack, tmp_path):
    with xr.open_dataset(rtc_stack.netcdf) as stack:
        day = str(stack.time.values[2])[:10]
        export(
            rtc_stack.netcdf,
            tmp_path / "out",
            FORMAT="pyramid",
            LAYERS="VV_backscatter,ls_map",
            START=day,
        )
        found = xr.open_zarr(tmp_path / "out" / "pyramid.zarr", group="0")
        np.testing.assert_array_equal(found.VV_backscatter, stack.VV_backscatter[2:])
        np.testing.assert_array_equal(found.time, stack.time[2:])
        np.testing.assert_array_equal(found.product_name, stack.product_name[2:])
        np.testing.assert_array_equal(
            found.ls_map, stack.ls_map[..., :, :][-found.ls_map.shape[0] :]
        )
        assert "dem" not in found and "VH_backscatter" not in found
        for layer in found.data_vars.values():
            assert all(name in found for name in layer.attrs.get("ancillary_variables", "").split())
        assert found.attrs["time_coverage_start"] == f"{str(stack.time.values[2])[:19]}Z"
        assert "time_coverage_duration" not in found.attrs


def test_displacement(inverted, tmp_path):
    export(inverted.zarr, tmp_path / "out", FORMAT="pyramid")
    store = tmp_path / "out" / "pyramid.zarr"
    with xr.open_dataset(inverted.netcdf) as stack, xr.open_zarr(store, group="0") as found:
        assert levels(store) == ["0"]
        for name, variable in stack.data_vars.items():
            np.testing.assert_array_equal(found[name], variable, err_msg=name)
        assert found.velocity.attrs["units"] == "m year-1"


def test_one_pixel(wide, tmp_path):
    with group(wide, "spatial", mask_and_scale=False) as stack:
        extent = place(stack, 1, 1)
        export(wide / "spatial.zarr", tmp_path / "out", FORMAT="pyramid", EXTENT=extent)
        own = zarr.open_array(tmp_path / "out" / "pyramid.zarr", path="0/corr").attrs
        left, top = float(stack.x[0]) - 40, float(stack.y[0]) + 40
        assert own["spatial:bbox"] == [left, top - 80, left + 80, top]
