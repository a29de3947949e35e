"""A file that is wanted of a server, and what a server may give in its place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from urllib.parse import urlsplit

import requests

from ...errors import RetrievalError
from ..service.answers import Said, Speaker, is_page, judge
from ..service.service_failures import ELSEWHERE, NotFoundError

_MOST_BYTES = 100 * 10**9
_ADDRESS_SHOWN = 500


class StaleFileError(RetrievalError):
    """The file on the server is not the one that the job lists."""


class StrangeContentError(RetrievalError):
    """What arrives in place of a file is something else, such as the page of a web filter."""


@dataclass(frozen=True)
class Wanted:
    """A file on a server, and what is known about it before it is asked for."""

    url: str  # its address
    size: int | None = None  # bytes that it has to have, None where nobody said
    expires: datetime | None = None  # when the server removes it, None where it is kept
    # What it begins with, one of these; empty where that may be anything.
    starts: tuple[bytes, ...] = ()
    most: int = _MOST_BYTES  # bytes that it cannot have more of where its size is unknown

    @property
    def address(self) -> str:
        """The address for messages: not endless, and without a query, which may be signed."""
        return self.url.partition("?")[0][:_ADDRESS_SHOWN]

    @property
    def name(self) -> str:
        """Name of the file for messages."""
        return self.address.rpartition("/")[2] or self.address

    @property
    def host(self) -> str:
        """Server for messages."""
        return urlsplit(self.url).netloc


def check_content(
    wanted: Wanted, response: requests.Response, head: bytes, begin: int, total: int | None
) -> None:
    """Check that what arrives can be the file.

    Parameters
    ----------
    response
        Whose status says that it is the file, or a part of it.
    head
        First bytes; empty where the answer begins within the file.
    begin
        Where in the file the answer begins.
    total
        Size of the file as the server says, if it does.

    Raises
    ------
    StrangeContentError
        If it is a page, packed a second time, or something else.
    """
    kind = response.headers.get("Content-Type", "")
    if is_page(kind, head):
        raise StrangeContentError(
            f"A web page{judge(kind, head).quoted} arrives in place of {wanted.name}, as from a "
            f"web filter, a proxy or the login page of a network; open {wanted.address} in a "
            f"browser, or ask whoever runs the network to let {wanted.host} through."
        )
    if packing(response):
        raise StrangeContentError(
            f"{wanted.name} arrives packed a second time ({packing(response)}), which something on "
            f"the way does; {ELSEWHERE}."
        )
    is_other = bool(wanted.starts) and not begin and not head.startswith(wanted.starts)
    # One of the right size is damaged rather than another.
    if is_other and (wanted.size is None or total != wanted.size):
        raise StrangeContentError(
            f"What arrives in place of {wanted.name} is something else{judge(kind, head).quoted}, "
            f"as from a web filter or a proxy; {ELSEWHERE}."
        )


def stale(wanted: Wanted, fact: str) -> StaleFileError:
    """Return the error for a file of another size, with what is the case as a clause."""
    return StaleFileError(
        f"{wanted.name} {fact}, but its job lists {wanted.size}; something on the way may "
        f"have changed it: {ELSEWHERE}, and order the product again if it is the same there."
    )


def packing(response: requests.Response) -> str:
    """Return how a body is packed, empty where it is not."""
    encoding = response.headers.get("Content-Encoding", "").strip().lower()[:20]
    return "" if encoding == "identity" else encoding


def not_given(wanted: Wanted, status: int, said: Said) -> RetrievalError:
    """Return the sentence for a file that a server refuses."""
    name = wanted.name
    expired = wanted.expires is not None and wanted.expires <= datetime.now(timezone.utc)
    if status in (403, 404, 410) and (expired or status == 410):
        since = f" since {wanted.expires:%Y-%m-%d}" if expired else ""
        return NotFoundError(
            f"{name} is not on the server (HTTP {status}), because it has expired{since}; order it "
            "again."
        )
    if status in (401, 403) and said.speaker is Speaker.PAGE:
        return RetrievalError(
            f"{name} is refused by a firewall or a web filter (HTTP {status}){said.quoted}; "
            f"{ELSEWHERE}, or ask whoever runs the network to let {wanted.host} through."
        )
    if status in (403, 404):
        kept = f"until {wanted.expires:%Y-%m-%d}" if wanted.expires else "without an expiration"
        remedy = f"{ELSEWHERE}, and report" if status == 403 else "try again later, and report"
        return NotFoundError(
            f"{name} is not on the server (HTTP {status}){said.quoted}, although its job lists it "
            f"{kept}; {remedy} the job to whoever runs the service if it stays so."
        )
    login = ", which asks for a login that files of HyP3 do not need" if status == 401 else ""
    return RetrievalError(
        f"{name} is refused by the server (HTTP {status}){said.quoted}{login}; {ELSEWHERE}, and "
        "report the job to whoever runs the service if it stays so."
    )
