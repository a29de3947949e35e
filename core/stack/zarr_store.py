"""One group of a Zarr store: laid out by xarray, filled block by block."""

from __future__ import annotations

import asyncio
import shutil
import warnings
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numcodecs
import numpy as np
import xarray as xr
import zarr
from numpy.typing import NDArray
from zarr.abc.store import Store
from zarr.codecs import BloscCodec
from zarr.core.buffer import Buffer, default_buffer_prototype
from zarr.core.sync import sync
from zarr.errors import ZarrUserWarning
from zarr.storage import MemoryStore

from ..metadata.geozarr import geozarr_attributes
from .chunk_files import PARTIAL, ChunkFiles
from .dataset import StackLayer, on_disk

Chunks = tuple[int, int, int]

StorePlace = Path | Store
"""A folder, or a Zarr store that is somewhere else."""

Documents = dict[str, Buffer]
"""Contents of the files of a group by their path below it."""


def coordinate_documents(
    dataset: xr.Dataset, layers: Sequence[StackLayer], zarr_format: int
) -> Documents:
    """Return what a group holds besides its layers: coordinates and attributes of the stack.

    Parameters
    ----------
    dataset
        The stack.
    layers
        The layers of the stack.
    zarr_format
        2 or 3.

    Returns
    -------
    dict
        Contents of the files by their path below the group.
    """
    laid_out = on_disk(dataset).drop_vars([item.name for item in layers])
    laid_out.attrs = {**_plain(laid_out.attrs), **geozarr_attributes(dataset, _wkt(dataset))}
    texts = {
        name: _storable_text(variable, zarr_format)
        for name, variable in laid_out.variables.items()
        if variable.dtype.kind == "U"
    }
    encoding = {
        name: {**variable.encoding, "compressors": None}
        for name, variable in laid_out.variables.items()
    }
    return _written(laid_out.assign(texts), encoding, zarr_format)


def lay_out_group(
    store: StorePlace,
    name: str,
    coordinates: Documents,
    dataset: xr.Dataset,
    layers: Sequence[StackLayer],
    chunks: Chunks,
    static_chunks: tuple[int, int],
    zarr_format: int,
    shards: tuple[Chunks, tuple[int, int]] | None = None,
) -> None:
    """Write a group with all coordinates and attributes, and with layers that have no chunks yet.

    Parameters
    ----------
    store
        Folder of the store, or the store.
    name
        Name of the group; an unfinished one is begun anew.
    coordinates
        From :func:`coordinate_documents`.
    dataset
        The stack.
    layers
        The layers of the stack.
    chunks
        Steps, rows and columns of a chunk of the layers that change with the steps.
    static_chunks
        Rows and columns of a chunk of the other layers.
    zarr_format
        2 or 3.
    shards
        In format 3: the same for shards, files that hold several chunks; each has to be written as
        a whole. None makes each chunk a file.
    """
    wkt = _wkt(dataset)
    # GDAL before 3.9 takes the CRS of a Zarr array from its attribute _CRS.
    of_map = {"_CRS": {"wkt": wkt}, **geozarr_attributes(dataset, wkt)}
    corners: dict[str, xr.Variable] = {}
    encoding: dict[Hashable, dict[str, Any]] = {}
    for item in layers:
        layer = dataset.variables[item.name]
        fill = layer.encoding["_FillValue"]
        corners[item.name] = xr.Variable(
            layer.dims, np.full((1,) * layer.ndim, fill), {**layer.attrs, **of_map}
        )
        encoding[item.name] = {
            "_FillValue": fill,
            "chunks": chunks if item.per_step else static_chunks,
            "compressors": _compressor(item.layer.dtype, zarr_format),
        }
        if zarr_format == 3:
            encoding[item.name]["fill_value"] = fill
        if shards is not None:
            encoding[item.name]["shards"] = shards[0] if item.per_step else shards[1]
    shapes = {item.name: dataset.variables[item.name].shape for item in layers}
    documents = _written(xr.Dataset(corners), encoding, zarr_format, shapes) | coordinates
    zarr.open_group(store, mode="a", zarr_format=2 if zarr_format == 2 else 3)
    sync(_replace_group(store, name, documents))


def _written(
    dataset: xr.Dataset,
    encoding: Mapping[Hashable, Mapping[str, Any]],
    zarr_format: int,
    shapes: Mapping[str, tuple[int, ...]] | None = None,
) -> Documents:
    """Return what xarray writes of a dataset, in memory; variables then get other ``shapes``.

    Hundreds of tiny files, put together so, are written at once. xarray writes all values of what
    it is given, so that a layer is given as one pixel without data, and becomes large afterwards.
    """
    memory = MemoryStore()
    dataset.to_zarr(
        memory,
        mode="w",
        zarr_format=2 if zarr_format == 2 else 3,
        consolidated=False,
        encoding=encoding,
    )
    if shapes:
        group = zarr.open_group(memory, mode="r+", use_consolidated=False)
        for name, shape in shapes.items():
            _array(group, name).resize(shape)
    return sync(_contents(memory))


async def _contents(memory: MemoryStore) -> Documents:
    prototype = default_buffer_prototype()
    contents = {key: await memory.get(key, prototype) async for key in memory.list()}
    return {key: value for key, value in contents.items() if value is not None}


