"""The way to stacks in S3-compatible object stores."""

from __future__ import annotations

import asyncio
import atexit
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from zarr.core.sync import sync
from zarr.storage import FsspecStore

from ..errors import InvalidParameterError
from ..run.parameters import Parameters
from .address import (
    ENDPOINT_VARIABLES,
    ObjectAddress,
    checked_endpoint,
    is_address,
    parse_address,
)

if TYPE_CHECKING:
    from aiobotocore.session import AioSession
    from s3fs import S3FileSystem

PATIENT = 8
"""Attempts for each request of a build, with waits that grow to 20 seconds: a minute or two."""

BRIEF = 3
"""Attempts while the user waits to hear whether the place can be written to."""

_CONNECT_SECONDS = 10.0
_READ_SECONDS = 30.0
"""Longest silence of a service that lists or removes a thousand objects."""

_CHUNK_SECONDS = 10.0
"""The same for chunks, which services take and give at once: what a lost answer costs."""

_ENDLESS = 360
"""So many times as long no request for a chunk takes: an hour."""

_CLOSE_SECONDS = 5.0
"""How long connections may take to be closed before they are left to the end of the process."""

_CONNECTIONS = 32

Answer = TypeVar("Answer")


class RemoteLocation(ObjectAddress):
    """An address with the way there."""

    @property
    def service(self) -> str:
        """What to call the service in messages."""
        return self.other_service or "the S3 service"

    @property
    def other_service(self) -> str | None:
        """Address of a service other than Amazon's; None for that one."""
        return self.endpoint or _configured_endpoint(self.profile)

    def file_system(
        self, attempts: int = PATIENT, silence: float = _READ_SECONDS, shared: bool = False
    ) -> S3FileSystem:
        """Return access to the service from coroutines in Zarr's loop; nothing is asked yet.

        Parameters
        ----------
        attempts
            How often a request is tried that fails for a reason that may pass.
        silence
            For how many seconds an answer is waited for.
        shared
            Whether all who ask in this process get the same connections, until it ends. All others
            have to be closed with :func:`close_connections`.
        """
        # Takes a quarter of a second, which builds on a disk need not spend.
        from s3fs import S3FileSystem

        config: dict[str, Any] = {
            "retries": {"total_max_attempts": attempts, "mode": "standard"},
            "connect_timeout": _CONNECT_SECONDS,
            "read_timeout": silence,
            "max_pool_connections": _CONNECTIONS,
        }
        if self.other_service is not None:
            # Services other than Amazon's often reject the checksums that botocore adds by itself.
            for option in ("request_checksum_calculation", "response_checksum_validation"):
                if f"AWS_{option.upper()}" not in os.environ:
                    config[option] = "when_required"
        options: dict[str, Any] = {"endpoint_url": self.endpoint}
        if shared:
            options["profile"] = self.profile
        else:
            options["session"] = _new_session(self.profile)
        files = S3FileSystem(
            config_kwargs=config,
            # Else its connections are closed when it is collected, in whichever loop runs then.
            asynchronous=True,
            use_listings_cache=False,
            skip_instance_cache=not shared,
            max_concurrency=1,  # more costs an extra request for the size of each chunk
            **{name: value for name, value in options.items() if value},
        )
        if shared:
            _close_at_exit(files)
        return files

    def store(self, read_only: bool = False, shared: bool = False) -> FsspecStore:
        """Return the place as a Zarr store."""
        return FsspecStore(
            self.file_system(silence=_CHUNK_SECONDS, shared=shared),
            read_only=read_only,
            path=f"{self.bucket}/{self.key}",
        )


def _new_session(profile: str | None) -> AioSession:
    """Return a session with credentials of its own.

    The descriptions of services, which take a tenth of a second, are read once for all of them.
    """
    from aiobotocore.session import AioSession

    session = AioSession(profile=profile)
    session.register_component("data_loader", _service_descriptions())
    return session


@cache
def _service_descriptions() -> Any:
    from botocore.loaders import create_loader

    return create_loader(os.environ.get("AWS_DATA_PATH"))


async def asked_again(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """Ask an object store once more where a request for a chunk never ends.

    An attempt ends by itself where no answer comes. But aiohttp waits without end where a service
    does not take what is sent, and after an interim answer (1xx). Slow uploads have their time.
    """
    try:
        async with asyncio.timeout(_ENDLESS * _CHUNK_SECONDS):
            return await ask()
    except TimeoutError:
        return await ask()


def close_connections(files: S3FileSystem) -> None:
    """Close the connections to a service; asking it again opens new ones."""
    if files._s3 is not None:
        files._s3 = None
        with suppress(TimeoutError):
            sync(files._s3creator.__aexit__(None, None, None), timeout=_CLOSE_SECONDS)


@cache
def _close_at_exit(files: S3FileSystem) -> None:
    atexit.register(close_connections, files)


def parse_location(
    url: str, endpoint: str | None = None, profile: str | None = None, parameter: str = "ZARR_URL"
) -> RemoteLocation:
    """Return the place that a URL names; see :func:`parse_address`.

    The address of a service in the environment or in a profile is checked as ``S3_ENDPOINT`` is.
    """
    found = parse_address(url, endpoint, profile, parameter)
    if found.endpoint is None:
        _configured_endpoint(profile)
    return RemoteLocation(found.bucket, found.key, found.endpoint, found.profile, found.parameter)


def stack_source(given: Parameters) -> Path | RemoteLocation:
    """Return the stack that ``INPUT`` names, on disk or in an object store.

    Raises
    ------
    InvalidParameterError
        If there is nothing on disk, or the address is none.
    """
    text = given.text("INPUT")
    if text is not None and is_address(text):
        return parse_location(
            text, given.text("S3_ENDPOINT"), given.text("S3_PROFILE"), parameter="INPUT"
        )
    path = given.path("INPUT", required=True)
    if path is None or not path.exists():
        raise InvalidParameterError(f"INPUT is {path}, but there is nothing of that name.")
    return path


def _configured_endpoint(profile: str | None) -> str | None:
    """Return the address of the service that botocore takes where it is given none.

    Raises
    ------
    InvalidParameterError
        If it is malformed or holds a password, which messages would repeat.
    """
    from botocore.exceptions import BotoCoreError
    from botocore.session import Session

    session = Session(profile=profile)
    try:
        settings = session.get_scoped_config()
        services = session.full_config.get("services", {})
        is_ignored = session.get_config_variable("ignore_configured_endpoint_urls")
    except BotoCoreError:
        return None  # The first request reports what is wrong with a profile.
    if is_ignored:
        return None
    for name in ENDPOINT_VARIABLES:
        if os.environ.get(name):
            return checked_endpoint(os.environ[name], name)
    of_service = services.get(settings.get("services"), {}).get("s3", {})
    url = of_service.get("endpoint_url") or settings.get("endpoint_url")
    return checked_endpoint(url, "endpoint_url in ~/.aws/config")
