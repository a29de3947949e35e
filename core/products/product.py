"""One product on disk: where its files are and the raster grid that its layers share."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path

import rasterio
from rasterio.errors import RasterioError
from rasterio.transform import Affine

from ..errors import InputChangedError, ProductError
from ..stamps import Stamps, find_change
from .layers import COMPUTED_FROM, LAYERS, Layer
from .names import ProductName
from .parameter_file import ParameterFile
from .tiff_header import TiffHeader, read_header, read_zipped_header


@dataclass(frozen=True)
class Raster:
    """Size and position of a product's rasters.

    Parameters
    ----------
    epsg
        Code of the projected CRS.
    left, top
        Outer corner of the upper left pixel, in meters.
    spacing
        Width and height of a pixel, in meters.
    width, height
        Number of columns and rows.
    """

    epsg: int
    left: float
    top: float
    spacing: float
    width: int
    height: int

    @property
    def transform(self) -> Affine:
        """Pixel corner (column, row) to map coordinates."""
        return Affine(self.spacing, 0.0, self.left, 0.0, -self.spacing, self.top)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, bottom, right, top."""
        return (
            self.left,
            self.top - self.height * self.spacing,
            self.left + self.width * self.spacing,
            self.top,
        )


@dataclass(frozen=True)
class Readme:
    """Facts of a product's README that no other file holds; None where it does not tell."""

    processed: datetime | None = None
    plugin_version: str | None = None
    software_version: str | None = None
    granules: tuple[str, ...] = ()


_ZIPS = "/vsizip/"


@dataclass(frozen=True)
class Product:
    """A product found on disk, not yet opened.

    Parameters
    ----------
    name
        What its name says.
    location
        The product folder or the zip file.
    prefix
        GDAL path of the folder that holds the files, ``/vsizip/...`` for a zip.
    files
        Names of all files of the product.
    parameters
        Its parameter file; None where the product has none.
    readme
        What its README says.
    stamps
        Its files as they were before anything of them was read.
    """

    name: ProductName
    location: Path
    prefix: str
    files: tuple[str, ...]
    parameters: ParameterFile | None = field(default=None, compare=False)
    readme: Readme = field(default=Readme(), compare=False)
    stamps: Stamps = field(default_factory=dict, compare=False)

    def __str__(self) -> str:
        return self.name.text

    @cached_property
    def layers(self) -> Mapping[str, Layer]:
        """The stackable layers that the product holds, in table order."""
        present = set(self.files)
        return {
            name: layer
            for name, layer in LAYERS[self.name.product_type].items()
            if f"{self.name.text}_{name}.tif" in present
        }

    @property
    def is_zipped(self) -> bool:
        """Whether no part of a file can be read without unpacking what lies before it."""
        return self.prefix.startswith(_ZIPS)

    def stored_layer(self, name: str) -> str | None:
        """Return the layer that holds what is asked for: itself, or what it is computed from."""
        for candidate in (name, COMPUTED_FROM.get(name)):
            if candidate in self.layers:
                return candidate
        return None

    def layer_path(self, layer: str) -> str:
        """Return the GDAL path of a layer's GeoTIFF."""
        return f"{self.prefix}/{self.name.text}_{layer}.tif"


def check_unchanged(products: Iterable[Product]) -> None:
    """Check that products are what they were when they were found.

    Raises
    ------
    InputChangedError
        If a file was replaced, written to or removed since: what was read of it, and when, does not
        belong together.
    """
    for product in products:
        change = find_change(product.stamps)
        if change:
            raise InputChangedError(
                f"{product} was changed while it was read ({change}); run again when nothing "
                f"writes to {product.location} any more."
            )


def gdal_zip(path: Path) -> str:
    """Return the GDAL path of a zip.

    Braces let GDAL take paths in which another folder ends in .zip; it counts them, so that they
    cannot hold a path with an odd one.
    """
    depth = 0
    for letter in str(path):
        depth += {"{": 1, "}": -1}.get(letter, 0)
        if depth < 0:
            break
    return f"{_ZIPS}{path}" if depth else f"{_ZIPS}{{{path}}}"


