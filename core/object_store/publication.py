"""Writing a stack to an object store: checked first, ours alone, visible when complete."""

from __future__ import annotations

from contextlib import suppress

from ..errors import OutputError, StackError, StoreError
from ..machine.processes import new_mark
from ..run.reporter import Reporter, SilentReporter
from .claim import MARK, check_held, take
from .late_metadata import LateMetadataStore
from .leftovers import check_free, own_names, remove_objects
from .location import BRIEF, RemoteLocation
from .objects import Objects

_PROBE = f"{MARK}-probe"
"""Object with which a location is tried out."""

_ROUNDS = 5
"""How often what a run wrote is removed: workers of a cluster may end what they have in hand."""


def check_location_writable(location: RemoteLocation) -> None:
    """Check a location before any work is done: list, write and delete there.

    Raises
    ------
    OutputError
        If the service, bucket or permission is missing, or something is there already.
    """
    with Objects(location, BRIEF) as objects:
        check_free(objects)
        objects.put(_PROBE, b"")
        objects.remove([_PROBE])


class RemoteWorkspace:
    """A location while a run writes there, unseen by readers; to be used as a context manager.

    A run that fails before it has published its stack removes what it wrote; what it cannot remove,
    as when it is killed, is removed by the next one. Until a run ends, its mark names its job, by
    which the same job knows a stack that was published by a run that was stopped afterward.

    Attributes
    ----------
    location
        Where the stack is going to be.
    store
        What it is written to.
    is_published
        Whether readers see the stack: this run has published it, or one of the same job that was
        stopped before it ended.

    Raises
    ------
    OutputError
        If something is at the location, it cannot be written to, or another run takes it.
    """

    def __init__(
        self, location: RemoteLocation, job: str, reporter: Reporter | None = None
    ) -> None:
        self.location = location
        self._reporter = reporter or SilentReporter()
        self._objects = Objects(location)
        # Whoever waits for the end of a run that failed has waited long enough.
        self._brief = Objects(location, BRIEF)
        self._job = job
        self._mark = new_mark(job)
        self.store = LateMetadataStore(location, self._mark)
        self.is_published = False

    def __enter__(self) -> RemoteWorkspace:
        try:
            self._begin()
        except BaseException:
            self._close()
            raise
        return self

    def _begin(self) -> None:
        before = self._objects.version(MARK)
        self.is_published = check_free(self._objects, self._job)
        if self.is_published:
            # The mark stays that of the run that was stopped, until this one has ended.
            return
        take(self._brief, self._mark, before)
        leftovers = [name for name in own_names(self._objects) if name != MARK]
        if leftovers:
            self._reporter.info(
                f"Removing what another run that stopped left at {self.location.url}; no reader "
                "could see it."
            )
        # Where this fails, the mark stays: it shows the next run that the rest is ours.
        remove_objects(self._objects, leftovers)

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self.store.close()
        try:
            if error is None:
                self._take_mark_away()
            elif not self.is_published:
                # What cannot be removed now is removed by the next run, which knows it by the mark.
                with suppress(StackError):
                    self._clear_up()
        finally:
            self._close()

    def _close(self) -> None:
        self._objects.close()
        self._brief.close()

    def publish(self) -> None:
        """Write the metadata documents, the one that makes the stack visible at the end.

        Raises
        ------
        OutputError
            If another run has taken the location, or a document does not read back right.
        """
        check_held(self._objects, self._mark)
        documents = self.store.documents()
        for rank in documents:
            self._objects.put_all(rank)
        name, content = documents[-1][-1]
        if self._objects.get(name) != content:
            raise OutputError(
                f"{self.location.url} was written, but {name} does not read back as it should; "
                "run again."
            )
        self.is_published = True

    def _clear_up(self) -> None:
        check_held(self._brief, self._mark)
        for _ in range(_ROUNDS):
            names = own_names(self._brief)
            if names == [MARK]:
                self._brief.remove(names)
                return
            remove_objects(self._brief, names)

    def _take_mark_away(self) -> None:
        try:
            self._brief.remove([MARK])
        except StoreError as error:
            self._reporter.warning(
                f"{self.location.url} is complete, but the mark of this run is still there "
                f"({str(error).rstrip('.')}); delete the object {MARK} there."
            )
