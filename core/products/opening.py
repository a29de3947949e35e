"""Opens the layers of a product before they are read: their form, and the grid that they share."""

from __future__ import annotations

import functools
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import rasterio
from pyproj.exceptions import ProjError
from rasterio.enums import MaskFlags
from rasterio.errors import RasterioError

from ..errors import ProductError
from ..inputs.raster_grid import Raster, compared, misplaced, raster_of
from ..inputs.read_errors import reading_error, words
from ..inputs.tiff_header import TiffForm, TiffHeader, read_header, read_zipped_header
from ..inputs.zipped import open_zip
from .layers import Layer
from .product import Product, gdal_zip

_LARGEST_BLOCK = 1 << 27
"""Bytes of a block of a file: each thread that reads has one in memory."""

_TIFF = re.compile(r"\.tiff?$", re.IGNORECASE)
_OTHERS = ("_rdr", ".tif.")
"""What distinguishes files that are not layers by another name: rasters in radar geometry, which
ISCE products hold besides those on the map, and notes of programs."""


def open_raster(product: Product, layer: str, header: TiffHeader | None = None) -> Raster:
    """Read the grid of one layer and check that its file is whole and what it should be.

    Parameters
    ----------
    layer
        Name of a layer that the product holds.
    header
        That of its file, where it is known.

    Raises
    ------
    ProductError
        If the file is unreadable or truncated, is not a north-up raster with square pixels that
        lies in a CRS where that makes sense, or its pixels are not such as the layer has.
    MachineError
        If a limit of the machine or a disk is at fault.
    """
    what = f"The layer {layer} of {product}"
    try:
        with rasterio.open(product.layer_path(layer), driver="GTiff") as dataset:
            form = None if header is None else header.form
            flaw = _flaw(form or _form_of(dataset), product.type.layers[layer])
            whole = flaw is not None or _is_whole(dataset)
            found = flaw or raster_of(dataset)
        if isinstance(found, Raster):
            found = misplaced(found, product.name.spacing) or found
    # PROJ opens files as well, and knows systems that it cannot compute.
    except (RasterioError, ProjError, OSError, MemoryError) as error:
        sentence = f"{what} cannot be read ({words(error)}); retrieve the product again."
        raise reading_error(
            what, product.file(layer), error, product.name.text, sentence
        ) from error
    if not whole:
        raise ProductError(f"{what} is truncated; retrieve the product again.")
    if isinstance(found, str):
        raise ProductError(f"{what} {found}.")
    return found


def _form_of(dataset: rasterio.DatasetReader) -> TiffForm:
    """Return what the pixels of an open file are."""
    if dataset.count != 1:
        # There may be any number of bands, about each of which GDAL would be asked.
        return TiffForm(dataset.count, "")
    dtype = str(dataset.dtypes[0])
    rows, columns = dataset.block_shapes[0]
    return TiffForm(
        1,
        dtype,
        rows * columns * (16 if dtype.startswith("complex") else 8),
        MaskFlags.per_dataset in dataset.mask_flag_enums[0],
        (dataset.scales[0], dataset.offsets[0]) != (1.0, 0.0),
    )


def _flaw(form: TiffForm, layer: Layer) -> str | None:
    """Return what is wrong with the pixels of a file (a clause), else None."""
    delivered = "use the product as HyP3 delivered it"
    if form.bands != 1:
        return f"has {form.bands:,} bands, not one; {delivered}"
    if form.dtype not in layer.stored_types:
        return f"holds numbers of type {form.dtype}, which that layer does not have; {delivered}"
    if not form.is_consistent:
        return "has a header that contradicts itself; retrieve the product again"
    if form.has_mask:
        return (
            "has a mask of its own, which is not read; write missing pixels as a NoData value "
            f"instead, or {delivered}"
        )
    if form.is_scaled:
        return (
            "has values that are to be scaled, which is not done; write the values themselves, or "
            f"{delivered}"
        )
    if form.block_bytes > _LARGEST_BLOCK:
        return (
            f"has blocks of {form.block_bytes / 1e6:,.0f} MB, of which no part can be read alone; "
            f"write it in tiles, or {delivered}"
        )
    return None


