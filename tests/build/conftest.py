"""Products that take some seconds to stack, their stack, and the Dask cluster of the tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.object_store.service import CLEAN, CREDENTIALS
from tests.once import once
from tests.running import build, samples
from tests.sample_products import SampleStack

from .interrupted import outputs

if TYPE_CHECKING:
    from .dask_cluster import DaskCluster


@pytest.fixture(scope="session")
def larger(tmp_path_factory: pytest.TempPathFactory) -> SampleStack:
    """Products that take some seconds to stack."""
    return samples(
        tmp_path_factory,
        products=5,
        rows=300,
        columns=320,
        noise=False,
        layers=("unw_phase", "corr", "water_mask"),
        sidecars=False,
    )


@pytest.fixture(scope="session")
def undisturbed(larger: SampleStack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of their outputs, of a build in threads that nothing stopped."""

    def make(folder: Path) -> Path:
        build(larger.folder, **outputs(folder))
        return folder

    return once(tmp_path_factory, "undisturbed", make)


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    """A cluster for the tests of a module; see ``cluster``."""
    # Takes a second, which other tests need not spend.
    from .dask_cluster import running_cluster

    with running_cluster(tmp_path_factory.mktemp("cluster")) as made:
        yield made


@pytest.fixture
def cluster(started: DaskCluster) -> DaskCluster:
    """The cluster with two workers, whatever the test before did to it."""
    while len(started.workers) < 2:
        started.add_worker(**CLEAN, **CREDENTIALS)
    started.wait_for(2)
    return started
