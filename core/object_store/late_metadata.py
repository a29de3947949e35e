"""A Zarr store whose chunks go to the object store at once and whose metadata comes last."""

from __future__ import annotations

import asyncio
import re
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Collection,
    Container,
    Iterable,
    Iterator,
    Mapping,
)
from contextlib import contextmanager
from typing import Any

from isal import isal_zlib
from zarr.abc.store import ByteRequest, OffsetByteRequest, RangeByteRequest, SuffixByteRequest
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.core.sync import sync
from zarr.storage import FsspecStore, WrapperStore

from .failures import in_words
from .location import RemoteLocation, close_store

GDAL_SIDECAR = "pam.aux.xml"
"""Where GDAL looks for what a store of format 2 does not tell."""

DOCUMENTS = (".zarray", ".zattrs", ".zgroup", GDAL_SIDECAR, "zarr.json", ".zmetadata")
"""Metadata documents of Zarr, those that gather the others last."""

CHUNK = r"(c|(c[./])?\d+([./]\d+)*)"
"""What the name of a chunk looks like inside its array, in formats 2 and 3."""

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


class LateMetadataStore(WrapperStore[FsspecStore]):
    """Keeps metadata documents in memory, so that no reader finds a stack that is being written.

    A Zarr array without its metadata document is not an array: what lies in the object store before
    the documents are there is invisible. The place has to belong to this run alone and to be empty
    in the beginning, but for chunks of an earlier attempt at the same stack.

    Chunks may be written and read from many threads. The store can be pickled; the copy knows the
    documents as they were and is to write chunks only.

    Parameters
    ----------
    location
        Where the stack is going to be.
    documents
        Metadata documents by key, where a store was pickled.
    check
        Called before a chunk is written or removed; raises an error if the place belongs to another
        run. It stays behind when the store is pickled.
    withdraw
        Makes a stack invisible that an earlier attempt has published; stays behind as well.
    """

    def __init__(
        self,
        location: RemoteLocation,
        documents: Mapping[str, bytes] | None = None,
        check: Callable[[], None] | None = None,
        withdraw: Callable[[], None] | None = None,
    ) -> None:
        # In a worker each task brings a copy; they share connections.
        super().__init__(location.store(shared=documents is not None))
        self.location = location
        self._documents = dict(documents or {})
        self._written: set[str] = set()
        self._inherited: set[str] = set()
        self._under_way: set[asyncio.Task[Any]] = set()
        self._check = check
        self._withdraw = withdraw
        self._receipts: dict[str, tuple[int, int, str]] = {}

    def take_receipts(self, keys: Iterable[str]) -> dict[str, tuple[int, int, str]]:
        """Return size, CRC-32 and tag of the chunks written under some keys, and forget them."""
        return {key: self._receipts.pop(key) for key in keys if key in self._receipts}

    def inherit(self, chunks: set[str]) -> None:
        """Take over the chunks of an earlier attempt.

        Zarr need not know of them, but one that turns out to be without data is removed. A worker
        knows nothing of them and need not: a piece of work that is done again writes the same
        chunks.
        """
        self._inherited = chunks

    def __reduce__(self) -> tuple[Any, ...]:
        """Take along what another process needs: place and documents, but no connection."""
        return type(self), (self.location, dict(self._documents))

    def __eq__(self, value: object) -> bool:
        """Return whether both write to one place."""
        return isinstance(value, LateMetadataStore) and self.location == value.location

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        """Return the address of the stack."""
        return self.location.url

    def __repr__(self) -> str:
        """Return class and address."""
        return f"{type(self).__name__}({self.location.url!r})"

    def _with_store(self, store: FsspecStore) -> LateMetadataStore:
        # Whoever reads through a read-only copy has to see documents that come later, too.
        made = type(self)(self.location)
        made._store, made._documents, made._written = store, self._documents, self._written
        made._inherited, made._check = self._inherited, self._check
        made._under_way, made._receipts = self._under_way, self._receipts
        return made

    def withdraw(self) -> None:
        """Make the stack invisible, if an earlier attempt has published it."""
        if self._withdraw is not None:
            self._withdraw()

    def restore(self, documents: Mapping[str, bytes]) -> None:
        """Take over the documents of an earlier attempt that had all of them."""
        self._documents.clear()
        self._documents.update(documents)

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

    # --- the interface of Zarr's stores -----------------------------------------------------------

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
            return await self._store.get(key, prototype, byte_range)

    async def get_partial_values(
        self,
        prototype: BufferPrototype,
        key_ranges: Iterable[tuple[str, ByteRequest | None]],
    ) -> list[Buffer | None]:
        """Return parts of documents and chunks."""
        return [await self.get(key, prototype, part) for key, part in key_ranges]

    async def _get_many(
        self, requests: Iterable[tuple[str, BufferPrototype, ByteRequest | None]]
    ) -> AsyncGenerator[tuple[str, Buffer | None], None]:
        for key, prototype, byte_range in requests:
            yield key, await self.get(key, prototype, byte_range)

    async def exists(self, key: str) -> bool:
        """Return whether there is such a document or chunk."""
        if is_document(key):
            return key in self._documents
        with in_words(self.location, "read"):
            return await self._store.exists(key)

    async def set(self, key: str, value: Buffer) -> None:
        """Keep a document or write a chunk."""
        if is_document(key):
            self._check_writable()
            self._documents[key] = value.to_bytes()
            return
        self._stop_if_lost()
        with self._under_way_here(), in_words(self.location, "written"):
            content = value.to_bytes()
            answer = await self._store.fs._pipe_file(f"{self._store.path}/{key}", content)
        self._written.add(key)
        # Chunks that are too large for one request are answered without a tag.
        tag = (answer or {}).get("ETag", "")
        self._receipts[key] = len(content), isal_zlib.crc32(content), tag.strip('"')

    async def _set_many(self, values: Iterable[tuple[str, Buffer]]) -> None:
        for key, value in values:
            await self.set(key, value)

    async def set_if_not_exists(self, key: str, value: Buffer) -> None:
        """Keep a document or write a chunk, unless it is there."""
        if not await self.exists(key):
            await self.set(key, value)

    async def delete(self, key: str) -> None:
        """Forget a document or remove a chunk.

        Zarr deletes each chunk that is without data. Only what this process wrote or inherited
        costs a request: there is nothing else.
        """
        if is_document(key):
            self._documents.pop(key, None)
        elif key in self._written or key in self._inherited:
            self._stop_if_lost()
            with in_words(self.location, "written"):
                await self._store.fs._rm_file(f"{self._store.path}/{key}")
            self._written.discard(key)
            self._inherited.discard(key)

    async def delete_dir(self, prefix: str) -> None:
        """Forget the documents below a prefix and remove the chunks that this process wrote."""
        below = f"{prefix.rstrip('/')}/" if prefix else ""
        for key in [*self._documents, *self._written]:
            if key.startswith(below):
                await self.delete(key)

    async def clear(self) -> None:
        """Forget all documents and remove the chunks that this process wrote."""
        await self.delete_dir("")

    async def is_empty(self, prefix: str) -> bool:
        """Return whether nothing lies below a prefix."""
        async for _ in self.list_prefix(prefix):
            return False
        return True

    async def list(self) -> AsyncIterator[str]:
        """Yield all keys."""
        async for key in self.list_prefix(""):
            yield key

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """Yield the keys that begin with a prefix: documents, and chunks of this process."""
        for key in sorted({*self._documents, *self._written}):
            if key.startswith(prefix):
                yield key

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """Yield the names right below a prefix."""
        below = f"{prefix.rstrip('/')}/" if prefix else ""
        keys = {*self._documents, *self._written}
        inside = {key[len(below) :].partition("/")[0] for key in keys if key.startswith(below)}
        for name in sorted(inside):
            yield name

    def close(self) -> None:
        """Close the connections; using the store again opens new ones.

        When a chunk cannot be written, Zarr does not wait for the others of its block. They are
        given up here, so that none arrives when the place belongs to another run.
        """
        sync(self._settle())
        close_store(self._store)

    async def _settle(self) -> None:
        tasks = list(self._under_way)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_SETTLE_SECONDS)

    @contextmanager
    def _under_way_here(self) -> Iterator[None]:
        task = asyncio.current_task()
        if task is None:
            yield
            return
        self._under_way.add(task)
        try:
            yield
        finally:
            self._under_way.discard(task)

    async def getsize(self, key: str) -> int:
        """Return the number of bytes of a document or chunk."""
        if is_document(key):
            if key not in self._documents:
                raise FileNotFoundError(key)
            return len(self._documents[key])
        return await self._store.getsize(key)

    def _stop_if_lost(self) -> None:
        if self._check is not None:
            self._check()


def _part(content: bytes, byte_range: ByteRequest | None) -> bytes:
    match byte_range:
        case RangeByteRequest(start, end):
            return content[start:end]
        case OffsetByteRequest(offset):
            return content[offset:]
        case SuffixByteRequest(suffix):
            return content[-suffix:]
    return content
