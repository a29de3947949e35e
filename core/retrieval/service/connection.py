"""HTTP sessions that send each host only what is meant for it, and read within limits."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import DecodeError, HTTPError, ReadTimeoutError

from ...errors import InvalidParameterError, RetrievalError
from ...run.proxies import proxy_of, unusable_proxy
from .origins import Origin, is_loopback, keeps_secrets, origin

CONNECT_SECONDS = 10.0
READ_SECONDS = 60.0
_BLOCK = 1 << 16
_MOST_TRAILERS = 100
BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")

Secrets = Mapping[Origin, Mapping[str, str | bytes]]
"""Headers by the one origin that may see them."""


class AnswerTooLongError(requests.RequestException):
    """An answer has more bytes than any that a service gives."""


class BadRedirectError(requests.RequestException):
    """A redirect leads to something that is not an address."""


class AnswerTooSlowError(requests.RequestException):
    """An answer trickles in, and would take hours."""


@dataclass(frozen=True)
class AnswerLimits:
    """How much of an answer is read."""

    # Of one answer, unpacked. A page of HyP3 has 10 MB at most (the limit of its gateway), one of
    # the catalog hardly 5 MB.
    bytes: int = 16 << 20
    # Bytes of all answers of a session, and their number; None for no limit.
    total: int | None = None
    answers: int | None = None
    patience: float = 30.0  # seconds that an answer may take however little arrives
    rate: float = 1000.0  # bytes a second that have to arrive on average after that


class _Answer(HTTPResponse):
    """Reads no more lines behind a body in chunks than headers before it."""

    def _read_and_discard_trailer(self) -> None:
        for _ in range(_MOST_TRAILERS):
            if not self.fp.readline(_BLOCK).rstrip(b"\r\n"):
                return
        raise HTTPException("too many trailers")


class _Impatient(HTTPConnection):
    """Gives headers, also those of a proxy, the time for one read: each byte would renew it."""

    response_class = _Answer

    def getresponse(self) -> Any:
        """Return the answer, or end the connection.

        Raises
        ------
        TimeoutError
            If the headers did not come in time.
        """
        with self._in_time():
            return super().getresponse()

    def _tunnel(self) -> None:
        with self._in_time():
            super()._tunnel()

    @contextmanager
    def _in_time(self) -> Iterator[None]:
        seconds = self.timeout if isinstance(self.timeout, int | float) else READ_SECONDS
        is_over = threading.Event()

        def give_up() -> None:
            is_over.set()
            with suppress(OSError, AttributeError):
                self.sock.shutdown(socket.SHUT_RDWR)

        watch = threading.Timer(seconds, give_up)
        watch.daemon = True
        watch.start()
        try:
            yield
        finally:
            watch.cancel()
            if is_over.is_set():
                # The end of a connection also ends headers, as if they were whole.
                raise TimeoutError


class _ImpatientSecure(_Impatient, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Impatient


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _ImpatientSecure


_POOLS = {"http": _Pool, "https": _SecurePool}


class GuardedAdapter(HTTPAdapter):
    """The way of every request to the network.

    Whatever libraries, redirects, pages or ``.netrc`` files put into a request, secrets go to the
    origin that they are meant for and nowhere else. Answers that are not streamed are read within
    limits, and so are the bodies of redirects.

    Parameters
    ----------
    secrets
        Secrets by the origin that they are for.
    limits
        How much of an answer is read.
    """

    # Kept by copies, which libraries make of sessions.
    __attrs__ = [
        *HTTPAdapter.__attrs__,
        "_secrets",
        "_limits",
        "_read_bytes",
        "_answers",
        "_closed",
    ]

    def __init__(self, secrets: Secrets | None = None, limits: AnswerLimits | None = None) -> None:
        self._secrets = secrets or {}
        self._limits = limits or AnswerLimits()
        self._read_bytes = self._answers = 0
        self._closed = False
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools of direct connections."""
        super().init_poolmanager(*args, **kwargs)
        self._make_impatient(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Make the pools of connections by a proxy."""
        return self._make_impatient(super().proxy_manager_for(proxy, **kwargs))

    @staticmethod
    def _make_impatient(manager: PoolManager) -> PoolManager:
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def close(self) -> None:
        """End this; a library that goes on in a thread left behind is refused."""
        self._closed = True
        super().close()

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        """Send a request with what its origin may know, by the proxies of the environment.

        Raises
        ------
        requests.RequestException
            If it was not answered, not within the limits, or the proxy asks for another login.
        RetrievalError
            If the certificates to trust are not where the environment says, or its proxy cannot be
            used.
        """
        if self._closed:
            raise requests.ConnectionError("the session has ended", request=request)
        url = request.url or ""
        place = origin(url)
        if place is None:
            raise requests.exceptions.InvalidURL(url, request=request)
        proxies = _proxies(url, place)
        request.headers.pop("Authorization", None)
        if keeps_secrets(place):
            request.headers.update(self._secrets.get(place, {}))  # type: ignore[arg-type]
        else:
            request.headers.pop("Cookie", None)
        response = super().send(
            request,
            stream=stream,
            timeout=timeout or (CONNECT_SECONDS, READ_SECONDS),
            verify=_bundle(),
            cert=cert,
            proxies=proxies,
        )
        if response.status_code == requests.codes.proxy_authentication_required:
            # As it is raised where a tunnel is refused.
            response.close()
            raise requests.exceptions.ProxyError(
                f"Tunnel connection failed: {response.status_code}", request=request
            )
        if response.is_redirect and not _is_address(response.headers["Location"], url):
            response.close()
            raise BadRedirectError(request=request)
        if not stream or response.is_redirect:
            self._read(response)
        return response

    def _read(self, response: requests.Response) -> None:
        """Read the body within the limits."""
        limits = self._limits
        self._answers += 1
        if self._answers > (limits.answers or self._answers):
            raise AnswerTooLongError(request=response.request)
        blocks: list[bytes] = []
        begin = time.monotonic()
        size = 0
        try:
            while block := response.raw.read1(_BLOCK, decode_content=True):
                blocks.append(block)
                size += len(block)
                self._read_bytes += len(block)
                waited = time.monotonic() - begin
                if size > limits.bytes or self._read_bytes > (limits.total or self._read_bytes):
                    raise AnswerTooLongError(request=response.request)
                if waited > limits.patience and size < waited * limits.rate:
                    raise AnswerTooSlowError(request=response.request)
        except ReadTimeoutError as error:
            raise requests.ReadTimeout(error, request=response.request) from None
        except DecodeError as error:
            raise requests.exceptions.ContentDecodingError(
                error, request=response.request
            ) from None
        except HTTPError as error:
            raise requests.exceptions.ChunkedEncodingError(
                error, request=response.request
            ) from None
        finally:
            response.raw.close()
        # What requests itself would have kept, without a limit.
        response._content = b"".join(blocks)
        response._content_consumed = True  # type: ignore[attr-defined]


def _is_address(location: str, url: str) -> bool:
    """Return whether requests can follow a redirect: it fails on what it cannot read."""
    try:
        return origin(urljoin(url, location.encode("latin-1").decode())) is not None
    except ValueError:
        return False


def _proxies(url: str, place: Origin) -> dict[str, str]:
    address = proxy_of(url)
    proxy = origin(address)
    if not address:
        return {}
    if is_loopback(place[1]) and (proxy is None or not is_loopback(proxy[1])):
        # A proxy elsewhere cannot reach this computer, and would see secrets in the clear.
        return {}
    if proxy is None:
        raise RetrievalError(unusable_proxy(address))
    return {place[0]: address}


def _bundle() -> str | bool:
    """Return the certificates to trust, as requests chooses them."""
    for name in BUNDLES:
        path = os.environ.get(name)
        if path:
            if not os.path.exists(path):
                raise RetrievalError(
                    f"{name} names {path}, which is not there; correct or unset it."
                )
            return path
    return True


def guard(
    session: requests.Session,
    secrets: Secrets | None = None,
    limits: AnswerLimits | None = None,
) -> None:
    """Let a session go to the network by a :class:`GuardedAdapter` only.

    Parameters
    ----------
    session
        Of any library.
    secrets, limits
        See :class:`GuardedAdapter`.
    """
    # The environment is read by the adapter. Here it would also mean .netrc, whose entries
    # requests hands to every host that a redirect names.
    session.trust_env = False
    session.auth = None
    session.headers["Accept-Encoding"] = "gzip"
    adapter = GuardedAdapter(secrets, limits)
    session.mount("https://", adapter)
    session.mount("http://", adapter)


def guarded_session(
    secrets: Secrets | None = None, limits: AnswerLimits | None = None
) -> requests.Session:
    """Return a new session, see :func:`guard`; retries are the caller's."""
    session = requests.Session()
    guard(session, secrets, limits)
    return session


def checked_api_url(url: str) -> str:
    """Return the address of a HyP3 API without a trailing slash.

    Raises
    ------
    InvalidParameterError
        If it is not a web address, or one that would carry credentials over the network in the
        clear.
    """
    try:
        parts = urlsplit(url)
        place = origin(url)
        is_address = place is not None and parts.port != 0
    except ValueError:
        place, is_address = None, False
    if place is None or not is_address:
        raise InvalidParameterError(
            f"API_URL is {url!r}, but it has to read like https://hyp3-api.asf.alaska.edu."
        )
    if parts.username or parts.password:
        raise InvalidParameterError(
            "API_URL must not contain a user name or password; use an authentication configuration."
        )
    if not keeps_secrets(place):
        raise InvalidParameterError(
            f"API_URL is {url}, which would send your credentials unencrypted; use https."
        )
    return url.rstrip("/")
