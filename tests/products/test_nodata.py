"""Values that mean no data: HyP3's own and those that files declare, whoever wrote them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import xarray as xr

from hyp3_stack.core.products.nodata import NoData, nodata_of, read_note
from hyp3_stack.core.products.product_types import PRODUCT_TYPES
from tests.running import build, copy_products, harmonize, layer_file, pack_product, samples
from tests.sample_products import SampleStack

LOWEST = float(np.finfo("float32").min)
ROUNDED = float(np.float32(-3.40282e38))
INSAR, ISCE, RTC = (
    PRODUCT_TYPES[kind].layers for kind in ("INSAR_GAMMA", "INSAR_ISCE_BURST", "RTC_GAMMA")
)


@pytest.mark.parametrize(
    ("layer", "dtype", "tag", "scale", "expected"),
    [
        (INSAR["corr"], "float32", None, None, (0.0,)),
        (INSAR["corr"], "float32", 0.0, None, (0.0,)),
        (INSAR["corr"], "float32", -9999.0, None, (0.0, -9999.0)),
        (INSAR["corr"], "float32", 0.1, None, (0.0, float(np.float32(0.1)))),
        (INSAR["corr"], "float64", 0.1, None, (0.0, 0.1)),
        (INSAR["corr"], "float32", LOWEST, None, (0.0, LOWEST)),
        (
            INSAR["corr"],
            "float32",
            -3.40282e38,
            None,
            (0.0, float(np.float32(-3.40282e38)), LOWEST),
        ),
        (INSAR["corr"], "float32", -1.7976931348623157e308, None, (0.0, -np.inf, LOWEST)),
        (INSAR["dem"], "int16", -32768.0, None, (0.0, -32768.0)),
        (INSAR["dem"], "int16", -99999.0, None, (0.0,)),
        (INSAR["dem"], "int16", np.nan, None, (0.0,)),
        (INSAR["dem"], "int16", 0.5, None, (0.0,)),
        (INSAR["water_mask"], "uint8", 0.0, None, (255.0,)),
        (INSAR["water_mask"], "uint8", -9999.0, None, (255.0,)),
        (INSAR["water_mask"], "int16", -9999.0, None, (255.0, -9999.0)),
        (ISCE["conncomp"], "float32", 0.0, None, ()),
        (ISCE["conncomp"], "float32", -9999.0, None, (-9999.0,)),
        (RTC["ls_map"], "uint8", 255.0, None, (0.0, 255.0)),
        (RTC["dem"], "int16", None, None, ()),
        (RTC["dem"], "int16", -32768.0, None, (-32768.0,)),
        (RTC["VV"], "float32", -9999.0, "power", (0.0, -9999.0)),
        (RTC["VV"], "float32", None, "amplitude", (0.0,)),
        (RTC["VV"], "float32", -99.0, "decibel", (LOWEST, -99.0)),
        (RTC["VV"], "float32", LOWEST, "decibel", (LOWEST,)),
    ],
)
def test_what_means_no_data(
    layer: Any, dtype: str, tag: float | None, scale: str | None, expected: tuple[float, ...]
) -> None:
    assert nodata_of(layer, dtype, tag, scale).all == expected


def test_not_a_number_is_found_and_replaced() -> None:
    missing = nodata_of(INSAR["corr"], "float32", np.nan)
    values = np.array([0.0, np.nan, 0.5, -9999.0], "float32")
    np.testing.assert_array_equal(missing.where(values), [True, True, False, False])
    missing.replace(values, 0.0)
    np.testing.assert_array_equal(values, np.array([0.0, 0.0, 0.5, -9999.0], "float32"))
    assert not NoData().where(values).any()


def _retag(path: Path, edit: Callable[[np.ndarray], np.ndarray], **options: Any) -> None:
    with rasterio.open(path) as file:
        values, profile = file.read(1), file.profile
    with rasterio.open(path, "w", **{**profile, **options}) as file:
        file.write(edit(values), 1)


def _mark(value: float, dtype: str, missing: float) -> Callable[[np.ndarray], np.ndarray]:
    """Return what puts a value in the place of half of those that mean no data."""

    def edit(values: np.ndarray) -> np.ndarray:
        changed = values.astype(dtype)
        half = changed[::2]
        half[values[::2] == missing] = value
        return changed

    return edit


def _write_text(path: Path, text: bytes) -> None:
    """Put another text in the place of the lowest float32 as NoData tag, which is no shorter."""
    data = path.read_bytes()
    [written] = re.findall(rb"-3\.4028[0-9]+e\+38", data)
    path.write_bytes(data.replace(written, text.ljust(len(written), b"\0")))


TAGS = {
    "-9999": {"value": -9999.0},
    "compressed -32768": {
        "value": -32768.0,
        "compress": "deflate",
        "tiled": True,
        "blockxsize": 16,
        "blockysize": 16,
    },
    "NaN": {"value": np.nan},
    "lowest, as text of six digits": {"value": LOWEST, "text": b"-3.40282e+38"},
    "lowest of float64": {"value": -1.7976931348623157e308, "dtype": "float64"},
    "fraction": {"value": -0.1},
}


@pytest.fixture(scope="module")
def expected(small: SampleStack, tmp_path_factory: pytest.TempPathFactory) -> xr.Dataset:
    return _stack(small.folder, tmp_path_factory.mktemp("expected"))


def _stack(products: Path, folder: Path) -> xr.Dataset:
    run = build(products, NETCDF=folder / "s.nc", STATIC_LAYERS="per_pair", MASKS=True)
    assert run.outputs["STEPS"] == 4
    with xr.open_dataset(run.netcdf) as stack:
        return stack.load()


@pytest.fixture(scope="module", params=TAGS)
def tagged(
    request: pytest.FixtureRequest, small: SampleStack, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Products of two zones whose layers declare a NoData value of their own."""
    folder = tmp_path_factory.mktemp("tagged")
    options = dict(TAGS[request.param])
    value, text = options.pop("value"), options.pop("text", None)
    dtype = options.setdefault("dtype", "float32")
    for path in copy_products(small, folder):
        for layer in ("unw_phase", "corr"):
            file = layer_file(path, layer)
            _retag(file, _mark(value, dtype, 0.0), nodata=value, **options)
            if text is not None:
                _write_text(file, text)
        mask = layer_file(path, "water_mask")
        _retag(mask, _mark(-9999, "int16", 255), nodata=-9999, dtype="int16")
    return folder


