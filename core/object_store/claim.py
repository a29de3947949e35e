"""The mark with which a run claims a location: two runs never write to one."""

from __future__ import annotations

from ..errors import OutputError
from ..machine.processes import is_known_dead
from .location import RemoteLocation
from .objects import Objects

MARK = ".hyp3-partial"
"""Object that says that a run is writing below the location, and which."""

STALE_SECONDS = 600.0
"""How long a run on another computer may write nothing before it is taken for dead."""


def take(objects: Objects, mark: bytes, before: str | None) -> None:
    """Leave a mark, unless another run has left one meanwhile.

    Parameters
    ----------
    objects
        What lies at the location.
    mark
        From :func:`core.machine.processes.new_mark`.
    before
        Version of the mark that was there when its run was found to be dead; None for no mark.

    Raises
    ------
    OutputError
        If another run takes the location in the same moment, or it cannot be written to.
    """
    objects.put_if(MARK, mark, before)
    check_held(objects, mark)


def check_held(objects: Objects, mark: bytes) -> None:
    """Check that a mark is still there.

    Raises
    ------
    OutputError
        If it is not.
    """
    if objects.get(MARK) != mark:
        raise taken(objects.location)


def taken(location: RemoteLocation) -> OutputError:
    """Return the error of a run whose location another run has taken."""
    return OutputError(
        f"{location.url} was taken by another run meanwhile; choose another key or let only one "
        "run write there."
    )


def is_running(objects: Objects) -> bool:
    """Return whether the run that left a mark is still alive, as far as that can be known."""
    content = objects.get(MARK)
    if content is None or is_known_dead(content):
        return False
    return objects.idle_seconds(MARK) < STALE_SECONDS
