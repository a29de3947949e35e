"""Opening a finished stack in an object store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from zarr.storage import FsspecStore

from ..errors import InvalidParameterError
from .failures import in_words
from .location import BRIEF, RemoteLocation, close_connections
from .objects import Objects

_ROOT = (".zmetadata", "zarr.json", ".zgroup")


@contextmanager
def open_remote(location: RemoteLocation) -> Iterator[FsspecStore]:
    """Open a Zarr store for reading; errors of the service inside the block become sentences.

    Raises
    ------
    InvalidParameterError
        If there is no Zarr store.
    StoreError
        If service, bucket or permission is missing, also inside the block.
    """
    with Objects(location, BRIEF) as objects:
        if all(objects.get(name) is None for name in _ROOT):
            raise InvalidParameterError(
                f"{location.parameter} is {location.url}, but there is no Zarr store at that "
                "address; check it."
            )
    store = location.store(read_only=True)
    try:
        with reading_in_words(location):
            yield store
    finally:
        close_connections(store.fs)


def reading_in_words(location: RemoteLocation) -> AbstractContextManager[None]:
    """Let errors of the service become sentences, but not those on what Zarr reads from it.

    For a block in :func:`open_remote` that itself handles what Zarr does not understand.
    """
    return in_words(location, "read", others=(FileNotFoundError, ValueError))
