"""Where a build keeps unfinished outputs, hidden beside their final names, for another attempt."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from ..errors import OutputError, keeps_partial_output
from ..machine.atomic import (
    LOCK,
    folder_aside,
    is_being_made,
    not_writable,
    partial_folder,
    remove,
    remove_leftovers,
    replace,
)
from ..machine.locks import FileLock

_NOTE = "journal.npz"


class Workspace:
    """Folders for the unfinished outputs of one build; to be used as a context manager.

    A build that ends without error publishes its outputs. One that is stopped leaves its folders,
    where the next one of the same identity finds them; any other build of the same outputs removes
    them.

    Parameters
    ----------
    finals
        Outputs to be; none for a build that writes to an object store only.
    identity
        The same for builds of which one can go on with the other's work, fit for a file name.
    keep_for
        Errors after which another attempt follows, besides those that are no fault of inputs.

    Attributes
    ----------
    note
        File in which the build notes what is done; None without an output on disk.
    is_kept
        Whether unfinished outputs were left for another attempt.

    Raises
    ------
    OutputError
        If a folder cannot be made or written to, or another run builds one of the outputs.
    """

    def __init__(
        self,
        finals: Sequence[Path],
        identity: str,
        keep_for: tuple[type[BaseException], ...] = (),
    ) -> None:
        self._folders = {final: partial_folder(final, identity) for final in finals}
        self._keep_for = keep_for
        self._locks = ExitStack()
        first = next(iter(self._folders.values()), None)
        self.note = None if first is None else first / _NOTE
        self.is_kept = False

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders of all outputs."""
        return tuple(self._folders.values())

    def folder(self, final: Path) -> Path:
        """Return the folder of an output."""
        return self._folders[final]

    def output(self, final: Path) -> Path:
        """Return where an output is written until it is complete."""
        return self._folders[final] / final.name

    def used_bytes(self, final: Path) -> int:
        """Return what an earlier attempt has written of an output already."""
        total = 0
        for folder, _, names in os.walk(self._folders[final]):
            for name in names:
                total += os.lstat(os.path.join(folder, name)).st_size
        return total

    def __enter__(self) -> Workspace:
        made: list[Path] = []
        try:
            for final, folder in self._folders.items():
                self._claim(final, folder, made)
        except OutputError:
            self._locks.close()
            for folder in made:
                remove(folder)
            raise
        if made or not self._is_noted:
            # A note without the outputs that it describes is worth nothing, nor are outputs that no
            # note describes.
            self.clear()
        return self

    def _claim(self, final: Path, folder: Path, made: list[Path]) -> None:
        """Lock the folder of an output, which is made if need be."""
        try:
            is_new = not folder.is_dir()
            final.parent.mkdir(parents=True, exist_ok=True)
            remove_leftovers(final, keep=folder)
            folder.mkdir(exist_ok=True)
            is_ours = self._lock(folder / LOCK)
        except OSError as error:
            raise not_writable(final, error) from error
        if is_ours and is_new:
            made.append(folder)
        # What one run appends would be lost when the other gives its stack the name.
        if not is_ours or is_being_made(final, folder):
            raise OutputError(
                f"Another run is building {final} already; wait for its end or cancel it."
            )

    @property
    def _is_noted(self) -> bool:
        return self.note is not None and self.note.exists()

    def clear(self) -> None:
        """Remove what an earlier attempt left."""
        for folder in self._folders.values():
            for path in folder.iterdir():
                if not path.name.startswith(LOCK):
                    remove(path)

    def _lock(self, path: Path) -> bool:
        lock = FileLock(path)
        is_ours = lock.take()
        if is_ours:
            self._locks.callback(lock.release)
        return is_ours

    def publish(self) -> None:
        """Give the outputs their final names, those that an earlier attempt has not given it.

        Raises
        ------
        BusyOutputError
            If another program has one open.
        """
        for final, folder in self._folders.items():
            if os.path.lexists(self.output(final)):
                replace(self.output(final), final, folder_aside(folder))

    def place(self, final: Path) -> Path:
        """Return where an output is that was complete in an earlier attempt."""
        output = self.output(final)
        return output if os.path.lexists(output) else final

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        is_worth = keeps_partial_output(error) or isinstance(error, self._keep_for)
        self.is_kept = is_worth and self._is_noted
        self._locks.close()
        if not self.is_kept:
            # The note goes last: it says what to do about the rest.
            for folder in reversed(self.folders):
                remove(folder)
