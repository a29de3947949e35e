"""A Zarr store whose chunks go to the object store at once and whose metadata comes last."""

from __future__ import annotations

import asyncio
import copy
import re
import time
from collections.abc import AsyncIterator, Collection, Container, Iterable, Mapping
from typing import Any
from weakref import WeakSet

from isal import isal_zlib
from zarr.abc.store import (
    ByteRequest,
    OffsetByteRequest,
    RangeByteRequest,
    Store,
    SuffixByteRequest,
)
from zarr.core.buffer import Buffer, BufferPrototype, default_buffer_prototype
from zarr.core.sync import sync

from .claim import MARK, taken
from .failures import in_words
from .location import RemoteLocation, asked_again, close_connections

GDAL_SIDECAR = "pam.aux.xml"
"""Where GDAL looks for what a store of format 2 does not hold."""

DOCUMENTS = (".zarray", ".zattrs", ".zgroup", GDAL_SIDECAR, "zarr.json", ".zmetadata")
"""Metadata documents of Zarr, those that gather the others last."""

CHUNK = r"(c|(c[./])?\d+([./]\d+)*)"
"""What the name of a chunk looks like inside its array, in formats 2 and 3."""

_CHECK_SECONDS = 60.0
"""How often a run that writes looks whether the location is still its own."""

_SETTLE_SECONDS = 5.0
"""How long requests that are given up may take to end."""


def is_document(key: str) -> bool:
    """Return whether a key is that of a metadata document."""
    return key.rpartition("/")[2] in DOCUMENTS


def further_chunks(
    names: Iterable[str], arrays: Collection[str], known: Container[str]
) -> set[str]:
    """Return those names that readers take for chunks of arrays, but that are not known.

    Whatever else lies there, as computers leave it in folders, is not read by anybody.
    """
    below = re.compile(rf"({'|'.join(map(re.escape, arrays))})/{CHUNK}")
    return {name for name in names if name not in known and below.fullmatch(name)}


