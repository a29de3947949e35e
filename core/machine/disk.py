"""Checks that outputs fit on their disks before anything is written."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..errors import OutputError

COMPRESSED = 0.75
"""Share of the covered pixels' bytes that is left: HyP3 rasters have empty margins, and noise
compresses to 0.85 to 0.95. An estimate that is too high would refuse work that fits."""


def check_space(needs: Sequence[tuple[Path, int]]) -> None:
    """Check that outputs fit on their disks.

    Parameters
    ----------
    needs
        Path of each output and the bytes it is going to take.

    Raises
    ------
    OutputError
        If a disk has less free space than the outputs on it need together.
    """
    disks: dict[int, tuple[Path, int]] = {}
    for path, size in needs:
        folder = _existing(path)
        device = os.stat(folder).st_dev
        disks[device] = (folder, disks.get(device, (folder, 0))[1] + size)
    for folder, size in disks.values():
        free = shutil.disk_usage(folder).free
        if free < size:
            raise OutputError(
                f"The disk of {folder} has {_megabytes(free)} free, but the outputs need about "
                f"{_megabytes(size)}; free some space or choose another disk."
            )


def free_space(paths: Iterable[Path]) -> dict[Path, int]:
    """Return the free bytes by the folder that stands for the disk of some outputs."""
    folders = {os.stat(folder).st_dev: folder for folder in map(_existing, paths)}
    return {folder: shutil.disk_usage(folder).free for folder in folders.values()}


def _existing(path: Path) -> Path:
    """Return the nearest folder above a path that is there."""
    return next(parent for parent in path.parents if parent.exists())


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
