"""Which host an address leads to, and whether secrets may go there."""

from __future__ import annotations

import ipaddress

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

Origin = tuple[str, str, int]
"""Scheme, host and port, as connections are made to them."""

_DEFAULT_PORTS = {"http": 80, "https": 443}


def origin(url: str) -> Origin | None:
    """Return the origin of an address, None for anything that is not HTTP.

    The address is taken apart by the library that connects to it: another reading of an odd
    address would guard another host than the one that is asked.
    """
    try:
        parts = parse_url(url)
    except LocationParseError:
        return None
    scheme = parts.scheme or ""
    if scheme not in _DEFAULT_PORTS or not parts.host:
        return None
    return scheme, parts.host.strip("[]"), parts.port or _DEFAULT_PORTS[scheme]


def is_loopback(host: str) -> bool:
    """Return whether a host is this computer, whatever the network says."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def keeps_secrets(place: Origin) -> bool:
    """Return whether nobody on the way to an origin can read what is sent."""
    scheme, host, _ = place
    return scheme == "https" or is_loopback(host)
