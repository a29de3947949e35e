"""One file over HTTP: resumed, checked for its size, repeated where that helps."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import requests
import urllib3.exceptions

from ...errors import Canceled, RetrievalError
from ...machine.atomic import not_writable
from ...run.proxies import proxy_fault
from ..service.answers import judge
from ..service.connection import CONNECT_SECONDS, READ_SECONDS
from ..service.retries import RetryPolicy, retry_after, when_to_retry
from ..service.service_failures import ELSEWHERE, is_final, may_pass, unreachable
from .wanted import StrangeContentError, Wanted, check_content, not_given, packing, stale

_BLOCK = 1 << 17
_HEAD = 1 << 12
_PROGRESS_BYTES = 1 << 16
_NETWORK_ERRORS = (requests.RequestException, urllib3.exceptions.HTTPError)


@dataclass(frozen=True)
class Pace:
    """How slowly a file may arrive; proxies that scan files let little through until the end."""

    seconds: float = 120.0  # how long is looked at
    rate: float = 1000.0  # bytes a second that have to arrive on average meanwhile


class _TemporaryError(Exception):
    """A failure after which another attempt makes sense."""

    def __init__(self, reason: str, pause: float | None = None) -> None:
        super().__init__(reason)
        self.pause = pause


class Transfer:
    """Fetches files with one session, for one thread.

    Parameters
    ----------
    session
        Without credentials.
    policy
        When to try again.
    stop
        Set when the run ends early; every wait looks at it.
    on_bytes
        Called with the number of bytes that arrived.
    pace
        How slowly a file may arrive.
    """

    def __init__(
        self,
        session: requests.Session,
        policy: RetryPolicy,
        stop: threading.Event,
        on_bytes: Callable[[int], None],
        pace: Pace | None = None,
    ) -> None:
        self._pace = pace or Pace()
        self._session = session
        self._policy = policy
        self._stop = stop
        self._on_bytes = on_bytes

    def check_stop(self) -> None:
        """Raise :class:`Canceled` when the run ends early."""
        if self._stop.is_set():
            raise Canceled("The download was canceled.")

    def fetch(self, wanted: Wanted, part: Path) -> None:
        """Bring a file to disk, starting with what a former run left of it.

        The files of a job never change, so that a rest fits what was there; whoever knows a
        checksum looks at the whole.

        Raises
        ------
        NotFoundError
            If the server does not have the file (403 and 404; content networks say either).
        StaleFileError
            If the server's file has another size than expected.
        StrangeContentError
            If something else arrives in its place.
        RetrievalError
            If it does not arrive, however often it is tried.
        OutputError
            If it cannot be written.
        """
        failures = 0
        while True:
            self.check_stop()
            have = part.stat().st_size if part.is_file() else 0
            if have > (wanted.most if wanted.size is None else wanted.size):
                part.unlink()
                have = 0
            if have and have == wanted.size:
                return
            try:
                self._attempt(wanted, part, have)
                return
            except _TemporaryError as problem:
                arrived = part.stat().st_size - have if part.is_file() else 0
                failures = 1 if arrived >= _PROGRESS_BYTES else failures + 1
                if failures >= self._policy.attempts:
                    raise RetrievalError(
                        f"{wanted.name} did not arrive in {failures} attempts ({problem}); run the "
                        "same command again to fetch the rest."
                    ) from None
                self._pause(wanted, problem, failures)

    def _pause(self, wanted: Wanted, problem: _TemporaryError, failures: int) -> None:
        pause = self._policy.delay(failures) if problem.pause is None else problem.pause
        if pause > self._policy.longest_request:
            raise RetrievalError(
                f"{wanted.name} is not served at the moment ({problem}); run the same command "
                f"again {when_to_retry(pause)}."
            )
        self._stop.wait(pause)

    def _attempt(self, wanted: Wanted, part: Path, have: int) -> None:
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
        try:
            with self._session.get(
                wanted.url, headers=headers, stream=True, timeout=(CONNECT_SECONDS, READ_SECONDS)
            ) as response:
                if response.status_code == 416 and _total(response) == have:
                    return  # a former run was stopped at the end of a file of unknown size
                begin, total = self._begin(response, wanted, part, have)
                head = b"" if begin else _head(response)
                size = self._judged(response, head, wanted, part, begin, total)
                received = self._write(response, head, part, begin, size, wanted)
        except _NETWORK_ERRORS as error:
            if isinstance(error, ValueError):
                raise RetrievalError(
                    f"{wanted.address!r} is not an address that can be downloaded from."
                ) from None
            if is_final(error):
                raise unreachable(error, wanted.host) from None
            raise _TemporaryError(_reason(error, wanted.url)) from None
        # Where nobody said how long the file is, its end is where the server closed.
        if size is not None and received < size:
            raise _TemporaryError(f"the connection broke after {received} of {size} bytes")

    def _begin(
        self, response: requests.Response, wanted: Wanted, part: Path, have: int
    ) -> tuple[int, int | None]:
        """Return where the answer begins in the file, and how long the server says that it is."""
        status = response.status_code
        if may_pass(status):
            raise _TemporaryError(
                f"HTTP {status}", retry_after(response.headers.get("Retry-After"))
            )
        if status == 416:
            part.unlink(missing_ok=True)
            raise _TemporaryError("the server's file is shorter than the part that was there")
        if status not in (200, 206):
            kind = response.headers.get("Content-Type", "")
            raise not_given(wanted, status, judge(kind, _head(response)))
        if status == 200:
            return 0, _number(response.headers.get("Content-Length"))
        match = re.fullmatch(
            r"bytes ([0-9]{1,18})-[0-9]{1,18}/[0-9]{1,18}",
            response.headers.get("Content-Range", ""),
        )
        if match is None or int(match[1]) != have:
            part.unlink(missing_ok=True)
            raise _TemporaryError("the server sent another part than asked for")
        return have, _total(response)

    def _judged(
        self,
        response: requests.Response,
        head: bytes,
        wanted: Wanted,
        part: Path,
        begin: int,
        total: int | None,
    ) -> int | None:
        """Return the size of the file, or raise where the answer is something else."""
        if not begin and not head and (wanted.size or wanted.starts):
            raise _TemporaryError("the server sends nothing")
        check_content(wanted, response, head, begin, total)
        if wanted.size is not None and total is not None and total != wanted.size:
            part.unlink(missing_ok=True)
            raise stale(wanted, f"has {total} bytes on the server")
        return wanted.size if total is None else total

    def _write(
        self,
        response: requests.Response,
        head: bytes,
        part: Path,
        begin: int,
        size: int | None,
        wanted: Wanted,
    ) -> int:
        """Append the body, as it arrives, and return the size of the file."""
        most = wanted.most if size is None else size
        try:
            # Unbuffered, so that a killed run loses nothing of what had arrived.
            with part.open("r+b" if begin else "wb", buffering=0) as file:
                if begin:
                    file.seek(begin)
                for block in self._blocks(response, head):
                    self.check_stop()
                    file.write(block)
                    self._on_bytes(len(block))
                    if file.tell() > most:
                        break
                received = file.tell()
        except OSError as error:
            if isinstance(error, _NETWORK_ERRORS):
                raise
            raise not_writable(part, error) from None
        if received > most:
            part.unlink(missing_ok=True)
            if wanted.size is None:
                raise StrangeContentError(
                    f"{wanted.name} goes on beyond {most / 1e9:.1f} GB, which no such file has; "
                    f"{ELSEWHERE}."
                )
            raise stale(wanted, f"goes on beyond {most} bytes on the server")
        return received

    def _blocks(self, response: requests.Response, head: bytes) -> Iterator[bytes]:
        """Return the body as it arrives, as long as it does."""
        begin, arrived = time.monotonic(), len(head)
        if head:
            yield head
        # read1 also gives what came before a connection broke.
        while block := response.raw.read1(_BLOCK, decode_content=False):
            yield block
            arrived += len(block)
            waited = time.monotonic() - begin
            if waited > self._pace.seconds:
                if arrived < waited * self._pace.rate:
                    raise _TemporaryError("the server sends hardly anything")
                begin, arrived = time.monotonic(), 0


def _head(response: requests.Response) -> bytes:
    """Return the first bytes of a body, enough to see what it is."""
    # A packed answer is never a file that was asked for, but its words are worth reading.
    packed = packing(response) != ""
    head = b""
    while len(head) < _HEAD:
        block = response.raw.read1(_HEAD - len(head), decode_content=packed)
        if not block:
            break
        head += block
    return head


def _reason(error: Exception, url: str) -> str:
    """Return what broke, for a failure after which another attempt makes sense."""
    if isinstance(error, requests.exceptions.ProxyError):
        return proxy_fault(url, error)
    if "NameResolutionError" in str(error):
        return "its host is not known to the network"
    if isinstance(
        error, requests.ConnectTimeout | urllib3.exceptions.ConnectTimeoutError
    ) or "NewConnectionError" in str(error):
        return "the server does not accept connections"
    if isinstance(error, requests.Timeout | urllib3.exceptions.ReadTimeoutError):
        return "the server went silent"
    return "the connection broke"


def _total(response: requests.Response) -> int | None:
    """Return the size of the file of which an answer is a part, or which has no such part."""
    return _number(response.headers.get("Content-Range", "").rpartition("/")[2])


def _number(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch("[0-9]{1,18}", text) else None
