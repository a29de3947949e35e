"""Many products at once: parallel, cancelable, and one that fails does not stop the others."""

from __future__ import annotations

import queue
import threading
import time
from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

from ...errors import Canceled, StackError
from ...machine.disk import check_room, free_space
from ...products.product_types import origin_of
from ...run.reporter import Reporter, stop_if_canceled
from ..jobs.jobs import JobRecord
from ..service.connection import guarded_session
from ..service.retries import POLL_SECONDS, RetryPolicy
from .fetch import ProductFetcher
from .fetch_task import DownloadTask, Fetched
from .folder import DownloadFolder, safe_file_name
from .manifest import Manifest
from .transfer import Transfer

PARALLEL = 4
ENDING_SECONDS = 0.6
EXPIRY_WARNING = timedelta(hours=48)
_NAMES_SHOWN = 5
_NAME_SHOWN = 80


@dataclass(frozen=True)
class DownloadOptions:
    """How products are downloaded."""

    layers: tuple[str, ...] = ()  # layers to fetch one by one; empty for whole products
    keep_archives: bool = False  # whether archives stay beside the unpacked products
    parallel: int = PARALLEL  # products fetched at the same time
    policy: RetryPolicy = field(default_factory=RetryPolicy)  # when a transfer is tried again


@dataclass
class DownloadReport:
    """What a download did."""

    manifest: Path  # the record of the folder
    products: list[str] = field(default_factory=list)  # names of the products that are complete now
    # How many products were fetched, and how many were there before.
    downloaded: int = 0
    skipped: int = 0
    failures: dict[str, str] = field(default_factory=dict)  # reasons by product name
    bytes: int = 0  # received from the server


def download_jobs(
    jobs: Sequence[JobRecord], path: Path, options: DownloadOptions, reporter: Reporter
) -> DownloadReport:
    """Bring the products of jobs to a folder; failures of single products are in the report.

    Parameters
    ----------
    jobs
        Succeeded jobs.
    path
        Folder; every product becomes a folder in it.
    reporter
        Takes messages and progress, from this thread only.

    Raises
    ------
    Canceled
        If the user asked to stop; complete products and resumable parts are kept.
    OutputError
        If the folder cannot be used, or the disk is too small.
    """
    folder = DownloadFolder(path)
    with folder.locked():
        folder.clear_workspaces()
        manifest = Manifest(path)
        run = _Run(folder, manifest, options, reporter)
        try:
            return run.execute(jobs)
        finally:
            run.end()
            manifest.flush()


def plan_download(jobs: Sequence[JobRecord], path: Path, kept: Set[str], reporter: Reporter) -> int:
    """Report what a download would bring, and return its bytes; nothing is written.

    Parameters
    ----------
    jobs
        Succeeded jobs.
    path
        Folder of the products, which need not be there.
    kept
        Ids of the jobs whose products are complete in it.
    """
    missing = [job for job in jobs if job.job_id not in kept]
    size = sum(job.size for job in missing)
    reporter.info(f"{len(jobs) - len(missing)} products are already in {path}.")
    if missing:
        warn_of_expiry(missing, reporter)
        reporter.info(
            f"{len(missing)} products are still to be downloaded, {size / 1e6:,.0f} MB as zip "
            "files; with LAYERS it can be less."
        )
    for folder, free in free_space([path]).items():
        reporter.info(f"The disk of {folder} has {free / 1e6:,.0f} MB free.")
    return size


@dataclass(frozen=True)
class _Done:
    task: DownloadTask
    fetched: Fetched | None
    problem: Exception | None


