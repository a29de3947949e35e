"""Rasters that are read past GDAL: the same values as through it, or it is asked."""

from __future__ import annotations

import shutil
import struct
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.windows import Window

from hyp3_stack.core.grid.plan import GridOptions, make_plan
from hyp3_stack.core.inputs.packed import CONTENTS, PackedFile
from hyp3_stack.core.inputs.tiff_header import read_header
from hyp3_stack.core.pixels.values import ValueOptions, ValueReader
from hyp3_stack.core.products.product_types import PRODUCT_TYPES
from hyp3_stack.core.raster.raster_file import RasterFile
from hyp3_stack.core.selection.selection import SelectionOptions, select_products
from tests.products.geotiff import PROFILE, write_geotiff
from tests.sample_products import SampleStack

HEIGHT, WIDTH = 300, 170
SIZE = {"height": HEIGHT, "width": WIDTH}

PLAIN: dict[str, dict[str, Any]] = {
    "strips of a row": {"blockysize": 1},
    "strips of several rows": {"blockysize": 7},
    "one strip": {"blockysize": HEIGHT},
    "bytes": {"dtype": "uint8", "nodata": 255},
    "heights": {"dtype": "int16", "nodata": -32768},
    "unsigned": {"dtype": "uint16"},
    "zero is missing": {"nodata": 0},
    "NaN is missing": {"nodata": np.nan},
    "a number that float32 lacks is missing": {"nodata": -9999.9},
}

OTHER: dict[str, dict[str, Any]] = {
    "tiles": {"tiled": True, "blockxsize": 16, "blockysize": 16},
    "deflated": {"compress": "deflate"},
    "packed": {"compress": "lzw", "predictor": 3},
    "big endian": {"endianness": "big"},
    "long numbers": {"dtype": "float64"},
    "few bits": {"dtype": "uint8", "nbits": 4},
    "large file": {"BIGTIFF": "YES"},
}

WINDOWS = [
    (slice(0, HEIGHT), slice(0, WIDTH)),
    (slice(0, 1), slice(0, WIDTH)),
    (slice(13, 211), slice(5, 99)),
    (slice(HEIGHT - 2, HEIGHT), slice(WIDTH - 1, WIDTH)),
]


def write(path: Path, **options: Any) -> Path:
    return write_geotiff(path, **SIZE, **options)


def change_entry(path: Path, tag: int, entry: bytes) -> None:
    """Put another entry of 12 bytes in the place of a tag's in the directory."""
    data = bytearray(path.read_bytes())
    (start,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, start)
    for place in range(start + 2, start + 2 + 12 * count, 12):
        if struct.unpack_from("<H", data, place)[0] == tag:
            data[place : place + 12] = entry
            path.write_bytes(data)
            return
    raise AssertionError(f"{path} has no tag {tag}")


def is_same_number(one: float | None, other: float | None) -> bool:
    return one == other or (one is not None and other is not None and one != one and other != other)


def check(path: Path, is_plain: bool) -> None:
    file = RasterFile(str(path))
    try:
        assert file.is_plain is is_plain
        with rasterio.open(path) as expected:
            assert (file.height, file.width) == expected.shape
            assert file.dtype == expected.dtypes[0]
            assert is_same_number(file.nodata, expected.nodata)
            for rows, columns in WINDOWS:
                block = np.empty((rows.stop - rows.start, columns.stop - columns.start), file.dtype)
                file.read(rows, columns, block)
                window = Window(columns.start, rows.start, block.shape[1], block.shape[0])
                np.testing.assert_array_equal(block, expected.read(1, window=window))
    finally:
        file.close()


@pytest.mark.parametrize("form", PLAIN)
def test_plain_files_are_read_as_gdal_reads_them(tmp_path: Path, form: str) -> None:
    check(write(tmp_path / "a.tif", **PLAIN[form]), is_plain=True)


@pytest.mark.parametrize("form", OTHER)
def test_other_files_are_left_to_gdal(tmp_path: Path, form: str) -> None:
    check(write(tmp_path / "a.tif", **OTHER[form]), is_plain=False)


