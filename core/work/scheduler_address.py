"""The address of a Dask scheduler. Imports nothing of Dask, which takes a second."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from ..errors import InvalidParameterError

ADDRESS_FORM = "tcp://10.0.0.1:8786"

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]")


def parse_scheduler(text: str) -> str:
    """Return the address of a scheduler as Dask writes it.

    Parameters
    ----------
    text
        Protocol, host and port, as in ``tcp://10.0.0.1:8786``, ``tls://cluster.example.org:8786``
        or ``tcp://[fd00::1]:8786``.

    Raises
    ------
    InvalidParameterError
        If it is not such an address. What may hold a password is not repeated.
    """
    if "@" in text:
        raise InvalidParameterError(
            f"SCHEDULER must not hold credentials; give {ADDRESS_FORM}, and name certificates for "
            "tls:// in Dask's own configuration."
        )
    try:
        parts = urlsplit(text)
        host, port = _host(parts.netloc), parts.port
    except ValueError:
        raise _bad(text, "its host or port is invalid") from None
    if parts.scheme not in ("tcp", "tls"):
        raise _bad(text, "Dask's protocols here are tcp:// and tls://")
    if not host:
        raise _bad(text, "it names no host")
    if not _HOST.fullmatch(host):
        raise _bad(text, f"{host!r} is not the name of a host")
    if not port:
        raise _bad(text, "it names no port, which is often 8786")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise _bad(text, "nothing may follow the port")
    return f"{parts.scheme}://{host}:{port}"


def _host(place: str) -> str:
    """Return the host with the brackets of an IPv6 address."""
    return place[: place.index("]") + 1] if place.startswith("[") else place.partition(":")[0]


def _bad(text: str, reason: str) -> InvalidParameterError:
    return InvalidParameterError(
        f"SCHEDULER is {text!r}, but {reason}; it has to read like {ADDRESS_FORM}."
    )
