"""Builds in the environment of other software: its PROJ, GDAL and Python do not count."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import xarray as xr

from tests.sample_products import SampleStack

from ..build.dask_cluster import running_cluster
from ..build.interrupted import ROOT
from ..running import build

LAYERS = "unw_phase,corr"


@pytest.fixture(scope="module")
def other_software(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with a database of another PROJ and with modules of another Python."""
    folder = tmp_path_factory.mktemp("other")
    with closing(sqlite3.connect(folder / "proj.db")) as database:
        database.executescript(
            "create table metadata(key text, value text); insert into metadata values"
            "('DATABASE.LAYOUT.VERSION.MAJOR', '1'), ('DATABASE.LAYOUT.VERSION.MINOR', '0');"
        )
    for package in ("numpy", "rasterio", "zipfile"):
        (folder / f"{package}.py").write_text(f"raise ImportError('another {package}')\n")
    (folder / "only_there.py").write_text("")
    return str(folder)


@pytest.fixture(scope="module")
def expected(small: SampleStack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a build in this process gives."""
    path = tmp_path_factory.mktemp("expected") / "s.nc"
    build(small.folder, NETCDF=path, LAYERS=LAYERS)
    return path


def assert_equal(path: Path, expected: Path) -> None:
    with xr.open_dataset(path) as one, xr.open_dataset(expected) as other:
        xr.testing.assert_equal(one, other)
        assert one.spatial_ref.attrs == other.spatial_ref.attrs


def test_a_core_started_by_hand(
    small: SampleStack, expected: Path, other_software: str, tmp_path: Path
) -> None:
    output = tmp_path / "s.nc"
    given = {"INPUT": str(small.folder), "NETCDF": str(output), "LAYERS": LAYERS}
    done = subprocess.run(
        [sys.executable, ROOT / "core"],
        input=json.dumps({"protocol": 1, "task": "buildstack", "parameters": given}),
        env=os.environ
        | dict.fromkeys(("PROJ_LIB", "PROJ_DATA", "PYTHONPATH"), other_software)
        | {"GDAL_SKIP": "GTiff"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout
    assert "PROJ" not in done.stderr
    assert_equal(output, expected)


@pytest.mark.slow
def test_a_worker_of_a_cluster(
    small: SampleStack, expected: Path, other_software: str, tmp_path: Path
) -> None:
    folder = tmp_path / "cluster"
    folder.mkdir()
    with running_cluster(folder) as cluster:
        cluster.add_worker(PROJ_LIB=other_software, PROJ_DATA=other_software, GDAL_SKIP="GTiff")
        cluster.wait_for(1)
        output = tmp_path / "s.nc"
        build(small.folder, NETCDF=output, LAYERS=LAYERS, SCHEDULER=cluster.address)
        assert_equal(output, expected)


def test_own_packages_win_and_others_stay_at_hand(other_software: str) -> None:
    """As modules of a cluster's login nodes are offered."""
    code = (
        "import sys; sys.path[:0] = [sys.argv[1]]; import tests.checkout; "
        "from hyp3_stack.core.run.surroundings import prefer_own_packages; prefer_own_packages(); "
        "import numpy, zipfile, only_there; print(only_there.__file__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(ROOT)],
        env=os.environ | {"PYTHONPATH": other_software},
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == f"{other_software}/only_there.py", done.stderr
