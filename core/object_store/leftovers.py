"""What runs leave below a location, told from what is foreign there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice

from ..contract import SPATIAL_GROUP, TEMPORAL_GROUP
from ..errors import OutputError, StoreError
from .claim import MARK, STALE_SECONDS, is_running
from .late_metadata import CHUNK, DOCUMENTS, is_document
from .location import RemoteLocation
from .object_note import JOURNAL
from .objects import Objects

PROBE = ".hyp3-partial-probe"
"""Object with which a location is tried out."""

COMPLETE = ("zarr.json", ".zmetadata")
"""The document that is written last, in Zarr format 3 and 2."""

_JUDGED = 1000
"""Names after which it is known what is there: one page, in which the signs come first."""

_SIGNS = {MARK, PROBE, JOURNAL}
"""What tells that a stack was being written: one of them is there until all else is gone."""

_OURS = re.compile(
    rf"(({SPATIAL_GROUP}|{TEMPORAL_GROUP})/([^/]+/)?|)({'|'.join(map(re.escape, DOCUMENTS))})"
    rf"|({SPATIAL_GROUP}|{TEMPORAL_GROUP})/[^/]+/{CHUNK}"
    rf"|{'|'.join(map(re.escape, sorted(_SIGNS)))}"
)


def check_free(objects: Objects, location: RemoteLocation, may_be_complete: bool = False) -> None:
    """Refuse a location with anything but what a dead run left.

    Parameters
    ----------
    objects, location
        What is there, and where.
    may_be_complete
        Whether a complete stack may be there, which the same job has made visible.

    Raises
    ------
    OutputError
        If there is anything else, or the run is alive.
    """
    url, name = location.url, location.parameter
    if objects.is_object():
        raise OutputError(
            f"{name} is {url}, which is an object already; it is not replaced, so choose another "
            "key."
        )
    found = list(islice(objects.names("written"), _JUDGED))
    # Asked for by name: in the order of bytes, that of Zarr format 3 comes after all chunks.
    is_complete = bool(found) and any(map(objects.version, COMPLETE))
    if is_complete and not may_be_complete:
        raise OutputError(
            f"{name} is {url}, where there is a Zarr store already; it is not replaced, so choose "
            "another key or delete it first."
        )
    foreign = [item for item in found if not _OURS.fullmatch(item)]
    if foreign or (found and not is_complete and not _SIGNS & set(found)):
        raise OutputError(
            f"{name} is {url}, below which there are other objects ({(foreign or found)[0]}); they "
            "are not replaced, so choose another key."
        )
    if MARK in found and is_running(objects):
        raise StoreError(
            f"{name} is {url}, where another run is writing, or was cut off less than "
            f"{STALE_SECONDS / 60:.0f} minutes ago; wait for it or choose another key."
        )


def own_names(objects: Objects) -> list[str]:
    """Return the names of all objects that runs of ours wrote, complete or not."""
    return [name for name in objects.names("cleaned") if _OURS.fullmatch(name)]


def chunks_among(names: Iterable[str]) -> set[str]:
    """Return those of some names that are chunks."""
    return {name for name in names if not (is_document(name) or name in _SIGNS)}


def remove_leftovers(objects: Objects, names: Sequence[str]) -> None:
    """Remove what runs of ours wrote, except for the mark of the run that does it.

    The journal goes first, so that it never tells of what is gone; then the documents, so that
    nothing half is ever visible.
    """
    objects.remove([name for name in (JOURNAL, PROBE) if name in names])
    remove_documents(objects, names)
    objects.remove(sorted(chunks_among(names)))


def remove_documents(objects: Objects, names: Iterable[str]) -> None:
    """Remove those of some objects that are documents, those of the root first."""
    documents = sorted(filter(is_document, names))
    root = [name for name in documents if "/" not in name]
    objects.remove(root)
    objects.remove([name for name in documents if name not in root])