def test_a_stack_is_the_same_whatever_means_no_data(
    tagged: Path, expected: xr.Dataset, tmp_path: Path
) -> None:
    found = _stack(tagged, tmp_path)
    for name in ("unw_phase", "corr", "water_mask", "data_mask", "mask_reason"):
        np.testing.assert_array_equal(found[name].values, expected[name].values, err_msg=name)


def _noted(band: str) -> str:
    return (
        '<PAMDataset>\n  <PAMRasterBand band="1">\n'
        f"    <Description>x</Description>\n{band}\n  </PAMRasterBand>\n"
        "  <Offset>5</Offset>\n</PAMDataset>\n"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (_noted('<NoDataValue le_hex_equiv="CDCCCCCC">-9.9990E+03</NoDataValue>'), (0.0, -9999.0)),
        (_noted("<NoDataValue> nan </NoDataValue>"), (0.0, np.nan)),
        (_noted("<NoDataValue>1.#QNAN</NoDataValue>"), (0.0, np.nan)),
        (_noted("<NoDataValue>-3.40282346638529E+38</NoDataValue>"), (0.0, LOWEST)),
        (_noted("<NoDataValue>0</NoDataValue><Scale>1</Scale><Offset>0</Offset>"), (0.0,)),
        (_noted('<Metadata><MDI key="STATISTICS_MEAN">3</MDI></Metadata>'), (0.0,)),
        ("", (0.0,)),
    ],
)
def test_notes_beside_files(text: str, expected: tuple[float, ...]) -> None:
    note = read_note(text, "a.tif.aux.xml")
    found = nodata_of(INSAR["corr"], "float32", 0.0, note=note).all
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("band", "clue"),
    [
        ("<NoDataValue>-9999</NoDataValue><Scale>0.01</Scale>", "to be scaled by a.tif.aux.xml"),
        ("<Offset>1e3</Offset>", "to be scaled by a.tif.aux.xml"),
        ("<NoDataValue>none</NoDataValue>", "'none' for NoDataValue in a.tif.aux.xml"),
    ],
)
def test_notes_that_cannot_be_followed(band: str, clue: str) -> None:
    assert clue in str(read_note(_noted(band), "a.tif.aux.xml").flaw)


