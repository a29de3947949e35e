"""Look vectors and incidence as grids, against positions that PROJ computes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from pyproj import Transformer

from hyp3_stack.core.assessment.assess import assess_stack
from hyp3_stack.core.errors import InvalidParameterError
from hyp3_stack.core.pixels.geometry import look_component, look_vector
from hyp3_stack.core.run.reporter import SilentReporter
from hyp3_stack.core.tasks import build_stack
from tests.sample_products import SampleSpec, write_products

from ..running import samples
from ..written_stacks import Written, verdicts, write

TO_FIXED = Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)
TO_GLOBE = Transformer.from_crs("EPSG:4978", "EPSG:4979", always_xy=True)

LARGEST_ERROR = 1e-6
"""Radians; float32 holds angles of this size to 1e-7."""


def axes(longitude: float, latitude: float) -> np.ndarray:
    """Return local east, north and up as differences of positions 1 m above and 1e-5 degrees on."""
    here = np.array(TO_FIXED.transform(longitude, latitude, 0.0))
    up = np.array(TO_FIXED.transform(longitude, latitude, 1000.0)) - here
    step = 1e-5
    east = np.subtract(
        TO_FIXED.transform(longitude + step, latitude, 0.0),
        TO_FIXED.transform(longitude - step, latitude, 0.0),
    )
    up, east = up / np.linalg.norm(up), east / np.linalg.norm(east)
    return np.stack([east, np.cross(up, east), up])


def expected_vector(longitude: float, latitude: float, theta: float, phi: float) -> np.ndarray:
    to_sensor = [np.cos(theta) * np.cos(phi), np.cos(theta) * np.sin(phi), np.sin(theta)]
    return -(np.array(to_sensor) @ axes(longitude, latitude))


def angle(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.arcsin(np.linalg.norm(np.cross(one, other)) / np.linalg.norm(one)))


def vectors(stack: xr.Dataset) -> np.ndarray:
    return np.stack([stack[f"look_vector_{axis}"].values.astype("float64") for axis in "xyz"])


@pytest.mark.parametrize("zone", ["EPSG:32610", "EPSG:32611"])
@pytest.mark.parametrize("product_type", ["INSAR_GAMMA", "INSAR_ISCE_BURST"])
def test_every_component_at_many_pixels(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, product_type: str, zone: str
) -> None:
    products = samples(
        tmp_path_factory,
        product_type=product_type,
        products=3,
        rows=90,
        columns=100,
        layers=("corr", "lv_theta", "lv_phi"),
        sidecars=False,
    )
    options = {"LOOK_VECTORS": "true", "TARGET_CRS": zone}
    written = write(tmp_path, products, ["NETCDF", "ZARR"], **options)
    stack = written.open()
    to_degrees = Transformer.from_crs(zone, "EPSG:4326", always_xy=True)
    found = vectors(stack)
    x, y, thetas, phis = (stack[name].values for name in ("x", "y", "lv_theta", "lv_phi"))
    missing = np.isnan(thetas) | np.isnan(phis)
    known = np.argwhere(~missing)
    chosen = known[np.linspace(0, len(known) - 1, 60).astype(int)]
    assert np.ptp(chosen, axis=0).min() > 60
    for row, column in chosen:
        longitude, latitude = to_degrees.transform(x[column], y[row])
        theta, phi = float(thetas[row, column]), float(phis[row, column])
        vector = found[:, row, column]
        assert np.linalg.norm(vector) == pytest.approx(1.0, abs=3e-7)
        assert angle(vector, expected_vector(longitude, latitude, theta, phi)) < LARGEST_ERROR
        # The wrong neighbor would be noticed: within the scene, the direction changes by far more.
    assert angle(found[:, *chosen[0]], found[:, *chosen[-1]]) > 100 * LARGEST_ERROR
    # Where there is no angle there is no vector, in the file and in the store.
    assert missing.any()
    for axis in "xyz":
        layer = stack[f"look_vector_{axis}"]
        np.testing.assert_array_equal(layer.isnull(), missing)
        assert (layer.dtype, layer.dims) == (np.dtype("float32"), ("y", "x"))
    for group in ("spatially_optimized", "temporally_optimized"):
        with xr.open_zarr(written.zarr, group=group, chunks=None) as store:
            np.testing.assert_array_equal(vectors(store), found)


def test_it_points_from_the_satellite(gamma_stack: Written, tmp_path: Path) -> None:
    """Back along the vector by the slant range lies the orbit, some 700 km up."""
    write(tmp_path, gamma_stack.samples, LOOK_VECTORS="true")
    with xr.open_dataset(tmp_path / "s.nc") as stack:
        row, column = np.argwhere(np.isfinite(stack.lv_theta.values))[0]
        to_degrees = Transformer.from_crs("EPSG:32610", "EPSG:4326", always_xy=True)
        ground = TO_FIXED.transform(
            *to_degrees.transform(float(stack.x[column]), float(stack.y[row])), 0.0
        )
        distance = float(stack.slant_range_center[0])
        _, _, height = TO_GLOBE.transform(*(ground - distance * vectors(stack)[:, row, column]))
        assert height == pytest.approx(float(stack.spacecraft_height[0]), abs=30_000)


@pytest.mark.parametrize("latitude", [-71.0, -5.0, 0.0, 63.0])
@pytest.mark.parametrize("longitude", [-179.9, -70.0, 12.0, 135.0])
def test_anywhere_on_the_globe(longitude: float, latitude: float) -> None:
    theta, phi = 0.9, 2.8
    expected = expected_vector(longitude, latitude, theta, phi)
    assert look_vector(longitude, latitude, theta, phi) == pytest.approx(expected, abs=1e-8)
    many = [look_component(axis, *np.full((4, 3), 0.1)) for axis in "xyz"]
    assert [item.shape for item in many] == [(3,)] * 3


def test_the_center_keeps_its_vector(gamma_stack: Written, tmp_path: Path) -> None:
    plain = gamma_stack.open()
    with write(tmp_path, gamma_stack.samples, LOOK_VECTORS="true").open() as stack:
        for axis in "xyz":
            name = f"look_vector_{axis}"
            assert float(stack[f"scene_center_{name}"]) == float(plain[name])
        assert angle(
            np.array([float(plain[f"look_vector_{axis}"]) for axis in "xyz"]),
            np.nanmean(vectors(stack), axis=(1, 2)),
        ) < np.radians(0.1)
    before, after = verdicts(gamma_stack.netcdf), verdicts(tmp_path / "s.nc")
    changed = [key for key in before if before[key].status != after[key].status]
    assert changed == [("radulov-insar", "goal")]
    assert after[changed[0]].status == "met"
    assert "LOOK_VECTORS" in before[changed[0]].explanation
    assert assess_stack(tmp_path / "s.nc").problems == ()


def test_once_also_where_other_static_layers_are_not(gamma_stack: Written, tmp_path: Path) -> None:
    options = {"LOOK_VECTORS": "true", "STATIC_LAYERS": "per_pair"}
    with write(tmp_path, gamma_stack.samples, **options).open() as stack:
        assert stack.lv_theta.dims == ("pair", "y", "x")
        assert stack.look_vector_x.dims == ("y", "x")
        assert stack.look_vector_x.notnull().any()


def sentence(folder: Path, products: Path, **given: str) -> str:
    job = {"INPUT": str(products), "NETCDF": str(folder / "s.nc"), **given}
    with pytest.raises(InvalidParameterError) as caught:
        build_stack.run(job, None, SilentReporter())
    assert not (folder / "s.nc").exists()
    return str(caught.value)


def test_bad_requests(gamma_stack: Written, rtc_stack: Written, tmp_path: Path) -> None:
    products = gamma_stack.samples.folder
    text = sentence(tmp_path, products, LOOK_VECTORS="true", LAYERS="corr,lv_phi")
    assert "but lv_theta would not be in the stack" in text
    assert "true or false" in sentence(tmp_path, products, LOOK_VECTORS="grid")
    assert "for interferograms" in sentence(tmp_path, rtc_stack.samples.folder, LOOK_VECTORS="yes")
    without = write_products(tmp_path / "p", SampleSpec(products=2, rows=40, layers=("corr",)))
    assert "order the products" in sentence(tmp_path, without.folder, LOOK_VECTORS="1")


def test_incidence_where_products_have_none(stacks: dict[str, Written], tmp_path: Path) -> None:
    """ISCE2's come without ``inc_map_ell``; it follows from the elevation of the sensor."""
    written = stacks["INSAR_ISCE_BURST"]
    given = {"INPUT": str(written.samples.folder), "NETCDF": str(tmp_path / "s.nc")}
    build_stack.run({**given, "LAYERS": "corr,inc_map_ell"}, None, SilentReporter())
    with xr.open_dataset(tmp_path / "s.nc") as stack, written.open() as whole:
        assert "lv_theta" not in stack and "inc_map_ell" not in whole
        expected = np.pi / 2 - whole.lv_theta
        np.testing.assert_allclose(stack.inc_map_ell, expected, atol=2e-7)
        assert stack.inc_map_ell.computed.startswith("pi / 2 - lv_theta for the 5 of 5 pairs")
        assert stack.inc_map_ell.attrs["standard_name"] == "angle_of_incidence"
        assert "wavelength" not in stack.inc_map_ell.attrs
    assert verdicts(tmp_path / "s.nc")["pelinca", "threshold"].status == "met"


def test_incidence_in_the_center(stacks: dict[str, Written]) -> None:
    for kind in ("INSAR_GAMMA", "INSAR_ISCE_BURST"):
        with stacks[kind].open() as stack:
            center = float(stack.incidence_center)
            assert float(stack.incidence_near.mean()) < center < float(stack.incidence_far.mean())
            middle = np.nanmedian(90 - np.degrees(stack.lv_theta.values))
            assert center == pytest.approx(middle, abs=0.05)
