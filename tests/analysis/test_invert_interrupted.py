"""Inversions that are stopped, killed, or run on a cluster end as one that nothing disturbs."""

import random
import signal
import time

import pytest

from hyp3_stack.core.errors import Canceled
from tests.build.conftest import cluster, started
from tests.build.interrupted import assert_same, start
from tests.running import StopAt, build, leftovers, samples

from .inverting import MOVING, invert

__all__ = ["cluster", "started"]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def tall(tmp_path_factory):
    """A stack of more than one block."""
    folder = tmp_path_factory.mktemp("tall")
    stack = samples(
        tmp_path_factory,
        products=3,
        rows=540,
        columns=200,
        sidecars=False,
        layers=("unw_phase", "corr"),
        neighbor_zone_share=0.0,
        signals=MOVING,
    )
    return build(stack.folder, NETCDF=folder / "pairs.nc", ZARR=folder / "pairs.zarr")


def outputs(folder):
    return {"NETCDF": str(folder / "s.nc"), "ZARR": str(folder / "s.zarr")}


@pytest.fixture(scope="module")
def undisturbed(tall, tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    invert(tall.zarr, **outputs(folder))
    return folder


def test_canceled(tall, undisturbed, tmp_path):
    for number, percent in enumerate((50.0, 92.0)):
        reporter = StopAt(percent)
        with pytest.raises(Canceled, match="run the same job again to go on"):
            invert(tall.zarr, reporter, **outputs(tmp_path))
        assert leftovers(tmp_path) and not (tmp_path / "s.nc").exists()
        assert bool(number) == any(text.startswith("Going on with") for text in reporter.infos)
    run = invert(tall.zarr, **outputs(tmp_path))
    assert any(text.startswith("Going on with") for text in run.infos)
    assert not leftovers(tmp_path)
    assert_same(tmp_path, undisturbed)


def test_killed_at_random_moments(tall, undisturbed, tmp_path):
    given = {"INPUT": str(tall.netcdf), **outputs(tmp_path)}
    kills = 0
    for delay in (0.05, random.Random(20261130).random()):
        with start(tmp_path, given, "invertstack") as process:
            while process.poll() is None and not leftovers(tmp_path):
                time.sleep(0.02)
            time.sleep(delay)
            process.send_signal(signal.SIGKILL)
        kills += process.returncode == -signal.SIGKILL
    assert kills
    invert(tall.netcdf, **outputs(tmp_path))
    assert not leftovers(tmp_path)
    assert_same(tmp_path, undisturbed)


def test_on_a_cluster(cluster, tall, undisturbed, tmp_path):
    run = invert(tall.netcdf, SCHEDULER=cluster.address, **outputs(tmp_path))
    assert run.outputs["COMPONENTS"] == 1
    assert not leftovers(tmp_path)
    assert_same(tmp_path, undisturbed)
