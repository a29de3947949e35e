"""What disks have room for: outputs before they are written, and files that are only used once."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..errors import OutputError

COMPRESSED = 0.75
"""Share of the covered pixels' bytes that is left: HyP3 rasters have empty margins, and noise
compresses to 0.85 to 0.95. An estimate that is too high would refuse work that fits."""

_RESERVE = 50 * 10**6
"""Bytes that are left free: other programs write as well."""


def has_room(folder: Path, size: int) -> bool:
    """Return whether a folder that is there takes files of a known size."""
    return shutil.disk_usage(folder).free >= size + _RESERVE


def check_room(folder: Path, size: int, what: str) -> None:
    """Check that a folder that is there takes files of a known size.

    Parameters
    ----------
    what
        Begins the sentence on too little space.

    Raises
    ------
    OutputError
        If there is too little.
    """
    if not has_room(folder, size):
        free = shutil.disk_usage(folder).free
        raise OutputError(
            f"{what} needs {size / 1e9:.1f} GB, but only {free / 1e9:.1f} GB are free in {folder}; "
            "free some space or choose another folder."
        )


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
