"""Opening a finished stack in an object store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from zarr.storage import FsspecStore

from ..errors import InvalidParameterError
from .failures import explain, is_of_store
from .location import BRIEF, RemoteLocation, close_store
from .objects import Objects

_ROOT = (".zmetadata", "zarr.json", ".zgroup")


@contextmanager
def open_remote(location: RemoteLocation) -> Iterator[FsspecStore]:
    """Open a Zarr store for reading.

    Parameters
    ----------
    location
        Where it is.

    Yields
    ------
    FsspecStore
        The store; errors of the service inside the block become sentences.

    Raises
    ------
    InvalidParameterError
        If there is no Zarr store, or it cannot be read later on.
    OutputError
        If the service, the bucket or a permission is missing.
    """
    objects = Objects(location, BRIEF)
    if all(objects.get(name) is None for name in _ROOT):
        raise InvalidParameterError(
            f"{location.parameter} is {location.url}, but there is no Zarr store at that address; "
            "check it."
        )
    store = location.store(read_only=True)
    try:
        yield store
    except OSError as error:
        if not is_of_store(error):
            raise
        raise InvalidParameterError(explain(error, location, "read")) from error
    finally:
        close_store(store)
