"""HTTP sessions with timeouts and nothing secret for hosts that need none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.exceptions import MaxRetryError
from urllib3.util.retry import Retry

from ..errors import InvalidParameterError
from .patience import retry_after

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

CONNECT_SECONDS = 10.0
READ_SECONDS = 60.0
LONGEST_PAUSE_SECONDS = 60.0
"""The longest pause that the API may ask for with ``Retry-After`` within a run."""
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_DEFAULT_PORTS = {"http": 80, "https": 443}


class TimeoutAdapter(HTTPAdapter):
    """Adds a timeout to every request that has none, because hyp3_sdk sets none."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        """Send the request with a bound on connecting and on each read.

        Raises
        ------
        requests.exceptions.ProxyError
            The proxy asks for another login, as it is raised where a tunnel is refused.
        """
        if kwargs.get("timeout") is None:
            kwargs["timeout"] = (CONNECT_SECONDS, READ_SECONDS)
        response = super().send(request, *args, **kwargs)
        if response.status_code == requests.codes.proxy_authentication_required:
            response.close()
            raise requests.exceptions.ProxyError(
                f"Tunnel connection failed: {response.status_code}", request=request
            )
        return response


class NoCredentials(AuthBase):
    """Keeps requests from sending ``.netrc`` entries to hosts of downloads."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Leave the request alone."""
        return request


class BearerToken(AuthBase):
    """Sends a token to one host only, whatever pages or redirects point at.

    Parameters
    ----------
    token
        Earthdata Login user token.
    url
        Any address on the host that may see the token.
    """

    def __init__(self, token: str, url: str) -> None:
        self._token = token
        self._origin = _origin(url)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the header where the address has the same scheme, host and port."""
        if _origin(request.url or "") == self._origin:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _origin(url: str) -> tuple[str, str | None, int | None]:
    """Return scheme, host and port as they are compared: requests itself changes how they read."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme)


class _ShortRetry(Retry):
    """Gives up where a service asks to wait for long, instead of sleeping that through unseen."""

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> Self:
        """Count one more attempt, unless the answer forbids to make it soon."""
        pause = None if response is None else retry_after(response.headers.get("Retry-After"))
        if pause is not None and pause > LONGEST_PAUSE_SECONDS:
            raise MaxRetryError(kwargs["_pool"], url or "")
        return super().increment(method, url, response, *args, **kwargs)


def mount_patience(session: requests.Session) -> None:
    """Give a session of API calls timeouts and a few retries on 429, 5xx and lost connections."""
    retry = _ShortRetry(
        total=4,
        connect=1,
        backoff_factor=0.5,
        status_forcelist=(429, 500, 502, 503, 504),
        allowed_methods=("GET",),
        raise_on_status=False,
    )
    adapter = TimeoutAdapter(max_retries=retry)
    session.mount("https://", adapter)
    session.mount("http://", adapter)


def download_session() -> requests.Session:
    """Return a session for product files, which need no login; retries are the caller's."""
    session = requests.Session()
    session.auth = NoCredentials()
    adapter = TimeoutAdapter(max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def checked_api_url(url: str) -> str:
    """Return the address of a HyP3 API without a trailing slash.

    Raises
    ------
    InvalidParameterError
        It is no web address, or one that would carry credentials over the network in the clear.
    """
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in _DEFAULT_PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address:
        raise InvalidParameterError(
            f"API_URL is {url!r}, but it has to read like https://hyp3-api.asf.alaska.edu."
        )
    if parts.username or parts.password:
        raise InvalidParameterError(
            "API_URL must not contain a user name or password; use an authentication configuration."
        )
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise InvalidParameterError(
            f"API_URL is {url}, which would send your credentials unencrypted; use https."
        )
    return url.rstrip("/")
