"""Maps and points for InSAR Explorer, in millimeters, named as its checks ask for."""

import re
import sqlite3
import struct

import netCDF4
import numpy as np
import pytest
import xarray as xr

from .exporting import export

ITS_PATTERN = re.compile(r"timeseries-\d{8}\.grd$")


@pytest.fixture(scope="module")
def explored(inverted, tmp_path_factory):
    folder = tmp_path_factory.mktemp("explored") / "out"
    run = export(inverted.zarr, folder, FORMAT="insar_explorer")
    assert not run.warnings
    return folder


def test_maps(inverted, explored):
    with xr.open_dataset(inverted.netcdf) as stack:
        maps = sorted(path for path in explored.iterdir() if ITS_PATTERN.match(path.name))
        days = [str(time)[:10].replace("-", "") for time in stack.time.values]
        assert [path.name for path in maps] == [f"timeseries-{day}.grd" for day in days]
        for path, expected in zip(maps, stack.displacement.values, strict=True):
            with netCDF4.Dataset(path) as file:
                values = file["displacement"]
                assert values.units == "mm" and values.dimensions == ("y", "x")
                found = np.ma.filled(values[:], np.nan)
                np.testing.assert_array_equal(found, expected * np.float32(1000))
                np.testing.assert_array_equal(file["x"][:], stack.x.values)
        with netCDF4.Dataset(explored / "velocity_mm_year.grd") as file:
            found = np.ma.filled(file["velocity"][:], np.nan)
            np.testing.assert_array_equal(found, stack.velocity.values * np.float32(1000))


def test_points(inverted, explored):
    with xr.open_dataset(inverted.netcdf) as stack:
        row, column = np.nonzero(np.isfinite(stack.velocity.values))
        days = [f"D{str(time)[:10].replace('-', '')}" for time in stack.time.values]
        with sqlite3.connect(explored / "displacement.gpkg") as database:
            names = [item[1] for item in database.execute("PRAGMA table_info(displacement)")]
            rows = database.execute("SELECT * FROM displacement ORDER BY fid").fetchall()
            boxes = database.execute("SELECT * FROM rtree_displacement_geom ORDER BY id").fetchall()
            extent = database.execute("SELECT min_x, max_y FROM gpkg_contents").fetchone()
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert {"velocity", "temporal_coherence", "dem", *days} < set(names)
        assert len(rows) == row.size == len(boxes) > 100
        table = dict(zip(names, zip(*rows, strict=True), strict=True))
        places = np.array([struct.unpack("<2d", geometry[-16:]) for geometry in table["geom"]])
        np.testing.assert_array_equal(places[:, 0], stack.x.values[column])
        np.testing.assert_array_equal(places[:, 1], stack.y.values[row])
        assert {struct.unpack("<i", geometry[4:8])[0] for geometry in table["geom"]} == {32610}
        velocity = stack.velocity.values[row, column] * 1000
        np.testing.assert_allclose(table["velocity"], velocity, rtol=1e-6)
        for number, day in enumerate(days):
            expected = stack.displacement.values[number, row, column] * 1000
            np.testing.assert_allclose(table[day], expected, rtol=1e-6)
        np.testing.assert_array_equal(table["dem"], stack.dem.values[row, column])
        left, _, _, top, _, _ = map(float, stack.spatial_ref.attrs["GeoTransform"].split())
        assert extent == (left, top)
