"""Projects of MintPy: names, types, units and positions that its documents ask for."""

import h5py
import numpy as np
import pytest
import xarray as xr
from pyproj import CRS, Transformer

from tests.running import build

from .exporting import export

INSAR = ("INSAR_GAMMA", "INSAR_ISCE_BURST", "INSAR_ISCE_MULTI_BURST")


@pytest.fixture(scope="module")
def projects(stacks, tmp_path_factory):
    """A project of each type of interferograms."""
    folder = tmp_path_factory.mktemp("mintpy")
    for kind in INSAR:
        export(stacks[kind].zarr, folder / kind, FORMAT="mintpy")
    return folder


@pytest.fixture(params=INSAR)
def project(request, stacks, projects):
    """A project and the stack that it was made from."""
    with xr.open_dataset(stacks[request.param].netcdf) as stack:
        yield projects / request.param, stack


def days(times):
    return np.char.replace(np.datetime_as_string(times, "D"), "-", "").astype("S8")


def test_pairs(project):
    folder, stack = project
    with h5py.File(folder / "inputs" / "ifgramStack.h5") as file:
        dates = np.stack(
            [days(stack[f"{side}_time"].values) for side in ("reference", "secondary")]
        )
        np.testing.assert_array_equal(file["date"][:], dates.T)
        assert file["bperp"].dtype == "f4" and file["dropIfgram"].dtype == bool
        np.testing.assert_allclose(file["bperp"][:], stack.perpendicular_baseline, rtol=1e-6)
        assert file["dropIfgram"][:].all()
        pairs = [("unwrapPhase", "unw_phase", "f4"), ("coherence", "corr", "f4")]
        if "conncomp" in stack:
            pairs.append(("connectComponent", "conncomp", "i2"))
        assert set(file) == {"date", "bperp", "dropIfgram", *(name for name, _, _ in pairs)}
        for name, layer, dtype in pairs:
            values, found = stack[layer].values, file[name][:]
            assert file[name].dtype == dtype
            float(file[name].attrs["MODIFICATION_TIME"])
            valid = ~np.isnan(values)
            assert valid.any() and not valid.all()
            assert (found[~valid] == 0).all()
            np.testing.assert_allclose(found[valid], values[valid], atol=1e-6, rtol=0)
        phase, values = file["unwrapPhase"][:], stack.unw_phase.values
        np.testing.assert_array_equal(phase != 0, ~np.isnan(values))


def test_geometry(project):
    folder, stack = project
    with h5py.File(folder / "inputs" / "geometryGeo.h5") as file:
        assert file.attrs["FILE_TYPE"] == "geometry"
        np.testing.assert_array_equal(file["height"][:], stack.dem.values)
        incidence = 90 - np.degrees(stack.lv_theta.values)
        np.testing.assert_allclose(file["incidenceAngle"][:], incidence, rtol=1e-5)
        # From ground to satellite, counterclockwise from east; in MintPy the way back, from north.
        azimuth = np.degrees(stack.lv_phi.values)
        turned = np.radians(file["azimuthAngle"][:] - (azimuth - 90))
        assert np.nanmax(np.abs(np.angle(np.exp(1j * turned)))) < 1e-5
        assert np.nanmax(np.abs(file["azimuthAngle"][:])) <= 180
        center = float(stack.slant_range_center.mean())
        assert float(np.nanmedian(file["slantRangeDistance"][:])) == pytest.approx(
            center, rel=0.001
        )
        assert file["waterMask"].dtype == bool
        np.testing.assert_array_equal(file["waterMask"][:], stack.water_mask.values == 1)


def test_attributes(project):
    folder, stack = project
    with h5py.File(folder / "inputs" / "ifgramStack.h5") as file:
        found = dict(file.attrs)
    assert all(isinstance(value, str) for value in found.values())
    left, spacing, _, top, _, _ = map(float, stack.spatial_ref.attrs["GeoTransform"].split())
    expected = {
        "FILE_TYPE": "ifgramStack",
        "PROCESSOR": "hyp3",
        "LENGTH": str(stack.sizes["y"]),
        "WIDTH": str(stack.sizes["x"]),
        "EPSG": "32610",
        "UTM_ZONE": "10N",
        "X_UNIT": "meters",
        "ORBIT_DIRECTION": "ASCENDING",
        "PLATFORM": "Sen",
        "ANTENNA_SIDE": "-1",
        "START_DATE": min(days(stack.reference_time.values).tolist()).decode(),
        "END_DATE": max(days(stack.secondary_time.values).tolist()).decode(),
        "ALOOKS": "4",
        "RLOOKS": "20",
        "relative_orbit": "35",
    }
    assert expected.items() <= found.items()
    numbers = {
        "X_FIRST": left,
        "Y_FIRST": top,
        "X_STEP": spacing,
        "Y_STEP": -spacing,
        "WAVELENGTH": 0.055465763,
        "HEADING": float(stack.heading.mean()) - 360,
        "STARTING_RANGE": float(stack.slant_range_near.mean()),
        "CENTER_LINE_UTC": 6696.5,
        "RANGE_PIXEL_SIZE": 20 * 2.329562,
        "AZIMUTH_PIXEL_SIZE": 4 * 14.1,
    }
    for name, value in numbers.items():
        assert float(found[name]) == pytest.approx(value, abs=1e-6 * abs(value) + 0.6), name
    # MintPy counts pixels from the outer corner and takes their middles half a pixel on.
    assert float(found["X_FIRST"]) + spacing / 2 == pytest.approx(float(stack.x[0]), abs=1e-6)
    assert float(found["Y_FIRST"]) - spacing / 2 == pytest.approx(float(stack.y[0]), abs=1e-6)
    crs = CRS.from_wkt(stack.spatial_ref.attrs["crs_wkt"])
    lower_left = left, top - spacing * stack.sizes["y"]
    latitude, longitude = Transformer.from_crs(crs, "EPSG:4326").transform(*lower_left)
    assert float(found["LAT_REF1"]) == pytest.approx(latitude, abs=1e-9)
    assert float(found["LON_REF1"]) == pytest.approx(longitude, abs=1e-9)


