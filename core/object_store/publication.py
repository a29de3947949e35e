"""Writing a stack to an object store: checked first, ours alone, visible when complete."""

from __future__ import annotations

from contextlib import suppress
from types import TracebackType

from ..errors import OutputError, StackError, StoreError
from ..machine.processes import new_mark
from ..run.reporter import Reporter, SilentReporter
from .claim import MARK, check_held, take
from .late_metadata import LateMetadataStore
from .leftovers import check_free, own_names, remove_leftovers
from .location import BRIEF, RemoteLocation
from .objects import Objects

_PROBE = f"{MARK}-probe"
"""Object with which a location is tried out."""

_ROUNDS = 5
"""How often what a run wrote is removed: workers of a cluster may end what they have in hand."""


def check_writable(location: RemoteLocation) -> None:
    """Check a location before any work is done: list, write and delete there.

    Raises
    ------
    OutputError
        If the service, bucket or permission is missing, or something is there already.
    """
    objects = Objects(location, BRIEF)
    check_free(objects)
    objects.put(_PROBE, b"")
    objects.remove([_PROBE])


class RemoteWorkspace:
    """A location while a build writes there, unseen by readers; to be used as a context manager.

    A build that ends without error makes its stack visible. One that fails removes what it wrote;
    what it cannot remove, as when it is killed, is removed by the next one.

    Parameters
    ----------
    location
        Where the stack is going to be.
    reporter
        Informed of what is removed.

    Raises
    ------
    OutputError
        If something is at the location, it cannot be written to, or another run takes it.
    """

    def __init__(self, location: RemoteLocation, reporter: Reporter | None = None) -> None:
        self._location = location
        self._reporter = reporter or SilentReporter()
        self._objects = Objects(location)
        # Whoever waits for the end of a run that failed has waited long enough.
        self._brief = Objects(location, BRIEF)
        self._mark = new_mark()
        self._store = LateMetadataStore(location, self._mark)

    def __enter__(self) -> LateMetadataStore:
        before = self._objects.version(MARK)
        check_free(self._objects)
        take(self._brief, self._mark, before)
        leftovers = [name for name in own_names(self._objects) if name != MARK]
        if leftovers:
            self._reporter.info(
                f"Removing what another run that stopped left at {self._location.url}; no reader "
                "could see it."
            )
        # Where this fails, the mark stays: it shows the next run that the rest is ours.
        remove_leftovers(self._objects, leftovers)
        return self._store

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self._publish()
        except BaseException as failure:
            error = failure
            raise
        finally:
            self._store.close()
            if error is None:
                self._take_mark_away()
            else:
                # What cannot be removed now is removed by the next run, which knows it by the mark.
                with suppress(StackError):
                    self._clear_up()

    def _publish(self) -> None:
        """Write the metadata documents, the one that makes the stack visible at the end."""
        check_held(self._objects, self._mark)
        documents = self._store.documents()
        for rank in documents:
            self._objects.put_all(rank)
        name, content = documents[-1][-1]
        if self._objects.get(name) != content:
            raise OutputError(
                f"{self._location.url} was written, but {name} does not read back as it should; "
                "run again."
            )

    def _clear_up(self) -> None:
        check_held(self._brief, self._mark)
        for _ in range(_ROUNDS):
            names = own_names(self._brief)
            if names == [MARK]:
                self._brief.remove(names)
                return
            remove_leftovers(self._brief, names)

    def _take_mark_away(self) -> None:
        try:
            self._brief.remove([MARK])
        except StoreError as error:
            self._reporter.warning(
                f"{self._location.url} is complete, but the mark of this run is still there "
                f"({str(error).rstrip('.')}); delete the object {MARK} there."
            )
