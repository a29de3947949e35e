"""Writes products as GeoTIFFs on one grid, under their own names, with their other files."""

from __future__ import annotations

import os
import shutil
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import CRSError, RasterioError
from rasterio.windows import Window

from ..errors import OutputError, ProductError
from ..grid.placement import Placement
from ..grid.plan import Plan
from ..inputs.read_errors import limit_error
from ..inputs.zipped import as_bad_zip, open_zip, zipped_files
from ..machine.atomic import complete_or_absent
from ..machine.blocks import bands, run_blocks
from ..products.layers import Layer
from ..products.product import Product, check_unchanged
from ..raster.layer_reader import LayerReader, gdal_environment, resampling_of
from ..run.reporter import Reporter, step, stop_if_canceled
from .static_fill import StaticFill, StaticMap, not_written, static_maps

_TILE = 256
_BAND_ROWS = 4 * _TILE

_FILLS_PERCENT = 5.0
"""Share of what fills gaps in the progress; each product is then written with all its layers."""

WRITER_TAG, WRITER = "HYP3_STACK_WRITER", "hyp3:harmonizeproducts"
"""Tag of every GeoTIFF that is written here, by which a later run knows what it may replace."""


def check_replaceable(plan: Plan, folder: Path, reporter: Reporter) -> None:
    """Check that no product folder would replace anything but what an earlier run has written.

    Raises
    ------
    OutputError
        If something of a product's name stands there that was not written by :func:`harmonize`.
    """
    for placement in plan.placements:
        stop_if_canceled(reporter)
        final = folder / placement.product.name.text
        if os.path.lexists(final) and not _is_ours(final):
            raise OutputError(
                f"{final} exists and was not written by hyp3:harmonizeproducts; it is not "
                "replaced, so choose another OUTPUT."
            )


def _is_ours(folder: Path) -> bool:
    """Return whether a folder holds our GeoTIFFs and no others; all else there is of them."""
    if not folder.is_dir():
        return False
    paths = list(folder.iterdir())
    rasters = [path for path in paths if path.suffix.lower() == ".tif"]
    return (
        bool(rasters or not paths)
        and all(path.is_file() for path in paths)
        and all(map(_has_our_tag, rasters))
    )


def _has_our_tag(path: Path) -> bool:
    try:
        with rasterio.open(path) as file:
            return bool(file.tags().get(WRITER_TAG) == WRITER)
    except RasterioError:
        return False


def harmonize(
    plan: Plan,
    layers: Sequence[Layer],
    fills: Sequence[StaticFill],
    resampling: str,
    folder: Path,
    reporter: Reporter,
) -> None:
    """Write every product of a plan onto the common grid.

    Each product gets a folder of its name, so that the result is again a folder of HyP3 products:
    tiled and compressed GeoTIFFs with the original names, data types and values for missing data,
    and copies of the files that are not rasters, but for those that describe a raster that is not
    written. A product's folder appears when it is complete. Where a product has no data of a static
    layer, it takes those of the others, so that any of them gives the geometry of all.

    Parameters
    ----------
    layers
        Layers to write, where a product has them.
    fills
        Where static layers are filled from other products, see
        :func:`core.files.static_fill.fills_of`.
    resampling
        The user's choice, see :func:`core.raster.layer_reader.resampling_of`.
    folder
        Where the product folders go.

    Raises
    ------
    OutputError
        If a file cannot be written.
    ProductError
        If a product turns out to be damaged.
    InputChangedError
        If one is changed while it is read.
    Canceled
        If the user asked to stop; complete product folders are kept.
    """

    def work(placement: Placement) -> None:
        product = placement.product
        final = folder / product.name.text
        try:
            with complete_or_absent(final) as partial:
                partial.mkdir()
                held = [layer for layer in layers if layer.name in product.layers]
                _copy_sidecars(product, held, partial)
                for layer in held:
                    target = partial / f"{product}_{layer.name}.tif"
                    filled = maps.get((product.name.text, layer.name))
                    _write_layer(plan, placement, layer, resampling, filled, target, reporter)
                check_unchanged([product])
        except (ProductError, OSError) as error:
            check_unchanged([product])
            if isinstance(error, ProductError):
                raise
            raise not_written(final, error) from error

    with gdal_environment(), ExitStack() as files:
        with step(reporter, 0.0, _FILLS_PERCENT) as filling:
            maps = files.enter_context(static_maps(fills, plan.grid, resampling, folder, filling))
        with step(reporter, _FILLS_PERCENT, 100.0) as writing:
            run_blocks(work, plan.placements, len(plan.placements), writing)


