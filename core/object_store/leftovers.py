"""What runs leave below a location, as opposed to what is foreign there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice

from ..contract import SPATIAL_GROUP, TEMPORAL_GROUP
from ..errors import OutputError, StoreError
from ..machine.processes import job_of
from .claim import MARK, STALE_SECONDS, is_running
from .late_metadata import CHUNK, DOCUMENTS, is_document
from .objects import Objects

COMPLETE = ("zarr.json", ".zmetadata")
"""The document that is written last, in Zarr format 3 and 2."""

_JUDGED = 1000
"""Names after which it is known what is there: one page, in which the marks come first."""

_OURS = re.compile(
    rf"(({SPATIAL_GROUP}|{TEMPORAL_GROUP})/([^/]+/)?|)({'|'.join(map(re.escape, DOCUMENTS))})"
    rf"|({SPATIAL_GROUP}|{TEMPORAL_GROUP})/[^/]+/{CHUNK}"
    rf"|{re.escape(MARK)}[a-z-]*"
)


def check_free(objects: Objects, job: str | None = None) -> bool:
    """Refuse a location with anything but what a dead run left.

    Parameters
    ----------
    objects
        What lies at the location.
    job
        Identity of the job that asks; None while it is not known.

    Returns
    -------
    bool
        Whether there is a complete stack of a run of this job (of any, without `job`) that was
        stopped before it ended.

    Raises
    ------
    OutputError
        If there is anything else, or the run is alive.
    """
    location = objects.location
    url, name = location.url, location.parameter
    if objects.is_object():
        raise OutputError(
            f"{name} is {url}, which is an object already; it is not replaced, so choose another "
            "key."
        )
    found = list(islice(objects.names("written"), _JUDGED))
    # Asked for by name: in the order of bytes, that of Zarr format 3 comes after all chunks.
    is_complete = bool(found) and any(map(objects.version, COMPLETE))
    maker = job_of(objects.get(MARK)) if is_complete and MARK in found else ""
    if is_complete and (not maker or job not in (None, maker)):
        raise OutputError(
            f"{name} is {url}, where there is a Zarr store already; it is not replaced, so choose "
            "another key or delete it first."
        )
    foreign = [item for item in found if not _OURS.fullmatch(item)]
    if foreign or (found and not any(map(_is_mark, found))):
        raise OutputError(
            f"{name} is {url}, below which there are other objects ({(foreign or found)[0]}); they "
            "are not replaced, so choose another key."
        )
    if MARK in found and is_running(objects):
        raise StoreError(
            f"{name} is {url}, where another run is writing, or was cut off less than "
            f"{STALE_SECONDS / 60:.0f} minutes ago; wait for it or choose another key."
        )
    return is_complete


def own_names(objects: Objects) -> list[str]:
    """Return the names of all objects that runs of ours wrote, complete or not."""
    return [name for name in objects.names("cleaned") if _OURS.fullmatch(name)]


def remove_objects(objects: Objects, names: Iterable[str]) -> None:
    """Remove what runs of ours wrote, except for the mark, which shows whose it is.

    Documents go first, those of the root before all, so that nothing half is ever visible.
    """
    rest = [name for name in names if name != MARK]
    documents = [name for name in rest if is_document(name)]
    root = [name for name in documents if "/" not in name]
    for part in (root, sorted({*documents} - {*root}), sorted({*rest} - {*documents})):
        objects.remove(part)


def _is_mark(name: str) -> bool:
    return name.startswith(MARK)
