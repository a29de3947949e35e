"""Builds on a Dask cluster of real processes, which end as builds in threads do."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from hyp3_stack.core.errors import Canceled, ClusterError, ProductError
from hyp3_stack.core.run.reporter import SilentReporter
from hyp3_stack.core.tasks import build_stack
from tests.object_store.service import BUCKET, CLEAN, CREDENTIALS, Service
from tests.sample_products import SampleStack

from ..running import StopAt, build, contents, copy_products, layer_file, leftovers, samples
from .dask_cluster import DaskCluster, running_cluster
from .interrupted import assert_same, interrupt, outputs, start, unfinished

pytestmark = pytest.mark.slow


class At(SilentReporter):
    """Does something once, when the run has come so far."""

    def __init__(self, percent: float, action: Callable[[], object]) -> None:
        super().__init__()
        self._percent = percent
        self._action: Callable[[], object] | None = action

    def progress(self, percent: float) -> None:
        super().progress(percent)
        action = self._action
        if percent >= self._percent and action is not None:
            self._action = None
            action()


def run_at(
    percent: float, action: Callable[[], object], folder: Path, **given: Any
) -> SilentReporter:
    """Build, and do something when so much is done."""
    reporter = At(percent, action)
    build_stack.run({"INPUT": str(folder), **given}, None, reporter)
    return reporter


@pytest.mark.parametrize("percent", [30, 65])
def test_a_worker_killed_in_the_middle(
    cluster: DaskCluster, larger: SampleStack, undisturbed: Path, tmp_path: Path, percent: float
) -> None:
    """While maps are written, and while series are; another one that joins gets the package."""

    def replace_worker() -> None:
        cluster.kill(next(iter(cluster.workers)))
        # As if it had been in the middle of a chunk, which it may have been.
        [store] = tmp_path.glob(".s.zarr.hyp3-partial-*/s.zarr")
        (store / "spatially_optimized" / "corr" / "0.0.0.0a1b2c.partial").write_bytes(b"cut")
        cluster.add_worker(**CLEAN, **CREDENTIALS)

    given = outputs(tmp_path) | {"SCHEDULER": cluster.address}
    reporter = run_at(percent, replace_worker, larger.folder, **given)
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
        run_at(30, kill, larger.folder, **given)
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
    group = "temporally_optimized"
    one, two = (xr.open_zarr(store, group=group, mask_and_scale=False) for store in stores)
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


def test_workers_write_to_an_object_store(
    cluster: DaskCluster, object_store: Service, small: SampleStack, tmp_path: Path
) -> None:
    """With the credentials in their own environment; nothing of it stays after a cancel."""
    given = {
        "ZARR_URL": f"s3://{BUCKET}/{tmp_path.name}/s.zarr",
        "S3_ENDPOINT": object_store.endpoint,
        "CHUNKING": "spatial",
    }
    with pytest.raises(Canceled):
        build_stack.run(
            {"INPUT": str(small.folder), "SCHEDULER": cluster.address, **given}, None, StopAt(40)
        )
    assert object_store.keys(f"{tmp_path.name}/") == []
    build(small.folder, **given, SCHEDULER=cluster.address)
    build(small.folder, ZARR=tmp_path / "s.zarr", CHUNKING="spatial")
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
            run_at(30, lambda: cluster.kill_at_work("w0"), larger.folder, **given)
        cluster.add_worker()
        with pytest.raises(ClusterError, match="was lost.*goes on where it stopped"):
            run_at(60, cluster.scheduler.kill, larger.folder, **given)
    run = build(larger.folder, **outputs(tmp_path))
    assert any(text.startswith("Going on") for text in run.infos)
    assert_same(tmp_path, undisturbed)