def open_raster(product: Product, layer: str) -> Raster:
    """Read the grid of one layer and check that its file is whole.

    Parameters
    ----------
    product
        The product.
    layer
        Name of a layer that the product holds.

    Returns
    -------
    Raster
        The layer's grid.

    Raises
    ------
    ProductError
        If the file is unreadable or truncated, or is not a north-up raster with square pixels in
        a CRS that has an EPSG code.
    """
    path = product.layer_path(layer)
    try:
        with rasterio.open(path, driver="GTiff") as dataset:
            crs, transform = dataset.crs, dataset.transform
            width, height = dataset.width, dataset.height
            whole = _is_whole(dataset)
    except RasterioError as error:
        raise ProductError(
            f"The layer {layer} of {product} cannot be read ({_reason(error)}); retrieve the "
            "product again."
        ) from error
    if not whole:
        raise ProductError(
            f"The layer {layer} of {product} is truncated; retrieve the product again."
        )
    epsg = crs.to_epsg() if crs else None
    if epsg is None:
        raise ProductError(
            f"The layer {layer} of {product} has no coordinate reference system; retrieve the "
            "product again."
        )
    if transform.b or transform.d or transform.a <= 0 or abs(transform.a + transform.e) > 1e-6:
        raise ProductError(
            f"The layer {layer} of {product} is not a north-up raster with square pixels; "
            "HyP3 delivers such rasters, so use the product as it was delivered."
        )
    return Raster(epsg, transform.c, transform.f, transform.a, width, height)


def _is_whole(dataset: rasterio.DatasetReader) -> bool:
    """Tell whether the last block lies within the file, without reading any pixels.

    A GeoTIFF that lost its end still opens, because its header comes first. GDAL's ``TIFF``
    metadata domain gives offset and size of each block; sparse blocks have neither.
    """
    rows, columns = dataset.block_shapes[0]
    across = -(-dataset.width // columns)
    down = -(-dataset.height // rows)
    ends = []
    for block in {(across - 1, down - 1), (0, down - 1)}:
        offset = dataset.get_tag_item(f"BLOCK_OFFSET_{block[0]}_{block[1]}", "TIFF", bidx=1)
        size = dataset.get_tag_item(f"BLOCK_SIZE_{block[0]}_{block[1]}", "TIFF", bidx=1)
        if offset and size:
            ends.append(int(offset) + int(size))
    if not ends or dataset.name.startswith("/vsi"):
        # A zip member's size is checked against the zip's directory when the folder is scanned.
        return True
    return max(ends) <= Path(dataset.name).stat().st_size


def _reason(error: Exception) -> str:
    """Return the innermost message without the path, which the sentence already names."""
    text = str(error.__cause__ or error).strip().rstrip(".")
    return re.sub(r"'?/\S*'?:? ?", "", text) or type(error).__name__


def common_raster(product: Product, layers: tuple[str, ...]) -> Raster:
    """Return the grid that the named layers of a product share.

    Raises
    ------
    ProductError
        If a layer is missing, damaged, or lies on another grid than the first one.
    """
    stored = {layer: product.stored_layer(layer) for layer in layers}
    missing = [layer for layer in layers if stored[layer] is None]
    if missing:
        raise ProductError(
            f"{product} has no layer {', '.join(missing)}; order it again with that layer, or "
            "leave the layer out of LAYERS."
        )
    first: Raster | None = None
    header: TiffHeader | None = None
    with _headers(product) as read:
        for layer in dict.fromkeys(name for name in stored.values() if name is not None):
            found = read(layer)
            if first is not None and found is not None and header is not None:
                if found.place == header.place and found.is_whole:
                    continue
            raster = open_raster(product, layer)
            first, header = first or raster, header or found
            if raster != first:
                raise ProductError(
                    f"The layer {layer} of {product} lies on another grid than its layer "
                    f"{layers[0]}; retrieve the product again."
                )
    if first is None:
        raise ProductError(
            f"{product} holds no layer that can be stacked; retrieve the product again."
        )
    return first


@contextmanager
def _headers(product: Product) -> Iterator[Callable[[str], TiffHeader | None]]:
    """Give a function that reads the header of a layer; None where GDAL has to be asked."""
    if product.location.is_dir():
        yield lambda layer: read_header(product.layer_path(layer))
        return
    try:
        archive = zipfile.ZipFile(product.location)
    except (zipfile.BadZipFile, OSError):
        yield lambda layer: None
        return
    begin = len(gdal_zip(product.location)) + 1
    with archive:
        yield lambda layer: read_zipped_header(archive, product.layer_path(layer)[begin:])
