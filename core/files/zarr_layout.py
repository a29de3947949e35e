"""The layout of a group of a Zarr store: all that xarray writes of a stack but its blocks."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr
from zarr.codecs import BloscCodec
from zarr.core.buffer import Buffer
from zarr.core.sync import sync
from zarr.storage import MemoryStore

from ..dataset.dataset import on_disk
from ..dataset.stack_layer import StackLayer
from ..grid.lattice import Grid
from ..metadata.variables import GRID_MAPPING
from ..run.reporter import Reporter, stop_if_canceled
from .chunk_files import replace_file
from .chunking import Layouts
from .geozarr import array_attributes
from .zarr_store import (
    StorePlace,
    array_of,
    chunk_codec,
    contents,
    json_attributes,
    known_format,
    unwarned,
)

Documents = dict[str, Buffer]
"""Contents of the files of a group by their path below it."""


@dataclass(frozen=True)
class EmptyLayer:
    """An array of a layer that has no blocks yet."""

    dimensions: tuple[Hashable, ...]  # the last two are ``y``, ``x``
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fill: Any  # the value that means no data; None where all values are data
    attributes: Mapping[Any, Any]  # without what the array says of its place
    chunks: tuple[int, ...]
    shards: tuple[int, ...] | None  # shape of a file of several chunks, in format 3


def lay_out_store(
    store: StorePlace,
    groups: Sequence[str],
    dataset: xr.Dataset,
    layers: Sequence[StackLayer],
    layouts: Layouts,
    zarr_format: int,
    reporter: Reporter,
) -> None:
    """Write all groups of a store, without the blocks of layers; those that are there stay.

    Parameters
    ----------
    store, groups
        Folder of the store, or the store, and the names of its groups.
    layouts
        How they are cut into chunks.
    zarr_format
        2 or 3.
    """
    coordinates = _coordinates(dataset, layers, zarr_format)
    names = [item.name for item in layers]
    for name in groups:
        stop_if_canceled(reporter)
        documents = _layers(dataset, layers, layouts, name, zarr_format) | coordinates
        write_group(store, name, documents, names, zarr_format)


def _coordinates(dataset: xr.Dataset, layers: Sequence[StackLayer], zarr_format: int) -> Documents:
    """Return the files of coordinates and attributes of a group by their path in it."""
    return small_documents(on_disk(dataset).drop_vars([item.name for item in layers]), zarr_format)


def small_documents(dataset: xr.Dataset, zarr_format: int) -> Documents:
    """Return the files of a group without layers; it is given as it lies on the disk."""
    dataset = dataset.assign_attrs(json_attributes(dataset.attrs))
    encoding: dict[Hashable, dict[str, Any]] = {}
    for name, variable in dataset.variables.items():
        is_text = variable.dtype.kind == "U"
        # Text of fixed length, which all readers list, takes four bytes a character.
        encoding[name] = {
            **variable.encoding,
            "compressors": _compressor(4, zarr_format) if is_text else None,
        }
        encoding[name].pop("coordinates", None)  # of use to xarray in the dataset only
    return _written(dataset, encoding, zarr_format)


def _layers(
    dataset: xr.Dataset,
    layers: Sequence[StackLayer],
    layouts: Layouts,
    group: str,
    zarr_format: int,
) -> Documents:
    """Return the files of the layers of a group, which have no chunks yet."""
    chunks, shards = layouts.chunks(group), layouts.shards(group)
    empty = {}
    for item in layers:
        layer = dataset.variables[item.name]
        shard = None if shards is None else shards[0] if item.per_step else shards[1]
        empty[item.name] = EmptyLayer(
            layer.dims,
            layer.shape,
            np.dtype(item.layer.dtype),
            layer.encoding["_FillValue"],
            layer.attrs,
            chunks if item.per_step else layouts.maps[1:],
            shard,
        )
    grid = Grid.of_mapping(dataset[GRID_MAPPING].attrs, dataset.sizes)
    return layer_documents(empty, grid, zarr_format)


def layer_documents(layers: Mapping[str, EmptyLayer], grid: Grid, zarr_format: int) -> Documents:
    """Return the files of arrays without blocks, by their path in the group."""
    of_map = array_attributes(grid)
    corners: dict[str, xr.Variable] = {}
    encoding: dict[Hashable, dict[str, Any]] = {}
    for name, layer in layers.items():
        pixel = np.full((1,) * len(layer.shape), 0 if layer.fill is None else layer.fill)
        corners[name] = xr.Variable(
            layer.dimensions, pixel.astype(layer.dtype), {**layer.attributes, **of_map}
        )
        encoding[name] = {
            "_FillValue": layer.fill,
            "chunks": layer.chunks,
            "compressors": _compressor(layer.dtype.itemsize, zarr_format),
        }
        if zarr_format == 3:
            encoding[name]["fill_value"] = 0 if layer.fill is None else layer.fill
        if layer.shards is not None:
            encoding[name]["shards"] = layer.shards
    shapes = {name: layer.shape for name, layer in layers.items()}
    return _written(xr.Dataset(corners), encoding, zarr_format, shapes)


def write_group(
    store: StorePlace, name: str, documents: Documents, layers: Sequence[str], zarr_format: int
) -> None:
    """Write all that a group holds but the blocks of layers; those of an attempt before stay."""
    zarr.open_group(store, mode="a", zarr_format=known_format(zarr_format))
    sync(_replace_group(store, name, documents, layers))


def _written(
    dataset: xr.Dataset,
    encoding: Mapping[Hashable, Mapping[str, Any]],
    zarr_format: int,
    shapes: Mapping[str, tuple[int, ...]] | None = None,
) -> Documents:
    """Return what xarray writes of a dataset, in memory; variables then get other ``shapes``.

    Hundreds of tiny files, put together so, are written at once. xarray writes all values of what
    it is given, so that a layer is given as one pixel without data, and becomes large afterwards:
    a dask array that is not computed takes three times as long.
    """
    memory = MemoryStore()
    with unwarned():
        dataset.to_zarr(
            memory,
            mode="w",
            zarr_format=known_format(zarr_format),
            consolidated=False,
            encoding=encoding,
        )
    if shapes:
        group = zarr.open_group(memory, mode="r+", use_consolidated=False)
        for name, shape in shapes.items():
            array_of(group, name).resize(shape)
    return sync(contents(memory))


async def _replace_group(
    place: StorePlace, name: str, documents: Documents, layers: Sequence[str]
) -> None:
    """Write all that a group holds but the chunks of layers, over what an attempt that stopped has.

    Whenever this is interrupted, the group and its layers are there for the next attempt.
    """
    if isinstance(place, Path):
        group = place / name
        for path in group.iterdir() if group.exists() else ():
            if path.is_dir() and path.name not in layers:
                shutil.rmtree(path)
        for key, value in documents.items():
            (group / key).parent.mkdir(parents=True, exist_ok=True)
            replace_file(group / key, value.to_bytes())
        return
    await place.delete_dir(name)
    # Documents stay in memory; the small chunks of coordinates travel side by side.
    writes = [place.set(f"{name}/{key}", value) for key, value in documents.items()]
    await asyncio.gather(*writes)


def _compressor(size: int, zarr_format: int) -> Any:
    if zarr_format == 2:
        return chunk_codec(size)
    return BloscCodec(
        typesize=size, cname="lz4", clevel=5, shuffle="shuffle" if size > 1 else "noshuffle"
    )
