"""A place of its own in the object store for each test."""

from __future__ import annotations

import uuid

import pytest

from hyp3_stack.core.object_store.location import RemoteLocation, parse_location
from tests.object_store.service import BUCKET, Service


@pytest.fixture
def location(object_store: Service) -> RemoteLocation:
    """A place of its own for each test."""
    return parse_location(f"s3://{BUCKET}/{uuid.uuid4().hex}/s.zarr", object_store.endpoint)


@pytest.fixture
def place(location: RemoteLocation) -> str:
    return f"{location.key}/"
