"""Clusters that a build cannot use, and what the user is told of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hyp3_stack.core.errors import Canceled, ClusterError, InvalidParameterError, StoreError
from hyp3_stack.core.run.reporter import SilentReporter
from hyp3_stack.core.tasks import build_stack
from hyp3_stack.core.work.cluster.cluster import Cluster
from hyp3_stack.core.work.cluster.versions import PACKAGES, compare_versions
from hyp3_stack.core.work.scheduler_address import parse_scheduler
from tests.object_store.service import BUCKET, CLEAN, Service
from tests.sample_products import SampleStack

from ..running import Run, StopAt, build, copy_products, leftovers
from .dask_cluster import DaskCluster, running_cluster
from .interrupted import unfinished

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


def test_what_is_no_scheduler_does_not_hold_up_the_end(cluster: DaskCluster) -> None:
    with cluster.client() as client:
        worker = next(iter(client.nthreads()))
    program = (
        "import sys, tests.checkout\n"
        "from hyp3_stack.core.errors import ClusterError\n"
        "from hyp3_stack.core.run.reporter import SilentReporter\n"
        "from hyp3_stack.core.work.cluster.scheduler_connection import Connection\n"
        "for address in sys.argv[1:]:\n"
        "    try:\n"
        "        Connection(address, SilentReporter(), 1.0)\n"
        "    except ClusterError as error:\n"
        "        print(error)\n"
    )
    addresses = worker, cluster.address.replace("tcp://", "tls://")
    done = subprocess.run(
        [sys.executable, "-c", program, *addresses], capture_output=True, text=True, timeout=120
    )
    # What is left half-made is complained of when the process has waited for it in vain.
    assert done.stderr == ""
    of_worker, of_tls = done.stdout.splitlines()
    assert f"{worker} does not answer (it is not a Dask scheduler)" in of_worker
    assert "cannot be reached" in of_tls and "distributed.comm.tls" in of_tls


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


def test_a_worker_with_another_environment(
    cluster: DaskCluster, small: SampleStack, tmp_path: Path
) -> None:
    older = tmp_path / "older"
    (older / "zarr-2.18.0.dist-info").mkdir(parents=True)
    (older / "zarr-2.18.0.dist-info" / "METADATA").write_text("Name: zarr\nVersion: 2.18.0\n")
    name = cluster.add_worker(PYTHONPATH=str(older))
    cluster.wait_for(3)
    try:
        with pytest.raises(ClusterError, match="has zarr 2.18.0, but this computer has 3"):
            build(small.folder, NETCDF=tmp_path / "s.nc", SCHEDULER=cluster.address)
    finally:
        cluster.kill(name)
    assert not leftovers(tmp_path)


@pytest.mark.skipif(
    os.geteuid() != 0 or sys.platform != "linux", reason="mounting takes root on Linux"
)
@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("no products", "does not see .*/in/"),
        ("no outputs", "does not see the folder .*/out/.s.nc.* of the outputs"),
        ("copied outputs", "writes into another folder .*/out/.s.nc.* than this computer"),
        ("read-only outputs", "cannot write into .*/out/.s.nc"),
    ],
)
def test_a_worker_that_does_not_share_theunfinished(
    cluster: DaskCluster, small: SampleStack, tmp_path: Path, case: str, said: str
) -> None:
    """Its own view of the file system is made by mounting over it."""
    folder, out = tmp_path / "in", tmp_path / "out"
    copy_products(small, folder)
    out.mkdir()
    given = {"INPUT": str(folder), "NETCDF": str(out / "s.nc")}
    with pytest.raises(Canceled):
        build_stack.run(given, None, StopAt(40))
    kept = unfinished(out)
    assert kept
    other = tmp_path / "other"
    shutil.copytree(out, other)
    mount = {
        "no products": f"mount -t tmpfs none {folder}",
        "no outputs": f"mount -t tmpfs none {out}",
        "copied outputs": f"mount --bind {other} {out}",
        "read-only outputs": f"mount --bind {out} {out} && mount -o remount,bind,ro {out}",
    }[case]
    name = cluster.add_worker(before=("unshare", "-m", "sh", "-c", f'{mount} && exec "$@"', "-"))
    cluster.wait_for(3)
    try:
        with pytest.raises(ClusterError, match=rf"The Dask worker tcp://\S+ {said}") as caught:
            build_stack.run(given | {"SCHEDULER": cluster.address}, None, SilentReporter())
    finally:
        cluster.kill(name)
    assert str(caught.value).endswith("the same job then goes on where it stopped.")
    # Chunks of the piece that was in hand are not noted, and are removed when a build goes on.
    left = unfinished(out)
    assert left <= kept and len(left) > len(kept) / 2
    run: Run = build(folder, NETCDF=out / "s.nc", SCHEDULER=cluster.address)
    assert any(text.startswith("Going on") for text in run.infos)


def test_a_worker_without_credentials(
    small: SampleStack, object_store: Service, tmp_path: Path
) -> None:
    given = {
        "ZARR_URL": f"s3://{BUCKET}/{tmp_path.name}/s.zarr",
        "S3_ENDPOINT": object_store.endpoint,
        "CHUNKING": "spatial",
    }
    said = r"On the Dask worker tcp://\S+, s3://\S+ cannot be written, because there are no cred"
    with running_cluster(tmp_path) as cluster:
        cluster.add_worker(**CLEAN, AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
        with pytest.raises(StoreError, match=said):
            build(small.folder, **given, SCHEDULER=cluster.address)


def test_dask_s_client_is_not_loaded_before_it_is_needed(
    small: SampleStack, tmp_path: Path
) -> None:
    """It takes a good part of a second."""
    code = f"""
import sys
import tests.checkout
from hyp3_stack.core.tasks.build_stack import run
from hyp3_stack.core.build.stack_request import StackRequest
given = {{"INPUT": {str(small.folder)!r}, "ZARR": {str(tmp_path / "s.zarr")!r}}}
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
