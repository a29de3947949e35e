"""Whether chunks in an object store are those that were written."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor

from isal import isal_zlib

from .late_metadata import further_chunks
from .location import RemoteLocation
from .objects import Objects

_PARALLEL = 8


def failing_objects(
    location: RemoteLocation,
    arrays: Collection[str],
    receipts: Mapping[str, tuple[int, int, str]],
) -> set[str]:
    """Return the names of chunks that are missing, not those that were written, or too many.

    The service lists size and tag of all of them; those whose tag is another one than that of the
    answer to their writing are read.

    Parameters
    ----------
    location
        Where they are.
    arrays
        The arrays whose chunks they are.
    receipts
        Size, CRC-32 and tag by name.

    Raises
    ------
    StoreError
        If the service does not answer.
    """
    objects = Objects(location)
    there = objects.tags()

    def is_right(name: str) -> bool:
        size, checksum, tag = receipts[name]
        if name not in there or there[name][0] != size:
            return False
        if tag and there[name][1] == tag:
            return True
        content = objects.get(name)
        return content is not None and isal_zlib.crc32(content) == checksum

    with ThreadPoolExecutor(_PARALLEL) as threads:
        names = sorted(receipts)
        right = threads.map(is_right, names)
        bad = {name for name, is_good in zip(names, right, strict=True) if not is_good}
    return bad | further_chunks(there, arrays, receipts)
