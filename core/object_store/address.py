"""Addresses of stacks in S3-compatible object stores.

Both sides read them, so that this module depends on the standard library only.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ..errors import InvalidParameterError

URL_FORM = "s3://bucket/folder/stack.zarr"
ENDPOINT_FORM = "https://minio.example.org:9000"

ENDPOINT_VARIABLES = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
"""Environment variables with the address of a service; the first one that is set counts."""

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,62}")
# What S3's documentation says to avoid in keys, because URLs and globs give it a meaning.
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f\\?*\[\]{}"#%^<>|`]')
_GDAL = "/vsis3/"
_LONGEST_KEY = 900
"""Bytes; S3 allows 1024, and the names of the chunks follow."""


@dataclass(frozen=True)
class ObjectAddress:
    """A place in an object store where a stack is or is going to be.

    Credentials are not part of it: they come from botocore's usual chain (environment variables,
    ``~/.aws``, roles of the machine), in every process anew.
    """

    bucket: str  # name of the bucket
    key: str  # name below the bucket, without slashes at its ends
    # Address of the service; None for ``AWS_ENDPOINT_URL``, the profile's, or Amazon's.
    endpoint: str | None = None
    profile: str | None = None  # profile in ``~/.aws``; None for ``AWS_PROFILE`` or the default
    # Which parameter names it, for messages.
    parameter: str = field(default="ZARR_URL", compare=False)

    def __str__(self) -> str:
        """Return the address of the stack."""
        return self.url

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


def is_address(text: str) -> bool:
    """Return whether a text means a place in an object store, right or wrong, and no path."""
    return text.lower().startswith(("s3:", _GDAL))


def parse_address(
    url: str, endpoint: str | None = None, profile: str | None = None, parameter: str = "ZARR_URL"
) -> ObjectAddress:
    """Return the place that a URL names.

    Parameters
    ----------
    url
        As ``s3://bucket/key``; what GDAL calls ``/vsis3/bucket/key`` is taken as well.
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
    if url.lower().startswith(_GDAL):
        url = f"s3://{url[len(_GDAL) :]}"
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
            f"{parameter} is {url!r}, but {bucket!r} is not the name of a bucket; it has to read "
            f"like {URL_FORM}."
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
    return ObjectAddress(bucket, key, checked_endpoint(endpoint), profile, parameter)


def checked_endpoint(endpoint: str | None, name: str = "S3_ENDPOINT") -> str | None:
    """Return the address of a service without a trailing slash.

    Raises
    ------
    InvalidParameterError
        If it is not a web address, or one with more in it than host, port and path.
    """
    if endpoint is None:
        return None
    try:
        parts = urlsplit(endpoint)
        parts.port  # noqa: B018 - raises where the port is not a number
    except ValueError:
        raise InvalidParameterError(
            f"{name} is not the address of a service; it has to read like {ENDPOINT_FORM}."
        ) from None
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise InvalidParameterError(
            f"{name} must hold neither credentials nor a query; give {ENDPOINT_FORM} and keep "
            "credentials in the environment or in ~/.aws."
        )
    if parts.scheme not in ("http", "https") or not parts.hostname or " " in endpoint:
        raise InvalidParameterError(
            f"{name} is {endpoint!r}, but it has to read like {ENDPOINT_FORM}."
        )
    return endpoint.rstrip("/")


def endpoint_of_environment() -> str | None:
    """Return the address of the service that botocore reads from the environment."""
    return next(filter(None, map(os.environ.get, ENDPOINT_VARIABLES)), None)
