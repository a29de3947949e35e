"""One file over HTTP: resumed, checked for its size, repeated where that helps."""

from __future__ import annotations

import errno
import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import requests
import urllib3.exceptions

from ..errors import Canceled, OutputError, RetrievalError
from ..proxies import proxy_fault
from .connection import CONNECT_SECONDS, READ_SECONDS
from .patience import RetryPolicy, retry_after
from .session import NotFoundError

_BLOCK = 1 << 17
_PROGRESS_BYTES = 1 << 16
_TEMPORARY_STATUS = frozenset((408, 425, 429, 500, 502, 503, 504))
_NETWORK_ERRORS = (requests.RequestException, urllib3.exceptions.HTTPError)


class StaleFileError(RetrievalError):
    """The file on the server is not the one that the job lists."""


class _TemporaryError(Exception):
    """A failure after which another attempt makes sense."""

    def __init__(self, reason: str, pause: float | None = None) -> None:
        super().__init__(reason)
        self.pause = pause


@dataclass(frozen=True)
class Origin:
    """Which version of which file a partial one is: address, validators of RFC 9110, and size."""

    url: str
    etag: str
    modified: str
    size: int

    @property
    def validator(self) -> str:
        """Value for ``If-Range``, empty where the server gave nothing that can be trusted."""
        return self.modified if self.etag.startswith("W/") or not self.etag else self.etag

    def save(self, part: Path) -> None:
        """Write this beside the partial file."""
        _origin_path(part).write_text(json.dumps(vars(self)), encoding="utf-8")

    @classmethod
    def load(cls, part: Path) -> Origin | None:
        """Read what a partial file is; None where that is unknown."""
        try:
            return cls(**json.loads(_origin_path(part).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None


def _origin_path(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def discard(part: Path) -> None:
    """Remove a partial file with its origin."""
    part.unlink(missing_ok=True)
    _origin_path(part).unlink(missing_ok=True)


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
        Told how many bytes arrived.
    """

    def __init__(
        self,
        session: requests.Session,
        policy: RetryPolicy,
        stop: threading.Event,
        on_bytes: Callable[[int], None],
    ) -> None:
        self._session = session
        self._policy = policy
        self._stop = stop
        self._on_bytes = on_bytes

    def check_stop(self) -> None:
        """Raise :class:`Canceled` when the run ends early."""
        if self._stop.is_set():
            raise Canceled("The download was canceled.")

    def fetch(self, url: str, part: Path, size: int | None) -> Origin:
        """Bring a file to disk, starting with what a former run left of it.

        Parameters
        ----------
        url
            Address of the file.
        part
            Where it goes; its origin is kept beside it.
        size
            Bytes that the file has to have, None where nobody said.

        Returns
        -------
        Origin
            Of the now complete file.

        Raises
        ------
        NotFoundError
            The server does not have the file (403 and 404; content networks say either).
        StaleFileError
            The server's file has another size than expected.
        RetrievalError
            It does not arrive, however often it is tried.
        OutputError
            It cannot be written.
        """
        failures = 0
        while True:
            self.check_stop()
            have, origin = self._resumable(url, part, size)
            if origin is not None and have == origin.size:
                return origin
            try:
                return self._attempt(url, part, size, have, origin)
            except _TemporaryError as problem:
                arrived = part.stat().st_size - have if part.is_file() else 0
                failures = 1 if arrived >= _PROGRESS_BYTES else failures + 1
                if failures >= self._policy.attempts:
                    raise RetrievalError(
                        f"{_name(url)} did not arrive in {failures} attempts ({problem}); run the "
                        "same command again to fetch the rest."
                    ) from None
                self._pause(url, problem, failures)

    def _pause(self, url: str, problem: _TemporaryError, failures: int) -> None:
        pause = self._policy.delay(failures) if problem.pause is None else problem.pause
        if pause > self._policy.longest_request:
            raise RetrievalError(
                f"{_name(url)} is not served for the next {pause:.0f} seconds ({problem}); run the "
                "same command again later."
            )
        self._stop.wait(pause)

    def _resumable(self, url: str, part: Path, size: int | None) -> tuple[int, Origin | None]:
        """Return how much of the file is there, dropping what cannot be continued."""
        origin = Origin.load(part)
        have = part.stat().st_size if part.is_file() else 0
        known = origin is not None and origin.url == url and size in (None, origin.size)
        if have and (not known or origin is None or have > origin.size):
            discard(part)
            return 0, None
        return have, origin if have or known else None

    def _attempt(
        self, url: str, part: Path, size: int | None, have: int, origin: Origin | None
    ) -> Origin:
        headers = {"Accept-Encoding": "identity"}
        if have and origin is not None:
            headers["Range"] = f"bytes={have}-"
            if origin.validator:
                headers["If-Range"] = origin.validator
        try:
            with self._session.get(
                url, headers=headers, stream=True, timeout=(CONNECT_SECONDS, READ_SECONDS)
            ) as response:
                begin, total = self._judge(response, url, part, have, size)
                current = Origin(
                    url=url,
                    etag=response.headers.get("ETag", ""),
                    modified=response.headers.get("Last-Modified", ""),
                    size=-1 if total is None else total,
                )
                received = self._write(response, part, begin, current)
        except _NETWORK_ERRORS as error:
            if isinstance(error, ValueError):
                raise RetrievalError(f"{url} is no address that can be downloaded from.") from None
            raise _TemporaryError(_reason(error, url)) from None
        if total is None:
            # Nobody said how long the file is; its end is where the server closed.
            current = Origin(url, current.etag, current.modified, received)
            current.save(part)
        elif received < total:
            raise _TemporaryError(f"the connection broke after {received} of {total} bytes")
        elif received > total:
            discard(part)
            raise _TemporaryError(f"{received} instead of {total} bytes arrived")
        return current

    def _judge(
        self, response: requests.Response, url: str, part: Path, have: int, size: int | None
    ) -> tuple[int, int | None]:
        """Return where the answer begins in the file, and how long the file is."""
        status = response.status_code
        if status in _TEMPORARY_STATUS:
            raise _TemporaryError(
                f"HTTP {status}", retry_after(response.headers.get("Retry-After"))
            )
        if status == 416:
            discard(part)
            raise _TemporaryError("the server's file is shorter than what was there of it")
        if status in (403, 404, 410):
            raise NotFoundError(
                f"{_name(url)} is not on the server (HTTP {status}); products expire, so order it "
                "again."
            )
        if status not in (200, 206):
            raise RetrievalError(f"{_name(url)} is refused by the server (HTTP {status}).")
        begin, total = 0, _number(response.headers.get("Content-Length"))
        if status == 206:
            match = re.fullmatch(
                r"bytes (\d+)-(\d+)/(\d+)", response.headers.get("Content-Range", "")
            )
            if match is None or int(match[1]) != have:
                discard(part)
                raise _TemporaryError("the server sent another part than asked for")
            begin, total = have, int(match[3])
        if size is not None and total is not None and total != size:
            discard(part)
            raise StaleFileError(
                f"{_name(url)} has {total} bytes on the server, but its job lists {size}; order "
                "the product again."
            )
        return begin, size if total is None else total

    def _write(self, response: requests.Response, part: Path, begin: int, current: Origin) -> int:
        """Append the body, as it arrives, and return the size of the file."""
        try:
            # Unbuffered, so that a killed run loses nothing of what had arrived.
            with part.open("r+b" if begin else "wb", buffering=0) as file:
                if begin:
                    file.seek(begin)
                current.save(part)
                # read1 also gives what came before a connection broke.
                while block := response.raw.read1(_BLOCK, decode_content=False):
                    self.check_stop()
                    file.write(block)
                    self._on_bytes(len(block))
                return file.tell()
        except OSError as error:
            if isinstance(error, _NETWORK_ERRORS):
                raise
            raise write_error(part, error) from None


def write_error(path: Path, error: OSError) -> OutputError:
    """Return the sentence for a file that cannot be written."""
    if error.errno == errno.ENOSPC:
        return OutputError(f"The disk of {path.parent} is full; free some space and run it again.")
    return OutputError(f"{path} cannot be written ({error.strerror or error}).")


def _reason(error: Exception, url: str) -> str:
    if isinstance(error, requests.exceptions.SSLError):
        return "the certificate of the server is not trusted"
    if isinstance(error, requests.exceptions.ProxyError):
        return proxy_fault(url, error)
    if isinstance(error, requests.ConnectTimeout | urllib3.exceptions.ConnectTimeoutError):
        return "the server does not accept connections"
    if isinstance(error, requests.Timeout | urllib3.exceptions.ReadTimeoutError):
        return "the server went silent"
    return "the connection broke"


def _name(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2] or url


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None