class LateMetadataStore(Store):
    """Keeps metadata documents in memory, so that no reader finds a stack that is being written.

    A Zarr array without its metadata document is not an array: what lies in the object store before
    the documents are there is invisible. The place has to belong to this run alone and to be empty
    in the beginning.

    Chunks may be written and read from many threads. The store can be pickled; the copy knows the
    documents as they were and is to write chunks only.

    Parameters
    ----------
    location
        Where the stack is going to be.
    mark
        Content of the object by which the location belongs to this run.
    documents
        Metadata documents by key, where a store was pickled.
    """

    supports_writes = supports_deletes = supports_listing = True

    def __init__(
        self, location: RemoteLocation, mark: bytes, documents: Mapping[str, bytes] | None = None
    ) -> None:
        super().__init__()
        self.location = location
        self._mark = mark
        # In a worker each task brings a copy; they share connections.
        self._chunks = location.store(shared=documents is not None)
        self._documents = dict(documents or {})
        self._written: set[str] = set()
        self._receipts: dict[str, tuple[int, int, str]] = {}
        self._under_way: WeakSet[asyncio.Task[Any]] = WeakSet()
        self._checked = time.time()
        self._checking = asyncio.Lock()

    def take_receipts(self, keys: Iterable[str]) -> dict[str, tuple[int, int, str]]:
        """Return size, CRC-32 and tag of the chunks written under some keys, and forget them."""
        return {key: self._receipts.pop(key) for key in keys if key in self._receipts}

    def documents(self) -> list[list[tuple[str, bytes]]]:
        """Return the documents in the order in which they have to appear.

        Returns
        -------
        list of list of (str, bytes)
            Keys and contents, deepest first. The documents of one inner list may appear in any
            order; the last list holds one document, with which the stack becomes visible.
        """
        ranked: dict[tuple[int, int], list[tuple[str, bytes]]] = {}
        for key, content in sorted(self._documents.items()):
            name = key.rpartition("/")[2]
            ranked.setdefault((-key.count("/"), DOCUMENTS.index(name)), []).append((key, content))
        return [ranked[rank] for rank in sorted(ranked)]

    def close(self) -> None:
        """Close the connections; using the store again opens new ones.

        When a chunk cannot be written, Zarr does not wait for the others of its block. They are
        given up here, so that none arrives when the place belongs to another run.
        """
        sync(self._settle())
        close_connections(self._chunks.fs)

    async def _settle(self) -> None:
        tasks = [task for task in self._under_way if not task.done()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_SETTLE_SECONDS)

    async def _check_mark(self) -> None:
        """Look from time to time whether another run has taken the location.

        A computer that slept for an hour finds its location taken before it writes anything. What
        runs do to each other between two looks is found when the stack is verified.
        """
        async with self._checking:
            if abs(time.time() - self._checked) < _CHECK_SECONDS:
                return
            with in_words(self.location, "read"):
                mark = await self._chunks.get(MARK, default_buffer_prototype())
            if mark is None or mark.to_bytes() != self._mark:
                raise taken(self.location)
            self._checked = time.time()

    def __reduce__(self) -> tuple[Any, ...]:
        """Take along what another process needs: place and documents, but no connection."""
        return type(self), (self.location, self._mark, dict(self._documents))

    # --- the interface of Zarr's stores -----------------------------------------------------------

    def with_read_only(self, read_only: bool = False) -> LateMetadataStore:
        """Return a view of the same documents and chunks."""
        made = copy.copy(self)
        made._read_only = read_only
        return made

    def __eq__(self, value: object) -> bool:
        """Return whether both write to one place."""
        return isinstance(value, LateMetadataStore) and self.location == value.location

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        """Return the address of the stack."""
        return self.location.url

    async def get(
        self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        """Return a document from memory or a chunk from the object store."""
        if is_document(key):
            content = self._documents.get(key)
            if content is None:
                return None
            return prototype.buffer.from_bytes(_part(content, byte_range))
        with in_words(self.location, "read"):
            return await asked_again(lambda: self._chunks.get(key, prototype, byte_range))

    async def get_partial_values(
        self,
        prototype: BufferPrototype,
        key_ranges: Iterable[tuple[str, ByteRequest | None]],
    ) -> list[Buffer | None]:
        """Return parts of documents and chunks."""
        return [await self.get(key, prototype, part) for key, part in key_ranges]

    async def exists(self, key: str) -> bool:
        """Return whether there is such a document or chunk."""
        return key in self._documents or key in self._written

    async def set(self, key: str, value: Buffer) -> None:
        """Keep a document or write a chunk."""
        self._check_writable()
        content = value.to_bytes()
        if is_document(key):
            self._documents[key] = content
            return
        task = asyncio.current_task()
        if task is not None:
            self._under_way.add(task)
        await self._check_mark()
        with in_words(self.location, "written"):
            path = f"{self._chunks.path}/{key}"
            answer = await asked_again(lambda: self._chunks.fs._pipe_file(path, content))
        self._written.add(key)
        # Chunks that are too large for one request are answered without a tag.
        tag = (answer or {}).get("ETag", "")
        self._receipts[key] = len(content), isal_zlib.crc32(content), tag.strip('"')

    async def delete(self, key: str) -> None:
        """Forget a document or remove a chunk.

        Zarr deletes each chunk that is without data. Only what this process wrote costs a request:
        there is nothing else.
        """
        self._check_writable()
        self._documents.pop(key, None)
        if key in self._written:
            await self._check_mark()
            with in_words(self.location, "written"):
                await self._chunks.fs._rm_file(f"{self._chunks.path}/{key}")
            self._written.discard(key)

    async def list(self) -> AsyncIterator[str]:
        """Yield all keys: documents, and chunks of this process."""
        for key in sorted({*self._documents, *self._written}):
            yield key

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """Yield the keys that begin with a prefix."""
        async for key in self.list():
            if key.startswith(prefix):
                yield key

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """Yield the names right below a prefix."""
        below = f"{prefix.rstrip('/')}/" if prefix else ""
        keys = [key async for key in self.list_prefix(below)]
        for name in dict.fromkeys(key[len(below) :].partition("/")[0] for key in keys):
            yield name


def _part(content: bytes, byte_range: ByteRequest | None) -> bytes:
    match byte_range:
        case RangeByteRequest(start, end):
            return content[start:end]
        case OffsetByteRequest(offset):
            return content[offset:]
        case SuffixByteRequest(suffix):
            return content[-suffix:]
    return content
