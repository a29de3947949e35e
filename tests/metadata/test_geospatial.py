"""Where a stack lies on the globe, also across the antimeridian."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import shapely
import xarray as xr
from pyproj import CRS

from hyp3_stack.core.assessment.assess import assess_stack
from hyp3_stack.core.grid.antimeridian import limits, split, unwrap
from hyp3_stack.core.grid.lattice import Grid
from hyp3_stack.core.metadata.geospatial import (
    grid_attributes,
    outline_attributes,
    to_longitude_latitude,
)
from tests.sample_products import SampleSpec

from ..stac.stac_rules import errors
from ..written_stacks import write


def grid_at(epsg: int, left: float, top: float) -> Grid:
    return Grid(epsg, left, top, 80.0, 500, 400, CRS.from_epsg(epsg).to_wkt())


@pytest.mark.parametrize(
    ("epsg", "left", "top"), [(32660, 690e3, 5.74e6), (32601, 270e3, 5.74e6), (32760, 800e3, 8.1e6)]
)
def test_a_grid_across_the_antimeridian(epsg: int, left: float, top: float) -> None:
    grid = grid_at(epsg, left, top)
    box = grid_attributes(grid)
    assert 179 < box["geospatial_lon_min"] < 180
    assert -180 < box["geospatial_lon_max"] < -179
    places = np.random.default_rng(3).uniform(grid.bounds[:2], grid.bounds[2:], (200, 2))
    found = outline_attributes(grid, places)
    outline = shapely.from_wkt(found["footprint"])
    assert outline.is_valid
    east, west = sorted((part.bounds for part in outline.geoms), reverse=True)
    assert box["geospatial_lon_min"] <= east[0] < east[2] == 180
    assert -180 == west[0] < west[2] <= box["geospatial_lon_max"]
    longitude, latitude = to_longitude_latitude(grid).transform(*places.T)
    assert (longitude > 0).any() and (longitude < 0).any()
    wide = outline.buffer(1.5 * grid.spacing / 60_000)
    assert shapely.contains_xy(wide, longitude, latitude).all()
    swapped = shapely.transform(
        shapely.from_wkt(found["geospatial_bounds"]), lambda points: points[:, ::-1]
    )
    assert swapped.equals(outline)


def test_a_grid_beside_the_antimeridian_is_one_polygon() -> None:
    grid = grid_at(32660, 650e3, 5.74e6)
    left, bottom, right, top = grid.bounds
    box = grid_attributes(grid)
    assert 178 < box["geospatial_lon_min"] < box["geospatial_lon_max"] < 180
    corners = [(left, bottom), (right, bottom), (right, top), (left, top)]
    assert outline_attributes(grid, corners)["footprint"].startswith("POLYGON ((17")


def test_longitudes_that_touch_the_antimeridian_or_run_beyond() -> None:
    assert limits([179.0, 180.0]) == (179.0, 180.0)
    assert limits([-180.0, -179.0]) == (-180.0, -179.0)
    assert limits([179.0, -180.0]) == (179.0, 180.0)
    assert limits([179.5, -179.0]) == (179.5, -179.0)
    assert unwrap([179.5, -179.0]).tolist() == [179.5, 181.0]
    assert split(shapely.box(-300, -90, 300, 90)).equals(shapely.box(-180, -90, 180, 90))
    parts = split(shapely.box(-181, 0, -179, 1)).geoms
    assert sorted(part.bounds for part in parts) == [(-180, 0, -179, 1), (179, 0, 180, 1)]


def test_a_stack_across_the_antimeridian(tmp_path: Path) -> None:
    """What reads the attributes takes them: the catalog item and the assessment."""
    spec = SampleSpec("RTC_GAMMA", 3, 60, 60, longitude=180.0, latitude=51.7, layers=("VV",))
    written = write(tmp_path, spec, ["NETCDF", "ZARR"], STAC="true")
    attributes = written.open().attrs
    assert attributes["geospatial_lon_min"] > 179 > -179 > attributes["geospatial_lon_max"]
    for name in ("footprint", "geospatial_bounds"):
        assert attributes[name].startswith("MULTIPOLYGON")
        for group in ("spatially_optimized", "temporally_optimized"):
            assert xr.open_zarr(written.zarr, group=group).attrs[name] == attributes[name]
    item = json.loads((tmp_path / "s.stac" / "s.json").read_text())
    assert errors(item) == []
    outline = shapely.from_wkt(attributes["footprint"])
    assert shapely.geometry.shape(item["geometry"]).equals(outline)
    west, _, east, _ = item["bbox"]
    assert attributes["geospatial_lon_min"] <= west < 180
    assert -180 < east <= attributes["geospatial_lon_max"]
    for path in (written.netcdf, written.zarr):
        assert assess_stack(path).problems == ()
