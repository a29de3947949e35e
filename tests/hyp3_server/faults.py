"""Things that go wrong with an answer, on demand, as gateways, firewalls and filters make them."""

from __future__ import annotations

import gzip
import json
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Fault:
    """What happens to requests for one file or one part of the API.

    Parameters
    ----------
    times
        How many requests it happens to; -1 for all.
    status
        Answer with this status.
    retry_after
        Value of ``Retry-After`` that goes with it.
    cut_after
        Close the connection after so many bytes of the body.
    hold_after
        Keep silent after so many bytes of the body, until the faults are cleared, but not longer
        than two minutes.
    rate
        Bytes a second.
    stall
        Seconds of silence before the body.
    resize
        Bytes added to (or taken from) the end of the file.
    corrupt
        Flip a byte in the middle of the file.
    content, kind
        A body in place of the own one, and its content type.
    headers
        Sent along with ``content``; a length is added unless there is one.
    endless
        Repeat ``content`` for ever, without saying a length.
    stored
        Share of the jobs of an order that are stored before it goes wrong.
    """

    times: int = 1
    status: int | None = None
    retry_after: str | None = None
    cut_after: int | None = None
    hold_after: int | None = None
    rate: float | None = None
    stall: float = 0.0
    resize: int = 0
    corrupt: bool = False
    content: bytes | None = None
    kind: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    endless: bool = False
    stored: float = 0.0
    released: threading.Event = field(default_factory=threading.Event, repr=False)


def gateway(status: int, message: str | None, **more: Any) -> Fault:
    """Return an answer of AWS's API gateway, which the service behind it never saw."""
    return Fault(status=status, content=json.dumps({"message": message}).encode(), **more)


def page(status: int, title: str, **more: Any) -> Fault:
    """Return a page for people: of a firewall, a web filter, a login to a network."""
    text = f"<!DOCTYPE html><html><head><title>{title}</title></head><body>{title}</body></html>"
    return Fault(status=status, content=text.encode(), kind="text/html; charset=utf-8", **more)


def storage(status: int, code: str, message: str, **more: Any) -> Fault:
    """Return an answer of an object store or of the content network in front of it."""
    text = f'<?xml version="1.0"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Fault(status=status, content=text.encode(), kind="application/xml", **more)


def packed(size: int, **more: Any) -> Fault:
    """Return a small answer that unpacks to ``size`` bytes of JSON."""
    # Packed in pieces, of which the long one is made once.
    block = gzip.compress(b" " * (1 << 20))
    content = gzip.compress(b'{"jobs": [') + block * (size >> 20) + gzip.compress(b"]}")
    return Fault(status=200, content=content, headers={"Content-Encoding": "gzip"}, **more)


def redirect(url: str, **more: Any) -> Fault:
    """Return a redirect."""
    return Fault(status=302, content=b"", headers={"Location": url}, **more)


def said(document: Any, **more: Any) -> Fault:
    """Return an answer of any JSON."""
    return Fault(status=200, content=json.dumps(document).encode(), **more)


class Faults:
    """Faults by file name, used up one request after the other."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, list[Fault]] = defaultdict(list)
        self._added: list[Fault] = []

    def add(self, file: str, *faults: Fault) -> None:
        with self._lock:
            self._waiting[file].extend(faults)
            self._added.extend(faults)

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()
            while self._added:
                self._added.pop().released.set()

    def next(self, file: str) -> Fault | None:
        with self._lock:
            waiting = self._waiting.get(file)
            if not waiting:
                return None
            fault = waiting[0]
            if fault.times > 0:
                fault.times -= 1
                if fault.times == 0:
                    waiting.pop(0)
            return fault
