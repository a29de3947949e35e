"""Stacks in the object store of the tests, and what they are compared with."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
import xarray as xr

from tests.build.interrupted import assert_same_store
from tests.object_store.service import BUCKET, Service
from tests.running import Run, contents

# Half the requests, where the second group makes no difference.
ONE_GROUP = {"CHUNKING": "spatial"}
GROUPS = ("spatially_optimized", "temporally_optimized")
DOCUMENTS = (".zarray", ".zattrs", ".zgroup", ".zmetadata", "zarr.json")


def new_url() -> str:
    """Return the address of a stack that nobody has written to."""
    return f"s3://{BUCKET}/{uuid.uuid4().hex}/stack.zarr"


def prefix(url: str) -> str:
    """Return what the keys of a stack begin with."""
    return f"{url.partition(BUCKET)[2].strip('/')}/"


def remote(run: Run, service: Service, group: str) -> xr.Dataset:
    """Read a group as any reader does."""
    return open_group(run.outputs["ZARR_URL"], service, group).load()


def open_group(url: str, service: Service, group: str) -> xr.Dataset:
    options = {"client_kwargs": {"endpoint_url": service.endpoint}}
    return xr.open_zarr(url, group=group, storage_options=options)


def assert_invisible(url: str, service: Service) -> None:
    """Make sure that readers find nothing, neither in the root nor in a group."""
    for group in ("", *GROUPS):
        with pytest.raises((FileNotFoundError, KeyError, ValueError)):
            open_group(url, service, group)
    names = [key.rpartition("/")[2] for key in service.keys(prefix(url))]
    assert not set(names) & set(DOCUMENTS)


def assert_same(service: Service, url: str, store: Path) -> None:
    """Compare a stack with one on disk: every attribute and chunk, nothing besides, as it reads."""
    expected, found = contents(store), service.contents(prefix(url))
    assert_same_store(found, expected)
    for group in {name.partition("/")[0] for name in expected if "/" in name}:
        one, two = open_group(url, service, group), xr.open_zarr(store, group=group)
        xr.testing.assert_identical(one.corr.load(), two.corr.load())
