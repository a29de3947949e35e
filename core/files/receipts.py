"""What was handed to a disk or an object store, so that it can be proven to be there."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
from io import FileIO
from pathlib import Path
from typing import Any

from isal import isal_zlib

from ..machine.blocks import run_blocks
from ..object_store.late_metadata import further_chunks
from ..object_store.location import RemoteLocation
from ..object_store.objects import Objects
from ..run.reporter import Reporter
from ..work.pieces import Receipt, Receipts

_PART_BYTES = 1 << 18
"""So much stays in the processor's cache between reading and checking."""

_TOGETHER = 64
"""Chunks that a thread checks before it asks for more."""


def receipt(data: Any, tag: str = "") -> Receipt:
    """Return the receipt of a chunk of contiguous bytes."""
    return memoryview(data).nbytes, isal_zlib.crc32(data), tag


def checksum(file: FileIO, size: int) -> int | None:
    """Return the CRC-32 of the next bytes of a file; None if there are fewer."""
    part, value = memoryview(bytearray(min(size, _PART_BYTES))), 0
    while size:
        count = file.readinto(part[:size])
        if not count:
            return None
        value = isal_zlib.crc32(part[:count], value)
        size -= count
    return value


def is_stored(path: Path, expected: Receipt) -> bool:
    """Return whether a file is that of a receipt."""
    try:
        with open(path, "rb", buffering=0) as file:
            size, value, _ = expected
            return checksum(file, size) == value and not file.read(1)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return False


def failing(names: Iterable[str], is_right: Callable[[str], bool], reporter: Reporter) -> set[str]:
    """Return the names of what is not right, asked for in threads."""
    ordered = sorted(names)
    found: set[str] = set()

    def check(begin: int) -> None:
        part = itertools.islice(ordered, begin, begin + _TOGETHER)
        found.update(name for name in part if not is_right(name))

    begins = range(0, len(ordered), _TOGETHER)
    run_blocks(check, begins, len(begins), reporter)
    return found


def failing_files(folder: Path, receipts: Mapping[str, Receipt], reporter: Reporter) -> set[str]:
    """Return the names of files below a folder that are missing or not those of their receipts."""
    return failing(receipts, lambda name: is_stored(folder / name, receipts[name]), reporter)


def other_files(folder: Path, known: Container[str]) -> Receipts:
    """Return the receipts of the files below a folder but those that are known."""
    names = [name for name in files_below(folder) if name not in known]
    return {name: receipt((folder / name).read_bytes()) for name in names}


def files_below(folder: Path) -> Iterator[str]:
    """Yield the names of all files below a folder as an object store has them.

    Raises
    ------
    OSError
        If a folder cannot be read.
    """
    for place, _, names in os.walk(folder, onerror=_fail):
        inner = os.path.relpath(place, folder).replace(os.sep, "/")
        for name in names:
            yield name if inner == "." else f"{inner}/{name}"


def _fail(error: OSError) -> None:
    raise error


def failing_chunk_files(
    store: Path, arrays: Collection[str], receipts: Mapping[str, Receipt], reporter: Reporter
) -> set[str]:
    """Return the names of chunks of a store that are missing, not as written, or too many."""
    return failing_files(store, receipts, reporter) | further_chunks(
        list(files_below(store)), arrays, receipts
    )


def failing_objects(
    location: RemoteLocation,
    arrays: Collection[str],
    receipts: Mapping[str, Receipt],
    reporter: Reporter,
) -> set[str]:
    """Return the names of chunks in an object store that are missing, not as written, or too many.

    The service lists size and tag of all of them; those whose tag is another one than that of the
    answer to their writing are read.

    Raises
    ------
    StoreError
        If the service does not answer.
    """
    with Objects(location) as objects:
        there = objects.tags()

        def is_right(name: str) -> bool:
            size, value, tag = receipts[name]
            if name not in there or there[name][0] != size:
                return False
            if tag and there[name][1] == tag:
                return True
            content = objects.get(name)
            return content is not None and isal_zlib.crc32(content) == value

        return failing(receipts, is_right, reporter) | further_chunks(there, arrays, receipts)


def with_step(name: str, step: int) -> str:
    """Return the name of a chunk of one step with the number of another one.

    It ends with the key of the chunk, which begins with the step: ``12.0.0`` or ``c/12/0/0``.
    """
    return re.sub(r"/(c/)?\d+", rf"/\g<1>{step}", name, count=1)


def in_safe_order(numbers: Mapping[int, int]) -> list[int]:
    """Return steps that get other numbers so that none gets one that another still has.

    Parameters
    ----------
    numbers
        New numbers by those before, in order; what has another number is gone.
    """
    down = [step for step, number in numbers.items() if number < step]
    up = [step for step, number in numbers.items() if number > step]
    return [*down, *reversed(up)]


def by_output(receipts: Mapping[str, Receipt]) -> dict[str, Receipts]:
    """Divide receipts by the first part of their names, which is taken off."""
    found: dict[str, Receipts] = {}
    for name, item in receipts.items():
        place, _, rest = name.partition("/")
        found.setdefault(place, {})[rest] = item
    return found
