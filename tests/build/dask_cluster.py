"""A Dask cluster of real processes on this computer, which know nothing of the plugin."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from distributed import Client

_START_SECONDS = 30.0

# What looks at the processes itself, fifty times a second and more.
_QUIET = {
    "DASK_DISTRIBUTED__ADMIN__TICK__INTERVAL": "500ms",
    "DASK_DISTRIBUTED__ADMIN__SYSTEM_MONITOR__INTERVAL": "10s",
    "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "false",
}


class DaskCluster:
    """A scheduler and its workers, started as ``dask scheduler`` and ``dask worker``.

    They run in a folder and with a search path from which ``hyp3_stack`` cannot be imported.
    """

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self._file = folder / "scheduler.json"
        self._processes = ExitStack()
        self.workers: dict[str, subprocess.Popen[bytes]] = {}
        self._started = 0
        self.scheduler = self._start(
            "scheduler",
            *("--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(self._file)),
            **environment,
        )
        self.address = ""

    def __enter__(self) -> DaskCluster:
        self.address = self._wait(self._read_address)
        return self

    def __exit__(self, *_: object) -> None:
        self._processes.close()

    def _read_address(self) -> str:
        try:
            return str(json.loads(self._file.read_text())["address"])
        except (OSError, ValueError):
            return ""

    def _wait(self, ready):  # type: ignore[no-untyped-def]
        deadline = time.monotonic() + _START_SECONDS
        while not (answer := ready()):
            assert time.monotonic() < deadline, self.logs()
            time.sleep(0.05)
        return answer

    def _start(
        self, command: str, *options: str, before: Sequence[str] = (), **environment: str
    ) -> subprocess.Popen[bytes]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PYTHON", "HYP3", "DASK"))
        }
        with open(self.folder / f"{command}-{len(list(self.folder.iterdir()))}.log", "wb") as log:
            process = subprocess.Popen(
                [
                    *before,
                    str(Path(sys.executable).with_name("dask")),
                    command,
                    "--no-dashboard",
                    *options,
                ],
                cwd=self.folder,
                env=kept | _QUIET | environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._processes.callback(_end, process)
        return process

    def add_worker(
        self, *options: str, threads: int = 1, before: Sequence[str] = (), **environment: str
    ) -> str:
        """Start a worker of one process and return its name; ``before`` goes before its command."""
        name = f"w{self._started}"
        self._started += 1
        if "--nanny" not in options:
            options = ("--no-nanny", *options)
        self.workers[name] = self._start(
            "worker",
            *("--scheduler-file", str(self._file), "--name", name, "--nthreads", str(threads)),
            *("--local-directory", str(self.folder / name), *options),
            before=before,
            **environment,
        )
        return name

    def wait_for(self, workers: int) -> None:
        """Wait until so many workers have joined."""
        with self.client() as client:
            client.wait_for_workers(workers, timeout=_START_SECONDS)

    def client(self) -> Client:
        return Client(self.address, set_as_default=False, timeout=10)

    def kill(self, name: str) -> None:
        """End a worker without warning."""
        process = self.workers.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait(10)

    def kill_at_work(self, name: str) -> None:
        """End a worker, beside the caller, as soon as it has a build's piece.

        One that has none would only be missed.
        """
        process, client = self.workers[name], self.client()

        def kill() -> None:
            with client:
                while True:
                    process.send_signal(signal.SIGSTOP)
                    time.sleep(0.1)  # until the scheduler knows of all that the worker has done
                    if any(key.startswith("hyp3-") for key in _processing(client)):
                        return self.kill(name)
                    process.send_signal(signal.SIGCONT)
                    time.sleep(0.05)

        threading.Thread(target=kill, daemon=True).start()

    def logs(self) -> str:
        """Return what the processes said."""
        return "\n".join(path.read_text() for path in sorted(self.folder.glob("*.log")))


def _processing(client: Client) -> set[str]:
    return {str(key) for keys in client.processing().values() for key in keys}


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait(10)


@contextmanager
def running_cluster(folder: Path, **environment: str) -> Iterator[DaskCluster]:
    """A cluster without workers until the block ends; the scheduler gets the environment."""
    with DaskCluster(folder, **environment) as cluster:
        yield cluster
