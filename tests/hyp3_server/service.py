"""All services together, with the switches that tests use."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

from .accounts import Account, Accounts
from .api import ApiHandler
from .certificates import make_authority
from .elsewhere import ElsewhereHandler
from .faults import Fault, Faults
from .log import RequestLog
from .proxy import ProxyHandler
from .records import StoredJob
from .searching import CatalogScene
from .secure import SecureHandler, granule_items
from .web import Server

DEFAULT_RING = [(-118.0, 35.0), (-117.0, 35.0), (-117.0, 36.0), (-118.0, 36.0), (-118.0, 35.0)]


class Hyp3Service:
    """A HyP3 deployment with its surroundings.

    Attributes
    ----------
    page_size
        Jobs looked at for one page of a listing.
    single_files
        Whether files of a product can be fetched one by one.
    catalog
        Scenes that a search by area finds, by name.
    withdrawn
        Ids of jobs whose files are gone.
    catalog_status, login_status
        Answer every request to catalog or login with this status.
    proxy_login
        ``user:password`` that the proxy asks for; None for a proxy that is open to all.
    stale_listings
        How many listings do not yet show the jobs of the last order.
    logs
        What jobs wrote, by id.
    surcharge
        Credits that each job costs more when it is ordered than when it was checked.
    sells_trials
        Whether it orders, as one that does not know ``validate_only`` and does not mind it.
    process
        Makes a finished job of one that runs. Each listing takes jobs a step on: running,
        finished. Without it, they stay as they are.
    spoil
        Makes another answer of a JSON one, from its method with path and its body; None leaves it.
    faults, api_faults
        By file name; by first part of the API path, ``validation`` and ``order`` for those that
        are posted, by host of what is reached over TLS, or ``catalog``.
    """

    def __init__(self, port: int = 0) -> None:
        self.accounts = Accounts()
        self.log = RequestLog()
        self.faults = Faults()
        self.api_faults = Faults()
        self.jobs: dict[str, StoredJob] = {}
        self.scenes: dict[str, tuple[int, bool, list[tuple[float, float]]]] = {}
        self.catalog: dict[str, CatalogScene] = {}
        self.withdrawn: set[str] = set()
        self.page_size = 100
        self.single_files = True
        self.catalog_status: int | None = None
        self.login_status: int | None = None
        self.proxy_login: str | None = None
        self.stale_listings = 0
        self.surcharge = 0.0
        self.sells_trials = False
        self.logs: dict[str, str] = {}
        self.process: Callable[[StoredJob], StoredJob] | None = None
        self.spoil: Callable[[str, bytes], Fault | None] | None = None
        self.order_lock = threading.RLock()
        self._fresh: set[str] = set()
        self.user = self.accounts.add(Account("sample_user", "sample password"))
        self._sorted: list[StoredJob] | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="hyp3-server-")
        self.authority, context = make_authority(Path(self._folder.name))
        self._api = Server(ApiHandler, self, port)
        self._secure = Server(SecureHandler, self, context=context)
        self._proxy = Server(ProxyHandler, self)
        self._elsewhere = Server(ElsewhereHandler, self)
        self._servers = (self._api, self._secure, self._proxy, self._elsewhere)

    def __enter__(self) -> Hyp3Service:
        for server in self._servers:
            server.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for server in self._servers:
            server.stop()
        self._folder.cleanup()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._api.port}"

    @property
    def catalog_url(self) -> str:
        return f"https://127.0.0.1:{self._secure.port}"

    @property
    def proxy_url(self) -> str:
        return f"http://127.0.0.1:{self._proxy.port}"

    @property
    def elsewhere_url(self) -> str:
        """A server of somebody else, on another port and under another name."""
        return f"http://localhost:{self._elsewhere.port}"

    @property
    def secure_port(self) -> int:
        return self._secure.port

    @property
    def environment(self) -> dict[str, str]:
        """Variables with which the core finds and trusts the catalog."""
        return {
            "HYP3_STACK_CMR_URL": self.catalog_url,
            "REQUESTS_CA_BUNDLE": str(self.authority),
        }

    def add(self, *jobs: StoredJob) -> None:
        for job in jobs:
            self.jobs[job.job_id] = job
            if job.ascending is not None:
                for scene in job.scenes:
                    ring = job.ring or DEFAULT_RING
                    self.scenes.setdefault(scene, (_path(scene), job.ascending, ring))
        self._sorted = None

    def sorted_jobs(self) -> list[StoredJob]:
        """Return all jobs, newest request first."""
        if self._sorted is None:
            key = lambda job: job.record["request_time"]  # noqa: E731
            self._sorted = sorted(self.jobs.values(), key=key, reverse=True)
        return self._sorted

    def know_scenes(
        self, names: Iterable[str], ring: list[tuple[float, float]] = DEFAULT_RING
    ) -> None:
        """Let the catalog know scenes."""
        for name in names:
            self.scenes.setdefault(name, (_path(name), True, ring))

    def fail(self, job_id: str, text: str = "") -> None:
        """Let a job end without a product, with what it wrote."""
        job = self.jobs[job_id]
        if text:
            self.logs[job_id] = text
        logs = [f"{{host}}/{job_id}/{job_id}.log"] if text else []
        job.record.update(status_code="FAILED", logs=logs)

    def take_order(self, jobs: list[StoredJob]) -> None:
        """Store jobs that were ordered."""
        with self.order_lock:
            self._fresh = {job.job_id for job in jobs}
            self.add(*jobs)

    def listed_jobs(self) -> list[StoredJob]:
        """Return all jobs that a listing shows now, newest request first."""
        with self.order_lock:
            hidden = self._fresh if self.stale_listings > 0 else set()
            self.stale_listings = max(self.stale_listings - 1, 0)
            if self.process is not None:
                self._work_on()
            return [job for job in self.sorted_jobs() if job.job_id not in hidden]

    def _work_on(self) -> None:
        for job in list(self.jobs.values()):
            status = job.record["status_code"]
            if status == "PENDING":
                job.record["status_code"] = "RUNNING"
            elif status == "RUNNING" and self.process is not None:
                self.jobs[job.job_id] = self.process(job)
                self._sorted = None

    def searched(self) -> Iterable[dict[str, Any]]:
        """Return the entries that a search by area looks at."""
        for scene in self.catalog.values():
            yield from self._items(scene)

    @staticmethod
    def _items(scene: CatalogScene) -> Iterable[dict[str, Any]]:
        plain = granule_items(scene.name, scene.path, scene.ascending, list(scene.ring))
        return map(scene.complete, plain)

    def granules(self, name: str) -> Iterable[dict[str, Any]]:
        if name in self.catalog:
            return self._items(self.catalog[name])
        known = self.scenes.get(name)
        return granule_items(name, *known) if known else []

    def reset(self) -> None:
        """Forget jobs, faults and requests; accounts and addresses stay."""
        self.jobs.clear()
        self.scenes.clear()
        self.catalog.clear()
        self.withdrawn.clear()
        self.logs.clear()
        self.faults.clear()
        self.api_faults.clear()
        self.log.clear()
        self.page_size, self.single_files = 100, True
        self.catalog_status = self.login_status = self.proxy_login = None
        self.stale_listings, self.surcharge, self.process, self._fresh = 0, 0.0, None, set()
        self.sells_trials = False
        self.user.application, self.user.remaining_credits = "APPROVED", 8000.0
        self._sorted = None


def _path(scene: str) -> int:
    """Path that the catalog gives; frames carry the absolute orbit, bursts are all on path 27."""
    parts = scene.split("_")
    if scene.endswith("-BURST"):
        return 27
    offset = {"A": 73, "B": 27, "C": 172, "D": 42}[scene[2]]
    return (int(parts[-3]) - offset) % 175 + 1