async def _replace_group(place: StorePlace, name: str, documents: Documents) -> None:
    """Write a group over one of that name."""
    if isinstance(place, Path):
        if (place / name).exists():
            shutil.rmtree(place / name)
        for key, value in documents.items():
            (place / name / key).parent.mkdir(parents=True, exist_ok=True)
            (place / name / key).write_bytes(value.to_bytes())
        return
    await place.delete_dir(name)
    # Documents stay in memory; the small chunks of coordinates travel side by side.
    writes = [place.set(f"{name}/{key}", value) for key, value in documents.items()]
    await asyncio.gather(*writes)


class ZarrGroup:
    """A group that :func:`lay_out_group` has laid out, open for writing; can be pickled.

    Blocks may be written from many threads and processes as long as no two touch the same chunk
    or shard.

    Parameters
    ----------
    store
        Folder of the store, or the store.
    name
        Name of the group.
    layers
        The layers of the stack.

    Attributes
    ----------
    is_remote
        Whether the store is no folder.
    """

    def __init__(self, store: StorePlace, name: str, layers: Sequence[StackLayer]) -> None:
        self.name = name
        self.is_remote = not isinstance(store, Path)
        self._group = zarr.open_group(store, path=name, mode="r+", use_consolidated=False)
        self._arrays: dict[str, zarr.Array[Any]] = {
            item.name: _array(self._group, item.name) for item in layers
        }
        self._files: dict[str, ChunkFiles] = {}
        if isinstance(store, Path):
            self._files = {
                array: ChunkFiles(store / name / array, opened, _codec(opened.dtype.itemsize))
                for array, opened in self._arrays.items()
                if opened.shards is None
            }

    def write(
        self, item: StackLayer, steps: slice, rows: slice, columns: slice, block: NDArray[Any]
    ) -> None:
        """Write a block of whole chunks or shards; chunks without data take no space.

        Parameters
        ----------
        item
            The layer.
        steps, rows, columns
            Position of the block; ``steps`` counts only where the layer changes with the steps.
        block
            Shape (steps, rows, columns) or (rows, columns).
        """
        place = (steps, rows, columns) if item.per_step else (rows, columns)
        files = self._files.get(item.name)
        if files is None:
            self._arrays[item.name][place] = block
        else:
            files.write(tuple(part.start for part in place), block)

    def read(self, item: StackLayer, steps: slice, rows: slice, columns: slice) -> NDArray[Any]:
        """Read back a block of a layer that changes with the steps."""
        return np.asarray(self._arrays[item.name][steps, rows, columns])

    def finish(
        self,
        attributes: Mapping[str, Mapping[str, Any]],
        values: Mapping[str, NDArray[Any]],
        stack_attributes: Mapping[str, Any],
    ) -> None:
        """Add what is known only after all blocks were read."""
        for name, added in attributes.items():
            self._arrays[name].attrs.update(dict(added))
        for name, array in values.items():
            _array(self._group, name)[:] = array
        self._group.attrs.update(_plain(stack_attributes))


def _array(group: zarr.Group, name: str) -> zarr.Array[Any]:
    array = group[name]
    if not isinstance(array, zarr.Array):
        raise TypeError(f"{name} is not an array")
    return array


def remove_unfinished_chunks(store: Path) -> None:
    """Remove the temporary files that are left when a process is killed."""
    for path in store.rglob(f"*{PARTIAL}"):
        path.unlink()


def consolidate(store: StorePlace, groups: Sequence[str], zarr_format: int) -> None:
    """Gather the metadata of each group in the group, and of all groups at the root."""
    form: Literal[2, 3] = 2 if zarr_format == 2 else 3
    with warnings.catch_warnings():
        # Format 3 has no specification of it yet, but xarray and GDAL read it.
        warnings.simplefilter("ignore", ZarrUserWarning)
        for group in groups:
            zarr.consolidate_metadata(store, path=group, zarr_format=form)
        zarr.consolidate_metadata(store, zarr_format=form)


def _plain(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return attributes as JSON knows them."""
    return {
        name: value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value
        for name, value in attributes.items()
    }


def _storable_text(text: xr.Variable, zarr_format: int) -> xr.Variable:
    """Return text in the form that most readers take; xarray gives text back for either.

    Format 2 gets bytes of fixed length, which old versions of GDAL list. Format 3 knows only text
    of variable length.
    """
    if zarr_format == 3:
        return text.astype(object)
    encoded = text.copy(data=np.char.encode(text.values, "utf-8"))
    encoded.attrs["_Encoding"] = "utf-8"
    return encoded


def _compressor(dtype: str, zarr_format: int) -> Any:
    size = np.dtype(dtype).itemsize
    if zarr_format == 2:
        return _codec(size)
    return BloscCodec(
        typesize=size, cname="lz4", clevel=5, shuffle="shuffle" if size > 1 else "noshuffle"
    )


def _codec(itemsize: int) -> numcodecs.Blosc:
    """Return LZ4 after a byte shuffle: as small as Zstandard on interferograms, but faster."""
    mode = numcodecs.Blosc.SHUFFLE if itemsize > 1 else numcodecs.Blosc.NOSHUFFLE
    return numcodecs.Blosc(cname="lz4", clevel=5, shuffle=mode)


def compressed_bytes(block: NDArray[Any]) -> int:
    """Return how many bytes a block takes as one chunk of a store."""
    return len(_codec(block.itemsize).encode(np.ascontiguousarray(block)))


def _wkt(dataset: xr.Dataset) -> str:
    return str(dataset["spatial_ref"].attrs["crs_wkt"])
