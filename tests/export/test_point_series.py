"""Tables of series: the values at points, with the attributes of their layer."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from pyproj import Transformer

from hyp3_stack.core.contract import TEMPORAL_GROUP
from hyp3_stack.core.errors import InvalidParameterError
from hyp3_stack.core.object_store.address import parse_address
from tests.object_store.stacks import new_url
from tests.running import assert_one_sentence

from .exporting import collection, export


def places(stack, *pixels):
    """Return longitude and latitude a third of a pixel beside the middle of pixels."""
    to_degrees = Transformer.from_crs(
        stack.spatial_ref.attrs["crs_wkt"], "OGC:CRS84", always_xy=True
    )
    third = float(stack.x[1] - stack.x[0]) / 3
    return [
        to_degrees.transform(float(stack.x[column]) + third, float(stack.y[row]) - third)
        for row, column in pixels
    ]


@pytest.mark.parametrize("form", ["netcdf", "zarr"])
def test_series_of_displacement(inverted, tmp_path, form):
    with xr.open_dataset(inverted.netcdf) as stack:
        rows, columns = np.nonzero(np.isfinite(stack.velocity.values))
        pixels = [(rows[at], columns[at]) for at in (0, rows.size // 2, -1)]
        pixels.append(tuple(np.argwhere(~np.isfinite(stack.velocity.values))[0]))
        points = [
            (*place, {"name": f'Ørsted {number}, "west"', "time": number})
            for number, place in enumerate(places(stack, *pixels))
        ]
        outside = [(0.0, 0.0, {"name": "far", "time": 9})]
        layer = collection(*outside, *points)
        run = export(getattr(inverted, form), tmp_path / "out", FORMAT="series", POINTS=layer)
        assert run.warnings == ["1 of 5 points lie outside of what is exported and are left out."]
        table = pd.read_csv(tmp_path / "out" / "series.csv", parse_dates=["time"])
        assert list(table.columns) == ["point", "name", "time_attribute", "time", "displacement"]
        assert len(table) == 4 * stack.sizes["time"]
        for number, (row, column) in enumerate(pixels):
            series = table[table.point == number + 2]
            assert set(series.name) == {points[number][2]["name"]}
            assert set(series.time_attribute) == {number}
            expected = stack.time.values.astype("datetime64[s]")
            np.testing.assert_array_equal(
                series.time.dt.tz_localize(None).values.astype("datetime64[s]"), expected
            )
            found = series.displacement.values.astype("float32")
            np.testing.assert_array_equal(found, stack.displacement.values[:, row, column])
        about = pd.read_csv(tmp_path / "out" / "points.csv").set_index("point")
        assert about.index.tolist() == [2, 3, 4, 5]
        for number, (row, column) in enumerate(pixels):
            found = about.loc[number + 2]
            assert found.x == float(stack.x[column]) and found.y == float(stack.y[row])
            velocity = np.float32(found.velocity)
            np.testing.assert_equal(velocity, stack.velocity.values[row, column])
            assert found["mask"] == stack.mask.values[row, column]


def test_columns_are_different_and_those_of_all_features(inverted, tmp_path):
    with xr.open_dataset(inverted.netcdf) as stack:
        one, other = places(stack, (30, 30), (31, 30))
    given = {"x": 1, "x_attribute": 2, "velocity": 3, "x_attribute_attribute": 4}
    layer = collection((*one, given), (*other, {"later": 5, "gap": float("nan")}))
    # As QGIS hands over a feature without a place.
    layer["features"].insert(
        0, {"properties": {}, "geometry": {"type": "Point", "coordinates": []}}
    )
    export(inverted.netcdf, tmp_path / "out", FORMAT="series", POINTS=layer, LAYERS="velocity")
    table = pd.read_csv(tmp_path / "out" / "points.csv")
    assert list(table.columns) == [
        "point",
        "x_attribute_attribute_attribute",
        "x_attribute",
        "velocity_attribute",
        "x_attribute_attribute",
        "later",
        "gap",
        "x",
        "y",
        "velocity",
    ]
    assert table.iloc[0, 1:5].tolist() == [1, 2, 3, 4] and table.later[1] == 5 and len(table) == 2
    assert "nan" not in (tmp_path / "out" / "points.csv").read_text()


def test_pairs_have_two_times(gamma_stack, tmp_path):
    with xr.open_dataset(gamma_stack.netcdf) as stack:
        row, column = np.argwhere(np.isfinite(stack.unw_phase.values[0]))[50]
        (place,) = places(stack, (row, column))
        geometry = {"type": "MultiPoint", "coordinates": [place, place]}
        layer = {"features": [{"properties": {"id": 7}, "geometry": geometry}]}
        export(
            gamma_stack.zarr,
            tmp_path / "out",
            FORMAT="series",
            POINTS=layer,
            LAYERS="unw_phase,corr,dem",
        )
        table = pd.read_csv(tmp_path / "out" / "series.csv")
        steps = stack.sizes["pair"]
        names = ["point", "id", "reference_time", "secondary_time", "unw_phase", "corr"]
        assert list(table.columns) == names
        assert table.point.tolist() == [1] * steps + [2] * steps and set(table.id) == {7}
        values = table.unw_phase.values[:steps].astype("float32")
        np.testing.assert_array_equal(values, stack.unw_phase.values[:, row, column])
        first = str(stack.secondary_time.values[0])[:19] + "Z"
        assert table.secondary_time[0] == first


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (None, ("needs POINTS", "geotiff")),
        ({"features": []}, ("POINTS has no features",)),
        (collection((0.0, 0.0, {})), ("POINTS has 1 points", "none lies in the part")),
        ({"features": [{"geometry": None}]}, ("POINTS holds no points",)),
        (
            {"features": [{"geometry": {"type": "Polygon", "coordinates": []}}]},
            ("POINTS holds a Polygon", "layer of points"),
        ),
    ],
)
def test_what_are_no_points_is_refused(rtc_stack, tmp_path, layer, words):
    with pytest.raises(InvalidParameterError) as raised:
        export(rtc_stack.zarr, tmp_path / "out", FORMAT="series", POINTS=layer)
    assert_one_sentence(raised.value, *words)
    assert not list(tmp_path.iterdir())


def test_a_stack_in_an_object_store(object_store, inverted, tmp_path):
    """Is read from there, chunk by chunk, and gives the same table as one on a disk."""
    url, service = new_url(), {"S3_ENDPOINT": object_store.endpoint}
    object_store.upload(inverted.zarr / TEMPORAL_GROUP, parse_address(url).key)
    with xr.open_dataset(inverted.netcdf) as stack:
        pixels = np.argwhere(np.isfinite(stack.velocity.values))[::400]
        layer = collection(*((*place, {}) for place in places(stack, *map(tuple, pixels))))
    for source, name in ((url, "remote"), (inverted.netcdf, "local")):
        given = {"POINTS": layer, "LAYERS": "displacement,velocity", **service}
        export(source, tmp_path / name, FORMAT="series", **given)
    for name in ("series.csv", "points.csv"):
        table = (tmp_path / "remote" / name).read_text()
        assert table == (tmp_path / "local" / name).read_text() and table.count("\n") > 5
