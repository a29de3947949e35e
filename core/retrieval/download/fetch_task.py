"""What is wanted of a file of a job, and what is noted of it once it is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..jobs.jobs import JobRecord, RemoteFile
from .archive import Member, file_crc
from .folder import DownloadFolder
from .manifest import Entry, Manifest, now_text
from .transfer import Transfer
from .wanted import Wanted

_LONGEST_NAME = 255

ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
"""First bytes of an archive, of one without members."""


@dataclass(frozen=True)
class DownloadTask:
    """A file of a job, and what is wanted of it."""

    job: JobRecord
    file: RemoteFile
    layers: tuple[str, ...]  # layers to fetch one by one; empty for the whole product
    keep_archive: bool  # whether the archive stays beside the unpacked product

    @property
    def product(self) -> str:
        """Product name; empty for a file that is not an archive."""
        stem, dot, kind = self.file.name.rpartition(".")
        return stem if dot and kind.lower() == "zip" else ""

    @property
    def label(self) -> str:
        """Name for messages; all of it where it is one that a file can have."""
        return (self.product or self.file.name)[:_LONGEST_NAME]

    @property
    def wanted(self) -> Wanted:
        """The file on the server."""
        starts = ZIP_STARTS if self.product else ()
        size = self.file.size or None
        return Wanted(self.file.url, size, self.job.expires, starts)

    def entry(self, status: str, members: Mapping[str, Member], checksum: str = "") -> Entry:
        """Return what the manifest notes of the file now."""
        return Entry(
            job_id=self.job.job_id,
            file=self.file.name,
            product=self.product,
            size=self.file.size,
            sha256=checksum,
            time=now_text(),
            status=status,
            members=members,
        )


@dataclass(frozen=True)
class Fetched:
    """What a task has led to."""

    entry: Entry  # the complete entry, which is in the manifest as well
    # Whether anything arrived; False where the server had nothing more than a former run.
    is_new: bool = True


def member_of(part: Path, transfer: Transfer) -> Member:
    """Return size, checksum and time of a complete file."""
    status = part.stat()
    return Member(status.st_size, file_crc(part, transfer.check_stop), status.st_mtime_ns)


def place_product(
    task: DownloadTask,
    source: Path,
    members: Mapping[str, Member],
    folder: DownloadFolder,
    manifest: Manifest,
    transfer: Transfer,
) -> None:
    """Give a complete product its final name; see :meth:`DownloadFolder.place_product`."""
    entry = manifest.get(task.job.job_id, task.file.name)
    ours = entry is not None and bool(entry.members)
    transfer.check_stop()
    folder.place(source, task.product, members, ours, transfer.check_stop)
