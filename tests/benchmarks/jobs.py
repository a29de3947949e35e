"""Runs jobs of the core as processes of their own and tells what they took."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

from .products import LAYERS
from .run import Contender, Cost, measure


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
    job = {"protocol": 1, "task": "buildstack", "parameters": given}
    return Contender(name, [sys.executable, "core"], tuple(outputs.values()), job)


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
