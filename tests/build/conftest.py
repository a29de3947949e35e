"""The Dask cluster of the tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.object_store.service import CLEAN, CREDENTIALS

if TYPE_CHECKING:
    from .dask_cluster import DaskCluster


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