def test_the_reference_point_stays_valid_and_is_kept(gamma, tmp_path):
    """MintPy takes a phase of 0 for missing, and refuses a reference point without data."""
    layers = "unw_phase,corr,dem"
    stack = build(
        gamma.folder, LAYERS=layers, REFERENCE_POINT="auto", NETCDF=tmp_path / "s.nc"
    ).netcdf
    run = export(stack, tmp_path / "project", FORMAT="mintpy")
    assert any("lv_phi, lv_theta, water_mask" in text for text in run.warnings)
    settings = (tmp_path / "project" / "smallbaselineApp.cfg").read_text()
    row, column = map(
        int, settings.partition("mintpy.reference.yx = ")[2].splitlines()[0].split(",")
    )
    with xr.open_dataset(stack) as pairs:
        assert float(pairs.y[row]) == float(pairs.reference_point_y)
        assert float(pairs.x[column]) == float(pairs.reference_point_x)
        assert (pairs.unw_phase[:, row, column] == 0).all()
    with h5py.File(tmp_path / "project" / "inputs" / "ifgramStack.h5") as file:
        phase = file["unwrapPhase"][:, row, column]
        assert ((phase != 0) & (np.abs(phase) < 1e-5)).all()


@pytest.fixture(scope="module")
def displacement(inverted, tmp_path_factory):
    """Displacement from its second date on, as a project."""
    folder = tmp_path_factory.mktemp("displacement") / "project"
    with xr.open_dataset(inverted.netcdf) as stack:
        start = str(stack.time.values[1])[:10]
    return export(inverted.zarr, folder, FORMAT="mintpy", START=start), folder


def test_displacement(inverted, displacement):
    run, folder = displacement
    with xr.open_dataset(inverted.netcdf) as stack, h5py.File(folder / "timeseries.h5") as file:
        np.testing.assert_array_equal(file["date"][:], days(stack.time.values[1:]))
        expected = stack.displacement.values[1:] - stack.displacement.values[1]
        np.testing.assert_allclose(file["timeseries"][:], expected, atol=1e-7)
        attributes = dict(file.attrs)
        assert attributes["UNIT"] == "m" and attributes["FILE_TYPE"] == "timeseries"
        assert attributes["REF_DATE"] == attributes["START_DATE"] == file["date"][0].decode()
        x, y, _ = map(float, stack.attrs["reference_area"].split(","))
        row, column = int(attributes["REF_Y"]), int(attributes["REF_X"])
        assert abs(float(stack.x[column]) - x) <= 40 and abs(float(stack.y[row]) - y) <= 40
        # Each pair's baseline is the difference of those of its dates.
        baselines = dict(zip(file["date"][:], file["bperp"][:], strict=True))
        pairs = zip(
            days(stack.pair_reference_time.values),
            days(stack.pair_secondary_time.values),
            stack.pair_perpendicular_baseline.values,
            strict=True,
        )
        for reference, secondary, baseline in pairs:
            if reference in baselines:
                found = baselines[secondary] - baselines[reference]
                assert found == pytest.approx(baseline, abs=0.01)
    assert {"timeseries.h5", "velocity.h5", "temporalCoherence.h5", "maskTempCoh.h5"} <= {
        path.name for path in folder.iterdir()
    }
    assert run.outputs["FILES"][0] == str(folder / "timeseries.h5")


def test_velocity_and_masks(inverted, displacement):
    _, folder = displacement
    with xr.open_dataset(inverted.netcdf) as stack:
        with h5py.File(folder / "velocity.h5") as file:
            assert file.attrs["UNIT"] == "m/year" and file.attrs["FILE_TYPE"] == "velocity"
            np.testing.assert_array_equal(file["velocity"][:], stack.velocity.values)
            errors = stack.velocity_standard_error.values
            np.testing.assert_array_equal(file["velocityStd"][:], errors)
            # It is of all dates of the stack, of which the series leaves out the first.
            first, *_, last = days(stack.time.values).astype(str)
            dates = ("START_DATE", "END_DATE", "REF_DATE", "DATE12")
            assert [file.attrs[name] for name in dates] == [first, last, first, f"{first}_{last}"]
            # The satellite flies at its heading, by the line of sight alone.
            assert float(file.attrs["HEADING"]) == pytest.approx(-13.0857, abs=0.2)
        with h5py.File(folder / "maskTempCoh.h5") as file:
            np.testing.assert_array_equal(file["mask"][:], stack.mask.values == 0)
        with h5py.File(folder / "temporalCoherence.h5") as file:
            coherence = np.nan_to_num(stack.temporal_coherence.values)
            np.testing.assert_array_equal(file["temporalCoherence"][:], coherence)
