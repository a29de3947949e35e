"""Writing a stack to an object store: checked first, ours alone, visible when complete."""

from __future__ import annotations

import json
import os
import re
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from itertools import islice

from ..atomic import is_alive
from ..contract import SPATIAL_GROUP, TEMPORAL_GROUP
from ..errors import OutputError, StackError
from .late_metadata import DOCUMENTS, LateMetadataStore
from .location import BRIEF, RemoteLocation
from .objects import Objects

MARK = ".hyp3-partial"
"""Object that tells that a run is writing below the location, and which."""

_PROBE = ".hyp3-partial-probe"

BEAT_SECONDS = 60.0
"""How often a run that is alive writes its mark again."""

STALE_SECONDS = 600.0
"""Age of a mark from which on its run is taken for dead."""

_COMPLETE = ("zarr.json", ".zmetadata")
"""The document that is written last, in Zarr format 3 and 2."""

_OURS = re.compile(
    rf"(({SPATIAL_GROUP}|{TEMPORAL_GROUP})/([^/]+/)?|)({'|'.join(map(re.escape, DOCUMENTS))})"
    rf"|({SPATIAL_GROUP}|{TEMPORAL_GROUP})/[^/]+/(c|(c[./])?\d+([./]\d+)*)"
    rf"|{re.escape(MARK)}|{re.escape(_PROBE)}"
)


def check_writable(location: RemoteLocation) -> None:
    """Check a location before any work is done: list, write and delete there.

    Raises
    ------
    OutputError
        If the service, bucket or permission is missing, or something is there already.
    """
    objects = Objects(location, BRIEF)
    _check_free(objects, location)
    objects.put(_PROBE, b"")
    objects.remove([_PROBE])


@contextmanager
def complete_or_invisible(location: RemoteLocation) -> Iterator[LateMetadataStore]:
    """Give a store to fill; make it visible when the block ends without error.

    What a dead run left at the location is removed first. If the block fails, what it wrote is
    removed.

    Parameters
    ----------
    location
        Where the stack is going to be.

    Yields
    ------
    LateMetadataStore
        To write to; readers see nothing of it yet.

    Raises
    ------
    OutputError
        If something is at the location, or it cannot be written to.
    """
    objects = Objects(location)
    _check_free(objects, location)
    _remove_ours(objects)
    claim = _Claim(objects, location)
    store = LateMetadataStore(location)
    try:
        yield store
        claim.check()
        _publish(objects, store)
    except BaseException:
        # What cannot be removed now is removed by the next run.
        with suppress(StackError):
            if claim.is_held():
                _remove_ours(objects)
        raise
    finally:
        store.close()
        claim.release()


class _Claim:
    """The mark of this run, written again and again as long as it is alive."""

    def __init__(self, objects: Objects, location: RemoteLocation) -> None:
        self._objects = objects
        self._location = location
        self._content = json.dumps(
            {
                "run": uuid.uuid4().hex,
                "host": socket.gethostname(),
                "process": os.getpid(),
                "begun": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            }
        ).encode()
        self._ended = threading.Event()
        objects.put(MARK, self._content)
        # Of two runs that begin in the same moment, the one that wrote last goes on.
        self.check()
        self._thread = threading.Thread(target=self._beat, daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Make sure that no other run has taken the location."""
        if not self.is_held():
            raise OutputError(
                f"{self._location.url} was taken by another run meanwhile; choose another key or "
                "let only one run write there."
            )

    def is_held(self) -> bool:
        """Tell whether the mark is still that of this run."""
        return self._objects.get(MARK) == self._content

    def release(self) -> None:
        """Take the mark away."""
        self._ended.set()
        self._thread.join()
        with suppress(StackError):
            if self.is_held():
                self._objects.remove([MARK])

    def _beat(self) -> None:
        while not self._ended.wait(BEAT_SECONDS):
            with suppress(StackError):
                if self.is_held():
                    self._objects.put(MARK, self._content)


def _publish(objects: Objects, store: LateMetadataStore) -> None:
    """Write the metadata documents, the one that makes the stack visible at the end."""
    published = store.documents()
    for documents in published:
        objects.put_all(documents)
    name, content = published[-1][-1]
    if objects.get(name) != content:
        raise OutputError(
            f"{store.location.url} was written, but {name} does not read back as it should; run "
            "again."
        )


def _check_free(objects: Objects, location: RemoteLocation) -> None:
    """Refuse a location with anything but what a dead run left."""
    url, name = location.url, location.parameter
    if objects.is_object():
        raise OutputError(
            f"{name} is {url}, which is an object already; it is not replaced, so choose another "
            "key."
        )
    # One page is enough to judge: marks and root documents come first in the order of bytes.
    found = list(islice(objects.names("written"), 1000))
    if any(document in found for document in _COMPLETE):
        raise OutputError(
            f"{name} is {url}, where there is a Zarr store already; it is not replaced, so choose "
            "another key or delete it first."
        )
    foreign = [item for item in found if not _OURS.fullmatch(item)]
    if foreign or (found and not {MARK, _PROBE} & set(found)):
        raise OutputError(
            f"{name} is {url}, below which there are other objects ({(foreign or found)[0]}); they "
            "are not replaced, so choose another key."
        )
    if MARK in found and _is_running(objects):
        raise OutputError(
            f"{name} is {url}, where another run is writing, or was cut off less than "
            f"{STALE_SECONDS / 60:.0f} minutes ago; wait for it or choose another key."
        )


def _is_running(objects: Objects) -> bool:
    """Tell whether the run that left a mark is still alive, as far as that can be known."""
    content = objects.get(MARK)
    if content is None:
        return False
    try:
        mark = json.loads(content)
        if mark["host"] == socket.gethostname() and not is_alive(int(mark["process"])):
            return False
    except (KeyError, TypeError, ValueError):
        pass  # Not as we write it: only its age counts.
    return objects.age(MARK) < STALE_SECONDS


def _remove_ours(objects: Objects) -> None:
    """Remove what a run of ours wrote: documents first, so that nothing half is ever visible."""
    ours = [name for name in objects.names("cleaned") if _OURS.fullmatch(name)]
    documents = [name for name in ours if name.rpartition("/")[2] in DOCUMENTS]
    documents.sort(key=lambda name: name.count("/"))
    marks = [name for name in (_PROBE, MARK) if name in ours]
    chunks = set(ours) - set(documents) - set(marks)
    for names in (documents, sorted(chunks), marks):
        objects.remove(names)
