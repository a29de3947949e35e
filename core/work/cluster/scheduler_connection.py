"""The connection to a Dask cluster, and whether its workers can do the work."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from distributed import Client

from ...errors import ClusterError, StackError, in_brief
from ...run.reporter import Reporter, SilentReporter
from ...run.waiting import run_cancellable
from .shared_paths import SharedPaths, check_worker_paths, path_error
from .shipment import package_plugin, zip_package
from .versions import PACKAGES, compare_versions

CONNECT_SECONDS = 10.0
"""How long a scheduler may take to answer."""

PATIENCE_SECONDS = 60.0
"""How long a cluster may be without any worker."""

_ANSWER_SECONDS = 60.0
"""A scheduler with much to do may take its time."""

_CLOSE_SECONDS = 1.0
_SHIP_SECONDS = 120.0
_POLL_SECONDS = 0.1

_ROOT = Path(__file__).resolve().parents[3]

T = TypeVar("T")


class Connection:
    """A client of a scheduler, whose failures become one sentence each.

    Parameters
    ----------
    address
        As :func:`~.address.parse_scheduler` returns it.
    patience
        Seconds that the cluster may be without any worker.

    Raises
    ------
    ClusterError
        If the scheduler does not answer, has no workers, or its workers cannot do the work.
    """

    def __init__(self, address: str, reporter: Reporter, patience: float) -> None:
        self.address = address
        self._reporter = reporter
        # What it logs of a failure is page-long and becomes a sentence here.
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        self._patience = patience
        self._since = time.monotonic()
        self.client = self._connect()
        try:
            self._wait_for_workers()
            self._check_versions()
            self._ship()
        except BaseException:
            self.close()
            raise

    def _connect(self) -> Client:
        host, _, port = self.address.partition("://")[2].rpartition(":")

        def connect() -> Client:
            # Dask would try again and again where nobody listens.
            socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()
            asyncio.run(_try(self.address))
            # Not the default: lazy arrays of this process are not the cluster's business.
            return Client(self.address, timeout=CONNECT_SECONDS, set_as_default=False)

        try:
            return run_cancellable(connect, self._reporter, CONNECT_SECONDS + 2.0)
        except StackError:
            raise
        except Exception as error:
            if self.address.startswith("tls") and not isinstance(error, OSError):
                raise ClusterError(
                    f"The Dask scheduler {self.address} cannot be reached ({in_brief(error)}); "
                    "name certificate, key and CA in Dask's configuration (distributed.comm.tls)."
                ) from error
            raise ClusterError(
                f"The Dask scheduler {self.address} does not answer ({_reason(error)}); check "
                "SCHEDULER and whether the cluster runs."
            ) from error

    def ask(self, question: Callable[[], T], seconds: float = _ANSWER_SECONDS) -> T:
        """Return the answer to a question to the cluster; a cancel does not wait for it.

        Raises
        ------
        ClusterError
            If there is none.
        """
        try:
            return run_cancellable(question, self._reporter, seconds)
        except StackError:
            raise
        except Exception as error:
            if self.client.status != "running":
                raise self.lost() from error
            raise ClusterError(
                f"The Dask cluster {self.address} does not do what it is asked "
                f"({in_brief(error)}); look into the logs of its scheduler and workers."
            ) from error

    def lost(self, reason: str = "") -> ClusterError:
        """Return the error for a cluster that has gone."""
        detail = f" ({reason})" if reason else ""
        return ClusterError(
            f"The Dask cluster {self.address} was lost{detail}; start it again, or leave SCHEDULER "
            "out."
        )

    def workers(self) -> dict[str, int]:
        """Return the number of threads of each worker by address.

        Raises
        ------
        ClusterError
            If the scheduler is lost, or has been without workers for too long.
        """
        if self.client.status != "running":
            raise self.lost()
        found: dict[str, int] = dict(self.ask(self.client.nthreads))
        now = time.monotonic()
        if found:
            self._since = now
        elif now - self._since > self._patience:
            raise ClusterError(
                f"The Dask cluster {self.address} had no worker for {self._patience:.0f} seconds; "
                "start workers and run again."
            )
        return found

    def _wait_for_workers(self) -> None:
        workers = self.workers()
        if not workers:
            self._reporter.info(
                f"Waiting up to {self._patience:.0f} seconds for workers of the Dask cluster "
                f"{self.address}."
            )
        # Clusters that grow with the work start no worker before there is some.
        wish = self.ask(lambda: self.client.submit(int, pure=False))
        while not workers:
            time.sleep(_POLL_SECONDS)
            workers = self.workers()
        del wish
        threads = sum(workers.values())
        self._reporter.info(
            f"The work is done by the Dask cluster {self.address}: {len(workers)} workers, "
            f"{threads} threads."
        )

    def _check_versions(self) -> None:
        versions: Any = self.ask(lambda: self.client.get_versions(packages=list(PACKAGES)))
        workers = {address: found["packages"] for address, found in versions["workers"].items()}
        warning = compare_versions(versions["client"]["packages"], workers)
        if warning:
            self._reporter.warning(warning)

    def _ship(self) -> None:
        plugin = package_plugin(zip_package(_ROOT))
        self.ask(lambda: self.client.register_plugin(plugin), _SHIP_SECONDS)

    def check_paths(self, paths: SharedPaths) -> None:
        """Ask each worker whether it sees products and outputs, and look whether it really does.

        Raises
        ------
        ClusterError
            If one does not.
        """
        marks = f"seen-{uuid.uuid4().hex}"
        answers = self.ask(lambda: self.client.run(check_worker_paths, paths, marks), _SHIP_SECONDS)
        try:
            for address, (mark, obstacle) in answers.items():
                if obstacle:
                    raise ClusterError(path_error(address, obstacle))
                for folder in paths.folders:
                    if not (folder / mark).exists():
                        raise ClusterError(
                            path_error(
                                address, f"writes into another folder {folder} than this computer"
                            )
                        )
        finally:
            for folder in paths.folders:
                for path in folder.glob(f"{marks}*"):
                    path.unlink(missing_ok=True)

    def close(self) -> None:
        """Leave the cluster; it forgets what was asked of it."""
        try:
            run_cancellable(
                lambda: self.client.close(timeout=_CLOSE_SECONDS),
                SilentReporter(),
                _CLOSE_SECONDS,
            )
        except Exception:  # noqa: BLE001 - the scheduler notices by itself when this process ends
            return


async def _try(address: str) -> None:
    """Connect and leave again.

    Where something else than a scheduler answers, a client that is made at once is left half-made,
    and the process waits for it in the end.
    """
    client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False, asynchronous=True)
    try:
        await client
    finally:
        await client.close()


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "it is not a Dask scheduler"
