"""Builds that are stopped, and whether what comes out in the end is the same."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from hyp3_stack.core.errors import Canceled
from hyp3_stack.core.tasks import build_stack

from ..running import StopAt, contents

ROOT = Path(__file__).resolve().parents[2]
MADE_ANEW = {
    "id",
    "date_created",
    "date_modified",
    "date_issued",
    "date_metadata_modified",
    "history",
}
"""Attributes that no two builds share."""


def outputs(folder: Path) -> dict[str, str]:
    return {
        "NETCDF": str(folder / "s.nc"),
        "ZARR": str(folder / "s.zarr"),
        "CHUNK_SIZE": "0.2",
        "LAYERS": "unw_phase,corr,water_mask",
    }


def start(
    folder: Path,
    parameters: dict[str, str],
    task: str = "buildstack",
    output: int = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    """Start ``python core JOB.json``; what it prints goes nowhere, or into pipes."""
    job = folder / "job.json"
    job.write_text(json.dumps({"protocol": 1, "task": task, "parameters": parameters}))
    return subprocess.Popen(
        [sys.executable, str(ROOT / "core"), str(job)],
        stdout=output,
        stderr=output,
    )


def interrupt(folder: Path, percent: float, **given: Any) -> None:
    """Cancel a build when it has come so far."""
    with pytest.raises(Canceled, match="run the same job again to go on"):
        build_stack.run({"INPUT": str(folder), **given}, None, StopAt(percent))


def views(folder: Path) -> Iterator[tuple[str, xr.Dataset]]:
    """Yield the outputs of a build, of which the file is always there."""
    with xr.open_dataset(folder / "s.nc", mask_and_scale=False) as stack:
        yield "NetCDF", stack
    for path in sorted(folder.glob("s.zarr/*_optimized")):
        group = path.name
        # Without Dask, whose graphs would take longer than the values.
        with xr.open_zarr(
            folder / "s.zarr", group=group, mask_and_scale=False, chunks=None
        ) as stack:
            yield group, stack


def assert_same(folder: Path, other: Path) -> None:
    """Compare the outputs of two builds: every value, every attribute."""
    files = [place / "s.nc" for place in (folder, other)]
    found, expected = contents(folder / "s.zarr"), contents(other / "s.zarr")
    assert found or files[0].exists()
    assert files[0].exists() == files[1].exists()
    if files[0].exists():
        one, two = (xr.load_dataset(path, mask_and_scale=False) for path in files)
        xr.testing.assert_equal(one, two)
        for variable in one.variables:
            assert repr(one[variable].attrs) == repr(two[variable].attrs), variable
        changed = {key for key in one.attrs if repr(one.attrs[key]) != repr(two.attrs.get(key))}
        assert changed <= MADE_ANEW
    assert_same_store(found, expected)


def assert_same_store(found: Mapping[str, bytes], expected: Mapping[str, bytes]) -> None:
    """Compare two stores by their files: no chunk too many and none too few."""
    assert found.keys() == expected.keys()
    for name in found:
        if found[name] != expected[name]:
            assert name.endswith((".zattrs", ".zmetadata", "zarr.json")), name
            documents = [_timeless(json.loads(store[name])) for store in (found, expected)]
            assert documents[0] == documents[1], name


def _timeless(document: Any) -> Any:
    """Return metadata without what no two builds share."""
    if isinstance(document, list):
        return [_timeless(item) for item in document]
    if isinstance(document, dict):
        return {key: _timeless(item) for key, item in document.items() if key not in MADE_ANEW}
    return document


def unfinished(folder: Path) -> set[Path]:
    """Return what a build that stopped has left, but its journal, which grows."""
    return {path for path in folder.rglob("*") if path.is_file() and "journal" not in path.name}
