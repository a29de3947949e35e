"""The record of what a download folder holds, so that the next run fetches only what is missing."""

from __future__ import annotations

import json
import stat
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path, PurePosixPath
from typing import Any

from ...errors import OutputError
from ...machine.atomic import not_writable, replace_content
from ...run.documents import read_document
from ...run.reporter import Reporter, stop_if_canceled
from ..service.json_fields import FieldError, is_plain, mapping, objects, strings, text, whole
from .archive import Member, file_crc
from .folder import DownloadFolder

MANIFEST_NAME = "hyp3_manifest.json"
_SCHEMA = 1
_LONGEST_PAUSE = 10.0
_NAME_SHOWN = 80

COMPLETE = "complete"
FAILED = "failed"


@dataclass(frozen=True)
class Entry:
    """What is known about one file of one job."""

    job_id: str
    file: str
    product: str  # folder of the unpacked product, empty for a file that is not an archive
    # Bytes and checksum of the file; the checksum is empty where only single layers were fetched.
    size: int
    sha256: str
    time: str  # end of the download, UTC, ISO 8601
    status: str  # ``complete`` or ``failed``
    error: str = ""  # why it failed
    # Layers fetched one by one; None where the whole product is there.
    layers: tuple[str, ...] | None = None
    absent: tuple[str, ...] = ()  # layers asked for that the product does not have
    members: Mapping[str, Member] = field(default_factory=dict)  # unpacked files by name

    def to_json(self) -> dict[str, Any]:
        """Return the entry as it is written."""
        values = {**vars(self)}
        values["members"] = {
            name: [member.size, member.crc, member.mtime] for name, member in self.members.items()
        }
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Entry:
        """Read an entry.

        Raises
        ------
        FieldError
            If a field is missing or is not what it has to be.
        """
        return cls(
            job_id=text(values, "job_id"),
            file=text(values, "file"),
            product=text(values, "product", ""),
            size=whole(values, "size"),
            sha256=text(values, "sha256", ""),
            time=text(values, "time", ""),
            status=text(values, "status"),
            # The words of a server may be in it.
            error=str(values.get("error") or ""),
            layers=None if values.get("layers") is None else tuple(strings(values, "layers")),
            absent=tuple(strings(values, "absent")),
            members={
                name: _member(name, numbers) for name, numbers in mapping(values, "members").items()
            },
        )


def _member(name: str, numbers: Any) -> Member:
    if not isinstance(numbers, list) or len(numbers) != 3:
        raise FieldError(f"the member {name[:_NAME_SHOWN]} is not a list of three numbers")
    size, crc, mtime = numbers
    # Files may be older than the epoch.
    if not isinstance(mtime, int) or isinstance(mtime, bool):
        raise FieldError(f"the time of the member {name[:_NAME_SHOWN]} is not a whole number")
    values = {"size": size, "checksum": crc}
    return Member(whole(values, "size"), whole(values, "checksum"), mtime)


