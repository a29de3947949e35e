"""One run at a time, also where the file system knows no locks and cannot wait for its disk."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hyp3_stack.core.machine.processes import this_system
from tests.sample_products import SampleStack

from ..build import refused_calls
from ..running import leftovers

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="calls are refused by Linux")


def outputs(small: SampleStack, folder: Path) -> dict[str, str]:
    folder.mkdir(exist_ok=True)
    return {"INPUT": str(small.folder), "LAYERS": "corr", "NETCDF": str(folder / "s.nc")}


PROGRAM = """
import sys
from pathlib import Path
import tests.checkout
from hyp3_stack.core.machine.atomic import replace_content
from hyp3_stack.core.machine.locks import FileLock, is_locked
from tests.build.refused_calls import refuse

refuse(dict(call.split("=") for call in sys.argv[1].split(",")))
path = Path(sys.argv[2])
replace_content(path.with_name("written"), b"whole")
print(is_locked(path), FileLock(path).take())
"""


def seen(calls: str, path: Path) -> list[str]:
    """Return whether a file seems locked to another process, and whether that gets the lock."""
    command = [sys.executable, "-c", PROGRAM, calls, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert path.with_name("written").read_bytes() == b"whole"
    return done.stdout.split()


def test_folders_without_locks(small: SampleStack, tmp_path: Path) -> None:
    given, job = outputs(small, tmp_path / "out"), tmp_path / "job.json"
    given["ZARR"] = str(tmp_path / "out/s.zarr")
    code, last = refused_calls.run("flock=ENOLCK,fsync=EINVAL", job, "buildstack", **given)
    assert code == 0, last
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["s.nc", "s.zarr"]


@pytest.mark.parametrize("error", ["ENOSYS", "EOPNOTSUPP"])
def test_errors_that_mean_no_locks(tmp_path: Path, error: str) -> None:
    assert seen(f"flock={error},fsync={error}", tmp_path / "lock") == ["False", "True"]


def test_another_run_is_one_that_holds_the_lock(small: SampleStack, tmp_path: Path) -> None:
    given, job = outputs(small, tmp_path / "out"), tmp_path / "job.json"
    code, last = refused_calls.run("flock=EAGAIN", job, "buildstack", **given)
    assert code == 1 and "Another run is building" in last["text"]
    (tmp_path / "lock").touch()
    assert seen("flock=EACCES", tmp_path / "lock") == ["True", "False"]


@pytest.fixture
def mark(small: SampleStack, tmp_path: Path) -> Path:
    """The mark of a run that was killed in a folder without locks."""
    given, job = outputs(small, tmp_path / "out"), tmp_path / "killed.json"
    with refused_calls.start("flock=ENOLCK", job, "buildstack", **given) as process:
        # Killed before it says whose it is, a mark would count until it has grown old.
        while (
            not (found := [*tmp_path.glob("out/.s.nc.*/lock.holder")])
            or not found[0].stat().st_size
        ):
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    return found[0]


def again(small: SampleStack, tmp_path: Path, **more: str) -> tuple[int, str]:
    given = outputs(small, tmp_path / "out") | more
    code, last = refused_calls.run("flock=ENOLCK", tmp_path / "job.json", "buildstack", **given)
    return code, last.get("text", "")


def test_a_dead_run_is_no_obstacle_without_locks(
    small: SampleStack, tmp_path: Path, mark: Path
) -> None:
    assert again(small, tmp_path) == (0, "")
    assert not leftovers(tmp_path)


def test_two_runs_without_locks(small: SampleStack, tmp_path: Path, mark: Path) -> None:
    """A run that is alive, here or elsewhere, keeps others out; one elsewhere grows old."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as alive:
        for system in (this_system(), "another computer"):
            holder = {"run": "x", "system": system, "process": alive.pid}
            mark.write_text(json.dumps(holder))
            assert seen("flock=ENOLCK", mark.with_name("lock")) == ["True", "False"]
        code, text = again(small, tmp_path, RESAMPLING="nearest")
        assert code == 1 and "Another run is building" in text
        assert mark.is_file()
    old = time.time() - 3600
    os.utime(mark, (old, old))
    assert again(small, tmp_path, RESAMPLING="nearest") == (0, "")
