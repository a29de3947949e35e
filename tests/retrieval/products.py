"""Small archives laid out as HyP3's, and the jobs that made them."""

from __future__ import annotations

import random
import zipfile
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from tests.hyp3_server import Hyp3Service, make_job
from tests.hyp3_server.records import StoredJob

FIRST = datetime(2021, 3, 2, 13, 51, 56, tzinfo=timezone.utc)
FIRST_ORBIT = 36827
"""Absolute orbit of S1A on path 5; a cycle of 12 days later it is 175 more."""

LAYERS = ("unw_phase", "corr")


def granule(cycle: int, orbit: int = FIRST_ORBIT) -> str:
    start = FIRST + timedelta(days=12 * cycle)
    end = start + timedelta(seconds=27)
    return (
        f"S1A_IW_SLC__1SDV_{start:%Y%m%dT%H%M%S}_{end:%Y%m%dT%H%M%S}"
        f"_{orbit + 175 * cycle:06d}_04{cycle:04X}_{0xA000 + cycle:04X}"
    )


def product_name(cycle: int, number: int = 0) -> str:
    start = FIRST + timedelta(days=12 * cycle)
    second = start + timedelta(days=12)
    form = "%Y%m%dT%H%M%S"
    return f"S1AA_{start:{form}}_{second:{form}}_VVP012_INT80_G_ueF_{0x1000 + number:04X}"


def write_archive(
    folder: Path, name: str, size: int = 20_000, layers: tuple[str, ...] = LAYERS
) -> Path:
    """Write an archive whose layers hold ``size`` bytes that do not compress."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.zip"
    source = random.Random(name)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for layer in layers:
            archive.writestr(f"{name}/{name}_{layer}.tif", b"II*\0" + source.randbytes(size))
        archive.writestr(f"{name}/{name}.txt", "Reference Pass Direction: ASCENDING\n")
        archive.writestr(f"{name}/{name}.README.md.txt", "About this product\n")
    return path


class Stack:
    """A chain of 12-day pairs on one path.

    Parameters
    ----------
    service
        Gets the jobs.
    folder
        Where the archives lie that the service serves.
    """

    def __init__(self, service: Hyp3Service, folder: Path) -> None:
        self.service = service
        self.folder = folder
        # One order, which the service lists as it was made; jobs of a later second come first.
        self.requested = datetime.now(timezone.utc) - timedelta(days=1)

    def add(self, count: int, size: int = 20_000, **more: Any) -> list[StoredJob]:
        """Add ``count`` jobs and return them, earliest pair first."""
        return [self.add_one(cycle, size=size, **more) for cycle in range(count)]

    def add_one(
        self,
        cycle: int,
        number: int | None = None,
        size: int = 20_000,
        orbit: int = FIRST_ORBIT,
        layers: tuple[str, ...] = LAYERS,
        **more: Any,
    ) -> StoredJob:
        name = product_name(cycle, cycle if number is None else number)
        archive = write_archive(self.folder, name, size, layers)
        job = make_job(
            name,
            granules=[granule(cycle + 1, orbit), granule(cycle, orbit)],
            archive=archive,
            **{
                "ascending": True,
                "options": {"looks": "20x4"},
                "requested": self.requested,
                **more,
            },
        )
        self.service.add(job)
        return job
