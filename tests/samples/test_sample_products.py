"""The sample products have HyP3's format, and their truth is what is in the files."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.warp import transform

from tests.sample_products import SampleProduct, SampleSpec, SampleStack, write_products

ROOT = Path(__file__).resolve().parents[2]
GAMMA_NAME = re.compile(
    r"^S1[A-D][A-D]_\d{8}T\d{6}_\d{8}T\d{6}_(VV|HH)[PRO]\d{3,}_INT80_G_[uw][ec][123F]_[0-9A-F]{4}$"
)
SLC_NAME = re.compile(
    r"^S1[A-D]_IW_SLC__1SDV_\d{8}T\d{6}_\d{8}T\d{6}_\d{6}_[0-9A-F]{6}_[0-9A-F]{4}$"
)
GAMMA_KEYS = [
    "Reference Granule",
    "Secondary Granule",
    "Reference Pass Direction",
    "Reference Orbit Number",
    "Secondary Pass Direction",
    "Secondary Orbit Number",
    "Baseline",
    "UTC time",
    "Heading",
    "Spacecraft height",
    "Earth radius at nadir",
    "Slant range near",
    "Slant range center",
    "Slant range far",
    "Range looks",
    "Azimuth looks",
    "INSAR phase filter",
    "Phase filter parameter",
    "Resolution of output (m)",
    "Range bandpass filter",
    "Azimuth bandpass filter",
    "DEM source",
    "DEM resolution (m)",
    "Unwrapping type",
    "Phase at reference point",
    "Azimuth line of the reference point in SAR space",
    "Range pixel of the reference point in SAR space",
    "Y coordinate of the reference point in the map projection",
    "X coordinate of the reference point in the map projection",
    "Latitude of the reference point (WGS84)",
    "Longitude of the reference point (WGS84)",
    "Unwrapping threshold",
    "Speckle filter",
]


def read(product: SampleProduct, layer: str) -> np.ndarray:
    """Return a layer's pixels as they are on disk."""
    with rasterio.open(product.path / f"{product.name}_{layer}.tif") as source:
        return source.read(1)


def own_truth(product: SampleProduct, layer: str) -> np.ndarray:
    return product.truth(layer, *product.centers(), product.epsg)


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> SampleStack:
    spec = SampleSpec(noise=False, rows=100, columns=110)
    return write_products(tmp_path_factory.mktemp("quiet"), spec)


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> SampleStack:
    spec = SampleSpec(rows=200, columns=210, products=3)
    return write_products(tmp_path_factory.mktemp("noisy"), spec)


def test_names_and_files(quiet: SampleStack) -> None:
    assert len(quiet.products) == 6
    for product in quiet.products:
        assert GAMMA_NAME.match(product.name)
        assert product.path == quiet.folder / product.name
        files = {path.name.removeprefix(product.name) for path in product.path.iterdir()}
        images = {f"_{kind}_phase{end}" for kind in ("color", "unw") for end in (".png", ".kmz")}
        assert images | {".txt", ".README.md.txt"} <= files
        for layer in product.layers:
            assert {f"_{layer}.tif", f"_{layer}.tif.xml"} <= files
        assert {"_color_phase.png.aux.xml", "_color_phase.png.xml"} <= files
        assert not any(name.endswith(".tif.aux.xml") for name in files)


def test_geotiffs_are_as_gamma_writes_them(quiet: SampleStack) -> None:
    for product in quiet.products:
        for layer in product.layers:
            path = product.path / f"{product.name}_{layer}.tif"
            with rasterio.open(path) as source:
                assert source.crs.to_epsg() == product.epsg
                assert source.transform == product.transform
                assert source.shape == product.shape
                assert source.tags()["AREA_OR_POINT"] == "Point"
                assert not source.profile["tiled"]
                assert source.compression is None
                assert source.overviews(1) == []
                mask = layer == "water_mask"
                assert source.dtypes[0] == ("uint8" if mask else "float32")
                assert source.nodata == (255 if mask else 0)
                values = source.read(1)
            assert np.isfinite(values).all()
            if mask:
                assert set(np.unique(values)) == {0, 1}
        assert product.transform.c % 80 == 40
        assert product.transform.f % 80 == 40