def test_a_missing_value_beyond_the_data_type_is_left_to_gdal(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif", nodata=-1.5e38)
    data = path.read_bytes()
    assert data.count(b"e+38\0") == 1
    path.write_bytes(data.replace(b"e+38\0", b"e+99\0"))
    check(path, is_plain=False)


@pytest.mark.parametrize(
    ("dtype", "text"),
    [
        ("uint8", "-9999"),
        ("uint8", "256"),
        ("int16", "-99999"),
        ("int16", "nan"),
        ("float32", "1_0"),
        ("float32", "0,5"),
        ("float32", ""),
    ],
)
def test_missing_values_that_gdal_reads_in_its_own_way_are_left_to_it(
    tmp_path: Path, dtype: str, text: str
) -> None:
    path = write(tmp_path / "a.tif", dtype=dtype, nodata=12)
    data = path.read_bytes()
    # Behind the end, so that any text has room.
    path.write_bytes(data + text.encode() + b"\0" * 8)
    change_entry(path, 42113, struct.pack("<HHII", 42113, 2, len(text) + 5, len(data)))
    check(path, is_plain=False)


@pytest.mark.parametrize(
    ("tag", "count", "value"),
    [
        (257, 1, 0),
        (257, 1, 0xFFFFFFFF),
        (257, 1, 0x1000012C),
        (256, 1, 0),
        (256, 1, 1 << 31),
        (258, 0, 0),
        (259, 0, 0),
        (278, 0, 0),
        (278, 1, 0),
        (278, 1, 1),
        (339, 3, 8),
    ],
)
def test_headers_that_lie_are_left_to_gdal(
    tmp_path: Path, tag: int, count: int, value: int
) -> None:
    path = write(tmp_path / "a.tif", blockysize=7)
    kind = 4 if tag in (256, 257, 278) else 3
    change_entry(path, tag, struct.pack("<HHII", tag, kind, count, value))
    header = read_header(str(path), with_pixels=True)
    assert header is None or header.pixels is None


def test_a_file_that_is_closed_is_an_error(tmp_path: Path) -> None:
    file = RasterFile(str(write(tmp_path / "a.tif")))
    file.close()
    with pytest.raises(OSError, match="closed"):
        file.read(slice(0, 1), slice(0, WIDTH), np.empty((1, WIDTH), "float32"))
    with pytest.raises(OSError, match="closed"):
        _ = file.dataset


def test_rows_may_stand_in_any_order(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    profile = {**PROFILE, **SIZE, "blockysize": 1}
    # Each group is in the file before the next one is written, so that they stand as written.
    groups = [(200, 300), (0, 50), (120, 200), (50, 120)]
    with rasterio.open(path, "w", **profile, SPARSE_OK="TRUE"):
        pass
    for begin, end in groups:
        with rasterio.open(path, "r+") as file:
            values = np.arange(begin * WIDTH, end * WIDTH, dtype="float32")
            window = Window(0, begin, WIDTH, end - begin)
            file.write(values.reshape(-1, WIDTH), 1, window=window)
    header = read_header(str(path), with_pixels=True)
    assert header is not None and header.pixels is not None
    assert len(header.pixels.runs) == len(groups)
    check(path, is_plain=True)


def test_rows_that_were_never_written_are_left_to_gdal(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif", nodata=0)
    sparse = tmp_path / "b.tif"
    with rasterio.open(path) as source:
        profile = {**source.profile, "sparse_ok": True}
        with rasterio.open(sparse, "w", **profile) as target:
            begin = Window(0, 0, WIDTH, 40)
            target.write(source.read(1, window=begin), 1, window=begin)
    check(sparse, is_plain=False)


def test_several_bands_are_left_to_gdal(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif")
    two = tmp_path / "b.tif"
    with (
        rasterio.open(path) as source,
        rasterio.open(two, "w", **{**source.profile, "count": 2}) as target,
    ):
        for band in (1, 2):
            target.write(source.read(1), band)
    check(two, is_plain=False)


def test_values_fit_into_a_wider_type(tmp_path: Path) -> None:
    file = RasterFile(str(write(tmp_path / "a.tif", dtype="int16")))
    block = np.empty((10, WIDTH), "float32")
    file.read(slice(20, 30), slice(0, WIDTH), block)
    file.close()
    np.testing.assert_array_equal(block.ravel(), np.arange(20 * WIDTH, 30 * WIDTH, dtype="float32"))


def test_a_file_that_loses_its_end_while_it_is_read_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif")
    file = RasterFile(str(path))
    with path.open("r+b") as cut:
        cut.truncate(path.stat().st_size - WIDTH * 4)
    block = np.empty((HEIGHT, WIDTH), "float32")
    try:
        with pytest.raises(OSError, match="lost its end"):
            file.read(slice(0, HEIGHT), slice(0, WIDTH), block)
    finally:
        file.close()


def test_missing_values_of_long_numbers_are_found_as_float32(
    gamma: SampleStack, tmp_path: Path
) -> None:
    """In the stack they become float32, in which the smallest are the zero of missing data."""
    products = select_products(gamma.folder, SelectionOptions()).products
    placement = make_plan(products, GridOptions()).placements[0]
    folder = tmp_path / placement.product.name.text
    shutil.copytree(placement.product.location, folder)
    path = folder / f"{folder.name}_corr.tif"
    with rasterio.open(path) as file:
        profile, values = file.profile, file.read(1).astype("float64")
    values[5, 5:8] = [1e-50, 0.0, 0.25]
    with rasterio.open(path, "w", **{**profile, "dtype": "float64"}) as file:
        file.write(values, 1)
    product = select_products(tmp_path, SelectionOptions()).products[0]
    plan = make_plan([product], GridOptions())
    layer = PRODUCT_TYPES["INSAR_GAMMA"].layers["corr"]
    with ValueReader(plan.placements[0], layer, plan.grid, ValueOptions("bilinear")) as reader:
        row, column = plan.placements[0].row + 5, plan.placements[0].column + 5
        found = reader.read(slice(row, row + 1), slice(column, column + 3))
    np.testing.assert_array_equal(found, np.array([[np.nan, np.nan, 0.25]], "float32"))


@pytest.mark.parametrize("has_room", [True, False])
def test_a_file_in_a_zip_is_read_in_any_order(tmp_path: Path, has_room: bool) -> None:
    """From memory, or by GDAL: to unpack it anew for each step back would take long."""
    path = write(tmp_path / "a.tif")
    with rasterio.open(path) as dataset:
        expected = dataset.read(1)
    packed = tmp_path / "a.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(path, "a.tif")
    most = 64_000_000
    assert has_room or CONTENTS.take(most)
    try:
        with zipfile.ZipFile(packed) as archive:
            member = PackedFile(archive, archive.getinfo("a.tif"), "a product")
        with closing(RasterFile(f"/vsizip/{packed}/a.tif", member)) as file:
            file.unpack()
            assert file.is_plain == has_room
            for rows in (slice(200, HEIGHT), slice(0, 120), slice(100, 210)):
                found = np.empty((rows.stop - rows.start, WIDTH), file.dtype)
                file.read(rows, slice(0, WIDTH), found)
                np.testing.assert_array_equal(found, expected[rows])
    finally:
        if not has_room:
            CONTENTS.give_back(most)