def now_text() -> str:
    """Return the time of now as the manifest holds it."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


class Manifest:
    """The entries of a download folder, kept in one JSON file.

    Writing the file for every product would take longer than the products where there are
    thousands, so it is written from time to time. What must not happen before an entry is on disk,
    removing a downloaded archive, is handed over together with the entry.

    Raises
    ------
    OutputError
        If a manifest is there but cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / MANIFEST_NAME
        self._lock = threading.Lock()
        self._entries: dict[tuple[str, str], Entry] = {}
        self._afterward: list[Callable[[], None]] = []
        self._written = 0.0
        self._pause = 0.0
        if self.path.is_file():
            self._load()

    def _load(self) -> None:
        try:
            content = json.loads(read_document(self.path).decode())
            if not isinstance(content, dict) or "files" not in content:
                raise FieldError("the list of files is missing")
            for values in objects(content, "files"):
                entry = Entry.from_json(values)
                self._entries[entry.job_id, entry.file] = entry
        except OSError as error:
            raise OutputError(
                f"{self.path} cannot be read ({error.strerror or error}); change its permissions, "
                "or choose another folder."
            ) from None
        except (ValueError, RecursionError) as error:
            why = str(error) if isinstance(error, FieldError) else type(error).__name__
            raise OutputError(
                f"{self.path} cannot be read ({why}); move it away, and the run will check the "
                "products against the server again."
            ) from None

    def get(self, job_id: str, file: str) -> Entry | None:
        """Return the entry of a file."""
        with self._lock:
            return self._entries.get((job_id, file))

    def entries(self) -> list[Entry]:
        """Return all entries."""
        with self._lock:
            return list(self._entries.values())

    def record(self, entry: Entry, afterward: Callable[[], None] | None = None) -> None:
        """Replace the entry of a file.

        Parameters
        ----------
        entry
            What is true now.
        afterward
            Called once the entry is on disk.
        """
        with self._lock:
            self._entries[entry.job_id, entry.file] = entry
            if afterward is not None:
                self._afterward.append(afterward)
            if time.monotonic() - self._written >= self._pause:
                self._write()

    def flush(self) -> None:
        """Write what has not been written yet."""
        with self._lock:
            self._write()

    def _write(self) -> None:
        begin = time.monotonic()
        content = {
            "schema": _SCHEMA,
            "updated": now_text(),
            "files": [entry.to_json() for entry in self._entries.values()],
        }
        try:
            replace_content(self.path, json.dumps(content, indent=1).encode())
        except OSError as error:
            raise not_writable(self.path, error) from None
        afterward, self._afterward = self._afterward, []
        for act in afterward:
            act()
        self._written = time.monotonic()
        self._pause = min(10.0 * (self._written - begin), _LONGEST_PAUSE)


def intact(entry: Entry, folder: Path, check_stop: Callable[[], None]) -> Entry | None:
    """Compare the files of an entry with the disk.

    Sizes and times are compared; where a time differs (a copied folder), the checksum decides.

    Returns
    -------
    Entry or None
        The entry, with the times as they are now; None where a file is missing or changed.
    """
    check_stop()
    members = dict(entry.members)
    if not members or not all(map(_lies_inside, [entry.product or "x", *members])):
        return None
    for name, member in entry.members.items():
        path = folder / entry.product / name if entry.product else folder / name
        try:
            status = path.stat()
        except OSError:
            return None
        if status.st_size != member.size or not stat.S_ISREG(status.st_mode):
            return None
        if status.st_mtime_ns != member.mtime:
            if file_crc(path, check_stop) != member.crc:
                return None
            members[name] = Member(member.size, member.crc, status.st_mtime_ns)
    return replace(entry, members=members)


def _lies_inside(name: str) -> bool:
    """Return whether a name, which anybody may have written, stays in its folder."""
    parts = PurePosixPath(name).parts
    return bool(parts) and is_plain(name) and ".." not in parts and not Path(name).is_absolute()


def complete_jobs(path: Path, reporter: Reporter) -> frozenset[str]:
    """Return the ids of jobs of which a folder, if it is there, has everything, expired or not.

    Raises
    ------
    OutputError
        If another run is at work in the folder, or its manifest cannot be read or written.
    """
    if not (path / MANIFEST_NAME).is_file():
        return frozenset()
    with DownloadFolder(path).locked():
        manifest = Manifest(path)
        before = manifest.entries()
        whole: dict[str, bool] = {}
        try:
            for entry in before:
                found = None
                if entry.status == COMPLETE:
                    found = intact(entry, path, lambda: stop_if_canceled(reporter))
                if found is not None and found != entry:
                    # Checksums of a copied folder take long; once noted, times are enough.
                    manifest.record(found)
                whole[entry.job_id] = whole.get(entry.job_id, True) and found is not None
        finally:
            if manifest.entries() != before:
                manifest.flush()
    return frozenset(job_id for job_id, fine in whole.items() if fine)
