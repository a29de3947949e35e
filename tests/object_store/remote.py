"""Small stores that a build fills, and what readers see of them."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import xarray as xr
import zarr

from hyp3_stack.core.object_store.claim import MARK
from hyp3_stack.core.object_store.late_metadata import LateMetadataStore
from hyp3_stack.core.object_store.location import RemoteLocation
from hyp3_stack.core.object_store.publication import RemoteWorkspace
from hyp3_stack.core.run.reporter import Reporter
from tests.object_store.service import Service
from tests.object_store.stacks import GROUPS


def values(size: int = 200) -> np.ndarray[Any, Any]:
    return np.arange(size * size, dtype="float32").reshape(size, size)


def fill(store: LateMetadataStore, zarr_format: Any = 2, size: int = 200) -> None:
    """Write two groups of one array in 4 chunks."""
    for group in GROUPS:
        dataset = xr.Dataset({"phase": (("y", "x"), values(size))}).chunk(size // 2)
        dataset.phase.encoding["_FillValue"] = np.float32("nan")
        dataset.to_zarr(store, group=group, mode="w", zarr_format=zarr_format, consolidated=False)
        zarr.consolidate_metadata(store, path=group, zarr_format=zarr_format)
    zarr.consolidate_metadata(store, zarr_format=zarr_format)


@contextmanager
def publishing(
    location: RemoteLocation, reporter: Reporter | None = None
) -> Iterator[LateMetadataStore]:
    """Write a stack as a run does, which is visible at the end."""
    with RemoteWorkspace(location, "a job", reporter) as workspace:
        yield workspace.store
        workspace.publish()


def open_remote(location: RemoteLocation, group: str, **options: Any) -> xr.Dataset:
    """Open as any reader does."""
    given = {"client_kwargs": {"endpoint_url": location.endpoint}}
    return xr.open_zarr(location.url, group=group, storage_options=given, **options)


def visible(location: RemoteLocation) -> list[str]:
    """Return what readers find, with and without gathered metadata."""
    found = []
    for group in GROUPS:
        for consolidated in (True, False):
            try:
                with open_remote(location, group, consolidated=consolidated):
                    found.append(f"{group} {consolidated}")
            except (FileNotFoundError, KeyError, ValueError):
                continue
    return found


def age(service: Service, place: str, system: str, process: int = 1) -> None:
    """Leave a mark as another run does."""
    mark = {"run": "x", "host": socket.gethostname(), "system": system, "process": process}
    service.put(f"{place}{MARK}", json.dumps(mark).encode())
