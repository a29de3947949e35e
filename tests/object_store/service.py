"""An S3 service on 127.0.0.1: moto's, behind a proxy that counts and fails on request."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
import rasterio.session
from botocore.config import Config
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from tests.object_store.proxy import Proxy

BUCKET = "stacks"
KEY = "AKIDEXAMPLE7HYP3TEST"
SECRET = "wJalrXUtnFEMI-not-a-real-secret-K7MDENG"  # pragma: allowlist secret

CLEAN = {
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/nonexistent/config",
    "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent/credentials",
}
"""Keeps the AWS settings of whoever runs the tests out of them."""

CREDENTIALS = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}


class Service:
    """The service as its owner sees it."""

    def __init__(self, proxy: Proxy, direct: str) -> None:
        self.proxy = proxy
        self.direct = direct

    @property
    def endpoint(self) -> str:
        """Address that goes through the proxy."""
        return self.proxy.url

    @cache  # noqa: B019 - a client takes long to make, and there is one service
    def client(self, name: str = "s3", key: str = KEY, secret: str = SECRET) -> Any:
        """Return a client that does not go through the proxy."""
        return boto3.client(
            name,
            endpoint_url=self.direct,
            region_name="us-east-1",
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 2}),
        )

    def keys(self, prefix: str = "", bucket: str = BUCKET) -> list[str]:
        """Return the keys of a bucket."""
        pages = self.client().get_paginator("list_objects_v2").paginate
        return [
            item["Key"]
            for page in pages(Bucket=bucket, Prefix=prefix)
            for item in page.get("Contents", [])
        ]

    def contents(self, prefix: str = "") -> dict[str, bytes]:
        """Return all objects below a prefix, by the rest of their keys."""
        return {key[len(prefix) :]: self.get(key) for key in self.keys(prefix)}

    def tags(self, prefix: str) -> dict[str, str]:
        """Return what differs between contents of objects, by the rest of their keys."""
        pages = self.client().get_paginator("list_objects_v2").paginate
        return {
            item["Key"][len(prefix) :]: item["ETag"]
            for page in pages(Bucket=BUCKET, Prefix=prefix)
            for item in page.get("Contents", [])
        }

    def get(self, key: str) -> bytes:
        """Return an object."""
        return self.client().get_object(Bucket=BUCKET, Key=key)["Body"].read()

    def put(self, key: str, content: bytes = b"") -> None:
        """Write an object."""
        self.client().put_object(Bucket=BUCKET, Key=key, Body=content)

    def upload(self, folder: Path, prefix: str) -> None:
        """Copy a folder, for everybody to read."""
        for path in folder.rglob("*"):
            if path.is_file():
                key = f"{prefix}/{path.relative_to(folder).as_posix()}"
                content = path.read_bytes()
                self.client().put_object(Bucket=BUCKET, Key=key, Body=content, ACL="public-read")

    def user(self, name: str, actions: list[str]) -> tuple[str, str]:
        """Make a user who may do these actions only; return key and secret."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        allowed = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        iam.put_user_policy(
            UserName=name,
            PolicyName="only",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}),
        )
        made = iam.create_access_key(UserName=name)["AccessKey"]
        return made["AccessKeyId"], made["SecretAccessKey"]


@contextmanager
def logged_in(service: Service) -> Iterator[None]:
    """Let the environment hold credentials for a service, which is without faults."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        for name, value in {**CLEAN, **CREDENTIALS}.items():
            patch.setenv(name, value)
        service.proxy.reset()
        yield
        service.proxy.reset()


@contextmanager
def running_service() -> Iterator[Service]:
    """Start a service with one empty bucket."""
    # Lists come in pages, as those of large stacks do.
    os.environ["MOTO_S3_DEFAULT_MAX_KEYS"] = "50"
    # Moto brings it, users have none: with it, rasterio makes a session for every file it opens.
    rasterio.session.boto3 = None
    app = _Dispatcher(create_backend_app)
    with Proxy(app) as direct, Proxy(app) as proxy:
        service = Service(proxy, direct.url)
        service.client().create_bucket(Bucket=BUCKET)
        yield service


class _Dispatcher(DomainDispatcherApplication):
    """Moto's services, of which the one that a host names is looked for once, not each time."""

    @cache  # noqa: B019 - there is one
    def get_backend_for_host(self, host: str | None) -> Any:
        return super().get_backend_for_host(host)
