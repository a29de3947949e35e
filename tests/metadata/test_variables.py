"""Variables on pairs, acquisitions and the scene against what the products say."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from pyproj import Transformer

from tests.sample_products import SampleSpec

from ..written_stacks import Written, write

TEXT_KINDS = "SUO"


def by_pair(written: Written) -> list[dict[str, str]]:
    stack = written.open()
    files = {product.name: product.parameters for product in written.samples.products}
    return [files[str(name)] for name in stack.product_name.values]


@pytest.fixture(params=["INSAR_GAMMA", "INSAR_ISCE_BURST", "INSAR_ISCE_MULTI_BURST"])
def insar(request: pytest.FixtureRequest, stacks: dict[str, Written]) -> Written:
    return stacks[request.param]


@pytest.mark.parametrize(
    ("name", "key", "units"),
    [
        ("slant_range_near", "Slant range near", "m"),
        ("slant_range_center", "Slant range center", "m"),
        ("slant_range_far", "Slant range far", "m"),
        ("looks_range", "Range looks", "1"),
        ("looks_azimuth", "Azimuth looks", "1"),
        ("phase_filter_parameter", "Phase filter parameter", "1"),
    ],
)
def test_numbers_of_the_parameter_files(insar: Written, name: str, key: str, units: str) -> None:
    variable = insar.open()[name]
    assert variable.dims == ("pair",)
    assert variable.attrs["units"] == units
    np.testing.assert_allclose(variable, [float(item[key]) for item in by_pair(insar)])


def test_heading_is_a_full_circle(insar: Written) -> None:
    heading = insar.open()["heading"]
    stored = np.array([float(item["Heading"]) for item in by_pair(insar)])
    assert (stored < 0).all()
    assert ((heading >= 0) & (heading < 360)).all()
    np.testing.assert_allclose(heading, stored + 360)
    assert heading.attrs["standard_name"] == "platform_course"


def test_constants_of_isce_are_no_measurements(stacks: dict[str, Written]) -> None:
    for kind in ("INSAR_ISCE_BURST", "INSAR_ISCE_MULTI_BURST"):
        stack = stacks[kind].open()
        assert "spacecraft_height" not in stack and "earth_radius" not in stack
        assert not any(
            np.isin([693000.0, 6337286.638938101], variable).any()
            for variable in stack.variables.values()
            if variable.dims in ((), ("pair",)) and variable.dtype.kind == "f"
        )
    assert "spacecraft_height" in stacks["INSAR_GAMMA"].open()


def test_reference_points_of_the_pairs(stacks: dict[str, Written]) -> None:
    gamma = stacks["INSAR_GAMMA"]
    stored = [float(i["Latitude of the reference point (WGS84)"]) for i in by_pair(gamma)]
    np.testing.assert_allclose(gamma.open().hyp3_reference_latitude, stored)
    isce = stacks["INSAR_ISCE_BURST"].open()
    assert np.isnan(isce.hyp3_reference_latitude).all()


def test_acquisitions(insar: Written) -> None:
    stack = insar.open()
    times = {p.reference_time.replace(tzinfo=None) for p in insar.samples.products} | {
        p.secondary_time.replace(tzinfo=None) for p in insar.samples.products
    }
    assert stack.acquisition.values.tolist() == list(range(1, len(times) + 1))
    stored = stack.acquisition_time.values.astype("datetime64[s]").astype(datetime)
    assert set(stored) == times
    granules = {
        name.strip()
        for item in by_pair(insar)
        for side in ("Reference", "Secondary")
        for name in item[f"{side} Granule"].split(",")
    }
    listed = " ".join(stack.source_granules.values.astype(str)).split()
    assert set(listed) == granules and len(listed) == len(granules)
    for names, urls in zip(stack.source_granules.values, stack.source_url.values, strict=True):
        assert len(str(urls).split()) == len(str(names).split())
    orbits = {
        int(item[f"{side} Orbit Number"])
        for item in by_pair(insar)
        for side in ("Reference", "Secondary")
    }
    assert set(stack.orbit_absolute.values.astype(int)) == orbits
    assert set(stack.satellite.values.astype(str)) == {"Sentinel-1A"}
    assert (stack.orbit_relative == (stack.orbit_absolute - 73) % 175 + 1).all()
    assert (stack.pass_direction == 1).all()
    ends = stack.acquisition_end_time - stack.acquisition_time
    assert ((ends > np.timedelta64(2, "s")) & (ends < np.timedelta64(60, "s"))).all()


def test_look_vector(insar: Written) -> None:
    """Unit length, at the incidence of ``lv_theta``, to the right of the heading."""
    stack = insar.open()
    vector = np.array([float(stack[f"look_vector_{axis}"]) for axis in "xyz"])
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-12)
    lon = np.radians(float(stack.scene_center_longitude))
    lat = np.radians(float(stack.scene_center_latitude))
    up = np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    east = np.array([-np.sin(lon), np.cos(lon), 0])
    north = np.cross(up, east)
    incidence = np.degrees(np.arccos(-vector @ up))
    to_map = Transformer.from_crs(4326, 32610, always_xy=True)
    x, y = to_map.transform(np.degrees(lon), np.degrees(lat))
    here = stack.sel(x=x, y=y, method="nearest")
    assert incidence == pytest.approx(90 - np.degrees(float(here.lv_theta)), abs=0.02)
    azimuth = np.degrees(np.arctan2(vector @ east, vector @ north)) % 360
    assert azimuth == pytest.approx((float(stack.heading[0]) + 90) % 360, abs=1.5)


def test_incidence_at_the_edges(insar: Written) -> None:
    stack = insar.open()
    near, far = float(stack.incidence_near.mean()), float(stack.incidence_far.mean())
    angles = 90 - np.degrees(stack.lv_theta.values)
    assert 25 < near < far < 50
    # GAMMA's are those of the whole product, ISCE's those of the layer.
    assert np.nanmin(angles) == pytest.approx(near, abs=0.5)
    assert np.nanmax(angles) == pytest.approx(far, abs=0.5)


def test_statistics_of_coherence(insar: Written) -> None:
    stack = insar.open()
    corr = stack["corr"].astype("float64")
    np.testing.assert_allclose(stack.coherence_mean, corr.mean(("y", "x")), rtol=1e-9)
    np.testing.assert_allclose(stack.coherence_std, corr.std(("y", "x")), rtol=1e-6)
    share = stack.unw_phase.notnull().mean(("y", "x"))
    np.testing.assert_allclose(stack.valid_fraction, share, rtol=1e-12)


def test_statistics_in_every_layout(gamma_stack: Written, tmp_path: Path) -> None:
    """Without maps to write, they are learned from the series."""
    options = {"CHUNKING": "temporal", "LAYERS": "corr,unw_phase"}
    written = write(tmp_path, gamma_stack.samples, ["ZARR"], **options)
    series = xr.open_zarr(written.zarr, group="temporally_optimized")
    full = gamma_stack.open()
    for name in ("coherence_mean", "coherence_std", "valid_fraction", "data_mask"):
        np.testing.assert_allclose(series[name].values, full[name].values, rtol=1e-9)
    assert series.attrs["footprint"] == full.attrs["footprint"]


def test_parameter_files_word_for_word(insar: Written) -> None:
    kept = json.loads(insar.open().attrs["hyp3_parameters_json"])
    for product in insar.samples.products:
        assert kept[product.name] == (product.path / f"{product.name}.txt").read_text()


def test_backscatter(rtc_stack: Written) -> None:
    stack = rtc_stack.open()
    assert stack.acquisition.values.tolist() == [1, 2, 3, 4, 5]
    assert (stack.pass_direction == 1).all()
    assert (stack.orbit_type == 2).all()
    assert set(stack.source_polarizations.values.astype(str)) == {"VV VH"}
    for url, product in zip(stack.source_url.values, stack.product_name.values, strict=True):
        assert str(url).startswith("https://sentinel1.asf.alaska.edu/")
        assert str(product)[7:22] in str(url)


def test_descending_backscatter(tmp_path: Path) -> None:
    spec = SampleSpec("RTC_GAMMA", 2, 60, 60, direction="descending", layers=("VV", "ls_map"))
    assert (write(tmp_path, spec).open().pass_direction == 0).all()


def test_nothing_is_empty(written: Written) -> None:
    stack = written.raw()
    for name, variable in stack.variables.items():
        for key, value in variable.attrs.items():
            assert not (isinstance(value, str) and not value.strip()), (name, key)
        if variable.dtype.kind in TEXT_KINDS:
            assert all(str(text).strip() for text in variable.values.ravel()), name
    assert all(str(value).strip() for value in stack.attrs.values())


def test_both_forms_say_the_same(written: Written) -> None:
    netcdf = written.open()
    for group in ("spatially_optimized", "temporally_optimized"):
        zarr = xr.open_zarr(written.zarr, group=group)
        assert set(zarr.variables) == set(netcdf.variables)
        for name, variable in netcdf.variables.items():
            if variable.ndim < 2:
                xr.testing.assert_equal(zarr[name].variable.load(), variable.load())
        extra = {"zarr_conventions", "_CRS"} | {n for n in zarr.attrs if ":" in n}
        assert set(zarr.attrs) - extra == set(netcdf.attrs)


def test_figures_of_the_sources(written: Written) -> None:
    """Sample backscatter is made from ground range images, all else from complex ones."""
    attributes = written.open().attrs
    if written.is_insar:
        assert attributes["source_geometry"] == "slant range"
        assert attributes["source_range_spacing"] == pytest.approx(
            299_792_458.0 / 2 / 64.345238e6, abs=1e-6
        )
        assert attributes["source_azimuth_spacing"] == 14.1
        assert attributes["source_range_resolution"].tolist() == [2.7, 3.1, 3.5]
        assert attributes["source_azimuth_resolution"].tolist() == [22.5, 22.7, 22.6]
        assert "level-1-single-look-complex" in attributes["source_attributes_comment"]
        assert attributes["source_number_of_looks_range"] == 1
    else:
        assert attributes["source_geometry"] == "ground range"
        assert attributes["source_range_spacing"] == attributes["source_azimuth_spacing"] == 10.0
        assert attributes["source_range_resolution"].tolist() == [20.4, 20.3, 20.5]
        assert attributes["source_azimuth_resolution"].tolist() == [22.5, 22.6, 22.6]
        assert "sentiwiki" in attributes["source_attributes_comment"]
        assert attributes["source_number_of_looks_range"] == 5


def test_wavelength_and_frequency_agree(gamma_stack: Written) -> None:
    stack = gamma_stack.open()
    assert float(stack.radiation_wavelength) == 0.055465763
    assert float(stack.radiation_wavelength * stack.radar_frequency) == pytest.approx(
        299_792_458.0, rel=1e-7
    )