class _Run:
    """The state of one download; worker threads talk to it through a queue."""

    def __init__(
        self,
        folder: DownloadFolder,
        manifest: Manifest,
        options: DownloadOptions,
        reporter: Reporter,
    ) -> None:
        self.stop = threading.Event()
        self._folder = folder
        self._options = options
        self._reporter = reporter
        self._fetcher = ProductFetcher(folder, manifest)
        self._messages: queue.SimpleQueue[_Done | int] = queue.SimpleQueue()
        self._report = DownloadReport(manifest.path)
        self._absent: Counter[str] = Counter()
        self._threads: list[threading.Thread] = []

    def execute(self, jobs: Sequence[JobRecord]) -> DownloadReport:
        """Fetch what is missing."""
        tasks = self._tasks(jobs)
        missing = [task for task in tasks if not self._is_there(task)]
        self._report.skipped = len(tasks) - len(missing)
        if self._report.skipped:
            self._reporter.info(f"{self._report.skipped} products are already there, complete.")
        if missing:
            warn_of_expiry([task.job for task in missing], self._reporter)
            if not self._options.layers:
                check_room(self._folder.path, self._missing_bytes(missing), "The download")
            self._fetch_all(missing)
        for layer, count in sorted(self._absent.items()):
            source = origin_of(layer)
            remedy = f"; stacks compute it where they have {source}" if source else ""
            self._reporter.warning(f"{count} products were made without the layer {layer}{remedy}.")
        self._reporter.progress(100.0)
        return self._report

    def _tasks(self, jobs: Sequence[JobRecord]) -> list[DownloadTask]:
        """Return what is wanted: each file name once, as two downloads cannot share a file."""
        tasks: dict[str, DownloadTask] = {}
        for job in jobs:
            for file in job.files:
                task = DownloadTask(job, file, self._options.layers, self._options.keep_archives)
                # Some file systems take upper and lower case for the same.
                first = tasks.setdefault(file.name.lower(), task)
                if first is not task:
                    self._reporter.warning(
                        f"The jobs {first.job.job_id} and {job.job_id} list the same file "
                        f"{file.name[:_NAME_SHOWN]}; that of the first is taken."
                    )
        return list(tasks.values())

    def end(self) -> None:
        """Stop the workers; one that is still waiting for the network can do no harm any more."""
        self.stop.set()
        deadline = time.monotonic() + ENDING_SECONDS
        for thread in self._threads:
            thread.join(max(deadline - time.monotonic(), 0.0))

    def _is_there(self, task: DownloadTask) -> bool:
        try:
            there = self._fetcher.is_there(task, lambda: stop_if_canceled(self._reporter))
        except OSError:
            # What cannot be read is fetched again, and why it cannot be replaced is reported then.
            return False
        if there:
            self._report.products.append(task.label)
            # A run that was killed right after its last note may have left it.
            self._folder.part(task.file.name).unlink(missing_ok=True)
        return there

    def _missing_bytes(self, tasks: Sequence[DownloadTask]) -> int:
        """Sum what the network still has to bring; unpacked products are hardly smaller."""
        total = 0
        for task in tasks:
            if not safe_file_name(task.file.name):
                continue
            part = self._folder.part(task.file.name)
            total += task.file.size - (part.stat().st_size if part.is_file() else 0)
        return max(total, 0)

    def _fetch_all(self, tasks: Sequence[DownloadTask]) -> None:
        waiting: queue.SimpleQueue[DownloadTask] = queue.SimpleQueue()
        for task in tasks:
            waiting.put(task)
        workers = min(self._options.parallel, len(tasks))
        self._reporter.info(
            f"Downloading {len(tasks)} products to {self._folder.path}, {workers} at a time."
        )
        for number in range(workers):
            # Daemon threads: a read that hangs must not keep a canceled run alive.
            thread = threading.Thread(
                target=self._work, args=(waiting,), daemon=True, name=f"download {number + 1}"
            )
            self._threads.append(thread)
            thread.start()
        expected = max(sum(task.file.size for task in tasks), 1)
        done_bytes = 0
        finished = 0
        while finished < len(tasks):
            stop_if_canceled_downloading(self._reporter)
            try:
                message = self._messages.get(timeout=POLL_SECONDS)
            except queue.Empty:
                continue
            if isinstance(message, int):
                self._report.bytes += message
                done_bytes += message
            else:
                finished += 1
                self._note(message, finished, len(tasks))
            share = max(finished / len(tasks), done_bytes / expected)
            self._reporter.progress(min(99.0, 100.0 * share))

    def _work(self, waiting: queue.SimpleQueue[DownloadTask]) -> None:
        with guarded_session() as session:
            transfer = Transfer(session, self._options.policy, self.stop, self._messages.put)
            while not self.stop.is_set():
                try:
                    task = waiting.get_nowait()
                except queue.Empty:
                    return
                try:
                    fetched = self._fetcher.fetch(task, transfer)
                except Exception as error:  # noqa: BLE001 - judged by the main thread
                    self._messages.put(_Done(task, None, error))
                else:
                    self._messages.put(_Done(task, fetched, None))

    def _note(self, done: _Done, finished: int, total: int) -> None:
        task, problem = done.task, done.problem
        if done.fetched is not None:
            is_new = done.fetched.is_new
            self._report.downloaded += is_new
            self._report.skipped += not is_new
            self._report.products.append(task.label)
            word = "complete" if is_new else "already there, complete"
            self._reporter.info(f"{finished} of {total}: {task.label} is {word}.")
            self._absent.update(set(done.fetched.entry.absent) & set(task.layers))
        elif isinstance(problem, StackError):
            self._report.failures[task.label] = str(problem)
            what = "" if task.label in str(problem) else f"{task.label} failed: "
            self._reporter.warning(f"{finished} of {total}: {what}{problem}")
        elif problem is not None:
            raise problem


def stop_if_canceled_downloading(reporter: Reporter) -> None:
    """Raise :class:`Canceled` with what a canceled download leaves behind."""
    if reporter.canceled():
        raise Canceled(
            "The download was canceled; complete products are kept, and the next run continues "
            "the partial ones."
        )


def warn_of_expiry(jobs: Sequence[JobRecord], reporter: Reporter) -> None:
    """Warn of products that the service deletes soon."""
    now = datetime.now(timezone.utc)
    soon = sorted({(job.expires, job.label) for job in jobs if job.expires and job.expires > now})
    soon = [(moment, name) for moment, name in soon if moment - now <= EXPIRY_WARNING]
    if soon:
        names = ", ".join(name for _, name in soon[:_NAMES_SHOWN])
        more = f" and {len(soon) - _NAMES_SHOWN} more" if len(soon) > _NAMES_SHOWN else ""
        reporter.warning(
            f"{len(soon)} products expire within 48 hours, the first at "
            f"{soon[0][0]:%Y-%m-%d %H:%M} UTC: {names}{more}."
        )