def _is_whole(dataset: rasterio.DatasetReader) -> bool:
    """Return whether the last block lies within the file, without reading any pixels.

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


def common_raster(
    product: Product, layers: Sequence[str], wanted: Sequence[str] | None = None
) -> Raster:
    """Return the grid that the named layers of a product share.

    Parameters
    ----------
    layers
        Layers that it holds, or from which others are computed.
    wanted
        Layers that must not be there under another name only; None for those that products of the
        type always have.

    Raises
    ------
    ProductError
        If a layer is missing, damaged, not what it should be, or lies on another grid than the
        first one.
    MachineError
        If a limit of the machine or a disk is at fault.
    """
    _check_files(product, wanted)
    stored = {layer: product.stored_layer(layer) for layer in layers}
    missing = [layer for layer in layers if stored[layer] is None]
    if missing:
        raise ProductError(
            f"{product} has no layer {', '.join(missing)}; order it again with that layer, or "
            "leave the layer out of LAYERS."
        )
    first: tuple[str, Raster] | None = None
    header: TiffHeader | None = None
    table = product.type.layers
    held = list(dict.fromkeys(name for name in stored.values() if name is not None))
    with _headers(product) as read:
        if product.is_zipped:
            _check_place(product, held, read)
        for layer in held:
            what = f"The layer {layer} of {product}"
            found = read(layer)
            # Before GDAL makes as many bands as a header claims.
            flaw = _flaw(found.form, table[layer]) if found and found.form else None
            if flaw is not None:
                raise ProductError(f"{what} {flaw}.")
            if first and found and found.form and header:
                if found.place == header.place and found.is_whole:
                    continue
            raster = open_raster(product, layer, found)
            first, header = first or (layer, raster), header or found
            if raster != first[1]:
                raise ProductError(
                    f"{what} lies on another grid than its layer {first[0]}: it "
                    f"{compared(raster, first[1])}."
                )
    if first is None:
        raise ProductError(
            f"{product} holds no layer that can be stacked; retrieve the product again."
        )
    return first[1]


def _check_files(product: Product, wanted: Sequence[str] | None) -> None:
    """Check that no layer is there under another name only, or with something beside it unread."""
    table = product.type.layers
    asked = table if wanted is None else wanted
    needed = {*asked, *(table[layer].computed_from for layer in asked)}
    present = set(product.files)
    for layer in filter(needed.__contains__, table):
        file = f"{product}_{layer}.tif"
        if f"{file}.msk" in present:
            raise ProductError(
                f"The layer {layer} of {product} has a mask beside it ({file}.msk), which is not "
                "read; write missing pixels as a NoData value into the layer instead, or use the "
                "product as HyP3 delivered it."
            )
        note = product.notes.get(layer)
        if note is not None and note.flaw is not None:
            raise ProductError(f"The layer {layer} of {product} {note.flaw}.")
    for layer, other in renamed_layers(product).items():
        if layer in (product.name.main_layers if wanted is None else needed):
            raise ProductError(
                f"{product} holds its layer {layer} only as {other}; give it HyP3's name "
                f"{product}_{layer}.tif, or use the product as HyP3 delivered it and cut the "
                "result by EXTENT."
            )


def renamed_layers(product: Product) -> dict[str, str]:
    """Return the layers that are not there, but a file with their name and more, and that file."""
    names = [f"{product}_{layer}.tif" for layer in product.type.layers]
    others = [name for name in product.files if name not in names and _TIFF.search(name)]
    found = {}
    for layer in product.type.layers:
        begin = f"{product}_{layer}"
        tails = [name[len(begin) :] for name in others if name.startswith(begin)]
        like = [
            tail
            for tail in tails
            if not tail[0].isalnum() and not any(part in tail for part in _OTHERS)
        ]
        if like and layer not in product.layers:
            found[layer] = begin + like[0]
    return found


def _check_place(
    product: Product, layers: Sequence[str], read: Callable[[str], TiffHeader | None]
) -> None:
    """Check that no damage moves a product in a zip, where its pixels may then not be read at all.

    Two layers that agree on their place are proof enough; where they do not, checksums decide.
    """
    others = [name for name in product.layers if name not in layers]
    headers = [read(name) for name in [*layers, *others[: len(layers) == 1]]]
    places = {None if header is None else header.place for header in headers}
    if len(headers) > 1 and len(places) == 1 and None not in places:
        return
    for layer in layers:
        what = f"The layer {layer} of {product}"
        try:
            packed = product.packed(layer)
            if packed is not None:
                with packed:
                    packed.check()
        except OSError as error:
            sentence = f"{what} cannot be read ({words(error)}); retrieve the product again."
            raise reading_error(
                what, product.location, error, product.name.text, sentence
            ) from error


@contextmanager
def _headers(product: Product) -> Iterator[Callable[[str], TiffHeader | None]]:
    """Give a function that reads the header of a layer; None where GDAL has to be asked."""
    if not product.is_zipped:
        yield lambda layer: read_header(product.layer_path(layer))
        return
    try:
        archive = open_zip(product.location)
    except (zipfile.BadZipFile, OSError):
        yield lambda layer: None
        return
    begin = len(gdal_zip(product.location)) + 1
    with archive:
        yield functools.cache(
            lambda layer: read_zipped_header(archive, product.layer_path(layer)[begin:])
        )
