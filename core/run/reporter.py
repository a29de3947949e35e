"""How the core reports what it does and learns that it should stop."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from ..errors import Canceled


class Reporter(Protocol):
    """Receives progress and messages; asked regularly whether to stop.

    Whoever takes a reporter may raise :class:`~core.errors.Canceled` when the user has asked to.
    """

    def progress(self, percent: float) -> None:
        """Report overall progress, 0 to 100."""

    def info(self, text: str) -> None:
        """Inform the user of what happens."""

    def warning(self, text: str) -> None:
        """Warn the user of what deserves attention but does not end the run."""

    def canceled(self) -> bool:
        """Return whether the user asked to stop."""

    def completing(self) -> None:
        """Learn that outputs are being moved to their final names, see :func:`complete`."""


class SilentReporter:
    """A reporter for library use: keeps messages, shows nothing, never cancels."""

    def __init__(self) -> None:
        self.infos: list[str] = []
        self.warnings: list[str] = []
        self.percent = 0.0

    def progress(self, percent: float) -> None:
        """Remember the last progress."""
        self.percent = percent

    def info(self, text: str) -> None:
        """Keep an information."""
        self.infos.append(text)

    def warning(self, text: str) -> None:
        """Keep a warning."""
        self.warnings.append(text)

    def canceled(self) -> bool:
        """Never stop."""
        return False

    def completing(self) -> None:
        """Need not know."""


class StepReporter:
    """Maps the progress of one step onto its share of the whole run."""

    def __init__(self, parent: Reporter, begin: float, end: float) -> None:
        self._parent = parent
        self._begin = begin
        self._end = end

    def progress(self, percent: float) -> None:
        """Report progress of the step, 0 to 100, as progress of the run."""
        self._parent.progress(self._begin + (self._end - self._begin) * percent / 100.0)

    def info(self, text: str) -> None:
        """Pass an information on."""
        self._parent.info(text)

    def warning(self, text: str) -> None:
        """Pass a warning on."""
        self._parent.warning(text)

    def canceled(self) -> bool:
        """Ask the run."""
        return self._parent.canceled()

    def completing(self) -> None:
        """Pass it on."""
        self._parent.completing()


def stop_if_canceled(reporter: Reporter) -> None:
    """Raise :class:`Canceled` when the user asked to stop."""
    if reporter.canceled():
        raise Canceled("The run was canceled; finished files are kept, partial ones are removed.")


def complete(reporter: Reporter) -> None:
    """Stop a last time if asked to; whoever cancels later gets the outputs.

    Called right before the first output takes its final name, where all outputs belong together.
    """
    reporter.completing()
    stop_if_canceled(reporter)


@contextmanager
def step(reporter: Reporter, begin: float, end: float) -> Iterator[StepReporter]:
    """Give a block its share ``begin``..``end`` (percent) of the progress bar."""
    inner = StepReporter(reporter, begin, end)
    inner.progress(0.0)
    yield inner
    inner.progress(100.0)
