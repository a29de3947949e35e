"""One product from the server to its folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import Canceled, ProductError, RetrievalError, StackError
from .archive import Member, file_crc, unpack, unpacked_size
from .folder import DownloadFolder, safe_file_name
from .jobs import JobRecord, RemoteFile
from .manifest import COMPLETE, FAILED, Entry, Manifest, intact, now_text
from .session import NotFoundError
from .transfer import Transfer, discard, write_error

_BLOCK = 1 << 20
_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


@dataclass(frozen=True)
class Task:
    """A file of a job, and what is wanted of it.

    Parameters
    ----------
    layers
        Layers to fetch one by one; empty for the whole product.
    keep_archive
        Whether the archive stays beside the unpacked product.
    """

    job: JobRecord
    file: RemoteFile
    layers: tuple[str, ...]
    keep_archive: bool

    @property
    def product(self) -> str:
        """Product name; empty for a file that is no archive."""
        stem, dot, kind = self.file.name.rpartition(".")
        return stem if dot and kind.lower() == "zip" else ""

    @property
    def label(self) -> str:
        """Name for messages."""
        return self.product or self.file.name


class ProductFetcher:
    """Brings products to a folder, each from what is already there of it.

    Parameters
    ----------
    folder, manifest
        Where products go and what is known about them.
    """

    def __init__(self, folder: DownloadFolder, manifest: Manifest) -> None:
        self._folder = folder
        self._manifest = manifest

    def is_there(self, task: Task, check_stop: Callable[[], None]) -> bool:
        """Tell whether everything that a task wants is on disk, complete and unchanged."""
        entry = self._manifest.get(task.job.job_id, task.file.name)
        if entry is None or entry.status != COMPLETE or not safe_file_name(task.file.name):
            return False
        if entry.layers is not None and (
            not task.layers or not set(task.layers) <= {*entry.layers, *entry.absent}
        ):
            return False
        if task.keep_archive and task.product and entry.layers is None:
            archive = self._folder.path / task.file.name
            if not archive.is_file() or archive.stat().st_size != entry.size:
                return False
        current = intact(entry, self._folder.path, check_stop)
        if current is not None and current != entry:
            self._manifest.record(current)
        return current is not None

    def fetch(self, task: Task, transfer: Transfer) -> Entry:
        """Fetch, check and unpack what a task wants.

        Returns
        -------
        Entry
            The complete entry, which is in the manifest as well.

        Raises
        ------
        StackError
            Why the product did not arrive; noted in the manifest, too.
        """
        try:
            if not safe_file_name(task.file.name):
                raise RetrievalError(
                    f"Job {task.job.job_id} lists a file {task.file.name[:80]!r}, which is no file "
                    "name; do not trust this service."
                )
            if not task.product:
                return self._fetch_plain(task, transfer)
            entry = self._fetch_layers(task, transfer) if task.layers else None
            return entry or self._fetch_archive(task, transfer)
        except Canceled:
            raise
        except StackError as error:
            self._note_failure(task, str(error))
            raise
        except OSError as error:
            problem = write_error(self._folder.path / task.label, error)
            self._note_failure(task, str(problem))
            raise problem from None

    def _note_failure(self, task: Task, why: str) -> None:
        entry = self._manifest.get(task.job.job_id, task.file.name)
        # What a former run brought is still there; the failure concerns what is on top of it.
        if entry is None or entry.status != COMPLETE:
            failed = self._entry(task, FAILED, {})
            self._manifest.record(replace(failed, error=why))

    def _fetch_plain(self, task: Task, transfer: Transfer) -> Entry:
        part = self._folder.part(task.file.name)
        self._folder.require_space(task.file.size, task.label)
        transfer.fetch(task.file.url, part, task.file.size)
        target = self._folder.path / task.file.name
        member = _member(part, transfer)
        entry = self._entry(task, COMPLETE, {task.file.name: member}, _sha256(part, transfer))
        part.replace(target)
        discard(part)
        entry = replace(entry, members=self._folder.refreshed("", entry.members))
        self._manifest.record(entry)
        return entry

    def _fetch_archive(self, task: Task, transfer: Transfer) -> Entry:
        final = self._folder.path / task.file.name
        if final.is_file() and final.stat().st_size == task.file.size:
            try:
                return self._unpack(task, final, transfer)
            except ProductError:
                # The copy on disk is damaged; the server's may be whole.
                pass
        part = self._folder.part(task.file.name)
        transfer.fetch(task.file.url, part, task.file.size)
        try:
            return self._unpack(task, part, transfer)
        except ProductError:
            # Damaged on the way or on the server: one more transfer tells.
            discard(part)
        transfer.fetch(task.file.url, part, task.file.size)
        try:
            return self._unpack(task, part, transfer)
        except ProductError:
            discard(part)
            raise

    def _unpack(self, task: Task, archive: Path, transfer: Transfer) -> Entry:
        folder, product = self._folder, task.product
        folder.require_space(unpacked_size(archive, product), f"Unpacking {product}")
        with folder.workspace() as work:
            members = unpack(archive, product, work, transfer.check_stop)
            checksum = _sha256(archive, transfer)
            self._place(task, work / product, members, transfer)
        entry = self._entry(task, COMPLETE, folder.refreshed(product, members), checksum)
        if archive.parent == folder.path:
            self._manifest.record(entry)
        elif task.keep_archive:
            archive.replace(folder.path / task.file.name)
            discard(archive)
            self._manifest.record(entry)
        else:
            self._manifest.record(entry, afterward=lambda: discard(archive))
        return entry

    def _fetch_layers(self, task: Task, transfer: Transfer) -> Entry | None:
        """Fetch single files; None where the server has only the archive."""
        product, kind = task.product, task.job.job_type
        base = task.file.url[: -len(".zip")]
        wanted = {f"{product}_{layer}.tif": f"{base}_{layer}.tif" for layer in task.layers}
        if kind == "RTC_GAMMA":
            required, others = [], [".README.md.txt", ".log"]
        elif kind == "INSAR_GAMMA":
            required, others = [".txt"], [".README.md.txt"]
        else:
            required, others = [".txt"], ["_README.md.txt"]
        parts: dict[str, Path] = {}
        absent = []
        for suffix in required:
            if not self._fetch_single(f"{base}{suffix}", f"{product}{suffix}", parts, transfer):
                return None
        for layer, (name, url) in zip(task.layers, wanted.items(), strict=True):
            if not self._fetch_single(url, name, parts, transfer):
                absent.append(layer)
            elif not _is_tiff(parts[name]):
                # A server may answer anything with a page of its own.
                for part in parts.values():
                    discard(part)
                return None
        if len(absent) == len(task.layers):
            return None
        for suffix in others:
            self._fetch_single(f"{base}{suffix}", f"{product}{suffix}", parts, transfer)
        members = {name: _member(part, transfer) for name, part in parts.items()}
        with self._folder.workspace() as work:
            source = work / product
            source.mkdir()
            for name, part in parts.items():
                part.rename(source / name)
            self._place(task, source, members, transfer)
        for part in parts.values():
            discard(part)
        former = self._manifest.get(task.job.job_id, task.file.name)
        layers, missing = [la for la in task.layers if la not in absent], absent
        if former is not None and former.status == COMPLETE and former.layers is not None:
            members = {**former.members, **members}
            layers = list(dict.fromkeys([*former.layers, *layers]))
            missing = list(dict.fromkeys([*former.absent, *absent]))
        entry = replace(
            self._entry(task, COMPLETE, self._folder.refreshed(product, members)),
            layers=tuple(layers),
            absent=tuple(missing),
        )
        self._manifest.record(entry)
        return entry

    def _fetch_single(
        self, url: str, name: str, parts: dict[str, Path], transfer: Transfer
    ) -> bool:
        part = self._folder.part(name)
        try:
            transfer.fetch(url, part, None)
        except NotFoundError:
            return False
        parts[name] = part
        return True

    def _place(
        self, task: Task, source: Path, members: dict[str, Member], transfer: Transfer
    ) -> None:
        entry = self._manifest.get(task.job.job_id, task.file.name)
        ours = entry is not None and bool(entry.members)
        transfer.check_stop()
        self._folder.place(source, task.product, members, ours, transfer.check_stop)

    def _entry(
        self, task: Task, status: str, members: dict[str, Member], checksum: str = ""
    ) -> Entry:
        return Entry(
            job_id=task.job.job_id,
            file=task.file.name,
            product=task.product,
            size=task.file.size,
            sha256=checksum,
            time=now_text(),
            status=status,
            members=members,
        )


def _member(part: Path, transfer: Transfer) -> Member:
    status = part.stat()
    return Member(status.st_size, file_crc(part, transfer.check_stop), status.st_mtime_ns)


def _sha256(path: Path, transfer: Transfer) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            transfer.check_stop()
            digest.update(block)
    return digest.hexdigest()


def _is_tiff(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) in _TIFF_STARTS
