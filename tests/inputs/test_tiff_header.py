"""Headers read without GDAL: they agree with what GDAL tells, or say that GDAL has to be asked."""

from __future__ import annotations

import shutil
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest
import rasterio
from rasterio.transform import from_origin

from hyp3_stack.core.errors import ProductError
from hyp3_stack.core.inputs.tiff_header import read_header, read_zipped_header
from hyp3_stack.core.products.opening import common_raster
from hyp3_stack.core.products.scan import scan_folder
from tests.sample_products import SampleStack

from ..products.geotiff import write_geotiff

FORMS = {
    "strips": {},
    "one strip": {"blockysize": 50},
    "tiles": {"tiled": True, "blockxsize": 16, "blockysize": 16},
    "compressed": {"compress": "deflate"},
    "bytes": {"dtype": "uint8"},
    "big endian": {"endianness": "big"},
    "missing value": {"nodata": 0},
    "large file": {"bigtiff": "yes"},
}


@pytest.mark.parametrize("form", FORMS)
def test_whole_and_cut_files_are_told_apart(tmp_path: Path, form: str) -> None:
    path = write_geotiff(tmp_path / "a.tif", **FORMS[form])
    header = read_header(str(path))
    assert header is not None and header.is_whole
    data = path.read_bytes()
    path.write_bytes(data[:-1])
    cut = read_header(str(path))
    assert cut is None or not cut.is_whole


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("form", FORMS)
def test_packed_files_have_the_same_header(tmp_path: Path, form: str, packing: int) -> None:
    path = write_geotiff(tmp_path / "a.tif", **FORMS[form])
    with zipfile.ZipFile(tmp_path / "a.zip", "w", packing) as archive:
        archive.write(path, "in/a.tif")
        archive.writestr("in/cut.tif", path.read_bytes()[:-1])
        archive.writestr("in/text.tif", b"not a TIFF")
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert read_zipped_header(archive, "in/a.tif") == read_header(str(path))
        cut = read_zipped_header(archive, "in/cut.tif")
        assert cut is None or not cut.is_whole
        assert read_zipped_header(archive, "in/text.tif") is None
        assert read_zipped_header(archive, "in/none.tif") is None


def test_a_packed_header_that_comes_late_is_left_to_gdal(tmp_path: Path) -> None:
    path = write_geotiff(tmp_path / "a.tif", width=70, height=50)
    data = bytearray(path.read_bytes())
    # The same directory again, far behind the pixels.
    (start,) = struct.unpack("<I", data[4:8])
    (count,) = struct.unpack("<H", data[start : start + 2])
    data += bytes(300_000)
    data[4:8] = struct.pack("<I", len(data))
    data += data[start : start + 2 + 12 * count + 4]
    path.write_bytes(data)
    assert read_header(str(path)) is not None
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(path, "a.tif")
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert read_zipped_header(archive, "a.tif") is None


def test_the_place_is_the_same_whatever_is_in_it(tmp_path: Path) -> None:
    places = {
        form: read_header(str(write_geotiff(tmp_path / f"{number}.tif", **options)))
        for number, (form, options) in enumerate(FORMS.items())
        if form != "big endian"  # the same numbers, stored in other bytes
    }
    assert len({header.place for header in places.values() if header is not None}) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"width": 71},
        {"height": 51},
        {"crs": "EPSG:32611"},
        {"transform": from_origin(500_040, 4_000_000, 80, 80)},
        {"transform": from_origin(500_040, 4_000_040, 40, 40)},
    ],
)
def test_another_place_differs(tmp_path: Path, change: dict[str, Any]) -> None:
    one = read_header(str(write_geotiff(tmp_path / "a.tif")))
    other = read_header(str(write_geotiff(tmp_path / "b.tif", **change)))
    assert one is not None and other is not None
    assert one.place != other.place


def test_other_files_are_left_to_gdal(tmp_path: Path) -> None:
    assert read_header(str(tmp_path / "none.tif")) is None
    assert read_header("/vsizip/{a.zip}/a.tif") is None
    for number, data in enumerate([b"", b"II", b"II*\0", b"II*\0\xff\xff\xff\x7f", b"MM\0*" * 99]):
        path = tmp_path / f"{number}.tif"
        path.write_bytes(data)
        assert read_header(str(path)) is None
    # A tag that claims to hold 34 GB.
    claim = struct.pack("<4sIHHHIII", b"II*\0", 8, 1, 34736, 12, 0xFFFFFFFF, 8, 0)
    (tmp_path / "claim.tif").write_bytes(claim)
    assert read_header(str(tmp_path / "claim.tif")) is None


def test_products_with_a_layer_that_is_cut_or_elsewhere_are_refused(
    gamma: SampleStack, tmp_path: Path
) -> None:
    source = next(path for path in sorted(gamma.folder.iterdir()) if path.is_dir())
    folder = tmp_path / source.name
    shutil.copytree(source, folder)
    (product,) = scan_folder(tmp_path).products
    names = tuple(product.layers)
    assert common_raster(product, names) == common_raster(product, names[:1])
    layer = Path(product.layer_path("dem"))
    data = layer.read_bytes()
    layer.write_bytes(data[:-100])
    with pytest.raises(ProductError, match="dem .* is truncated"):
        common_raster(product, names)
    layer.write_bytes(data)
    with rasterio.open(layer, "r+") as file:
        file.transform = file.transform * rasterio.Affine.translation(1, 0)
    with pytest.raises(ProductError, match="dem .* lies on another grid"):
        common_raster(product, names)