def test_truth_equals_files_without_noise(quiet: SampleStack) -> None:
    for product in quiet.products:
        for layer in product.layers:
            values, truth = read(product, layer), own_truth(product, layer)
            expected = np.nan_to_num(truth.astype(np.float32), nan=0).astype(values.dtype)
            np.testing.assert_array_equal(values, expected, err_msg=layer)
            if layer != "water_mask":
                assert 0.2 < np.isfinite(truth).mean() < 0.98


def test_truth_does_not_depend_on_the_zone_it_is_asked_in(quiet: SampleStack) -> None:
    product = quiet.products[0]
    other = next(p for p in quiet.products if p.epsg != product.epsg)
    x, y = (np.ravel(part) for part in np.broadcast_arrays(*product.centers()))
    moved_x, moved_y = transform(f"EPSG:{product.epsg}", f"EPSG:{other.epsg}", x, y)
    for layer in product.layers:
        here = product.truth(layer, x, y, product.epsg)
        there = product.truth(layer, np.array(moved_x), np.array(moved_y), other.epsg)
        np.testing.assert_allclose(there, here, rtol=1e-6, atol=1e-6, err_msg=layer)


def test_zones_show_the_same_ground(quiet: SampleStack) -> None:
    zones = Counter(product.epsg for product in quiet.products)
    assert zones == {32610: 4, 32611: 2}
    first = quiet.products[0]
    other = next(p for p in quiet.products if p.epsg == 32611)
    x, y = first.centers()
    for layer in ("dem", "lv_theta", "lv_phi", "inc_map", "water_mask"):
        one, two = (p.truth(layer, x, y, first.epsg) for p in (first, other))
        both = np.isfinite(one) & np.isfinite(two)
        assert both.mean() > 0.3
        np.testing.assert_allclose(one[both], two[both], rtol=1e-12)


def test_products_differ_in_place_and_size(quiet: SampleStack) -> None:
    assert len({product.shape for product in quiet.products}) > 3
    assert len({product.transform[2:6:3] for product in quiet.products}) == 6


def test_reference_pixel(quiet: SampleStack, noisy: SampleStack) -> None:
    for product in (*quiet.products, *noisy.products):
        row, column = product.reference_pixel
        phase, corr = read(product, "unw_phase"), read(product, "corr")
        assert phase[row, column] == 0
        assert corr[row, column] == corr[np.isfinite(own_truth(product, "unw_phase"))].max()
        x, y = product.transform * (column + 0.5, row + 0.5)
        values = product.parameters
        key = " coordinate of the reference point in the map projection"
        assert float(values["X" + key]) == pytest.approx(x, abs=1e-3)
        assert float(values["Y" + key]) == pytest.approx(y, abs=1e-3)
        assert abs(float(product.truth("unw_phase", x, y, product.epsg))) < 1e-6
        wrapped = float(product.truth("wrapped_phase", x, y, product.epsg))
        turns = (float(values["Phase at reference point"]) - wrapped) / (2 * np.pi)
        assert turns == pytest.approx(round(turns), abs=1e-4)


def test_displacements_follow_from_the_phase(noisy: SampleStack) -> None:
    for product in noisy.products:
        phase, los = read(product, "unw_phase"), read(product, "los_disp")
        np.testing.assert_allclose(los, -phase * 0.055465763 / (4 * np.pi), rtol=1e-5, atol=1e-9)
        vertical, seen = read(product, "vert_disp"), los != 0
        elevation = read(product, "lv_theta")[seen]
        np.testing.assert_allclose(vertical[seen], los[seen] / np.sin(elevation), rtol=1e-5)
        assert 0.8 < elevation.min() < elevation.max() < 1.0
        assert -2.97 < read(product, "lv_phi")[seen].mean() < -2.8


