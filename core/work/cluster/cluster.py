"""Runs pieces of work on the workers of a Dask cluster."""

from __future__ import annotations

import operator
import time
import uuid
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from distributed import CancelledError, Client, Future, as_completed
from distributed.protocol.pickle import dumps, loads
from distributed.scheduler import KilledWorker

from ...errors import Canceled, ClusterError
from ...run.reporter import Reporter, SilentReporter, stop_if_canceled
from ...run.waiting import run_cancellable
from ..journal import Journal
from ..pieces import Piece, PieceResult, S, Shared
from .scheduler_connection import PATIENCE_SECONDS, Connection
from .shared_paths import SharedPaths
from .work import Work, count_running

_AHEAD = 2
"""Pieces at the cluster for each of its threads: one that runs and one that waits."""

_POLL_SECONDS = 0.02
_WATCH_SECONDS = 2.0
_RESULT_SECONDS = 20.0
_REPEATS = 5
_CANCEL_SECONDS = 2.0
_END_SECONDS = 10.0
"""How long pieces that run may take to notice that their build has failed."""


class Cluster:
    """Runs pieces on the workers of an existing cluster; to be used as a context manager.

    Workers read the products and write the outputs themselves; only what pieces learned travels.
    They need the packages of the core environment, but not the plugin, which they are sent.

    Parameters
    ----------
    address
        As :func:`~.address.parse_scheduler` returns it.
    folders
        Folders of the unfinished outputs.
    patience
        Seconds that the cluster may be without any worker.
    """

    def __init__(
        self,
        address: str,
        folders: Sequence[Path],
        reporter: Reporter,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._address = address
        self._folders = tuple(folders)
        self._reporter = reporter
        self._patience = patience
        self._name = f"hyp3-{uuid.uuid4().hex[:12]}"
        self._number = 0
        self._workers: dict[str, int] = {}
        self._watched = 0.0
        self._work: Future[Any] | None = None
        self._repeats: Counter[str] = Counter()

    def __enter__(self) -> Cluster:
        self._connection = Connection(self._address, self._reporter, self._patience)
        return self

    def __exit__(self, *exception: object) -> None:
        self._work = None
        self._connection.close()

    @property
    def _client(self) -> Client:
        return self._connection.client

    def run(
        self,
        pieces: Sequence[Piece[S]],
        shared: S,
        journal: Journal,
        reporter: Reporter,
        one_by_one: bool,
    ) -> None:
        """Run pieces; see :meth:`Executor.run`.

        Pieces that take all threads of a worker are given to one worker each.

        Raises
        ------
        ClusterError
            If the cluster or all of its workers are lost, or a worker cannot do the work.
        """
        work = self._load(shared)
        rest = deque(pieces)
        under_way: dict[Future[Any], tuple[Piece[S], str | None]] = {}
        done = as_completed(loop=self._client.loop)
        try:
            while rest or under_way:
                stop_if_canceled(reporter)
                self._watch_workers()
                busy = [place for _, place in under_way.values()]
                for place in self._free_places(busy, one_by_one):
                    if not rest:
                        break
                    piece = rest.popleft()
                    future = self._submit(work, piece, place)
                    under_way[future] = piece, place
                    done.add(future)
                batch = done.next_batch(block=False)
                for future in batch:
                    piece, _ = under_way[future]
                    learned = self._learned(future, piece, reporter)
                    del under_way[future]
                    if learned is None:
                        rest.appendleft(piece)
                    else:
                        journal.record(piece.key, learned)
                if batch:
                    part = 1.0 - (len(rest) + len(under_way)) / len(pieces)
                    reporter.progress(100.0 * part)
                else:
                    time.sleep(_POLL_SECONDS)
        finally:
            if under_way:
                self._give_up(list(under_way), reporter)

    def _load(self, shared: Shared) -> Future[Any]:
        """Hand over what all pieces share: once, as a task that Dask repeats if it is lost."""
        if self._work is None:
            paths = SharedPaths(shared.inputs, shared.raster, self._folders)
            self._connection.check_paths(paths)
            content = dumps(Work(shared, paths))
            self._work = self._client.submit(loads, content, key=f"{self._name}-build")
        return self._work

    def _watch_workers(self) -> None:
        now = time.monotonic()
        if now - self._watched > _WATCH_SECONDS:
            self._workers = self._connection.workers()
            self._watched = time.monotonic()

    def _free_places(self, busy: Sequence[str | None], one_by_one: bool) -> Iterator[str | None]:
        """Yield workers without a piece, or None for each piece that any worker may take."""
        if one_by_one:
            yield from self._workers.keys() - set(busy)
        else:
            most = _AHEAD * sum(self._workers.values())
            yield from [None] * max(0, most - len(busy))

    def _submit(self, work: Future[Any], piece: Piece[Any], place: str | None) -> Future[Any]:
        self._number += 1
        # The scheduler unpickles functions and arguments, so that these are ones that it has.
        return self._client.submit(
            operator.call,
            work,
            dumps(piece),
            key=f"{self._name}-{self._number}",
            workers=place,
            # If it dies, another one has to take the piece.
            allow_other_workers=place is not None,
        )

    def _learned(
        self, future: Future[Any], piece: Piece[Any], reporter: Reporter
    ) -> PieceResult | None:
        """Return what a piece learned, None if it has to be repeated.

        Raises
        ------
        StackError, OSError
            If the piece fails.
        ClusterError
            If the cluster failed.
        """
        try:
            return run_cancellable(lambda: future.result(timeout=_RESULT_SECONDS), reporter)
        except (Exception, CancelledError) as error:
            stop_if_canceled(reporter)
            if self._client.status != "running":
                raise self._connection.lost() from error
            if future.cancelled():
                # Someone else has restarted the cluster.
                raise self._connection.lost(getattr(error, "reason", "")) from error
            if isinstance(error, KilledWorker):
                raise ClusterError(
                    f"A piece of the work ended {error.allowed_failures + 1} workers of the Dask "
                    f"cluster {self._address}, most likely for lack of memory; give each worker "
                    "more memory or fewer threads."
                ) from error
            self._repeats[piece.key] += 1
            # The result went with its worker, or a worker gave up what is still wanted.
            is_lost = future.status != "error" or isinstance(error, Canceled)
            if is_lost and self._repeats[piece.key] <= _REPEATS:
                return None
            raise

    def _give_up(self, futures: list[Future[Any]], reporter: Reporter) -> None:
        """Take pieces back, and wait a little for those that run to notice."""
        if self._client.status != "running":
            return  # nobody is there to be informed
        seconds = _CANCEL_SECONDS if reporter.canceled() else _END_SECONDS

        def wait() -> None:
            self._client.cancel(futures, force=True)
            while any(self._client.run(count_running, self._name, on_error="ignore").values()):
                time.sleep(_POLL_SECONDS)

        try:
            run_cancellable(wait, SilentReporter(), seconds)
        except Exception:  # noqa: BLE001 - the error that ends the build is the one to report
            return
