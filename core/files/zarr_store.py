"""One group of a Zarr store that is filled block by block."""

from __future__ import annotations

import itertools
import json
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numcodecs
import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.abc.store import ByteRequest, Store
from zarr.core.buffer import Buffer, BufferPrototype, default_buffer_prototype
from zarr.core.sync import sync
from zarr.errors import UnstableSpecificationWarning, ZarrUserWarning
from zarr.storage import LocalStore, MemoryStore, WrapperStore

from ..dataset.findings import Additions
from ..dataset.stack_layer import StackLayer
from ..object_store.late_metadata import DOCUMENTS, GDAL_SIDECAR
from ..work.pieces import Receipts
from .chunk_files import PARTIAL, ChunkFiles, replace_file
from .geozarr import gdal_sidecar, place_attributes
from .receipts import receipt

StorePlace = Path | Store
"""A folder, or a Zarr store that is somewhere else."""


_SMALL = 1 << 16
"""Bytes up to which it takes longer to have a thread read a file than to read it."""

NEAR, REMOTE = "zarr", "remote"
"""First part of the names of chunks of a store on a disk, and of one in an object store."""


class NotingStore(WrapperStore[LocalStore]):
    """A store on a disk that gives receipts of what is written to it."""

    def __init__(self, store: LocalStore) -> None:
        super().__init__(store)
        self._receipts: Receipts = {}

    async def set(self, key: str, value: Buffer) -> None:
        """Write a chunk or document."""
        await self._store.set(key, value)
        self._receipts[key] = receipt(value.as_numpy_array())

    def take_receipts(self, keys: Iterable[str]) -> Receipts:
        """Return the receipts of what was written under some keys, and forget them."""
        return {key: self._receipts.pop(key) for key in keys if key in self._receipts}


class PromptStore(LocalStore):
    """A store on a disk of which small files are read at once, not by a thread for each."""

    async def get(
        self,
        key: str,
        prototype: BufferPrototype | None = None,
        byte_range: ByteRequest | None = None,
    ) -> Buffer | None:
        """Read a chunk or document."""
        path = self.root / key
        try:
            is_small = byte_range is None and path.stat().st_size <= _SMALL
            text = path.read_bytes() if is_small else None
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        if text is None:
            return await super().get(key, prototype, byte_range)
        return (prototype or default_buffer_prototype()).buffer.from_bytes(text)


def opened_place(store: StorePlace) -> Store:
    """Return a store to read from, whether it is given as a folder or as a store."""
    return PromptStore(store, read_only=True) if isinstance(store, Path) else store


