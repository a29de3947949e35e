"""The sample products of ISCE2 and RTC have HyP3's format and agree with their truth."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import rasterio

from tests.sample_products import SampleProduct, SampleSpec, SampleStack, write_products

BURST_NAME = re.compile(r"^S1_\d{6}_IW[123]_\d{8}_\d{8}_(VV|HH)_INT(80|40|20)_[0-9A-F]{4}$")
MULTI_NAME = re.compile(
    r"^S1_\d{3}_\d{6}s1n\d{2}-\d{6}s2n\d{2}-\d{6}s3n\d{2}_IW_\d{8}_\d{8}_(VV|HH)_INT\d{2}"
    r"_[0-9A-F]{4}$"
)
RTC_NAME = re.compile(
    r"^S1[A-D]_IW_\d{8}T\d{6}_[SD][VH][PRO]_RTC\d{2}_G_[gs][pda][uw][nf][ec][dm]_[0-9A-F]{4}$"
)
BURST_GRANULE = re.compile(r"^S1_\d{6}_IW[123]_\d{8}T\d{6}_VV_[0-9A-F]{4}-BURST$")
LOG_LINE = re.compile(r"^\d{2}/\d{2}/\d{4} \d{2}:\d{2}:\d{2} [AP]M - INFO - .+$")


def make(folder: Path, product_type: str, **options: object) -> SampleStack:
    given = {"noise": False, "rows": 90, "columns": 100, "products": 4} | options
    return write_products(folder, SampleSpec(product_type=product_type, **given))


@pytest.fixture(scope="module")
def burst(tmp_path_factory: pytest.TempPathFactory) -> SampleStack:
    return make(tmp_path_factory.mktemp("burst"), "INSAR_ISCE_BURST", water_masked=True)


@pytest.fixture(scope="module")
def multi(tmp_path_factory: pytest.TempPathFactory) -> SampleStack:
    return make(tmp_path_factory.mktemp("multi"), "INSAR_ISCE_MULTI_BURST")


@pytest.fixture(scope="module")
def rtc(tmp_path_factory: pytest.TempPathFactory) -> SampleStack:
    return make(tmp_path_factory.mktemp("rtc"), "RTC_GAMMA", frames=2, rows=160, columns=160)


def check_layers(product: SampleProduct) -> None:
    """Compare all layers on disk with the truth."""
    for layer in product.layers:
        if layer == "rgb":
            continue
        with rasterio.open(product.path / f"{product.name}_{layer}.tif") as source:
            values = source.read(1)
            assert source.crs.to_epsg() == product.epsg
            assert source.transform == product.transform
            assert source.nodata == product.nodata[layer]
        truth = product.truth(layer, *product.centers(), product.epsg).astype(np.float32)
        missing = np.float32(product.nodata[layer] or 0)
        expected = np.where(np.isnan(truth), missing, truth).astype(values.dtype)
        np.testing.assert_array_equal(values, expected, err_msg=layer)
        assert np.isfinite(truth).mean() > 0.2


@pytest.mark.parametrize("kind", ["burst", "multi"])
def test_isce_files(kind: str, request: pytest.FixtureRequest) -> None:
    stack: SampleStack = request.getfixturevalue(kind)
    assert Counter(product.epsg for product in stack.products) == {32610: 3, 32611: 1}
    for product in stack.products:
        assert (BURST_NAME if kind == "burst" else MULTI_NAME).match(product.name)
        check_layers(product)
        assert product.transform.c % 80 == product.transform.f % 80 == 0
        files = {path.name.removeprefix(product.name) for path in product.path.iterdir()}
        assert {".txt", "_README.md.txt", "_unw_phase.png"} <= files
        assert not any(name.endswith(".xml") for name in files)
        assert ("_water_mask.tif" in files) == (kind == "burst")
        assert ("_amp.kmz" in files) == ("_amp.tif" in files) == (kind == "multi")
        for layer in product.layers:
            with rasterio.open(product.path / f"{product.name}_{layer}.tif") as source:
                assert source.tags()["AREA_OR_POINT"] == "Area"
                assert source.profile["tiled"] and source.compression.name == "lzw"
                assert source.dtypes[0] == ("uint8" if layer == "water_mask" else "float32")
        assert product.reference_pixel is None


def test_burst_has_files_in_radar_geometry(burst: SampleStack) -> None:
    product = burst.products[0]
    expected = {"wrapped_phase": "complex64", "lat": "float64", "lon": "float64", "los": "float32"}
    with pytest.warns(rasterio.errors.NotGeoreferencedWarning):
        for layer, kind in expected.items():
            with rasterio.open(product.path / f"{product.name}_{layer}_rdr.tif") as source:
                assert source.crs is None
                assert source.dtypes[0] == kind
                assert source.count == (2 if layer == "los" else 1)
                assert source.height == int(product.parameters["Radar n lines"])
                assert source.width == int(product.parameters["Radar n samples"])
                assert source.shape != product.shape


def test_isce_parameter_files(burst: SampleStack, multi: SampleStack) -> None:
    for product in (*burst.products, *multi.products):
        lines = (product.path / f"{product.name}.txt").read_text().splitlines()
        entries = dict(line.split(": ", 1) for line in lines)
        assert entries == product.parameters
        assert float(entries["Spacecraft height"]) == 693000.0
        assert float(entries["Earth radius at nadir"]) == 6337286.638938101
        assert not any("reference point" in key or "Resolution" in key for key in entries)
        granules = entries["Reference Granule"].split(", ")
        assert all(map(BURST_GRANULE.match, granules))
        assert product.reference_time.strftime("%Y%m%dT%H%M%S") in granules[0]
    assert burst.products[0].parameters["Radar sensing stop"].count(":") == 2
    assert "Radar n lines" not in multi.products[0].parameters
    assert len(multi.products[0].parameters["Secondary Granule"].split(", ")) == 4


def test_isce_rules(burst: SampleStack, multi: SampleStack) -> None:
    product = multi.products[0]
    at = (*product.centers(), product.epsg)
    components = product.truth("conncomp", *at)
    assert set(np.unique(components[np.isfinite(components)])) == {1.0, 2.0, 3.0}
    wrapped, unwrapped = product.truth("wrapped_phase", *at), product.truth("unw_phase", *at)
    turns = (unwrapped - wrapped) / (2 * np.pi)
    assert np.nanmax(np.abs(turns - np.round(turns))) < 1e-9
    masked = burst.products[0]
    at = (*masked.centers(), masked.epsg)
    water = masked.truth("water_mask", *at) == 0
    assert water.any()
    assert np.isnan(masked.truth("unw_phase", *at)[water]).all()


def test_rtc_files(rtc: SampleStack) -> None:
    bits = 0
    for product in rtc.products:
        assert RTC_NAME.match(product.name)
        check_layers(product)
        assert product.transform.c % 30 == product.transform.f % 30 == 0
        files = {path.name.removeprefix(product.name) for path in product.path.iterdir()}
        shapes = {f"_shape.{end}" for end in ("shp", "shx", "dbf", "prj")}
        pictures = {".png", ".kmz", "_rgb.png", "_rgb.kmz", "_VV.tif.xml", ".png.xml"}
        assert shapes | pictures | {".log", ".README.md.txt"} <= files
        assert not any("draft" in name for name in files)
        assert ".txt" not in files
        for layer in product.layers:
            with rasterio.open(product.path / f"{product.name}_{layer}.tif") as source:
                assert source.tags()["AREA_OR_POINT"] == "Point"
                assert source.profile["tiled"] and source.compression.name == "deflate"
                assert source.overviews(1) == pytest.approx([2, 4, 8, 16], abs=1)
                kinds = {"dem": "int16", "ls_map": "uint8", "rgb": "uint8"}
                assert source.dtypes[0] == kinds.get(layer, "float32")
                assert source.count == (3 if layer == "rgb" else 1)
                if layer == "ls_map":
                    bits |= int(np.bitwise_or.reduce(source.read(1), axis=None))
    assert bits & 1 and bits & 4


def test_rtc_frames_of_a_pass(rtc: SampleStack) -> None:
    first, second = rtc.products[:2]
    assert (second.reference_time - first.reference_time).total_seconds() == 25
    assert first.epsg == second.epsg
    x, y = first.centers()
    one, two = (product.truth("VV", x, y, first.epsg) for product in (first, second))
    both = np.isfinite(one) & np.isfinite(two)
    assert 0.02 < both.mean() < 0.7
    np.testing.assert_allclose(one[both], two[both], rtol=1e-12)


def test_rtc_log_and_readme(rtc: SampleStack) -> None:
    product = rtc.products[0]
    lines = (product.path / f"{product.name}.log").read_text().splitlines()
    assert all(map(LOG_LINE.match, lines))
    assert any("Running command: par_S1_GRD" in line for line in lines)
    readme = (product.path / f"{product.name}.README.md.txt").read_text()
    assert "They are projected to WGS 84 / UTM zone 10N" in readme
    granule = readme.split("contained in this folder is:\n")[1].splitlines()[0]
    assert granule.startswith(f"S1A_IW_GRDH_1SDV_{product.name[7:22]}_")


@pytest.mark.parametrize(("scale", "letter"), [("decibel", "d"), ("amplitude", "a")])
def test_rtc_scales(tmp_path: Path, scale: str, letter: str) -> None:
    layers = ("VV", "VH")
    stack = make(tmp_path, "RTC_GAMMA", scale=scale, layers=layers, products=1, rows=60, columns=60)
    (product,) = stack.products
    assert f"_G_g{letter}uned_" in product.name
    check_layers(product)
    values = product.truth("VV", *product.centers(), product.epsg)
    if scale == "decibel":
        assert product.nodata["VV"] == -3.4028234663852886e38
        assert -40 < np.nanmin(values) < np.nanmax(values) < 5
    else:
        assert 0 < np.nanmin(values) < np.nanmax(values) < 1.5
