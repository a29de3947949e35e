"""Clusters that a build cannot use, and what the user is told of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hyp3_stack.core.errors import ClusterError, InvalidParameterError
from hyp3_stack.core.run.reporter import SilentReporter
from hyp3_stack.core.work.cluster.cluster import Cluster
from hyp3_stack.core.work.cluster.versions import PACKAGES, compare_versions
from hyp3_stack.core.work.scheduler_address import parse_scheduler
from tests.sample_products import SampleStack

from ..running import build
from .dask_cluster import running_cluster

BAD_ADDRESSES = {
    "http://10.0.0.1:8786": "tcp:// and tls://",
    "10.0.0.1:8786": "tcp:// and tls://",
    "cluster": "tcp:// and tls://",
    "tcp://:8786": "names no host",
    "tcp://": "names no host",
    "tcp://10.0.0.1": "names no port",
    "tcp://10.0.0.1:": "names no port",
    "tcp://10.0.0.1:0": "names no port",
    "tcp://10.0.0.1:99999": "its host or port is invalid",
    "tcp://10.0.0.1:x": "its host or port is invalid",
    "tcp://[fd00::1:8786": "its host or port is invalid",
    "tcp://a b:8786": "'a b' is not the name of a host",
    "tcp://10.0.0.1:8786/status": "nothing may follow",
    "tcp://10.0.0.1:8786?x=1": "nothing may follow",
}


@pytest.mark.parametrize("text", BAD_ADDRESSES)
def test_bad_addresses(small: SampleStack, tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidParameterError, match="SCHEDULER is .*has to read like") as caught:
        build(small.folder, NETCDF=tmp_path / "s.nc", SCHEDULER=text)
    assert BAD_ADDRESSES[text] in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_passwords_are_not_repeated() -> None:
    with pytest.raises(InvalidParameterError) as caught:
        parse_scheduler("tcp://me:hidden@10.0.0.1:8786")
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("tcp://10.0.0.1:8786", "tcp://10.0.0.1:8786"),
        ("TLS://cluster.example.org:8786/", "tls://cluster.example.org:8786"),
        ("tcp://[fd00::1]:8786", "tcp://[fd00::1]:8786"),
    ],
)
def test_good_addresses(text: str, address: str) -> None:
    assert parse_scheduler(text) == address


def test_nobody_answers(small: SampleStack, tmp_path: Path) -> None:
    given = {"NETCDF": tmp_path / "s.nc"}
    with pytest.raises(ClusterError, match=r"tcp://127.0.0.1:9 does not answer \(Connection ref"):
        build(small.folder, **given, SCHEDULER="tcp://127.0.0.1:9")
    with pytest.raises(ClusterError, match="does not answer .*check SCHEDULER"):
        build(small.folder, **given, SCHEDULER="tcp://no-such-host.invalid:8786")
    assert not list(tmp_path.iterdir())


def test_a_cluster_without_workers(tmp_path: Path) -> None:
    reporter = SilentReporter()
    with running_cluster(tmp_path) as cluster:
        with pytest.raises(ClusterError, match="had no worker for 1 seconds; start workers"):
            with Cluster(cluster.address, [tmp_path], reporter, patience=1.0):
                raise AssertionError("nobody is there")
    assert any("Waiting up to 1 seconds for workers" in text for text in reporter.infos)


def test_other_versions() -> None:
    here: dict[str, str | None] = dict.fromkeys(PACKAGES, "3.1.2") | {"python": "3.11.2.final.0"}
    assert compare_versions(here, {"tcp://a:1": dict(here)}) == ""
    warning = compare_versions(here, {"tcp://a:1": here | {"rasterio": "3.0.4"}})
    assert "rasterio 3.0.4 for 3.1.2" in warning and "requirements.lock" in warning
    for name, version, said in (
        ("python", "3.12.1.final.0", "has python 3.12.1, but this computer has 3.11.2"),
        ("zarr", "2.18.0", "has zarr 2.18.0, but this computer has 3.1.2"),
        ("isal", None, "lacks the package isal"),
    ):
        with pytest.raises(ClusterError, match=f"tcp://a:1 {said}; install requirements.lock"):
            compare_versions(here, {"tcp://a:1": here | {name: version}})


def test_dask_s_client_is_not_loaded_before_it_is_needed(
    small: SampleStack, tmp_path: Path
) -> None:
    """It takes a good part of a second."""
    code = f"""
import sys
import tests.checkout
from hyp3_stack.core.tasks.build_stack import run
from hyp3_stack.core.build.stack_request import StackRequest
given = {{"INPUT": {str(small.folder)!r}, "NETCDF": {str(tmp_path / "s.nc")!r}}}
StackRequest.from_parameters(given | {{"SCHEDULER": "tcp://10.0.0.1:8786"}})
assert "distributed" not in sys.modules
from hyp3_stack.core.run.reporter import SilentReporter
run(given, None, SilentReporter())
print([name for name in sys.modules if name.startswith("hyp3_stack.core.work.cluster")])
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout == "[]\n", done.stderr