@pytest.mark.parametrize("is_zipped", [False, True])
def test_a_note_beside_a_layer_counts(
    small: SampleStack, expected: xr.Dataset, tmp_path: Path, is_zipped: bool
) -> None:
    """As GDAL writes it where a file may not be changed; in GDAL it counts more than the tag."""
    for path in copy_products(small, tmp_path / "in"):
        for layer in ("unw_phase", "corr"):
            file = layer_file(path, layer)
            _retag(file, _mark(-9999.0, "float32", 0.0))
            with rasterio.open(file) as dataset:
                assert dataset.nodata == 0
            file.with_name(f"{file.name}.aux.xml").write_text(
                _noted("<NoDataValue>-9.99900000000000E+03</NoDataValue>")
            )
        if is_zipped:
            pack_product(path)
    found = _stack(tmp_path / "in", tmp_path)
    for name in ("unw_phase", "corr", "water_mask", "data_mask", "mask_reason"):
        np.testing.assert_array_equal(found[name].values, expected[name].values, err_msg=name)


@pytest.fixture(scope="module")
def harmonized(small: SampleStack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("harmonized") / "out"
    harmonize(small.folder, folder)
    return folder


def test_harmonized_products_declare_what_they_hold(
    tagged: Path, small: SampleStack, harmonized: Path, tmp_path: Path
) -> None:
    run = harmonize(tagged, tmp_path / "out")
    assert (run.outputs["COPIED"], run.outputs["WARPED"]) == (3, 1)
    for product in small.products:
        for layer, value in (("unw_phase", 0.0), ("corr", 0.0), ("water_mask", 255.0)):
            path = layer_file(tmp_path / "out" / product.name, layer)
            with rasterio.open(path) as file:
                values = file.read(1)
                assert file.nodata == value
            # Surroundings and gaps alike, and nothing that only programs know of.
            assert (values == value).any() and np.isfinite(values).all()
            assert values.min() > -1000.0
            with rasterio.open(layer_file(harmonized / product.name, layer)) as file:
                np.testing.assert_array_equal(values.astype("float32"), file.read(1))


def test_the_reference_pixel_of_products_with_an_own_value(
    small: SampleStack, expected: xr.Dataset, tmp_path: Path
) -> None:
    """Its phase is 0 there; where the own value takes its place, it has no phase."""
    folder = tmp_path / "in"
    for path in copy_products(small, folder):
        _retag(
            layer_file(path, "unw_phase"),
            lambda values: np.where(values == 0, np.float32(-9999), values),
            nodata=-9999,
        )
    found = _stack(folder, tmp_path).unw_phase.values
    zero = expected.unw_phase.values == 0
    assert zero.any()
    assert np.isnan(found[zero]).all()
    np.testing.assert_array_equal(found[~zero], expected.unw_phase.values[~zero])


def test_values_of_hyp3_are_copied_bit_for_bit(small: SampleStack, tmp_path: Path) -> None:
    run = harmonize(small.folder, tmp_path / "out", TARGET_CRS="EPSG:32610")
    copied = [item for item in small.products if item.epsg == 32610]
    assert len(copied) == run.outputs["COPIED"] == 3
    for product in copied:
        for layer in product.layers:
            with (
                rasterio.open(layer_file(product.path, layer)) as old,
                rasterio.open(layer_file(tmp_path / "out" / product.name, layer)) as new,
            ):
                window = new.window(*old.bounds).round_offsets().round_lengths()
                np.testing.assert_array_equal(new.read(1, window=window), old.read(1))


@pytest.mark.parametrize(
    ("scale", "missing", "target"),
    [("power", 0.0, "EPSG:32610"), ("decibel", LOWEST, "EPSG:32611")],  # copied and warped
)
def test_backscatter_with_an_own_value(
    scale: str,
    missing: float,
    target: str,
    tmp_path_factory: pytest.TempPathFactory,
    tmp_path: Path,
) -> None:
    stack = samples(
        tmp_path_factory,
        product_type="RTC_GAMMA",
        products=2,
        rows=60,
        columns=64,
        scale=scale,
        layers=("VV", "ls_map", "dem"),
        sidecars=False,
    )
    for path in copy_products(stack, tmp_path / "in"):
        _retag(layer_file(path, "VV"), _mark(-99.0, "float32", missing), nodata=-99.0)
        _retag(layer_file(path, "ls_map"), _mark(255, "uint8", 0), nodata=255)
    old = build(stack.folder, NETCDF=tmp_path / "old.nc", TARGET_CRS=target)
    new = build(tmp_path / "in", NETCDF=tmp_path / "new.nc", TARGET_CRS=target)
    with xr.open_dataset(old.netcdf) as before, xr.open_dataset(new.netcdf) as after:
        for name in ("VV_backscatter", "ls_map", "dem", "data_mask"):
            np.testing.assert_array_equal(after[name], before[name], err_msg=name)
        assert np.isnan(after.VV_backscatter).any()
