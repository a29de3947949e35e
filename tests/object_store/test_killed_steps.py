"""A build that is killed between the publications of its outputs is ended by the same job.

``HYP3_STACK_KILLS`` sets how many moments are tried of each kind; all with 0.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from hyp3_stack.core.errors import OutputError
from hyp3_stack.core.object_store.claim import MARK
from tests.build import killed_steps
from tests.build.disk import busy
from tests.build.interrupted import start
from tests.object_store.proxy import Request
from tests.object_store.service import Service
from tests.running import Run, build, leftovers
from tests.sample_products import SampleStack

from .stacks import assert_same, new_url, prefix

KILLS = int(os.environ.get("HYP3_STACK_KILLS", "1"))
MOMENTS = [1, 4, 9, 2, 3, 6, 12, 16, 5, 7, 8, 10, 11, 13, 14, 15, *range(17, 60)]
REQUESTS = [1, 40, 41, 2, 20, 42, 43, 44, *range(3, 20), *range(21, 40), *range(45, 60)]
COMBINATIONS = [("NETCDF", "ZARR"), ("NETCDF", "ZARR", "ZARR_URL")]

pytestmark = [pytest.mark.slow, pytest.mark.faults]


@pytest.fixture
def given(object_store: Service, small: SampleStack, tmp_path: Path) -> dict[str, str]:
    folder = tmp_path / "out"
    folder.mkdir()
    return {
        "INPUT": str(small.folder),
        "LAYERS": "corr",
        "CHUNKING": "spatial",
        "REPORT": str(folder / "s.html"),
        "STAC": "true",
        "NETCDF": str(folder / "s.nc"),
        "ZARR": str(folder / "s.zarr"),
        "ZARR_URL": new_url(),
        "S3_ENDPOINT": object_store.endpoint,
    }


def chosen(given: dict[str, str], outputs: tuple[str, ...]) -> dict[str, str]:
    """Leave the other outputs out."""
    left_out = {"NETCDF", "ZARR", "ZARR_URL", "S3_ENDPOINT"} - set(outputs)
    left_out -= {"S3_ENDPOINT"} if "ZARR_URL" in outputs else set()
    return {name: value for name, value in given.items() if name not in left_out}


def moments(numbers: list[int], outputs: tuple[str, ...]) -> list[int]:
    """Return those to try, others first for each combination."""
    first = COMBINATIONS.index(outputs)
    return (numbers[first:] + numbers[:first])[: KILLS or None]


def assert_ended(given: dict[str, Any], service: Service) -> None:
    """Let the same job run again and look at all outputs."""
    folder, url = Path(given["REPORT"]).parent, given.get("ZARR_URL", "")
    names = [key.removeprefix(prefix(url)) for key in service.keys(prefix(url))] if url else []
    if ".zmetadata" not in names or MARK in names:
        run(given)
    # Else all was done but for the exit.
    assert not leftovers(folder)
    for name in ("NETCDF", "ZARR", "REPORT"):
        assert name not in given or Path(given[name]).exists(), name
    assert "STAC" not in given or list(folder.rglob("*.json"))
    stacks = []
    if "NETCDF" in given:
        with xr.open_dataset(given["NETCDF"]) as stack:
            stacks.append(stack.load())
    if "ZARR" in given:
        with xr.open_zarr(given["ZARR"], group="spatially_optimized") as stack:
            stacks.append(stack.load())
    for other in stacks[1:]:
        xr.testing.assert_equal(stacks[0].corr, other.corr)
        assert stacks[0].attrs["id"] == other.attrs["id"]
    if "ZARR_URL" in given:
        names = [key.removeprefix(prefix(url)) for key in service.keys(prefix(url))]
        assert ".zmetadata" in names and not [name for name in names if MARK in name]
        if "ZARR" in given:
            assert_same(service, url, Path(given["ZARR"]))


@pytest.mark.parametrize(
    ("outputs", "number"),
    [(outputs, number) for outputs in COMBINATIONS for number in moments(MOMENTS, outputs)],
    ids=lambda value: value if isinstance(value, int) else "-".join(value),
)
def test_killed_before_a_change_of_files(
    object_store: Service,
    given: dict[str, str],
    tmp_path: Path,
    outputs: tuple[str, ...],
    number: int,
) -> None:
    job = chosen(given, outputs)
    code = killed_steps.run(number, tmp_path / "job.json", **job)
    assert code == 9 or (code == 0 and number > 4), code
    assert_ended(job, object_store)


def run(job: dict[str, str]) -> Run:
    """Run a job in this process."""
    return build(Path(job["INPUT"]), **{name: job[name] for name in job if name != "INPUT"})


@pytest.mark.parametrize("number", moments(REQUESTS, COMBINATIONS[1]))
def test_killed_at_a_request(
    object_store: Service, given: dict[str, str], tmp_path: Path, number: int
) -> None:
    """The n-th request since the first document was written does not come back."""
    job, seen = chosen(given, COMBINATIONS[1]), 0

    def kill(request: Request) -> None:
        nonlocal seen
        seen += bool(seen) or (
            request.method == "PUT" and request.path.endswith((".zarray", ".zattrs"))
        )
        if seen == number and process.poll() is None:
            process.kill()

    with start(tmp_path, job) as process:
        object_store.proxy.faults = kill
    object_store.proxy.reset()
    assert process.returncode == (-9 if seen >= number else 0)
    assert_ended(job, object_store)


@pytest.mark.parametrize("files", [("NETCDF",), ()], ids=["NETCDF-ZARR_URL", "ZARR_URL"])
def test_killed_when_the_stack_in_the_object_store_is_visible(
    object_store: Service, given: dict[str, str], tmp_path: Path, files: tuple[str, ...]
) -> None:
    """The same job adds report and STAC item; another job does not take the stack for its own."""
    job = chosen(given, (*files, "ZARR_URL"))
    if not files:
        del job["STAC"]
    folder, url = Path(given["REPORT"]).parent, given["ZARR_URL"]

    def kill(request: Request) -> None:
        # The last document is read back.
        if request.method == "GET" and request.path.endswith("stack.zarr/.zmetadata"):
            process.kill()

    with start(tmp_path, job) as process:
        object_store.proxy.faults = kill
    object_store.proxy.reset()
    assert process.returncode == -9
    stored = object_store.tags(prefix(url))
    assert {".zmetadata", MARK} <= set(stored) and not list(folder.glob("*.html"))
    with pytest.raises(OutputError, match="ZARR_URL is .* where there is a Zarr store already"):
        run(job | {"LAYERS": "unw_phase", "NETCDF": str(tmp_path / "other.nc")})
    before = {path: path.stat().st_mtime_ns for path in folder.glob("*.nc")}
    for path in before:
        # Another job has given the file its name since.
        path.rename(tmp_path / "own.nc")
        build(Path(job["INPUT"]), NETCDF=path, LAYERS="corr")
        with pytest.raises(OutputError, match=r"s\.nc is not of that run any more; choose another"):
            run(job)
        (tmp_path / "own.nc").replace(path)
    made = run(job)
    assert made.outputs["STEPS"] == 4 and any("stay as they are" in text for text in made.infos)
    del stored[MARK]
    assert object_store.tags(prefix(url)) == stored
    assert {path: path.stat().st_mtime_ns for path in folder.glob("*.nc")} == before
    assert not leftovers(folder) and "coherence" in Path(made.outputs["REPORT"]).read_text()
    assert bool(files) == (folder / "s.stac").is_dir() == ("STAC" in made.outputs)


@pytest.fixture
def occupied(tmp_path: Path) -> Iterator[Path]:
    with busy(tmp_path / "s.nc") as path:
        yield path


def test_an_output_that_another_program_has_open(
    object_store: Service, small: SampleStack, tmp_path: Path, occupied: Path
) -> None:
    """Nothing of it is visible then, in the object store neither."""
    given = {"NETCDF": str(occupied), "ZARR": str(tmp_path / "s.zarr"), "LAYERS": "corr"}
    given |= {"ZARR_URL": new_url(), "S3_ENDPOINT": object_store.endpoint, "CHUNKING": "spatial"}
    with pytest.raises(OutputError, match=r"s\.nc cannot be given its name .*close it in other"):
        build(small.folder, **given)
    assert object_store.keys(prefix(given["ZARR_URL"])) == []
    subprocess.run(["umount", str(occupied)], check=True, timeout=30)
    run = build(small.folder, **given)
    assert_same(object_store, given["ZARR_URL"], run.zarr)
    assert not leftovers(tmp_path) and sys.platform == "linux"