def test_noise_follows_coherence(noisy: SampleStack) -> None:
    product = noisy.products[0]
    corr = own_truth(product, "corr")
    error = read(product, "unw_phase") - own_truth(product, "unw_phase")
    good, poor = error[corr > 0.85], error[(corr > 0.2) & (corr < 0.45)]
    assert 0.01 < np.nanstd(good) < 0.12 < np.nanstd(poor) < 1
    assert abs(np.nanmean(good)) < 0.01
    missing = read(product, "unw_phase") == 0
    missing[product.reference_pixel] = False
    np.testing.assert_array_equal(missing, np.isnan(own_truth(product, "unw_phase")))


def test_parameter_files(quiet: SampleStack) -> None:
    for product in quiet.products:
        text = (product.path / f"{product.name}.txt").read_text()
        entries = dict(line.split(": ", 1) for line in text.splitlines())
        assert list(entries) == GAMMA_KEYS
        assert entries == product.parameters
        assert SLC_NAME.match(entries["Reference Granule"])
        assert float(entries["Baseline"]) == product.perpendicular_baseline
        near, center, far = (float(entries[f"Slant range {k}"]) for k in ("near", "center", "far"))
        assert 8e5 < near < center < far < 9.7e5
        assert -14 < float(entries["Heading"]) < -12
        assert (int(entries["Reference Orbit Number"]) - 73) % 175 == (
            int(entries["Secondary Orbit Number"]) - 73
        ) % 175
    baselines = [product.perpendicular_baseline for product in quiet.products]
    assert min(baselines) < 0 < max(baselines)
    assert max(map(abs, baselines)) < 340


def test_readme_states_the_facts(quiet: SampleStack) -> None:
    for product in quiet.products:
        text = (product.path / f"{product.name}.README.md.txt").read_text()
        assert re.search(r"plugin version (\S+) running", text)[1] == "9.0.5"
        assert re.search(r"GAMMA release (\d{8})", text)
        zone = re.search(r"projected to WGS 84 / UTM zone (\d+)N", text)[1]
        assert int(zone) == product.epsg - 32600
        assert re.search(r"pixel spacing is (\d+) m", text)[1] == "80"
        assert re.search(r"Processing Date/Time:\s*(\S+)", text)[1].endswith("+00:00")
        assert f" - Reference: {product.parameters['Reference Granule']}\n" in text


def test_some_pairs_share_their_middle_time(quiet: SampleStack) -> None:
    middles = Counter(
        p.reference_time + (p.secondary_time - p.reference_time) / 2 for p in quiet.products
    )
    assert max(middles.values()) > 1
    assert len({(p.reference_time, p.secondary_time) for p in quiet.products}) == 6
    assert all(p.reference_time.utcoffset().total_seconds() == 0 for p in quiet.products)


def test_zip_holds_one_folder(tmp_path: Path) -> None:
    spec = SampleSpec(products=1, rows=60, columns=60, zipped=True, layers=("corr", "unw_phase"))
    (product,) = write_products(tmp_path, spec).products
    assert product.path == tmp_path / f"{product.name}.zip"
    assert list(tmp_path.iterdir()) == [product.path]
    with zipfile.ZipFile(product.path) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
    assert all(name.startswith(f"{product.name}/{product.name}") for name in names)
    with rasterio.open(f"zip://{product.path}!{product.name}/{product.name}_corr.tif") as source:
        assert source.shape == product.shape


def test_water_masked_phase_ends_at_the_shore(tmp_path: Path) -> None:
    spec = SampleSpec(products=1, rows=120, columns=120, water_masked=True, noise=False)
    (product,) = write_products(tmp_path, spec).products
    assert "_INT80_G_weF_" in product.name
    water = read(product, "water_mask") == 0
    assert water.mean() > 0.05
    assert not read(product, "unw_phase")[water].any()


