"""Rasters that are read past GDAL: the same values as through it, or it is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin
from rasterio.windows import Window

from hyp3_stack.core.grid.raster_file import RasterFile
from hyp3_stack.core.products.tiff_header import read_header

HEIGHT, WIDTH = 300, 170

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
    settings = {
        "driver": "GTiff",
        "width": WIDTH,
        "height": HEIGHT,
        "count": 1,
        "dtype": "float32",
        "crs": "EPSG:32610",
        "transform": from_origin(500_040, 4_000_040, 80, 80),
        **options,
    }
    values = np.arange(HEIGHT * WIDTH).reshape(1, HEIGHT, WIDTH)
    values = values % 15 if settings["dtype"] == "uint8" else values % 30_000
    with rasterio.open(path, "w", **settings) as file:
        file.write(values.astype(settings["dtype"]))
    return path


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


def test_rows_may_stand_in_any_order(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    profile = {
        "driver": "GTiff",
        "width": WIDTH,
        "height": HEIGHT,
        "count": 1,
        "dtype": "float32",
        "blockysize": 1,
        "crs": "EPSG:32610",
        "transform": from_origin(500_040, 4_000_040, 80, 80),
    }
    # Each group is in the file before the next one is written, so that they stand as written.
    groups = [(200, 300), (0, 50), (120, 200), (50, 120)]
    with rasterio.open(path, "w", **profile, SPARSE_OK="TRUE"):
        pass
    for begin, end in groups:
        with rasterio.open(path, "r+") as file:
            values = np.arange(begin * WIDTH, end * WIDTH, dtype="float32")
            window = Window(0, begin, WIDTH, end - begin)
            file.write(values.reshape(-1, WIDTH), 1, window=window)
    header = read_header(str(path))
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
