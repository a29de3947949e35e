"""Builds on a Dask cluster of real processes, which end as builds in threads do."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from hyp3_stack.core.errors import Canceled, ClusterError, ProductError, StoreError
from hyp3_stack.core.run.reporter import SilentReporter
from hyp3_stack.core.tasks import build_stack
from tests.object_store.service import BUCKET, CLEAN, CREDENTIALS, Service
from tests.sample_products import SampleStack

from ..running import StopAt, build, contents, copy_products, layer_file, leftovers, samples
from .dask_cluster import DaskCluster, running_cluster
from .interrupted import assert_same, interrupt, outputs, start, unfinished

pytestmark = pytest.mark.slow


class At(SilentReporter):
    """Does something whenever the run has come so far."""

    def __init__(self, percents: Sequence[float], action: Callable[[], object]) -> None:
        super().__init__()
        self._left = list(percents)
        self._action = action

    def progress(self, percent: float) -> None:
        super().progress(percent)
        if self._left and percent >= self._left[0]:
            del self._left[0]
            self._action()


def run_at(
    percents: Sequence[float], action: Callable[[], object], folder: Path, **given: Any
) -> SilentReporter:
    """Build, and do something each time when so much is done."""
    reporter = At(percents, action)
    build_stack.run({"INPUT": str(folder), **given}, None, reporter)
    return reporter


def test_workers_killed_in_the_middle(
    cluster: DaskCluster, larger: SampleStack, undisturbed: Path, tmp_path: Path
) -> None:
    """While maps are written, and while series are; others that join get the package."""

    def replace_worker() -> None:
        cluster.kill(next(iter(cluster.workers)))
        # As if it had been in the middle of a chunk, which it may have been.
        [store] = tmp_path.glob(".s.zarr.hyp3-partial-*/s.zarr")
        (store / "spatially_optimized" / "corr" / "0.0.0.0a1b2c.partial").write_bytes(b"cut")
        cluster.add_worker(**CLEAN, **CREDENTIALS)

    given = outputs(tmp_path) | {"SCHEDULER": cluster.address}
    first = set(cluster.workers)
    reporter = run_at([30, 65], replace_worker, larger.folder, **given)
    assert not first & set(cluster.workers)
    assert any(f"Dask cluster {cluster.address}: 2 workers" in text for text in reporter.infos)
    assert reporter.warnings == []
    assert_same(tmp_path, undisturbed)
    assert not leftovers(tmp_path)
    with xr.open_dataset(tmp_path / "s.nc") as stack:
        assert "hyp3:buildstack on a Dask cluster" in stack.history
        assert cluster.address not in str(stack.attrs)


def test_all_workers_are_lost_and_come_back(
    larger: SampleStack, undisturbed: Path, tmp_path: Path
) -> None:
    """A nanny starts the only worker anew; what was handed over to it is handed over again."""
    with running_cluster(tmp_path) as cluster:
        cluster.add_worker("--nanny", threads=2)
        cluster.wait_for(1)

        def kill() -> None:
            with cluster.client() as client:
                [process] = client.run(os.getpid).values()
            os.kill(process, signal.SIGKILL)

        given = outputs(tmp_path) | {"SCHEDULER": cluster.address}
        run_at([30], kill, larger.folder, **given)
        assert "hyp3_stack" in cluster.logs()
    assert_same(tmp_path, undisturbed)


def test_frames_of_a_pass_are_merged(
    cluster: DaskCluster, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    stack = samples(
        tmp_path_factory,
        product_type="RTC_GAMMA",
        products=8,
        frames=2,
        rows=90,
        columns=96,
        layers=("VV", "VH", "ls_map", "dem", "inc_map"),
        noise=False,
    )
    options = {"MERGE_PASSES": "true", "SCALE": "decibel", "KEEP_BITS": "VV=9"}
    folders = tmp_path / "local", tmp_path / "cluster"
    for folder, scheduler in zip(folders, ("", cluster.address), strict=True):
        folder.mkdir()
        given = outputs(folder) | options | {"LAYERS": "", "SCHEDULER": scheduler}
        assert build(stack.folder, **given).outputs["STEPS"] == 4
    assert_same(folders[1], folders[0])


def test_series_alone(cluster: DaskCluster, small: SampleStack, tmp_path: Path) -> None:
    """Without maps in the store, series are read from the products, and survey them."""
    stores = [tmp_path / name for name in ("local.zarr", "cluster.zarr")]
    for store, scheduler in zip(stores, ("", cluster.address), strict=True):
        build(small.folder, ZARR=store, CHUNKING="temporal", SCHEDULER=scheduler, ZARR_FORMAT="3")
    options = {"group": "temporally_optimized", "mask_and_scale": False, "chunks": None}
    one, two = (xr.open_zarr(store, **options) for store in stores)
    xr.testing.assert_equal(one, two)
    assert one.coherence_mean.notnull().all()


def test_append(cluster: DaskCluster, small: SampleStack, tmp_path: Path) -> None:
    """What the stack holds already is read from it; its products are gone."""
    options = {"APPEND": "true", "CHUNKING": "spatial"}
    folder, one, two = (tmp_path / name for name in ("in", "local", "cluster"))
    copies = copy_products(small, folder)
    shutil.move(copies[-1], tmp_path)
    build(folder, **outputs(one), CHUNKING="spatial")
    shutil.copytree(one, two)
    shutil.rmtree(folder)
    folder.mkdir()
    shutil.move(tmp_path / copies[-1].name, folder)
    for out, scheduler in ((one, ""), (two, cluster.address)):
        run = build(folder, **outputs(out), **options, SCHEDULER=scheduler)
        assert run.outputs["STEPS"] == 4
    assert_same(two, one)


def remote_output(service: Service, folder: Path) -> dict[str, str]:
    """Return a place in an object store that is named after a folder, and little to write to it."""
    return {
        "ZARR_URL": f"s3://{BUCKET}/{folder.name}/s.zarr",
        "S3_ENDPOINT": service.endpoint,
        "CHUNKING": "spatial",
        "LAYERS": "corr",
    }


def test_workers_write_to_an_object_store(
    cluster: DaskCluster, object_store: Service, small: SampleStack, tmp_path: Path
) -> None:
    """With the credentials in their own environment; nothing of it stays after a cancel."""
    given = remote_output(object_store, tmp_path)
    with pytest.raises(Canceled):
        build_stack.run(
            {"INPUT": str(small.folder), "SCHEDULER": cluster.address, **given}, None, StopAt(40)
        )
    assert object_store.keys(f"{tmp_path.name}/") == []
    build(small.folder, **given, SCHEDULER=cluster.address)
    build(small.folder, ZARR=tmp_path / "s.zarr", CHUNKING="spatial", LAYERS="corr")
    there = object_store.contents(f"{tmp_path.name}/s.zarr/")
    here = contents(tmp_path / "s.zarr")
    assert set(there) == set(here)
    for name, data in here.items():
        if not name.endswith((".zattrs", ".zmetadata")):
            assert there[name] == data, name


def test_cancel_and_go_on(
    cluster: DaskCluster, larger: SampleStack, undisturbed: Path, tmp_path: Path
) -> None:
    """On the cluster, and in the end without it."""
    given = outputs(tmp_path)
    for percent in (30, 60):
        interrupt(larger.folder, percent, **given, SCHEDULER=cluster.address)
        before = unfinished(tmp_path)
        assert len(_series(tmp_path)) < len(_series(undisturbed)), "what waits is not worked off"
        time.sleep(0.5)
        assert unfinished(tmp_path) == before, "no worker goes on"
    run = build(larger.folder, **given)
    [text] = [text for text in run.infos if text.startswith("Going on")]
    assert int(text.split(";")[1].split()[0]) > 0
    assert_same(tmp_path, undisturbed)
    assert not leftovers(tmp_path)


def _series(folder: Path) -> list[Path]:
    """Return the files of the group of series that were written."""
    return list(folder.rglob("temporally_optimized/*/[0-9]*"))


def test_the_workers_stop_when_the_run_is_killed(
    cluster: DaskCluster, larger: SampleStack, tmp_path: Path
) -> None:
    given = outputs(tmp_path) | {"SCHEDULER": cluster.address}
    before = len(unfinished(tmp_path))
    process = start(tmp_path, {"INPUT": str(larger.folder)} | given)
    while len(unfinished(tmp_path)) < before + 30:
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    time.sleep(1.5)
    left = unfinished(tmp_path)
    time.sleep(1.0)
    assert unfinished(tmp_path) == left
    assert not (tmp_path / "s.nc").exists()


def test_a_damaged_product_is_named_and_left_out(
    cluster: DaskCluster, small: SampleStack, tmp_path: Path
) -> None:
    copies = copy_products(small, tmp_path / "in")
    path = layer_file(copies[1], "unw_phase")
    content = bytearray(path.read_bytes())
    # The file opens, but the pixels of some rows lie outside of it.
    path.write_bytes(content[: len(content) * 2 // 3])
    given = {"NETCDF": tmp_path / "s.nc", "SCHEDULER": cluster.address}
    with pytest.raises(ProductError, match=copies[1].name):
        build(tmp_path / "in", **given)
    assert not leftovers(tmp_path)
    run = build(tmp_path / "in", **given, ON_BAD_PRODUCT="skip")
    assert (run.outputs["STEPS"], run.outputs["SKIPPED"]) == (3, 1)


# --- workers that a build cannot use -----------------------------------------------------------


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
def test_a_worker_that_does_not_share_the_folders(
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
    run = build(folder, NETCDF=out / "s.nc", SCHEDULER=cluster.address)
    assert any(text.startswith("Going on") for text in run.infos)


def test_a_worker_without_credentials(
    object_store: Service, small: SampleStack, tmp_path: Path
) -> None:
    given = remote_output(object_store, tmp_path)
    said = r"On the Dask worker tcp://\S+, s3://\S+ cannot be written, because there are no cred"
    with running_cluster(tmp_path) as cluster:
        cluster.add_worker(**CLEAN, AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
        with pytest.raises(StoreError, match=said):
            build(small.folder, **given, SCHEDULER=cluster.address)


def test_a_lost_cluster_keeps_what_is_done(
    larger: SampleStack, undisturbed: Path, tmp_path: Path
) -> None:
    """First a piece ends its worker, which nobody may do here, then the scheduler is gone."""
    strict = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"}
    with running_cluster(tmp_path, **strict) as cluster:
        given = {**outputs(tmp_path), "SCHEDULER": cluster.address}
        cluster.add_worker()
        with pytest.raises(
            ClusterError, match="ended 1 workers .*more memory.*goes on where it stopped"
        ):
            run_at([30], lambda: cluster.kill_at_work("w0"), larger.folder, **given)
        cluster.add_worker()
        with pytest.raises(ClusterError, match="was lost.*goes on where it stopped"):
            run_at([60], cluster.scheduler.kill, larger.folder, **given)
    run = build(larger.folder, **outputs(tmp_path))
    assert any(text.startswith("Going on") for text in run.infos)
    assert_same(tmp_path, undisturbed)
