"""Names of stacks in S3-compatible object stores, and the way to them."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from s3fs import S3FileSystem
from zarr.storage import FsspecStore

from ...errors import InvalidParameterError

URL_FORM = "s3://bucket/folder/stack.zarr"

PATIENT = 8
"""Attempts for each request of a build, with waits that grow to 20 seconds: a minute or two."""

BRIEF = 3
"""Attempts while the user waits to hear whether the place can be written to."""

_CONNECT_SECONDS = 10.0
_READ_SECONDS = 60.0
_CONNECTIONS = 32

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,62}")
# What S3's documentation says to avoid in keys, because URLs and globs give it a meaning.
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f\\?*\[\]{}"#%^<>|`]')
_LONGEST_KEY = 900
"""Bytes; S3 allows 1024, and the names of the chunks follow."""


@dataclass(frozen=True)
class RemoteLocation:
    """A place in an object store where a stack is or is going to be.

    Credentials are no part of it: they come from botocore's usual chain (environment variables,
    ``~/.aws``, roles of the machine), in every process anew.

    Parameters
    ----------
    bucket
        Name of the bucket.
    key
        Name below the bucket, without slashes at its ends.
    endpoint
        Address of the service; None for ``AWS_ENDPOINT_URL``, the profile's, or Amazon's.
    profile
        Profile in ``~/.aws``; None for ``AWS_PROFILE`` or the default.
    parameter
        Which parameter names it, for messages.
    """

    bucket: str
    key: str
    endpoint: str | None = None
    profile: str | None = None
    parameter: str = field(default="ZARR_URL", compare=False)

    @property
    def url(self) -> str:
        """Address of the stack."""
        return f"s3://{self.bucket}/{self.key}"

    @property
    def name(self) -> str:
        """Last part of the key."""
        return self.key.rpartition("/")[2]

    @property
    def gdal_path(self) -> str:
        """Path of the stack for GDAL."""
        return f"/vsis3/{self.bucket}/{self.key}"

    @property
    def service(self) -> str:
        """What to call the service in messages."""
        return self.endpoint or _endpoint_of_environment() or "the S3 service"

    def file_system(
        self, attempts: int = PATIENT, asynchronous: bool = False, shared: bool = False
    ) -> S3FileSystem:
        """Return access to the service; nothing is asked yet.

        Parameters
        ----------
        attempts
            How often a request is tried that fails for a reason that may pass.
        asynchronous
            Whether it is used in coroutines, as Zarr does.
        shared
            Whether all who ask in this process get the same connections.
        """
        config: dict[str, Any] = {
            "retries": {"total_max_attempts": attempts, "mode": "standard"},
            "connect_timeout": _CONNECT_SECONDS,
            "read_timeout": _READ_SECONDS,
            "max_pool_connections": _CONNECTIONS,
        }
        if self.endpoint or _endpoint_of_environment():
            # Services other than Amazon's often reject the checksums that botocore adds by itself.
            for option in ("request_checksum_calculation", "response_checksum_validation"):
                if f"AWS_{option.upper()}" not in os.environ:
                    config[option] = "when_required"
        options = {"endpoint_url": self.endpoint, "profile": self.profile}
        return S3FileSystem(
            config_kwargs=config,
            asynchronous=asynchronous,
            use_listings_cache=False,
            skip_instance_cache=not shared,
            max_concurrency=1,  # more costs an extra request for the size of each chunk
            **{name: value for name, value in options.items() if value},
        )

    def store(self, read_only: bool = False, shared: bool = False) -> FsspecStore:
        """Return the place as a Zarr store."""
        return FsspecStore(
            self.file_system(asynchronous=True, shared=shared),
            read_only=read_only,
            path=f"{self.bucket}/{self.key}",
        )


def parse_location(
    url: str, endpoint: str | None = None, profile: str | None = None, parameter: str = "ZARR_URL"
) -> RemoteLocation:
    """Return the place that a URL names.

    Parameters
    ----------
    url
        As ``s3://bucket/key``.
    endpoint
        Value of ``S3_ENDPOINT``.
    profile
        Value of ``S3_PROFILE``.
    parameter
        Name of the parameter that holds ``url``.

    Raises
    ------
    InvalidParameterError
        If the URL or the endpoint is malformed. What may hold a password is not repeated.
    """
    scheme, colon, rest = url.partition(":")
    authority = rest.lstrip("/").partition("/")[0]
    # A secret key may hold slashes, so that what looks like its bucket is its first part.
    if "?" in rest or "@" in authority or ("@" in rest and ":" in authority):
        raise InvalidParameterError(
            f"{parameter} must hold neither credentials nor a query; give {URL_FORM} and keep "
            "credentials in the environment or in ~/.aws."
        )
    if not colon or scheme.lower() != "s3" or not rest.startswith("//") or rest[2:3] == "/":
        raise InvalidParameterError(f"{parameter} is {url!r}, but it has to read like {URL_FORM}.")
    bucket, _, key = rest[2:].partition("/")
    key = key.rstrip("/")
    if not _BUCKET.fullmatch(bucket):
        raise InvalidParameterError(
            f"{parameter} is {url!r}, but {bucket!r} is no name of a bucket; it has to read like "
            f"{URL_FORM}."
        )
    if not key:
        raise InvalidParameterError(
            f"{parameter} is {url!r}, which is a whole bucket; name a place in it, like {URL_FORM}."
        )
    if (
        _FORBIDDEN.search(key)
        or any(part.strip() in ("", ".", "..") for part in key.split("/"))
        or len(key.encode()) > _LONGEST_KEY
    ):
        raise InvalidParameterError(
            f"{parameter} is {url!r}, but its key is empty in part, too long, or has characters "
            "that object stores do not take well; use letters, digits and . _ - /."
        )
    return RemoteLocation(bucket, key, checked_endpoint(endpoint), profile, parameter)


def checked_endpoint(endpoint: str | None) -> str | None:
    """Return the address of a service without a trailing slash.

    Raises
    ------
    InvalidParameterError
        If it is no web address, or one with more in it than host, port and path.
    """
    if endpoint is None:
        return None
    example = "https://minio.example.org:9000"
    try:
        parts = urlsplit(endpoint)
        parts.port  # noqa: B018 - raises where the port is no number
    except ValueError:
        raise InvalidParameterError(
            f"S3_ENDPOINT is no address of a service; it has to read like {example}."
        ) from None
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise InvalidParameterError(
            f"S3_ENDPOINT must hold neither credentials nor a query; give {example} and keep "
            "credentials in the environment or in ~/.aws."
        )
    if parts.scheme not in ("http", "https") or not parts.hostname or " " in endpoint:
        raise InvalidParameterError(
            f"S3_ENDPOINT is {endpoint!r}, but it has to read like {example}."
        )
    return endpoint.rstrip("/")


def _endpoint_of_environment() -> str | None:
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
