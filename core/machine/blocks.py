"""Runs many independent blocks on a few threads, with bounded memory, progress and cancel."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from ..run.reporter import Reporter, stop_if_canceled

Task = TypeVar("Task")

BAND_BYTES = 16_000_000
"""Largest block that one thread holds; some copies of it exist while it is read and compressed."""

_CACHED_NUMBERS = 1 << 19
"""So many share a cache that the processor's cores share. Fewer would fit into a core's own, but in
each step of each band threads wait for the interpreter's lock, which takes longer."""


def thread_count() -> int:
    """Return the number of threads: one per processor that this process may use, at most 8.

    Reading, warping and compressing all release the interpreter's lock. More threads would hold
    more blocks in memory and wait for the disk.
    """
    try:
        available = len(os.sched_getaffinity(0))
    except AttributeError:  # not on Windows and macOS
        available = os.cpu_count() or 1
    return max(1, min(available, 8))


def run_blocks(
    work: Callable[[Task], object],
    tasks: Iterable[Task],
    total: int,
    reporter: Reporter,
    threads: int | None = None,
) -> None:
    """Call ``work`` for each task; no more tasks are under way than there are threads.

    Parameters
    ----------
    work
        Called in threads.
    tasks
        May be a generator; it is advanced only as threads come free.
    total
        Number of tasks, for progress.
    reporter
        Takes progress; asked before each task whether to stop.
    threads
        Number of threads, by default :func:`thread_count`.

    Raises
    ------
    Exception
        If a task fails: the first error, raised after the tasks under way have ended.
    """
    threads = threads or thread_count()
    done = 0
    pending: set[Future[object]] = set()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for task in tasks:
                stop_if_canceled(reporter)
                pending.add(pool.submit(work, task))
                while len(pending) > threads:
                    finished, pending = _wait(pending, reporter)
                    done += finished
                    reporter.progress(100.0 * done / max(total, 1))
            while pending:
                finished, pending = _wait(pending, reporter)
                done += finished
                reporter.progress(100.0 * done / max(total, 1))
        finally:
            # After an error or a cancel, what has not begun does not begin.
            pool.shutdown(wait=False, cancel_futures=True)


def _wait(pending: set[Future[object]], reporter: Reporter) -> tuple[int, set[Future[object]]]:
    finished, rest = wait(pending, timeout=0.2, return_when=FIRST_COMPLETED)
    for future in finished:
        future.result()
    if rest:  # a cancel after the last task is too late
        stop_if_canceled(reporter)
    return len(finished), rest


def whole_blocks(
    shape: tuple[int, int],
    unit: tuple[int, int],
    most: int,
    largest: tuple[int, int] | None = None,
) -> list[tuple[slice, slice]]:
    """Cut a grid into blocks of whole units, such as chunks, row by row.

    Parameters
    ----------
    shape
        Rows and columns of the grid.
    unit
        Rows and columns of a unit; units begin in the upper left corner.
    most
        Pixels of a block, if a unit has not more.
    largest
        Rows and columns of a block, rounded up to whole units; by default those of the grid.
    """
    highest, widest = (
        math.ceil(length / size) * size for length, size in zip(largest or shape, unit, strict=True)
    )
    columns = list(bands(shape[1], unit[1], min(most // unit[0], widest)))
    rows = bands(shape[0], unit[0], min(most // columns[0].stop, highest))
    return [(row, column) for row in rows for column in columns]


def bands(length: int, chunk: int, most: int) -> Iterator[slice]:
    """Cut ``length`` into runs of whole chunks, each at most ``most`` long but at least a chunk."""
    step = max(1, most // chunk) * chunk
    for start in range(0, length, step):
        yield slice(start, min(start + step, length))


def cached_bands(shape: tuple[int, ...]) -> Iterator[slice]:
    """Cut a block by rows into bands that stay in cache while several steps work on each.

    Parameters
    ----------
    shape
        Rows and columns of the block, perhaps with more dimensions behind.
    """
    return bands(shape[0], 1, _CACHED_NUMBERS // max(1, math.prod(shape[1:])))
