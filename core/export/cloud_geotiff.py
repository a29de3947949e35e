"""Cloud-optimized GeoTIFFs: tiles, overviews, and all that says where and what they are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
import rasterio.shutil
from rasterio._err import CPLE_BaseError
from rasterio.enums import Resampling
from rasterio.windows import Window

from ..files.geotiff import block_checksum
from ..machine.blocks import run_blocks, thread_count
from ..raster.layer_reader import gdal_environment
from ..run.reporter import Reporter, step, stop_if_canceled
from .stack_part import ReadMap, StackPart

_TILE = 512

_SMALLEST_OVERVIEW = 512
"""Pixels along the longer side, at which no smaller overview is of use."""

_COPIED = ("long_name", "standard_name", "comment", "component", "flag_meanings")
"""Attributes of a layer that become tags."""


@dataclass(frozen=True)
class _File:
    """A GeoTIFF to be: its name, the maps that are its bands, and what describes each."""

    name: str
    maps: range
    descriptions: tuple[str, ...]


def write_geotiffs(part: StackPart, steps_as: str, folder: Path, reporter: Reporter) -> list[str]:
    """Write each layer of a part of a stack as cloud-optimized GeoTIFFs, and return their names.

    Parameters
    ----------
    part
        What is written. Units are those of the stack.
    steps_as
        ``files``: one file for each step of a layer, ``<layer>_<step>.tif``. ``bands``: one file
        for each layer, ``<layer>.tif``, with a band for each step, described by its date or pair.
        A layer without steps has one file, ``<layer>.tif``.

    Raises
    ------
    OSError
        If a file cannot be written.
    """
    names = []
    with gdal_environment():
        for number, layer in enumerate(part.layers):
            begin, end = (100.0 * (number + more) / len(part.layers) for more in (0, 1))
            files = _files(part, layer, steps_as)
            with step(reporter, begin, end) as share, part.maps(layer, folder, share) as read:

                def work(file: _File, layer: str = layer, read: ReadMap = read) -> None:
                    try:
                        _write(part, layer, read, file, folder, reporter)
                    except CPLE_BaseError as error:  # which rasterio lets through where it copies
                        raise OSError(f"{file.name}: {error}") from error

                run_blocks(work, files, len(files), share)
            names += [file.name for file in files]
    return names


def _files(part: StackPart, layer: str, steps_as: str) -> list[_File]:
    if not part.has_steps(layer):
        return [_File(f"{layer}.tif", range(1), (layer,))]
    labels = part.labels
    if steps_as == "bands":
        return [_File(f"{layer}.tif", range(len(labels)), tuple(labels))]
    return [
        _File(f"{layer}_{label}.tif", range(number, number + 1), (f"{layer} {label}",))
        for number, label in enumerate(labels)
    ]


def _write(
    part: StackPart, layer: str, read: ReadMap, file: _File, folder: Path, reporter: Reporter
) -> None:
    """Write the maps of a file, then its overviews, then all of it in the order for the cloud."""
    grid, dtype = part.grid, part.dtype(layer)
    draft, checks = folder / f".{file.name}", []
    with rasterio.open(
        draft,
        "w",
        driver="GTiff",
        width=grid.width,
        height=grid.height,
        count=len(file.maps),
        dtype=dtype,
        crs=grid.crs,
        transform=grid.transform,
        nodata=part.nodata(layer),
        interleave="band",
        tiled=True,
        blockxsize=_TILE,
        blockysize=_TILE,
        photometric="minisblack",
        bigtiff="if_safer",
    ) as raster:
        for band, number in enumerate(file.maps, 1):
            for rows in part.bands(layer):
                stop_if_canceled(reporter)
                block = read(number, rows)
                window = Window(0, rows.start, grid.width, rows.stop - rows.start)
                raster.write(block, band, window=window)
                checks.append((band, window, block_checksum(block)))
        raster.descriptions = file.descriptions
        raster.units = (part.stack.text("units", layer),) * len(file.maps)
        raster.update_tags(**_tags(part, layer, file.maps))
    factors = _factors(max(grid.width, grid.height))
    if factors:
        with rasterio.open(draft, "r+") as raster:
            method = Resampling.average if part.is_smooth(layer) else Resampling.nearest
            raster.build_overviews(factors, method)
    stop_if_canceled(reporter)
    rasterio.shutil.copy(
        draft,
        folder / file.name,
        driver="GTiff",
        copy_src_overviews=True,
        interleave="band",
        tiled=True,
        blockxsize=_TILE,
        blockysize=_TILE,
        compress="deflate",
        zlevel=1,
        predictor=3 if dtype.kind == "f" else 2,
        bigtiff="if_safer",
        num_threads=1 if len(file.maps) == 1 else thread_count(),
    )
    draft.unlink()
    # GDAL writes the last blocks when it closes a file, and is silent if that fails.
    with rasterio.open(folder / file.name) as raster:
        for band, window, check in checks:
            stop_if_canceled(reporter)
            if block_checksum(raster.read(band, window=window)) != check:
                raise OSError(f"{file.name} does not read back as it should")


def _factors(length: int) -> list[int]:
    """Return by how much overviews are smaller, until one is about a tile large."""
    count = int(np.ceil(np.log2(max(length / _SMALLEST_OVERVIEW, 1.0))))
    return [2 ** (number + 1) for number in range(count)]


def _tags(part: StackPart, layer: str, maps: range) -> dict[str, str]:
    tags = {name: text for name in _COPIED if (text := part.stack.text(name, layer))}
    tags |= {"layer": layer, "stack": part.stack.label, "stack_id": part.stack.text("id")}
    if part.has_steps(layer) and len(maps) == 1:
        for name, times in zip(part.time_names, part.times, strict=True):
            tags[name] = f"{np.datetime_as_string(times[maps[0]], 's')}Z"
    return tags
