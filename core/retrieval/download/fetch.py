"""One product from the server to its folder."""

from __future__ import annotations

import hashlib
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ...errors import Canceled, OutputError, ProductError, RetrievalError, StackError
from ...machine.atomic import not_writable
from ...machine.disk import check_room
from .archive import file_crc, unpack, unpacked_size
from .fetch_task import DownloadTask, Fetched, member_of, place_product
from .folder import DownloadFolder, safe_file_name
from .manifest import COMPLETE, FAILED, MANIFEST_NAME, Entry, Manifest, intact
from .single_layers import LayerFetcher
from .transfer import Transfer

_BLOCK = 1 << 20
_DETAIL_LENGTH = 200


class ProductFetcher:
    """Brings products to a folder, each from what is already there of it."""

    def __init__(self, folder: DownloadFolder, manifest: Manifest) -> None:
        self._folder = folder
        self._manifest = manifest
        self._layers = LayerFetcher(folder, manifest)

    def is_there(self, task: DownloadTask, check_stop: Callable[[], None]) -> bool:
        """Return whether everything that a task wants is on disk, complete and unchanged."""
        entry = self._manifest.get(task.job.job_id, task.file.name)
        if entry is None or entry.status != COMPLETE or not safe_file_name(task.file.name):
            return False
        # Layers that a former run did not get are asked for again: the server may have them now.
        if entry.layers is not None and (
            not task.layers or not set(task.layers) <= set(entry.layers)
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

    def fetch(self, task: DownloadTask, transfer: Transfer) -> Fetched:
        """Fetch, check and unpack what a task wants.

        Raises
        ------
        StackError
            If the product did not arrive; the reason is noted in the manifest, too.
        """
        try:
            is_record = task.file.name.lower().startswith(MANIFEST_NAME)
            if is_record or not safe_file_name(task.file.name):
                raise RetrievalError(
                    f"Job {task.job.job_id} lists a file {task.file.name[:80]!r}, which is not a "
                    "file name of a product; do not trust this service."
                )
            if not task.product:
                return Fetched(self._fetch_plain(task, transfer))
            fetched = self._layers.fetch(task, transfer) if task.layers else None
            return fetched or Fetched(self._fetch_archive(task, transfer))
        except (Canceled, MemoryError):
            raise
        except StackError as error:
            self._note_failure(task, str(error))
            raise
        except OSError as error:
            problem: StackError = not_writable(self._folder.path / task.label, error)
            self._note_failure(task, str(problem))
            raise problem from None
        except Exception as error:
            # One file that breaks a library must not stop all others.
            traceback.print_exc()
            why = " ".join(f"{type(error).__name__}: {error}".split())[:_DETAIL_LENGTH]
            problem = ProductError(
                f"{task.label} could not be processed ({why}); the others go on. Please report it "
                "with the log."
            )
            self._note_failure(task, str(problem))
            raise problem from None

    def _note_failure(self, task: DownloadTask, why: str) -> None:
        entry = self._manifest.get(task.job.job_id, task.file.name)
        # What a former run brought is still there; the failure concerns what is on top of it.
        if entry is None or entry.status != COMPLETE:
            failed = task.entry(FAILED, {})
            self._manifest.record(replace(failed, error=why))

    def _fetch_plain(self, task: DownloadTask, transfer: Transfer) -> Entry:
        part = self._folder.part(task.file.name)
        check_room(self._folder.path, task.file.size, task.label)
        transfer.fetch(task.wanted, part)
        target = self._folder.path / task.file.name
        member = member_of(part, transfer)
        former = self._manifest.get(task.job.job_id, task.file.name)
        is_ours = former is not None and bool(former.members)
        if not is_ours and target.exists():
            if not target.is_file() or file_crc(target, transfer.check_stop) != member.crc:
                part.unlink(missing_ok=True)
                raise OutputError(
                    f"{target} is in the way and not from a former run; move it away and run it "
                    "again."
                )
        entry = task.entry(COMPLETE, {task.file.name: member}, _sha256(part, transfer))
        part.replace(target)
        entry = replace(entry, members=self._folder.refreshed("", entry.members))
        self._manifest.record(entry)
        return entry

    def _fetch_archive(self, task: DownloadTask, transfer: Transfer) -> Entry:
        final = self._folder.path / task.file.name
        if final.is_file() and final.stat().st_size == task.file.size:
            try:
                return self._unpack(task, final, transfer)
            except ProductError:
                # The copy on disk is damaged; the server's may be whole.
                pass
        part = self._folder.part(task.file.name)
        transfer.fetch(task.wanted, part)
        try:
            return self._unpack(task, part, transfer)
        except ProductError:
            # Damaged on the way or on the server: one more transfer decides.
            part.unlink(missing_ok=True)
        transfer.fetch(task.wanted, part)
        try:
            return self._unpack(task, part, transfer)
        except ProductError:
            part.unlink(missing_ok=True)
            raise

    def _unpack(self, task: DownloadTask, archive: Path, transfer: Transfer) -> Entry:
        folder, product = self._folder, task.product
        size = unpacked_size(archive, product, task.job.certain_files(product))
        check_room(folder.path, size, f"Unpacking {product}")
        with folder.workspace() as work:
            members = unpack(archive, product, work, transfer.check_stop)
            checksum = _sha256(archive, transfer)
            place_product(task, work / product, members, folder, self._manifest, transfer)
        entry = task.entry(COMPLETE, folder.refreshed(product, members), checksum)
        if archive.parent == folder.path:
            self._manifest.record(entry)
        elif task.keep_archive:
            archive.replace(folder.path / task.file.name)
            self._manifest.record(entry)
        else:
            self._manifest.record(entry, afterward=lambda: archive.unlink(missing_ok=True))
        return entry


def _sha256(path: Path, transfer: Transfer) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            transfer.check_stop()
            digest.update(block)
    return digest.hexdigest()
