"""Runs commands, above all jobs of the core, as processes of their own; says what they took."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .products import LAYERS, ROOT


@dataclass(frozen=True)
class Cost:
    """What one run took."""

    seconds: float
    cpu: float
    megabytes: float


@dataclass(frozen=True)
class Contender:
    """A command and what it writes."""

    name: str
    command: list[str]
    outputs: tuple[Path, ...]
    job: dict[str, object] | None = None


def measure(contender: Contender, folder: Path) -> Cost:
    """Run a command once.

    Earlier outputs are emptied and put aside: file systems are slow to make files right after many
    were removed (ext4 looks past the inodes of the last minutes one by one). What earlier runs
    wrote reaches the disk before.
    """
    for output in contender.outputs:
        if output.exists():
            past = Path(tempfile.mkdtemp(prefix="past-", dir=folder))
            output.rename(past / output.name)
            for path in past.rglob("*"):
                if path.is_file():
                    os.truncate(path, 0)
    os.sync()
    command = list(contender.command)
    if contender.job is not None:
        job = folder / "job.json"
        job.write_text(json.dumps(contender.job))
        command.append(str(job))
    begin = time.perf_counter()
    with open(folder / "log.txt", "wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begin
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(f"{contender.name} failed:\n{(folder / 'log.txt').read_text()}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000)


def core_job(name: str, task: str, outputs: Sequence[Path], **parameters: Any) -> Contender:
    """Return a job of the core that writes ``outputs``."""
    job = {"protocol": 1, "task": task, "parameters": parameters}
    return Contender(name, [sys.executable, "core"], tuple(outputs), job)


def build_job(name: str, products: Path, folder: Path, **parameters: str) -> Contender:
    """Return a build of ``stack.nc`` and/or ``stack.zarr``.

    Parameters
    ----------
    name
        For the tables.
    products
        Folder of the products.
    folder
        Where outputs go.
    parameters
        Of ``hyp3:buildstack``; ``NETCDF`` and ``ZARR`` are names within ``folder``.
    """
    given = {"LAYERS": ",".join(LAYERS), **parameters}
    outputs = {key: folder / given[key] for key in ("NETCDF", "ZARR") if key in given}
    given |= {"INPUT": str(products)} | {key: str(path) for key, path in outputs.items()}
    return core_job(name, "buildstack", list(outputs.values()), **given)


def repeat(contenders: Sequence[Contender], folder: Path, runs: int) -> dict[str, list[Cost]]:
    """Run all in turn, so many times."""
    costs: dict[str, list[Cost]] = {contender.name: [] for contender in contenders}
    for _ in range(runs):
        for contender in contenders:
            costs[contender.name].append(measure(contender, folder))
    return costs


def seconds(costs: Sequence[Cost]) -> float:
    """Return the median time."""
    return statistics.median(cost.seconds for cost in costs)


def megabytes(costs: Sequence[Cost]) -> float:
    """Return the median peak of memory."""
    return statistics.median(cost.megabytes for cost in costs)
