"""The proxy of a run: how every library gets it, and what its failures mean."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from ..contract import with_login
from ..errors import InvalidParameterError
from .parameters import is_text

_VARIABLES = {"http": "HTTP_PROXY", "https": "HTTPS_PROXY", "no_proxy": "NO_PROXY"}
# As http.client and as aiohttp put it.
_ANSWER = re.compile(r"Tunnel connection failed: (\d{3})|(\d{3}), message=")
_LOGIN_NEEDED = 407
_PLACE = "QGIS's options (Settings > Options > Network), or in HTTPS_PROXY where that names it"


@contextmanager
def proxy_environment(proxies: Any, credentials: Mapping[str, Any] | None = None) -> Iterator[None]:
    """Let every library of this process use the given proxies inside the block.

    The variables are set in this process only and taken back, so that no child process inherits a
    password of a proxy.

    Parameters
    ----------
    proxies
        ``PROXIES`` of the job: ``http``, ``https`` and ``no_proxy``, all optional.
    credentials
        Those of the job: ``proxy_username`` and ``proxy_password``, where the proxy asks for them.

    Raises
    ------
    InvalidParameterError
        If it is not such an object, or a SOCKS proxy is set.
    """
    # What is wrong is not shown, because it may hold a password.
    wanted: dict[str, str] = {}
    if not isinstance(proxies, Mapping | None):
        raise _no_proxies()
    for key, name in _VARIABLES.items():
        value = (proxies or {}).get(key)
        if value is None or value == "":
            continue
        if not isinstance(value, str) or not is_text(value):
            raise _no_proxies()
        if key != "no_proxy":
            if value.startswith("socks"):
                raise InvalidParameterError(
                    "The proxy of QGIS is a SOCKS proxy, which HyP3 Stack does not support; set an "
                    "HTTP proxy in QGIS's options (Settings > Options > Network)."
                )
            value = with_login(value, credentials or {})
        # The lower-case names win in requests, and the upper-case ones may be set by the system.
        wanted[name] = wanted[name.lower()] = value
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def proxy_of(url: str) -> str:
    """Return the address of the proxy that the environment has for a URL, empty for none."""
    # Most processes ask for no proxy, and this takes long to load.
    from requests.utils import get_environ_proxies, select_proxy

    address = select_proxy(url, get_environ_proxies(url, None)) or ""
    return address if "://" in address or not address else f"http://{address}"


def unusable_proxy(address: str) -> str:
    """Return what to do about a proxy that is not HTTP or has no host, as a sentence."""
    return (
        f"The proxy {_shown(address)} cannot be used, because only HTTP proxies with an address "
        f"like http://proxy:8080 are supported; correct it in {_PLACE}."
    )


def proxy_fault(url: str, problem: BaseException | int) -> str:
    """Return what is wrong with the proxy on the way to an address, as a clause with its remedy.

    Parameters
    ----------
    url
        The address behind the proxy.
    problem
        The error that a library raised, or the status of the proxy's answer.
    """
    proxy = proxy_of(url)
    name = f"the proxy {_shown(proxy)}" if proxy else "the proxy"
    status = problem if isinstance(problem, int) else _status(problem)
    if status == _LOGIN_NEEDED and "@" in proxy:
        return (
            f"{name} does not accept its user name and password (HTTP {status}); correct them in "
            f"{_PLACE} (of the ways to log in to a proxy, only Basic is supported)"
        )
    if status == _LOGIN_NEEDED:
        return f"{name} asks for a user name and password (HTTP {status}); give them in {_PLACE}"
    if status is not None:
        return (
            f"{name} does not connect to {urlsplit(url).hostname} (HTTP {status}); check that "
            "address, or ask whoever runs the proxy to let it through"
        )
    return f"{name} cannot be reached; correct its address in {_PLACE}"


def _shown(address: str) -> str:
    """Return the address of a proxy without its login."""
    scheme, separator, rest = address.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2].partition('/')[0]}"


def _status(error: BaseException) -> int | None:
    """Return the status of the answer of a proxy that made no tunnel; None without an answer."""
    cause: BaseException | None = error
    while cause is not None:
        match = _ANSWER.search(str(cause))
        if match is not None:
            return int(match[1] or match[2])
        cause = cause.__cause__ or cause.__context__
    return None


def sentence(clause: str) -> str:
    """Return a clause as a sentence."""
    return f"{clause[0].upper()}{clause[1:]}."


def _no_proxies() -> InvalidParameterError:
    return InvalidParameterError(
        'PROXIES has to be an object such as {"https": "http://proxy:8080"}; correct it or leave '
        "it out."
    )