class ZarrGroup:
    """A group that was laid out, open for writing; can be pickled.

    Blocks may be written from many threads and processes as long as no two touch the same chunk
    or shard.

    Attributes
    ----------
    is_remote
        Whether the store is not a folder.
    label
        First part of the names of what is written.
    """

    def __init__(self, store: StorePlace, name: str, layers: Sequence[StackLayer]) -> None:
        self.name = name
        self.is_remote = not isinstance(store, Path)
        self.label = REMOTE if self.is_remote else NEAR
        self._store: Any = NotingStore(LocalStore(store)) if isinstance(store, Path) else store
        self._group = zarr.open_group(self._store, path=name, mode="r+", use_consolidated=False)
        self._arrays: dict[str, zarr.Array[Any]] = {
            item.name: array_of(self._group, item.name) for item in layers
        }
        self._files: dict[str, ChunkFiles] = {}
        if isinstance(store, Path):
            self._files = {
                array: ChunkFiles(store / name / array, opened, chunk_codec(opened.dtype.itemsize))
                for array, opened in self._arrays.items()
                if opened.shards is None
            }

    def write(
        self, item: StackLayer, steps: slice, rows: slice, columns: slice, block: NDArray[Any]
    ) -> Receipts:
        """Write a block of whole chunks or shards; see :class:`core.outputs.output.Sink`."""
        place = (steps, rows, columns) if item.per_step else (rows, columns)
        files = self._files.get(item.name)
        if files is None:
            self._arrays[item.name][place] = block
            written = self._store.take_receipts(self._keys(item.name, place))
        else:
            written = {
                f"{self.name}/{item.name}/{key}": made
                for key, made in files.write(tuple(part.start for part in place), block).items()
            }
        return {f"{self.label}/{key}": made for key, made in written.items()}

    def _keys(self, array: str, place: Sequence[slice]) -> Iterator[str]:
        """Yield the keys of the chunks, or shards, of a block of whole ones."""
        opened = self._arrays[array]
        axes = [
            range(part.start // size, -(-part.stop // size))
            for part, size in zip(place, opened.shards or opened.chunks, strict=True)
        ]
        for numbers in itertools.product(*axes):
            yield f"{self.name}/{array}/{opened.metadata.encode_chunk_key(numbers)}"

    def read(
        self, item: StackLayer, step: int, rows: slice, columns: slice, out: NDArray[Any]
    ) -> None:
        """Read back a part of a map of a layer with steps into ``out``, shape (rows, columns)."""
        files = self._files.get(item.name)
        if files is None:
            out[...] = self._arrays[item.name][step, rows, columns]
        else:
            files.read((step, rows.start, columns.start), out[np.newaxis])

    def add(self, additions: Additions) -> None:
        """Add what is known only after all blocks were read."""
        for name, added in additions.attributes.items():
            self._arrays[name].attrs.update(dict(added))
        for name, array in additions.values.items():
            array_of(self._group, name)[:] = array
        self._group.attrs.update(json_attributes(additions.of_stack))


def array_of(group: zarr.Group, name: str) -> zarr.Array[Any]:
    """Return an array of a group."""
    array = group[name]
    if not isinstance(array, zarr.Array):
        raise TypeError(f"{name} is not an array")
    return array


def is_laid_out(store: Path, groups: Sequence[str], layers: Sequence[StackLayer]) -> bool:
    """Return whether a store, its groups and the arrays of their layers are there and intact.

    A store that cannot be reached is another matter, and an OSError.
    """
    try:
        zarr.open_group(store, mode="r", use_consolidated=False)
        for name in groups:
            ZarrGroup(store, name, layers)
    except (FileNotFoundError, NotADirectoryError, KeyError, TypeError, ValueError):
        return False
    return True


def remove_unfinished_chunks(store: Path) -> None:
    """Remove the temporary files that are left when a process is killed."""
    for path in store.rglob(f"*{PARTIAL}"):
        # A worker that was only taken for lost may finish its file meanwhile.
        path.unlink(missing_ok=True)


def consolidate(
    store: StorePlace, groups: Sequence[str], zarr_format: int, kept: Collection[str] = ()
) -> None:
    """Gather the metadata of each group in the group, and of all groups at the root.

    What is gathered is what xarray reads. It leaves out what arrays say of their place: NetCDF
    knows no objects as attributes, and a part of an array has another place. GDAL before 3.9, which
    would find no CRS then, gets a file of its own. What is ``kept`` stays all the same.
    """
    if not isinstance(store, Path):
        _consolidate(store, groups, zarr_format, kept)
        return
    # On a disk zarr looks for hundreds of small files one by one, and again at the root.
    known = _documents(store, groups)
    buffers = default_buffer_prototype().buffer
    memory = MemoryStore({key: buffers.from_bytes(text) for key, text in known.items()})
    _consolidate(memory, groups, zarr_format, kept)
    for key, document in sync(contents(memory)).items():
        text = document.to_bytes()
        if text != known.get(key):
            # A build that is killed meanwhile goes on with the document as it was.
            replace_file(store / key, text)


def _consolidate(
    store: Store, groups: Sequence[str], zarr_format: int, kept: Collection[str]
) -> None:
    form = known_format(zarr_format)
    with unwarned():
        # That of the root writes the documents of groups as well.
        for group in ("", *groups):
            zarr.consolidate_metadata(store, path=group, zarr_format=form)
    name = ".zmetadata" if form == 2 else "zarr.json"
    sync(_move_places(store, [name, *(f"{group}/{name}" for group in groups)], kept))


async def _move_places(store: Store, keys: Sequence[str], kept: Collection[str]) -> None:
    """Leave out of gathered metadata what arrays say of their place; keep that for old GDAL."""
    buffers = default_buffer_prototype()
    for key in keys:
        text = await store.get(key, buffers)
        if text is None:
            raise FileNotFoundError(key)
        document = json.loads(text.to_bytes())
        if key == ".zmetadata":
            sidecar = gdal_sidecar(document["metadata"]).encode()
            await store.set(GDAL_SIDECAR, buffers.buffer.from_bytes(sidecar))
        nodes = document.get("consolidated_metadata", document)["metadata"]
        for name, node in nodes.items():
            attributes = node if name.endswith(".zattrs") else node.get("attributes", {})
            for place in place_attributes(attributes).keys() - set(kept):
                del attributes[place]
        content = json.dumps(document, indent=2).encode()
        await store.set(key, buffers.buffer.from_bytes(content))


@contextmanager
def unwarned() -> Iterator[None]:
    """Keep Zarr from warning of what format 3 has no specification of yet.

    That is gathered metadata, which xarray and GDAL read, and text of fixed length, which GDAL 3.13
    reads and xarray handles like numbers.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ZarrUserWarning)
        warnings.simplefilter("ignore", UnstableSpecificationWarning)
        yield


def _documents(store: Path, groups: Sequence[str]) -> dict[str, bytes]:
    """Return the metadata of a store of groups of arrays by path."""
    members = [store / name for name in groups]
    folders = [store, *members, *(path for group in members for path in sorted(group.iterdir()))]
    paths = [folder / name for folder in folders for name in DOCUMENTS]
    return {
        path.relative_to(store).as_posix(): path.read_bytes() for path in paths if path.is_file()
    }


def gathered_documents(
    store: StorePlace, group: str
) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Yield what a group and its arrays say themselves, and what is gathered of that in the group.

    Each is a name, empty for the group itself, and two documents with their ``attributes``.
    """
    buffers = default_buffer_prototype()

    def read(key: str) -> Any:
        if isinstance(store, Path):
            path = store / group / key
            return json.loads(path.read_bytes()) if path.is_file() else None
        text = sync(store.get(f"{group}/{key}", buffers))
        return None if text is None else json.loads(text.to_bytes())

    document = read("zarr.json")
    if document is not None:
        for name, node in document["consolidated_metadata"]["metadata"].items():
            yield name, read(f"{name}/zarr.json"), node
        return
    nodes = read(".zmetadata")["metadata"]
    for name in {key.rpartition("/")[0]: None for key in nodes}:
        paths = {kind: f"{name}/{kind}".lstrip("/") for kind in (".zgroup", ".zarray")}
        paths["attributes"] = f"{name}/.zattrs".lstrip("/")
        there = {part: path for part, path in paths.items() if path in nodes}
        own = {part: read(path) for part, path in there.items()}
        yield name, own, {part: nodes[path] for part, path in there.items()}


async def contents(store: Store) -> dict[str, Buffer]:
    """Return all that a small store holds, by path."""
    prototype = default_buffer_prototype()
    found = {key: await store.get(key, prototype) async for key in store.list()}
    return {key: value for key, value in found.items() if value is not None}


def known_format(number: int) -> Literal[2, 3]:
    """Return a Zarr format as the type that xarray and zarr ask for."""
    return 2 if number == 2 else 3


def json_attributes(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return attributes as JSON knows them."""
    return {
        name: value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value
        for name, value in attributes.items()
    }


def chunk_codec(itemsize: int) -> numcodecs.Blosc:
    """Return LZ4 after a byte shuffle: as small as Zstandard on interferograms, but faster."""
    mode = numcodecs.Blosc.SHUFFLE if itemsize > 1 else numcodecs.Blosc.NOSHUFFLE
    return numcodecs.Blosc(cname="lz4", clevel=5, shuffle=mode)
