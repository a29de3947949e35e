"""Writing a stack to an object store: checked first, ours alone, visible when complete."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType

from ..errors import OutputError, StackError, StoreError, keeps_partial_output
from ..machine.notes import AnchoredNote, Note
from ..run.reporter import Reporter, SilentReporter
from .claim import MARK, Claim
from .late_metadata import LateMetadataStore
from .leftovers import (
    COMPLETE,
    PROBE,
    check_free,
    chunks_among,
    own_names,
    remove_documents,
    remove_leftovers,
)
from .location import BRIEF, RemoteLocation
from .object_note import JOURNAL, ObjectNote
from .objects import Objects


def check_writable(location: RemoteLocation, goes_on: bool = False) -> None:
    """Check a location before any work is done: list, write and delete there.

    Parameters
    ----------
    location
        Where a stack is going to be.
    goes_on
        Whether a run that stopped may have published the stack already; that is judged later.

    Raises
    ------
    OutputError
        If the service, bucket or permission is missing, or something is there already.
    """
    objects = Objects(location, BRIEF)
    check_free(objects, location, goes_on)
    objects.put(PROBE, b"")
    objects.remove([PROBE])


class RemoteWorkspace:
    """A location while a build writes there, unseen by readers; to be used as a context manager.

    A build that ends without error makes its stack visible. One that is stopped leaves chunks and a
    note, with which the next one of the same identity goes on; any other build removes them first.

    Parameters
    ----------
    location
        Where the stack is going to be.
    identity
        The same for builds that give the same result.
    near
        Note beside outputs on a disk, if there are any: it tells of both.
    reporter
        Told of what is removed.
    root
        The document with which an earlier attempt has made the stack visible, if one has.

    Attributes
    ----------
    note
        Where the build notes what is done.
    is_kept
        Whether chunks and note were left for another attempt.

    Raises
    ------
    OutputError
        If something is at the location, or it cannot be written to.
    """

    def __init__(
        self,
        location: RemoteLocation,
        identity: str,
        near: Note | None = None,
        reporter: Reporter | None = None,
        root: bytes | None = None,
    ) -> None:
        self._root = root
        self._location = location
        self._reporter = reporter or SilentReporter()
        self._objects = Objects(location)
        # Whoever waits for the end of a run that failed has waited long enough.
        brief = Objects(location, BRIEF)
        self._claim = Claim(brief)
        far = ObjectNote(brief, identity, self._claim.check)
        self.note: Note = far if near is None else AnchoredNote(near, far)
        self._store = LateMetadataStore(
            location, check=self._claim.stop_if_lost, withdraw=self._withdraw
        )
        self._is_publishing = self._is_published = False
        self.is_kept = False

    def __enter__(self) -> LateMetadataStore:
        self._claim.look()
        self._is_published = self._root is not None and self._root in map(
            self._objects.get, COMPLETE
        )
        if self._is_published and isinstance(self.note, AnchoredNote):
            self.note.trust()
        # What this very job has made visible before it was killed is no obstacle.
        is_ours = self._is_published or self.note.read() is not None
        check_free(self._objects, self._location, is_ours)
        self._claim.take()
        try:
            self._take_over(own_names(self._objects))
        except BaseException:
            # What is there was not judged yet, or is removed in part: the mark has to stay.
            self._store.close()
            self._claim.leave()
            raise
        return self._store

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self.publish()
        except BaseException as failure:
            error = failure
            raise
        finally:
            self._store.close()
            if error is None:
                self._take_mark_away()
            else:
                self._give_up(error)

    def _take_over(self, names: Sequence[str]) -> None:
        """Go on with what an earlier attempt left, or remove what other runs did."""
        if self._is_published:
            self._store.inherit(chunks_among(names))
            return
        if self.note.read() is not None:
            # It may have been cut off while it made the stack visible.
            remove_documents(self._objects, names)
            self._store.inherit(chunks_among(names))
            return
        if set(names) - {MARK}:
            self._reporter.info(
                f"Removing what another run that stopped left at {self._location.url}; no reader "
                "could see it."
            )
        remove_leftovers(self._objects, names)

    def _withdraw(self) -> None:
        """Make a stack invisible that an earlier attempt has published: it is written anew."""
        if self._is_published:
            self._claim.check()
            remove_documents(self._objects, own_names(self._objects))
            self._is_published, self._root = False, None

    def publish(self) -> bytes:
        """Write the metadata documents, the one that makes the stack visible at the end.

        Returns
        -------
        bytes
            That document, by which the stack is known from now on.
        """
        documents = self._store.documents()
        if self._is_published and self._root == documents[-1][-1][1]:
            return self._root
        self._claim.check()
        self._is_publishing = True
        for rank in documents:
            self._objects.put_all(rank)
        name, content = documents[-1][-1]
        if self._objects.get(name) != content:
            raise OutputError(
                f"{self._location.url} was written, but {name} does not read back as it should; "
                "run again."
            )
        self._is_published, self._root = True, content
        return content

    def _take_mark_away(self) -> None:
        try:
            self._claim.release(JOURNAL)
        except StoreError as error:
            self._reporter.warning(
                f"{self._location.url} is complete, but the marks of this run are still there "
                f"({str(error).rstrip('.')}); delete the objects there whose names begin with "
                f"{MARK}."
            )

    def _give_up(self, error: BaseException) -> None:
        """Keep what another attempt can use, or remove what this one wrote."""
        self.is_kept = keeps_partial_output(error) and self.note.exists
        # What cannot be removed now is removed by the next run, which knows it by the mark.
        with suppress(StackError):
            if self._is_published:
                # Another attempt has only to publish what is beside it.
                self._claim.release(*(() if self.is_kept else (JOURNAL,)))
            elif not self.is_kept:
                self._claim.check()
                remove_leftovers(self._objects, own_names(self._objects))
            elif self._is_publishing:
                self._claim.check()
                names = [key for keys in self._store.documents() for key, _ in keys]
                remove_documents(self._objects, names)
            self._claim.release()
        self._claim.leave()
