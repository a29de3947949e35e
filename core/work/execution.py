"""Runs pieces of work that are not done yet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Protocol

from ..machine.blocks import run_blocks
from ..run.reporter import Reporter, step, stop_if_canceled
from .journal import Journal
from .pieces import Piece, S


class Executor(Protocol):
    """Where pieces run."""

    def run(
        self,
        pieces: Sequence[Piece[S]],
        shared: S,
        journal: Journal,
        reporter: Reporter,
        one_by_one: bool,
    ) -> None:
        """Run pieces and note each that is done.

        Parameters
        ----------
        pieces
            What to do, in any order.
        journal
            Takes what each piece learned.
        one_by_one
            The pieces use several threads and much memory themselves.
        """


class Threads:
    """Runs pieces in threads of this process."""

    def run(
        self,
        pieces: Sequence[Piece[S]],
        shared: S,
        journal: Journal,
        reporter: Reporter,
        one_by_one: bool,
    ) -> None:
        """Run pieces; see :meth:`Executor.run`."""

        def run_piece(piece: Piece[S]) -> None:
            journal.record(piece.key, piece.run(shared, reporter))

        if not one_by_one:
            run_blocks(run_piece, pieces, len(pieces), reporter, shared.threads)
            return
        for number, piece in enumerate(pieces):
            begin, end = (100.0 * part / len(pieces) for part in (number, number + 1))
            stop_if_canceled(reporter)
            with step(reporter, begin, end) as current:
                journal.record(piece.key, piece.run(shared, current))


ExecutorFactory = Callable[[Sequence[Path], Reporter], AbstractContextManager[Executor]]
"""Makes an executor for a run whose unfinished outputs are in these folders."""


def threads(folders: Sequence[Path], reporter: Reporter) -> AbstractContextManager[Executor]:
    """Return an executor that runs pieces in this process; see `ExecutorFactory`."""
    return nullcontext(Threads())
