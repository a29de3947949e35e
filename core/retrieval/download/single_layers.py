"""Layers of a product one by one, where the server gives its files out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ...errors import RetrievalError
from ...products.product_types import origin_of
from ..service.service_failures import NotFoundError
from .archive import Member
from .fetch_task import DownloadTask, Fetched, member_of, place_product
from .folder import DownloadFolder
from .manifest import COMPLETE, Entry, Manifest, intact
from .transfer import Transfer
from .wanted import StrangeContentError, Wanted

_LEAST_LIMIT = 256 * 10**6
_MOST_RATIO = 20
"""A layer is not so many times as large as the archive that it is in, beyond the least limit."""
_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


class LayerFetcher:
    """Fetches single files of products."""

    def __init__(self, folder: DownloadFolder, manifest: Manifest) -> None:
        self._folder = folder
        self._manifest = manifest

    def fetch(self, task: DownloadTask, transfer: Transfer) -> Fetched | None:
        """Fetch the layers of a task that are not there yet.

        A layer that the product lacks is not a failure; what it can be computed from comes instead.
        Returns None where the server has only the archive.

        Raises
        ------
        RetrievalError
            If the server does not have a layer that the product was made with.
        """
        files = _Files(task, transfer, self._folder)
        try:
            return self._fetch(task, transfer, files)
        except StrangeContentError:
            # A server may answer anything with a page of its own; the archive decides.
            files.discard()
            return None

    def _fetch(self, task: DownloadTask, transfer: Transfer, files: _Files) -> Fetched | None:
        former = self._former(task)
        there = former and intact(former, self._folder.path, transfer.check_stop)
        row = task.job.row
        if row is None:
            return None
        if there is None and row.has_parameter_file and not files.get_companion(".txt"):
            return None
        # Of a product that was damaged since, everything that it had is fetched again.
        damaged = former.layers if former and there is None else None
        known = (there.layers if there else None) or ()
        if not files.get_layers([*(damaged or ()), *task.layers], known):
            return None
        if there is None and not files.arrived:
            return None
        lost = [layer for layer in files.absent if layer in task.job.certain_layers]
        if lost:
            raise RetrievalError(
                f"The server does not give out {', '.join(lost)} of {task.product}, which was "
                "made with it; run the same again, and leave LAYERS empty if that does not help, "
                "which brings the whole product."
            )
        layers = tuple(dict.fromkeys([*known, *files.arrived]))
        missing = dict.fromkeys([*(there.absent if there else ()), *files.absent])
        absent = tuple(layer for layer in missing if layer not in layers)
        if there is not None and not files.arrived:
            entry = replace(there, absent=absent)
            self._manifest.record(entry)
            return Fetched(entry, is_new=False)
        before = there.members if there else {}
        for suffix in (row.processor.readme, *([".log"] if row.has_log else [])):
            if f"{task.product}{suffix}" not in before:
                files.get_companion(suffix)
        members = {**before, **self._placed(task, files.parts, transfer)}
        members = self._folder.refreshed(task.product, members)
        entry = replace(task.entry(COMPLETE, members), layers=layers, absent=absent)
        self._manifest.record(entry)
        return Fetched(entry)

    def _former(self, task: DownloadTask) -> Entry | None:
        """Return what a former run noted of single layers."""
        entry = self._manifest.get(task.job.job_id, task.file.name)
        if entry is None or entry.status != COMPLETE or entry.layers is None:
            return None
        return entry

    def _placed(
        self, task: DownloadTask, parts: Mapping[str, Path], transfer: Transfer
    ) -> dict[str, Member]:
        members = {name: member_of(part, transfer) for name, part in parts.items()}
        with self._folder.workspace() as work:
            source = work / task.product
            source.mkdir()
            for name, part in parts.items():
                part.rename(source / name)
            place_product(task, source, members, self._folder, self._manifest, transfer)
        return members


class _Files:
    """The files of one product as they arrive.

    Attributes
    ----------
    parts
        Files that are there, by their names.
    arrived, absent
        Layers that came, and those that the server does not have.
    """

    def __init__(self, task: DownloadTask, transfer: Transfer, folder: DownloadFolder) -> None:
        self._task = task
        self._transfer = transfer
        self._folder = folder
        self._base = task.file.url[: -len(".zip")]
        self.parts: dict[str, Path] = {}
        self.arrived: list[str] = []
        self.absent: list[str] = []

    def discard(self) -> None:
        """Remove what has come."""
        for part in self.parts.values():
            part.unlink(missing_ok=True)

    def get_companion(self, suffix: str) -> bool:
        """Fetch a file that is not a layer; False where the server does not have it."""
        return self._get(suffix) is not None

    def get_layers(self, wanted: list[str], known: tuple[str, ...]) -> bool:
        """Fetch layers that are not known to be there; False if the answers are not rasters."""
        waiting = list(dict.fromkeys(wanted))
        while waiting:
            layer = waiting.pop(0)
            if layer in known or layer in self.arrived or layer in self.absent:
                continue
            part = self._get(f"_{layer}.tif")
            if part is None:
                self.absent.append(layer)
                source = origin_of(layer)
                if source is not None and source not in waiting:
                    waiting.append(source)
            elif _is_tiff(part):
                self.arrived.append(layer)
            else:
                self.discard()
                return False
        return True

    def _get(self, suffix: str) -> Path | None:
        name = f"{self._task.product}{suffix}"
        part = self._folder.part(name)
        try:
            self._transfer.fetch(
                Wanted(
                    url=f"{self._base}{suffix}",
                    expires=self._task.job.expires,
                    most=_LEAST_LIMIT + _MOST_RATIO * self._task.file.size,
                ),
                part,
            )
        except NotFoundError:
            return None
        self.parts[name] = part
        return part


def _is_tiff(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) in _TIFF_STARTS
