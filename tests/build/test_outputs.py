"""What stands on disk: NetCDF and both Zarr groups, in both formats, as other programs see it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import h5py
import netCDF4
import numpy as np
import pytest
import rasterio
import xarray as xr
import zarr
from pyproj import CRS

from hyp3_stack.core.files.chunking import netcdf_chunks, spatial_chunks, temporal_chunks
from hyp3_stack.core.files.geozarr import gdal_sidecar
from tests.sample_products import SampleStack

from ..running import Run, build, contents

GROUPS = ("spatially_optimized", "temporally_optimized")
PER_PAIR = ("unw_phase", "corr", "amp", "wrapped_phase", "los_disp", "vert_disp")
STATIC = ("lv_theta", "lv_phi", "inc_map", "inc_map_ell", "dem", "water_mask")
UNITS = {
    "unw_phase": "radian",
    "corr": "1",
    "amp": "1",
    "wrapped_phase": "radian",
    "los_disp": "m",
    "vert_disp": "m",
    "lv_theta": "radian",
    "lv_phi": "radian",
    "inc_map": "radian",
    "inc_map_ell": "radian",
    "dem": "m",
    "water_mask": "1",
}


@pytest.fixture(scope="module")
def zarr3(gamma: SampleStack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("zarr3")
    return build(gamma.folder, ZARR=folder / "stack.zarr", ZARR_FORMAT="3").zarr


@pytest.fixture(scope="module", params=[2, 3], ids=["zarr 2", "zarr 3"])
def store(request: pytest.FixtureRequest, built: Run, zarr3: Path) -> Path:
    return built.zarr if request.param == 2 else zarr3


def without_clock(attributes: dict[str, Any]) -> dict[str, Any]:
    """Drop what tells when and by which command the stack was made, and what GDAL needs in Zarr."""
    dropped = ("history", "date_created", "date_modified", "date_metadata_modified", "_CRS", "id")
    return {key: value for key, value in attributes.items() if key not in dropped}


def without_places(attributes: dict[str, Any]) -> dict[str, Any]:
    """Drop what an array tells of its place, which gathered metadata leave out."""
    own = ("_CRS", "zarr_conventions")
    return {key: value for key, value in attributes.items() if key not in own and ":" not in key}


# --- equality -----------------------------------------------------------------------------------


@pytest.mark.parametrize("group", GROUPS)
def test_netcdf_and_zarr_hold_the_same(built: Run, store: Path, group: str) -> None:
    with (
        xr.open_dataset(built.netcdf) as one,
        xr.open_zarr(store, group=group, consolidated=True, chunks=None) as other,
    ):
        assert set(one.variables) == set(other.variables)
        assert one.sizes == other.sizes
        for name in one.variables:
            a, b = one[name], other[name]
            assert a.dims == b.dims, name
            if a.dtype.kind not in "OUST":
                assert a.dtype == b.dtype, name
            np.testing.assert_array_equal(a.values, b.values, err_msg=name)
            for key in ("units", "long_name", "standard_name", "grid_mapping", "axis"):
                assert a.attrs.get(key) == b.attrs.get(key), (name, key)


@pytest.mark.parametrize("group", GROUPS)
def test_raw_values_and_fill_values_are_the_same(built: Run, store: Path, group: str) -> None:
    options = {"mask_and_scale": False, "decode_times": False}
    with (
        xr.open_dataset(built.netcdf, **options) as one,
        xr.open_zarr(store, group=group, chunks=None, **options) as other,
    ):
        for name in (*PER_PAIR, *STATIC):
            dtype = "uint8" if name == "water_mask" else "float32"
            assert one[name].dtype == other[name].dtype == np.dtype(dtype)
            for stack in (one, other):
                fill = stack[name].attrs["_FillValue"]
                assert fill == 255 if dtype == "uint8" else math.isnan(fill)
            np.testing.assert_array_equal(one[name].values, other[name].values, err_msg=name)
        assert (one.water_mask.values == 255).any(), "the margin has no data"


def test_masks_are_read_back_as_flags(built: Run) -> None:
    with xr.open_dataset(built.netcdf, mask_and_scale=False) as stack:
        assert set(np.unique(stack.water_mask.values)) == {0, 1, 255}
        assert stack.water_mask.attrs["flag_meanings"] == "water land"
        values = np.asarray(stack.water_mask.attrs["flag_values"])
        assert values.dtype == np.uint8 and list(values) == [0, 1]


# --- as stored ----------------------------------------------------------------------------------


def test_netcdf_as_stored(built: Run, gamma: SampleStack) -> None:
    height, width = built.outputs["HEIGHT"], built.outputs["WIDTH"]
    chunks = spatial_chunks(height, width, 4.0)
    with netCDF4.Dataset(built.netcdf) as file:
        assert file.data_model == "NETCDF4"
        assert {name: len(file.dimensions[name]) for name in ("pair", "y", "x")} == {
            "pair": 6,
            "y": height,
            "x": width,
        }
        for name in (*PER_PAIR, *STATIC):
            variable = file[name]
            assert variable.dimensions == (("pair", "y", "x") if name in PER_PAIR else ("y", "x"))
            halves = netcdf_chunks(chunks)
            expected = (1, *halves) if name in PER_PAIR else halves
            assert tuple(variable.chunking()) == expected
            filters = variable.filters()
            assert filters["zlib"] and filters["shuffle"]
        assert np.isnan(file["corr"]._FillValue) and file["corr"]._FillValue.dtype == np.float32
        assert file["water_mask"]._FillValue == 255
        assert file["water_mask"]._FillValue.dtype == np.uint8
    with h5py.File(built.netcdf) as file:
        assert np.isnan(file["unw_phase"].fillvalue) and file["water_mask"].fillvalue == 255
        # Read by HDF5's own filters, without xarray: the chunks are what HDF5 would have written.
        values = file["unw_phase"][:]
    with xr.open_dataset(built.netcdf) as stack:
        np.testing.assert_array_equal(stack.unw_phase.values, values)


def test_zarr_2_as_stored(built: Run) -> None:
    assert (built.zarr / ".zgroup").is_file() and not (built.zarr / "zarr.json").exists()
    root = json.loads((built.zarr / ".zmetadata").read_text())["metadata"]
    height, width = built.outputs["HEIGHT"], built.outputs["WIDTH"]
    expected = {
        GROUPS[0]: spatial_chunks(height, width, 4.0),
        GROUPS[1]: temporal_chunks(6, height, width, 4.0),
    }
    for group in GROUPS:
        own = json.loads((built.zarr / group / ".zmetadata").read_text())["metadata"]
        for name in (*PER_PAIR, *STATIC, "x", "pair", "spatial_ref"):
            array = json.loads((built.zarr / group / name / ".zarray").read_text())
            attributes = json.loads((built.zarr / group / name / ".zattrs").read_text())
            assert own[f"{name}/.zarray"] == root[f"{group}/{name}/.zarray"] == array
            gathered = without_places(attributes)
            assert own[f"{name}/.zattrs"] == root[f"{group}/{name}/.zattrs"] == gathered
            assert (gathered != attributes) == (name in PER_PAIR or name in STATIC)
            assert array["zarr_format"] == 2
            if name in PER_PAIR:
                assert tuple(array["chunks"]) == expected[group]
                assert array["fill_value"] == "NaN" and array["dtype"] == "<f4"
                assert array["compressor"]["id"] == "blosc"
                assert attributes["_ARRAY_DIMENSIONS"] == ["pair", "y", "x"]
            if name == "water_mask":
                assert array["fill_value"] == 255 and array["dtype"] == "|u1"
                assert attributes["_ARRAY_DIMENSIONS"] == ["y", "x"]
                assert attributes["flag_values"] == [0, 1]
            if name in PER_PAIR or name in STATIC:
                assert attributes["grid_mapping"] == "spatial_ref"
                assert CRS.from_wkt(attributes["_CRS"]["wkt"]).to_epsg() == 32610


def test_zarr_3_as_stored(zarr3: Path) -> None:
    root = json.loads((zarr3 / "zarr.json").read_text())
    assert root["zarr_format"] == 3 and root["node_type"] == "group"
    gathered = root["consolidated_metadata"]["metadata"]
    for group in GROUPS:
        own = json.loads((zarr3 / group / "zarr.json").read_text())
        for name in (*PER_PAIR, *STATIC):
            array = json.loads((zarr3 / group / name / "zarr.json").read_text())
            assert array["dimension_names"] == (
                ["pair", "y", "x"] if name in PER_PAIR else ["y", "x"]
            )
            assert array["fill_value"] == (255 if name == "water_mask" else "NaN")
            assert CRS.from_wkt(array["attributes"]["_CRS"]["wkt"]).to_epsg() == 32610
            for node in (
                own["consolidated_metadata"]["metadata"][name],
                gathered[f"{group}/{name}"],
            ):
                assert node["attributes"] == without_places(array["attributes"])


@pytest.mark.parametrize("crs", ["EPSG:32610", "EPSG:3031", "EPSG:2180"])
def test_a_file_of_gdal_tells_the_crs_of_all_arrays(crs: str) -> None:
    """GDAL 3.6 reads it in tests/processing; the last of these begins its axes with northing."""
    wkt = CRS.from_user_input(crs).to_wkt()
    nodes = {
        ".zattrs": {},
        "g/a&b/.zarray": {"shape": [3, 4, 5]},
        "g/a&b/.zattrs": {"_CRS": {"wkt": wkt}},
        "g/x_bnds/.zarray": {"shape": [5, 2]},
        "g/x_bnds/.zattrs": {"units": "m"},
        "g/dem/.zarray": {"shape": [4, 5]},
        "g/dem/.zattrs": {"_CRS": {"wkt": wkt}},
    }
    arrays = ElementTree.fromstring(gdal_sidecar(nodes)).findall("Array")
    assert [array.get("name") for array in arrays] == ["/g/a&b", "/g/dem"]
    axes = {array.find("SRS").get("dataAxisToSRSAxisMapping") for array in arrays}  # type: ignore[union-attr]
    assert axes == ({"2,3", "1,2"} if crs == "EPSG:2180" else {"3,2", "2,1"})
    assert {array.findtext("SRS") for array in arrays} == {wkt}


@pytest.mark.parametrize("group", GROUPS)
def test_groups_are_complete_by_themselves_and_from_the_root(store: Path, group: str) -> None:
    options = {"consolidated": True, "chunks": None}
    with (
        xr.open_zarr(store / group, **options) as alone,
        xr.open_zarr(store, group=group, **options) as inside,
        xr.open_datatree(store, engine="zarr", consolidated=True) as tree,
    ):
        xr.testing.assert_identical(alone, inside)
        xr.testing.assert_identical(tree[group].to_dataset().drop_attrs(), alone.drop_attrs())
    assert sorted(zarr.open_consolidated(str(store)).group_keys()) == sorted(GROUPS)


def test_chunks_without_data_are_not_written(tmp_path: Path, gamma: SampleStack) -> None:
    options = {"LAYERS": "unw_phase", "CHUNK_SIZE": 0.01}
    run = build(gamma.folder, ZARR=tmp_path / "s.zarr", NETCDF=tmp_path / "s.nc", **options)
    with xr.open_zarr(run.zarr, group=GROUPS[0], chunks=None) as stack:
        _, rows, columns = stack.unw_phase.encoding["chunks"]
        values = stack.unw_phase.values
    written = {path.name for path in (run.zarr / GROUPS[0] / "unw_phase").glob("[0-9]*")}
    with h5py.File(run.netcdf) as file:
        data = file["unw_phase"].id
        in_file = {data.get_chunk_info(i).chunk_offset for i in range(data.get_num_chunks())}
    full = empty = 0
    for pair in range(values.shape[0]):
        for i, row in enumerate(range(0, values.shape[1], rows)):
            for j, column in enumerate(range(0, values.shape[2], columns)):
                block = values[pair, row : row + rows, column : column + columns]
                has_data = np.isfinite(block).any()
                assert (f"{pair}.{i}.{j}" in written) == has_data
                quarters = {
                    (pair, row + down, column + across)
                    for down in range(0, block.shape[0], rows // 2)
                    for across in range(0, block.shape[1], columns // 2)
                }
                stored = {
                    (pair, y, x)
                    for _, y, x in quarters
                    if np.isfinite(values[pair, y : y + rows // 2, x : x + columns // 2]).any()
                }
                assert quarters & in_file == stored
                full, empty = full + has_data, empty + (not has_data)
    assert full > 10 and empty > 10


# --- conventions --------------------------------------------------------------------------------


def test_attributes_of_variables(built: Run) -> None:
    with xr.open_dataset(built.netcdf, decode_cf=False) as stack:
        for name in (*PER_PAIR, *STATIC):
            attributes = stack[name].attrs
            assert attributes["units"] == UNITS[name]
            assert attributes["long_name"] and attributes["grid_mapping"] == "spatial_ref"
            if name in PER_PAIR:
                listed = attributes["coordinates"].split()
                assert {"time", "temporal_baseline", "pair_label"} <= set(listed)
                # R's ncmeta takes each of them for a time axis and stops at the second one.
                times = [o for o in listed if stack[o].attrs.get("standard_name") == "time"]
                assert times == ["time"]
                for coordinate in listed:
                    assert stack[coordinate].dims[:1] in ((), ("pair",)), coordinate
            else:
                assert "coordinates" not in attributes
            assert not any(isinstance(value, str) and not value for value in attributes.values())
        assert stack.x.attrs["standard_name"] == "projection_x_coordinate"
        assert stack.y.attrs["standard_name"] == "projection_y_coordinate"
        assert stack.x.attrs["units"] == stack.y.attrs["units"] == "m"
        assert "_FillValue" not in stack.x.attrs and "_FillValue" not in stack.time.attrs
        assert stack.dem.attrs["standard_name"] == "height_above_reference_ellipsoid"
        assert stack.attrs["Conventions"].startswith("CF-1.")
        listed = stack.attrs["coordinates"].split()
        assert listed[:2] == ["reference_time", "secondary_time"]
        assert listed[2:] == ["time_bnds", "x_bnds", "y_bnds", "spatial_ref"]
        assert "coordinates" not in stack.time_bnds.attrs


def test_grid_mapping(built: Run, store: Path) -> None:
    for stack in (
        xr.open_dataset(built.netcdf, decode_coords="all"),
        *(xr.open_zarr(store, group=group, decode_coords="all", chunks=None) for group in GROUPS),
    ):
        with stack:
            mapping = stack.spatial_ref.attrs
            assert mapping["grid_mapping_name"] == "transverse_mercator"
            assert mapping["longitude_of_central_meridian"] == -123
            assert mapping["scale_factor_at_central_meridian"] == 0.9996
            assert mapping["semi_major_axis"] == 6378137
            assert CRS.from_wkt(mapping["crs_wkt"]).to_epsg() == 32610
            assert CRS.from_cf(mapping).to_epsg() == 32610
            for layer in ("unw_phase", "dem"):
                assert stack[layer].rio.crs.to_epsg() == 32610
            assert stack.rio.transform() == rasterio.Affine(
                80, 0, stack.x.values[0] - 40, 0, -80, stack.y.values[0] + 40
            )


@pytest.mark.parametrize("layer", ["unw_phase", "corr", "dem", "water_mask"])
def test_gdal_reads_the_netcdf(built: Run, gamma: SampleStack, layer: str) -> None:
    sources = dict(
        zip((source.rsplit(":", 1)[1] for source in built.outputs["LAYERS"]),
            built.outputs["LAYERS"], strict=True)
    )  # fmt: skip
    with xr.open_dataset(built.netcdf, mask_and_scale=False) as stack:
        values = stack[layer].values
        west, north = stack.x.values[0] - 40, stack.y.values[0] + 40
    with rasterio.open(sources[layer]) as file:
        assert file.count == (6 if layer in PER_PAIR else 1)
        assert file.crs.to_epsg() == 32610
        assert (file.transform.c, file.transform.f) == (west, north)
        assert (file.transform.a, file.transform.e) == (80, -80)
        assert file.shape == values.shape[-2:]
        nodata = file.nodatavals
        assert all(value == 255 if layer == "water_mask" else math.isnan(value) for value in nodata)
        np.testing.assert_array_equal(file.read().reshape(values.shape), values)


@pytest.mark.parametrize("layer", ["unw_phase", "dem", "water_mask"])
def test_gdal_reads_zarr(built: Run, layer: str) -> None:
    slices = [f":{pair}" for pair in range(6)] if layer in PER_PAIR else [""]
    options = {"mask_and_scale": False, "chunks": None}
    with xr.open_zarr(built.zarr, group=GROUPS[0], **options) as stack:
        values = stack[layer].values.reshape(len(slices), *stack.dem.shape)
        west, north = stack.x.values[0] - 40, stack.y.values[0] + 40
    for group in GROUPS:
        for number, part in enumerate(slices):
            with rasterio.open(f'ZARR:"{built.zarr}":/{group}/{layer}{part}') as file:
                assert file.crs.to_epsg() == 32610
                assert (file.transform.c, file.transform.f) == (west, north)
                assert file.nodata == 255 if layer == "water_mask" else math.isnan(file.nodata)
                np.testing.assert_array_equal(file.read(1), values[number])


# --- options ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole(small: SampleStack, tmp_path_factory: pytest.TempPathFactory) -> xr.Dataset:
    """The stack of the small products, of which blocks are whole maps."""
    with xr.open_dataset(
        build(small.folder, NETCDF=tmp_path_factory.mktemp("w") / "s.nc").netcdf
    ) as made:
        return made.load()


@pytest.mark.parametrize("chunking", ["spatial", "temporal", "both"])
def test_chunking_decides_on_the_groups(
    small: SampleStack, whole: xr.Dataset, tmp_path: Path, chunking: str
) -> None:
    run = build(small.folder, ZARR=tmp_path / "s.zarr", CHUNKING=chunking, CHUNK_SIZE=0.02)
    groups = {"spatial": GROUPS[:1], "temporal": GROUPS[1:], "both": GROUPS}[chunking]
    assert sorted(zarr.open_consolidated(str(run.zarr)).group_keys()) == sorted(groups)
    assert all(f"/{groups[0]}/" in source for source in run.outputs["LAYERS"])
    height, width = run.outputs["HEIGHT"], run.outputs["WIDTH"]
    native = [i for i, p in enumerate(small.products) if p.epsg == 32610]
    for group in groups:
        with xr.open_zarr(run.zarr, group=group, chunks=None) as opened:
            stack = opened.load()
        chunks = stack.corr.encoding["chunks"]
        if group == GROUPS[0]:
            assert chunks == spatial_chunks(height, width, 0.02)
        else:
            assert chunks == temporal_chunks(4, height, width, 0.02)
        assert 4 * math.prod(chunks) <= 20_000
        for layer in ("corr", "unw_phase"):
            found, expected = stack[layer].values, whole[layer].values
            np.testing.assert_array_equal(found[native], expected[native])
            # Where blocks are warped one by one, GDAL's tolerance allows for tiny differences.
            assert np.isfinite(found).sum() == np.isfinite(expected).sum()
            assert np.isclose(found, expected, atol=0.01, equal_nan=True).mean() > 0.999
        np.testing.assert_array_equal(stack.water_mask.values, whole.water_mask.values)


def test_static_layers_per_pair(per_pair: Run, built: Run) -> None:
    with (
        xr.open_dataset(per_pair.netcdf, mask_and_scale=False) as every,
        xr.open_dataset(built.netcdf, mask_and_scale=False) as once,
    ):
        for name in STATIC:
            assert every[name].dims == ("pair", "y", "x")
            assert "largest_difference_between_products" not in every[name].attrs
            assert "coordinates" in every[name].encoding or "coordinates" in every[name].attrs
            fill = every[name].attrs["_FillValue"]
            has = every[name] != fill if name == "water_mask" else every[name].notnull()
            assert has.any(("y", "x")).all()
            merged = once[name] != fill if name == "water_mask" else once[name].notnull()
            np.testing.assert_array_equal(has.any("pair").values, merged.values)


def test_what_is_there_is_replaced_as_a_whole(small: SampleStack, tmp_path: Path) -> None:
    """First an empty file and an empty folder, then a stack of another form."""
    outputs = {"NETCDF": tmp_path / "s.nc", "ZARR": tmp_path / "s.zarr"}
    outputs["NETCDF"].touch()
    outputs["ZARR"].mkdir()
    assert build(small.folder, **outputs, ZARR_FORMAT="3").outputs["STEPS"] == 4
    assert xr.open_zarr(outputs["ZARR"], group=GROUPS[0], chunks=None).sizes["pair"] == 4
    build(small.folder, **outputs, LAYERS="corr", CHUNKING="spatial")
    with xr.open_dataset(outputs["NETCDF"]) as stack:
        assert "unw_phase" not in stack
    names = contents(outputs["ZARR"])
    assert not any(name.endswith("zarr.json") or GROUPS[1] in name for name in names)
    assert not any("unw_phase" in name for name in names)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s.nc", "s.zarr"]


def test_links_lead_to_outputs_and_stay(small: SampleStack, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    names = ["s.html", "s.nc", "s.zarr"]
    for name in names:
        (tmp_path / name).symlink_to(tmp_path / "disk" / name)
    places = dict(
        zip(("REPORT", "NETCDF", "ZARR"), (tmp_path / name for name in names), strict=True)
    )
    for _ in range(2):
        build(small.folder, **places, LAYERS="corr", MASKS=False, CHUNKING="spatial")
        links = sorted(path.name for path in tmp_path.iterdir() if path.is_symlink())
        assert links == sorted(path.name for path in (tmp_path / "disk").iterdir()) == names