def test_large_products_equal_their_truth_too(tmp_path: Path) -> None:
    """Above the size where fields are interpolated, the geometry stays the same."""
    spec = SampleSpec(
        products=1, rows=720, columns=760, layers=("unw_phase", "lv_phi", "dem"), sidecars=False
    )
    (product,) = write_products(tmp_path, spec).products
    assert product.shape[0] * product.shape[1] > 500_000
    x, y = product.centers()
    part = (slice(300, 420), slice(0, None))
    truth = product.truth("dem", x[:, part[1]], y[part[0]], product.epsg)
    values = read(product, "dem")[part]
    np.testing.assert_array_equal(values == 0, np.isnan(truth))
    np.testing.assert_allclose(values[values != 0], truth[values != 0], atol=0.03)
    phase = read(product, "unw_phase")[part]
    error = phase - product.truth("unw_phase", x[:, part[1]], y[part[0]], product.epsg)
    assert abs(np.nanmedian(error)) < 0.02


def test_same_seed_gives_the_same_files(tmp_path: Path) -> None:
    spec = SampleSpec(products=2, rows=50, columns=50, layers=("unw_phase",), sidecars=False)
    one, two = (write_products(tmp_path / name, spec) for name in ("one", "two"))
    for a, b in zip(one.products, two.products, strict=True):
        assert a.name == b.name
        np.testing.assert_array_equal(read(a, "unw_phase"), read(b, "unw_phase"))


def test_command_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.sample_products", str(tmp_path / "out")]
    options = ["--products", "2", "--size", "48", "--layers", "unw_phase", "corr", "--no-noise"]
    done = subprocess.run(
        command + options, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    folders = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert len(folders) == 2
    assert all(name in done.stdout for name in folders)


def test_a_shift_of_a_twentieth_pixel_is_measurable(noisy: SampleStack) -> None:
    """Regression of the files against shifted truth finds the shift, in spite of the noise."""
    shift = 0.05
    for product in noisy.products:
        x, y = product.centers()
        found = []
        for layer in ("unw_phase", "dem"):
            steps = (x + 40, y), (x - 40, y), (x, y - 40), (x, y + 40)
            right, left, low, high = (product.truth(layer, *at, product.epsg) for at in steps)
            here = product.truth(layer, x + shift * 80, y, product.epsg)
            difference = here - read(product, layer)
            slopes = np.stack([right - left, low - high])
            good = np.isfinite(difference) & np.isfinite(slopes).all(axis=0)
            corr = own_truth(product, "corr")
            good &= corr > 0.3
            weight = corr[good] / np.sqrt(1 - corr[good] ** 2)
            a, b = slopes[:, good] * weight, difference[good] * weight
            found.append(np.linalg.lstsq(a.T, b, rcond=None)[0])
        np.testing.assert_allclose(found, [[shift, 0], [shift, 0]], atol=0.02)


@pytest.mark.parametrize(
    ("options", "zone", "heading", "azimuth"),
    [
        ({"direction": "descending"}, 32610, -167, -0.23),
        ({"latitude": -33.2, "longitude": 150.0}, 32755, -13, -2.915),
        ({"latitude": 63.0, "longitude": -150.0}, 32605, -20, -2.79),
    ],
)
def test_other_places_and_directions(
    tmp_path: Path, options: dict[str, object], zone: int, heading: float, azimuth: float
) -> None:
    layers = ("unw_phase", "lv_phi")
    spec = SampleSpec(products=1, rows=70, columns=90, noise=False, layers=layers, **options)
    (product,) = write_products(tmp_path, spec).products
    assert product.epsg == zone
    assert float(product.parameters["Heading"]) == pytest.approx(heading, abs=0.5)
    assert np.nanmean(own_truth(product, "lv_phi")) == pytest.approx(azimuth, abs=0.01)
    expected = np.nan_to_num(own_truth(product, "unw_phase").astype(np.float32), nan=0)
    np.testing.assert_array_equal(read(product, "unw_phase"), expected)
