"""The download folder: one run at a time, a private corner for unfinished things, final names."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ...errors import OutputError
from ...machine.atomic import not_writable
from ...machine.locks import FileLock
from .archive import Member, file_crc

PARTIAL_FOLDER = ".hyp3_partial"
_LONGEST_NAME = 200
"""Bytes of a name, so that file systems also take what is added to it until it is complete."""


class DownloadFolder:
    """A folder that products are brought to; created where it is missing.

    Raises
    ------
    OutputError
        If it cannot be created.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.partial = path / PARTIAL_FOLDER
        try:
            self.partial.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise not_writable(path, error) from None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other runs out; the system frees the lock of a killed process.

        Raises
        ------
        OutputError
            If another run is at work here, or the folder cannot be written to.
        """
        lock = FileLock(self.partial / "lock")
        try:
            is_ours = lock.take()
        except OSError as error:
            raise not_writable(self.partial, error) from None
        if not is_ours:
            raise OutputError(
                f"Another run is downloading to {self.path}; wait for it or choose another folder."
            )
        try:
            yield
        finally:
            lock.release()

    def part(self, file: str) -> Path:
        """Return where an unfinished file goes."""
        return self.partial / f"{file}.part"

    def clear_workspaces(self) -> None:
        """Remove what killed runs left of unfinished unpacking; partial downloads stay."""
        for path in self.partial.glob("x-*"):
            shutil.rmtree(path, ignore_errors=True)

    @contextmanager
    def workspace(self) -> Iterator[Path]:
        """Give an empty folder on the same file system, removed afterward."""
        path = Path(tempfile.mkdtemp(prefix="x-", dir=self.partial))
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def place(
        self,
        source: Path,
        product: str,
        members: Mapping[str, Member],
        ours: bool,
        check_stop: Callable[[], None],
    ) -> None:
        """Give a complete product its final name.

        Parameters
        ----------
        source
            Folder of the complete product, on the same file system.
        members
            Files in ``source``.
        ours
            Whether a folder of that name is known to be from a former run, so that its damaged
            files may be replaced. Other files in it always stay.

        Raises
        ------
        OutputError
            If a folder of that name, not from a former run, has other content.
        """
        target = self.path / product
        if not target.exists():
            source.rename(target)
            return
        replaced = []
        for name, member in members.items():
            existing = target / name
            if existing.is_file() and not existing.is_symlink():
                same_size = existing.stat().st_size == member.size
                if same_size and file_crc(existing, check_stop) == member.crc:
                    continue
                if not ours:
                    raise OutputError(
                        f"{existing} differs from the file of the product and is not from a former "
                        "run; move the folder away and run it again."
                    )
            replaced.append(name)
        for name in replaced:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).replace(target / name)

    def refreshed(self, product: str, members: Mapping[str, Member]) -> dict[str, Member]:
        """Return members with the times that their files have now."""
        folder = self.path / product if product else self.path
        return {
            name: Member(member.size, member.crc, (folder / name).stat().st_mtime_ns)
            for name, member in members.items()
        }


def safe_file_name(name: str) -> bool:
    """Return whether a name that a server chose is a plain file name."""
    return (
        0 < len(os.fsencode(name)) <= _LONGEST_NAME
        and name == os.path.basename(name)
        and name not in (".", "..")
        and not name.startswith(".")
        and not name.endswith((".", " "))  # which Windows leaves out
        and not set(name) & set('<>:"/\\|?*')
        and all(ord(character) >= 32 for character in name)
    )
