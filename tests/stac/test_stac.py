"""The STAC item and collection of a stack: true to the file, valid, complete or absent."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import numpy as np
import pystac
import pytest
import rasterio
import xarray as xr
from pyproj import Transformer
from pystac.extensions.datacube import DatacubeExtension
from pystac.extensions.projection import ProjectionExtension
from pystac.extensions.sar import SarExtension
from pystac.extensions.sat import SatExtension
from shapely.geometry import Point, shape

from hyp3_stack.core.contract import SPATIAL_GROUP, TEMPORAL_GROUP
from hyp3_stack.core.errors import OutputError, StackError
from hyp3_stack.core.object_store.location import parse_location
from hyp3_stack.core.run.reporter import SilentReporter
from hyp3_stack.core.stac.item import footprint
from hyp3_stack.core.stac.stac_catalog import (
    catalog_folder,
    check_catalog,
    item_path,
    write_catalog,
)
from hyp3_stack.core.tasks import build_stack
from tests.sample_products import SampleSpec

from ..written_stacks import TYPES, Written, write
from .stac_rules import errors

GROUPS = (SPATIAL_GROUP, TEMPORAL_GROUP)

Catalogs = dict[str, Path]


@pytest.fixture(scope="module")
def catalogs(stacks: dict[str, Written]) -> Catalogs:
    """Return the item of each stack; the files stay beside the stacks."""
    return {
        kind: write_catalog(one.netcdf, one.zarr, GROUPS, one.report)
        for kind, one in stacks.items()
    }


def load(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("kind", TYPES)
def test_valid(catalogs: Catalogs, kind: str) -> None:
    item, collection = load(catalogs[kind]), load(catalogs[kind].with_name("collection.json"))
    assert errors(item) == []
    assert errors(collection) == []
    names = {uri.split("/")[3] for uri in item["stac_extensions"]}
    expected = {"projection", "datacube", "sar", "sat", "xarray-assets"}
    assert names == expected | (set() if kind == "RTC_GAMMA" else {"insar"})


@pytest.mark.parametrize("kind", TYPES)
def test_facts_of_the_stack(catalogs: Catalogs, stacks: dict[str, Written], kind: str) -> None:
    item = pystac.Item.from_file(str(catalogs[kind]))
    with stacks[kind].open() as stack, rasterio.open(layer(stacks[kind])) as raster:
        projection = ProjectionExtension.ext(item)
        assert projection.code == f"EPSG:{raster.crs.to_epsg()}"
        np.testing.assert_allclose(projection.transform, raster.transform[:6], atol=1e-6)
        assert projection.shape == [raster.height, raster.width]
        np.testing.assert_allclose(projection.bbox, raster.bounds, atol=1e-6)
        times = stack.time_coverage_start, stack.time_coverage_end
        radar, orbit = SarExtension.ext(item), SatExtension.ext(item)
        assert item.datetime is None
        assert (item.properties["start_datetime"], item.properties["end_datetime"]) == times
        assert radar.center_frequency == pytest.approx(5.405000454334350, abs=1e-12)
        assert (radar.instrument_mode, radar.frequency_band.value) == ("IW", "C")
        expected = ["VV", "VH"] if kind == "RTC_GAMMA" else ["VV"]
        assert [p.value for p in radar.polarizations] == expected
        assert orbit.relative_orbit == int(stack.orbit_relative[0])
        assert item.properties["gsd"] == abs(raster.transform.a)


def layer(written: Written) -> str:
    return f'NETCDF:"{written.netcdf}":{"corr" if written.is_insar else "VV_backscatter"}'


@pytest.mark.parametrize("kind", TYPES)
def test_the_footprint_holds_the_data(
    catalogs: Catalogs, stacks: dict[str, Written], kind: str
) -> None:
    item = load(catalogs[kind])
    outline = shape(item["geometry"])
    assert outline.is_valid and outline.exterior.is_ccw
    np.testing.assert_allclose(item["bbox"], outline.bounds, atol=1e-6)
    with stacks[kind].open() as stack:
        name = "corr" if stacks[kind].is_insar else "VV_backscatter"
        has_data = stack[name].notnull().any(stack[name].dims[0]).values
        to_degrees = Transformer.from_crs(stack.spatial_ref.crs_wkt, "OGC:CRS84", always_xy=True)
        rows, columns = np.nonzero(has_data)
        points = to_degrees.transform(stack.x.values[columns], stack.y.values[rows])
        # The outline is simplified by one pixel, a corner of the grid lies far outside of it.
        wide = outline.buffer(1.5 * stack.column_spacing / 90_000)
        assert all(wide.contains(Point(*point)) for point in zip(*points, strict=True))
        corner = to_degrees.transform(float(stack.x[0]), float(stack.y[0]))
        assert wide.contains(Point(*corner)) == bool(has_data[0, 0])


@pytest.mark.parametrize("kind", TYPES)
def test_the_cube_is_complete(catalogs: Catalogs, stacks: dict[str, Written], kind: str) -> None:
    cube = DatacubeExtension.ext(pystac.Item.from_file(str(catalogs[kind])))
    with stacks[kind].open() as stack:
        assert set(cube.dimensions) == set(stack.sizes)
        left_out = {"spatial_ref", *stack.sizes}
        assert set(cube.variables) == set(map(str, stack.variables)) - left_out
        for name, variable in cube.variables.items():
            assert variable.dimensions == list(stack[name].dims)
            assert variable.unit == stack[name].attrs.get("units")
            is_map = stack[name].dims[-2:] == ("y", "x")
            assert variable.var_type == ("data" if is_map else "auxiliary")
        for axis in "xy":
            dimension = cube.dimensions[axis]
            edges = stack[f"{axis}_bnds"].values
            assert dimension.extent == [edges.min(), edges.max()]
            count = (dimension.extent[1] - dimension.extent[0]) / dimension.step
            assert count == stack.sizes[axis]
            assert f"EPSG:{dimension.reference_system}" == "EPSG:32610"
        if stacks[kind].is_insar:
            assert cube.dimensions["pair"].values == stack.pair.values.tolist()
            baselines = cube.variables["perpendicular_baseline"].values
            np.testing.assert_allclose(baselines, stack.perpendicular_baseline)
            found = np.array([text.rstrip("Z") for text in cube.variables["reference_time"].values])
            np.testing.assert_array_equal(
                found.astype("datetime64[ns]"), stack.reference_time.values
            )
        else:
            found = np.array([text.rstrip("Z") for text in cube.dimensions["time"].values])
            np.testing.assert_array_equal(found.astype("datetime64[ns]"), stack.time.values)


@pytest.mark.parametrize("kind", TYPES)
def test_assets_open(catalogs: Catalogs, kind: str) -> None:
    item = pystac.Item.from_file(str(catalogs[kind]))
    assert set(item.assets) == {"netcdf", "zarr-spatially", "zarr-temporally", "report"}
    assert all(not asset.href.startswith("/") for asset in item.assets.values())
    name = "VV_backscatter" if kind == "RTC_GAMMA" else "corr"
    with xr.open_dataset(item.assets["netcdf"].get_absolute_href()) as stack:
        for key in ("zarr-spatially", "zarr-temporally"):
            asset = item.assets[key]
            options = asset.extra_fields["xarray:open_kwargs"]
            with xr.open_dataset(asset.get_absolute_href(), **options) as group:
                xr.testing.assert_equal(group[name].compute(), stack[name].compute())
                assert group[name].rio.crs.to_epsg() == 32610 and group[name].chunks
                assert set(group.coords) == set(stack.coords)
    assert Path(item.assets["report"].get_absolute_href()).read_text().startswith("<!")


def test_the_collection_holds_the_item(catalogs: Catalogs) -> None:
    path = catalogs["INSAR_GAMMA"]
    collection = pystac.Collection.from_file(str(path.with_name("collection.json")))
    (item,) = collection.get_items()
    assert item.get_collection() is collection
    assert collection.extent.spatial.bboxes == [item.bbox]
    baselines = collection.summaries.get_range("insar:perpendicular_baseline")
    with xr.open_dataset(path.parent.parent / "s.nc") as stack:
        assert baselines.minimum == float(stack.perpendicular_baseline.min())
        assert baselines.maximum == float(stack.perpendicular_baseline.max())
    for link in (*load(path)["links"], *load(path.with_name("collection.json"))["links"]):
        assert link["rel"] == "license" or link["href"].startswith("./")


def _set(*keys: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(item: dict[str, Any]) -> None:
        place = item
        for key in keys[:-1]:
            place = place[key]
        if value is KeyError:
            del place[keys[-1]]
        else:
            place[keys[-1]] = value

    return change


CHANGES = (
    _set("geometry", value={"type": "Polygon", "coordinates": [[0, 1]]}),
    _set("bbox", value=["west"]),
    _set("properties", "datetime", value=KeyError),
    _set("properties", "start_datetime", value=KeyError),
    _set("properties", "proj:code", value=32610),
    _set("properties", "proj:transform", value=[80.0, 0.0]),
    _set("properties", "proj:shape", value=[1.5, 2]),
    _set("properties", "sar:polarizations", value=["XX"]),
    _set("properties", "sar:frequency_band", value="c-band"),
    _set("properties", "sar:instrument_mode", value=KeyError),
    _set("properties", "sar:looks_rnage", value=4),
    _set("properties", "sat:orbit_state", value="north"),
    _set("properties", "cube:dimensions", "x", "extent", value=KeyError),
    _set("properties", "cube:dimensions", "y", "axis", value="north"),
    _set("properties", "cube:variables", "corr", "dimensions", value="pair y x"),
    _set("properties", "insar:geocoding_dem", value=30),
    _set("properties", "insar:basline", value=30),
    _set("assets", "netcdf", "href", value=KeyError),
    _set("stac_extensions", value=[]),
    _set("links", value=None),
)


@pytest.mark.parametrize("number", range(len(CHANGES)))
def test_a_changed_item_is_noticed(catalogs: Catalogs, number: int) -> None:
    item = copy.deepcopy(load(catalogs["INSAR_GAMMA"]))
    CHANGES[number](item)
    assert errors(item) != []


def test_one_pair_has_its_dates_and_baselines(tmp_path: Path) -> None:
    spec = SampleSpec(products=1, rows=40, columns=40, layers=("unw_phase", "corr"))
    written = write(tmp_path, spec, STAC="true")
    item = load(tmp_path / "s.stac" / "s.json")
    assert errors(item) == []
    assert item["properties"]["title"].startswith("Stack of 1 Sentinel-1 interferogram (")
    assert item["properties"]["description"].startswith("1 Sentinel-1 interferogram of ")
    assert set(item["assets"]) == {"netcdf"}
    assert "xarray:open_kwargs" not in json.dumps(item)
    with written.open() as stack:
        criteria = stack.ceos_insar_pair_baseline_criteria_information
        assert criteria == "single reference of 1 pair as ordered by the user"
        for kind in ("perpendicular", "temporal"):
            found = item["properties"][f"insar:{kind}_baseline"]
            assert found == float(stack[f"{kind}_baseline"][0])
        for side in ("reference", "secondary"):
            time = item["properties"][f"insar:{side}_datetime"]
            assert np.datetime64(time.rstrip("Z")) == stack[f"{side}_time"].values[0]


def test_what_products_do_not_tell_is_left_out(gamma_stack: Written, tmp_path: Path) -> None:
    copies = tmp_path / "products"
    shutil.copytree(gamma_stack.samples.folder, copies)
    keys = ("DEM source", "Range looks", "Reference Granule", "Secondary Granule")
    for path in copies.glob("*/*.txt"):
        if "README" not in path.name:
            lines = path.read_text().splitlines(keepends=True)
            path.write_text("".join(line for line in lines if not line.startswith(keys)))
    given = {"INPUT": copies, "ZARR": tmp_path / "s.zarr", "CHUNKING": "temporal", "STAC": True}
    build_stack.run(
        {name: str(value) for name, value in given.items()} | {"LAYERS": "corr"},
        None,
        SilentReporter(),
    )
    item = load(tmp_path / "s.stac" / "s.json")
    assert errors(item) == []
    assert set(item["assets"]) == {"zarr-temporally"}
    assert "sar:looks_range" not in item["properties"]
    assert not any(key.startswith("insar:") for key in item["properties"])


def test_names(tmp_path: Path) -> None:
    for name, folder in (
        ("a.nc", "a.stac"),
        ("a.zarr", "a.stac"),
        ("a.b.nc", "a.b.stac"),
        ("v1.2", "v1.2.stac"),
        ("v~1_2-3.nc", "v~1_2-3.stac"),
    ):
        assert catalog_folder(tmp_path / name).name == folder
        assert item_path(tmp_path / name).name == f"{folder[:-5]}.json"


def run(folder: Path, stack: Written, **more: Any) -> tuple[dict[str, Any], SilentReporter]:
    reporter = SilentReporter()
    given = {"INPUT": str(stack.samples.folder), "NETCDF": str(folder / "s.nc"), "LAYERS": "corr"}
    given |= {name: str(value) for name, value in more.items()}
    return build_stack.run(given, None, reporter), reporter


def test_only_on_request_and_told_when_stale(gamma_stack: Written, tmp_path: Path) -> None:
    outputs, _ = run(tmp_path, gamma_stack)
    assert "STAC" not in outputs and not (tmp_path / "s.stac").exists()
    outputs, _ = run(tmp_path, gamma_stack, STAC="true")
    assert outputs["STAC"] == str(tmp_path / "s.stac" / "s.json")
    created = load(Path(outputs["STAC"]))["properties"]["created"]
    with xr.open_dataset(tmp_path / "s.nc") as stack:
        assert created == stack.date_created
    _, reporter = run(tmp_path, gamma_stack)
    assert any("describes an earlier stack" in text for text in reporter.warnings)
    _, reporter = run(tmp_path, gamma_stack, STAC="yes")
    assert reporter.warnings == [text for text in reporter.warnings if "earlier" not in text]


def test_no_item_of_a_stack_that_failed(gamma_stack: Written, tmp_path: Path) -> None:
    with pytest.raises(StackError):
        run(tmp_path, gamma_stack, STAC="true", REFERENCE_POINT="0,0")
    assert list(tmp_path.iterdir()) == []


def test_bad_input(gamma_stack: Written, tmp_path: Path) -> None:
    with pytest.raises(StackError, match="STAC is 'perhaps', but it has to be true or false"):
        run(tmp_path, gamma_stack, STAC="perhaps")
    foreign = tmp_path / "s.stac"
    foreign.mkdir()
    (foreign / "thesis.txt").write_text("mine")
    with pytest.raises(OutputError, match="holds something else"):
        run(tmp_path, gamma_stack, STAC="true")
    assert (foreign / "thesis.txt").read_text() == "mine"
    with pytest.raises(OutputError, match="to be written as well"):
        run(tmp_path / "b", gamma_stack, STAC="true", ZARR=tmp_path / "b" / "s.stac")
    with pytest.raises(OutputError, match="to be written as well"):
        run(tmp_path / "c", gamma_stack, STAC="true", REPORT=tmp_path / "c" / "s.stac" / "s.html")
    assert not (tmp_path / "s.nc").exists()


def test_other_folders_and_names_with_blanks(gamma_stack: Written, tmp_path: Path) -> None:
    (tmp_path / "my stack #1").mkdir()
    zarr = tmp_path / "else" / "z 100%.zarr"
    outputs, _ = run(
        tmp_path / "my stack #1", gamma_stack, STAC="true", ZARR=zarr, CHUNKING="spatial"
    )
    item = load(Path(outputs["STAC"]))
    assert errors(item) == []
    hrefs = {key: asset["href"] for key, asset in item["assets"].items()}
    assert hrefs == {
        "netcdf": "../s.nc",
        "zarr-spatially": "../../else/z%20100%25.zarr/spatially_optimized",
    }


def test_links_lead_to_files_whatever_their_names(gamma_stack: Written, tmp_path: Path) -> None:
    folder = tmp_path / "ü st%k #1 & x"
    folder.mkdir()
    stack = folder / "ü 50% #1?.nc"
    shutil.copy(gamma_stack.netcdf, stack)
    for _ in range(2):
        path = write_catalog(stack, None, GROUPS, None)
        check_catalog(stack, ())
    collection = path.with_name("collection.json")
    for file in (path, collection):
        assert errors(load(file)) == []
        for link in load(file)["links"]:
            if link["rel"] != "license":
                assert (file.parent / link["href"]).is_file(), link
                assert quote(link["href"]) == link["href"]
    item = load(path)
    assert path.stem == item["id"] == "_50_1_"
    assert (path.parent / unquote(item["assets"]["netcdf"]["href"])).samefile(stack)


def test_a_store_that_was_written_to_an_object_store(gamma_stack: Written, tmp_path: Path) -> None:
    shutil.copy(gamma_stack.netcdf, tmp_path / "s.nc")
    place = parse_location("s3://bucket/my folder/s.zarr")
    path = write_catalog(tmp_path / "s.nc", None, GROUPS, None, place)
    item = load(path)
    assert errors(item) == []
    assert {key: asset["href"] for key, asset in item["assets"].items()} == {
        "netcdf": "../s.nc",
        "zarr-url-spatially": "s3://bucket/my%20folder/s.zarr/spatially_optimized",
        "zarr-url-temporally": "s3://bucket/my%20folder/s.zarr/temporally_optimized",
    }


def test_across_the_antimeridian() -> None:
    outline = (
        "MULTIPOLYGON (((179.5 51, 180 51, 180 52, 179.5 52, 179.5 51)), "
        "((-180 51, -179.25 51, -179.25 52, -180 52, -180 51)))"
    )
    geometry, bbox = footprint(outline)
    assert bbox == [179.5, 51.0, -179.25, 52.0]
    east, west = (shape({"type": "Polygon", "coordinates": c}) for c in geometry["coordinates"])
    assert east.bounds == (179.5, 51.0, 180.0, 52.0)
    assert west.bounds == (-180.0, 51.0, -179.25, 52.0)
    assert geometry["type"] == "MultiPolygon"