def _write_layer(
    plan: Plan,
    placement: Placement,
    layer: Layer,
    resampling: str,
    filled: StaticMap | None,
    target: Path,
    reporter: Reporter,
) -> None:
    grid = plan.grid
    method = resampling_of(layer, resampling)
    checks = []
    with LayerReader(placement, layer, grid, method, outside=None) as reader:
        try:
            with rasterio.open(
                target,
                "w",
                driver="GTiff",
                width=grid.width,
                height=grid.height,
                count=1,
                dtype=reader.dtype,
                crs=grid.crs,
                transform=grid.transform,
                nodata=reader.outside,
                tiled=True,
                blockxsize=_TILE,
                blockysize=_TILE,
                compress="deflate",
                zlevel=1,
                predictor=3 if reader.dtype.startswith("float") else 2,
                bigtiff="if_safer",
            ) as written:
                # Set before any pixel: it decides how the position is stored, not where it is.
                written.update_tags(**{**reader.tags(), WRITER_TAG: WRITER})
                for rows in bands(grid.height, _TILE, _BAND_ROWS):
                    stop_if_canceled(reporter)
                    block = reader.read(rows, slice(0, grid.width))
                    if filled is not None:
                        filled.fill_gaps(block, rows.start, reader.outside)
                    window = Window(0, rows.start, grid.width, rows.stop - rows.start)
                    written.write(block, 1, window=window)
                    checks.append(block_checksum(block))
            # GDAL writes the last blocks when it closes the file, and is silent if that fails.
            with rasterio.open(target) as written:
                for rows, check in zip(bands(grid.height, _TILE, _BAND_ROWS), checks, strict=True):
                    window = Window(0, rows.start, grid.width, rows.stop - rows.start)
                    if block_checksum(written.read(1, window=window)) != check:
                        raise OSError("it does not read back as it should")
        except (OSError, CRSError) as error:
            fault = limit_error(target.name, error)
            if fault is not None:
                raise fault from error
            if isinstance(error, CRSError):
                raise
            raise OutputError(
                f"{target.name} cannot be written ({error.strerror or 'the disk may be full'}); "
                "free some space or choose another folder."
            ) from error


def block_checksum(block: NDArray[Any]) -> int:
    """Return a number by which to see whether a block reads back as it was written."""
    return zlib.crc32(np.ascontiguousarray(block).data)


def sidecar_bytes(product: Product, layers: Sequence[Layer]) -> int:
    """Return how many bytes the files have that are copied besides the layers.

    Raises
    ------
    ProductError
        If the zip of the product is damaged.
    """
    names = _sidecars(product, layers)
    if not product.is_zipped:
        sizes = {path.name: stamp.size for path, stamp in product.stamps.items()}
        return sum(sizes.get(name, 0) for name in names)
    with _members(product) as (_, members):
        return sum(members[name].file_size for name in names)


_OF_PIXELS = (".ovr", ".aux.xml", ".msk")
"""Ends of the names of what programs write beside a raster about its pixels, which change here:
overviews, statistics and values for missing data, masks."""


def _sidecars(product: Product, layers: Sequence[Layer]) -> list[str]:
    """Return the files that are not rasters; of what describes a raster, where it is written."""
    written = {f"{product}_{layer.name}" for layer in layers}
    names = []
    for name in product.files:
        raster, ending, about = name.partition(".tif")
        if not ending or (about and about not in _OF_PIXELS and raster in written):
            names.append(name)
    return names


def _copy_sidecars(product: Product, layers: Sequence[Layer], folder: Path) -> None:
    names = _sidecars(product, layers)
    if not product.is_zipped:
        for name in names:
            shutil.copy2(product.location / name, folder / name)
        return
    with _members(product) as (archive, members):
        for name in names:
            with (
                as_bad_zip(),
                archive.open(members[name]) as packed,
                open(folder / name, "wb") as target,
            ):
                shutil.copyfileobj(packed, target)


@contextmanager
def _members(
    product: Product,
) -> Iterator[tuple[zipfile.ZipFile, Mapping[str, zipfile.ZipInfo]]]:
    """Open the zip of a product; damage that shows inside the block is reported of the product."""
    try:
        with open_zip(product.location) as archive:
            yield archive, zipped_files(archive, product.name.text)[1]
    except zipfile.BadZipFile as error:
        raise ProductError(
            f"The zip {product.location} cannot be read ({error}); retrieve the product again.",
            product.name.text,
        ) from error
