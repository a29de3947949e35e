"""The core process's side of the protocol: answers on standard output, cancel on standard input."""

from __future__ import annotations

import base64
import io
import json
import math
import os
import re
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import PurePath
from typing import Any, TextIO
from urllib.parse import quote

from ..contract import CANCEL_LINE, PROXY_PASSWORD, PROXY_USERNAME, Message, without_logins

PROGRESS_INTERVAL = 0.2
"""Seconds between two progress lines; more would only burden the dialog."""

_STDIN = 0
_STDOUT = 1
_STDERR = 2
_BLOCK = 1 << 16

_LONGEST_TEXT = 10_000
"""Characters of a message; some quote what a layer or file holds."""

_UNSHOWN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that break a line, turn the direction of what follows, or are none."""


class Scrubber:
    """Replaces credentials in text by ``***``; those that are not text are ignored.

    Besides the plain values it knows their URL-quoted form and the header of HTTP basic
    authentication that is made of them. What stands before the host in an address goes as well,
    whosever it is.
    """

    def __init__(self, credentials: Mapping[str, Any] | None = None) -> None:
        self._needles: list[str] = []
        self.learn(credentials)

    def learn(self, credentials: Mapping[str, Any] | None) -> None:
        """Add the values of ``credentials`` to what is replaced."""
        values = {
            key: value
            for key, value in (credentials or {}).items()
            if isinstance(value, str) and value.strip()
        }
        forms = set()
        for name, word in (("username", "password"), (PROXY_USERNAME, PROXY_PASSWORD)):
            if name in values and word in values:
                pair = f"{values[name]}:{values[word]}"
                forms.add(base64.b64encode(pair.encode("utf-8", "surrogatepass")).decode())
        # Often that of the computer as well, which paths hold.
        values.pop(PROXY_USERNAME, None)
        for value in values.values():
            forms |= {value, _quoted(value), _quoted(value, safe="")}
        # Longest first, so that a value inside another one does not leave the rest readable.
        self._needles = sorted({*self._needles, *forms}, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """Return ``text`` without credentials."""
        for needle in self._needles:
            text = text.replace(needle, "***")
        return without_logins(text)


class ScrubbedStream(io.TextIOBase):
    """A text stream that passes whole lines on without credentials.

    It stands in for ``sys.stdout`` and ``sys.stderr``, so that log records, warnings and
    tracebacks of every library go through it.
    """

    def __init__(self, target: TextIO, scrub: Scrubber) -> None:
        self._target = target
        self._scrub = scrub
        self._rest = ""
        self._lock = threading.RLock()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Return the encoding of the stream below."""
        return self._target.encoding

    def writable(self) -> bool:
        """Return that the stream can be written to."""
        return True

    def fileno(self) -> int:
        """Return the descriptor of the stream below."""
        return self._target.fileno()

    def write(self, text: str) -> int:
        """Write the complete lines of ``text`` and keep the rest for the next call."""
        with self._lock:
            *lines, self._rest = (self._rest + text).split("\n")
            if lines:
                self._put("".join(f"{line}\n" for line in lines))
        return len(text)

    def flush(self) -> None:
        """Write what is left of an unfinished line."""
        with self._lock:
            rest, self._rest = self._rest, ""
            self._put(rest)

    def _put(self, text: str) -> None:
        try:
            self._target.write(self._scrub(text))
            self._target.flush()
        except (OSError, ValueError):  # nobody listens any more; the run goes on
            return


class Channel:
    """Writes messages as JSON lines to what was standard output when the process started.

    Standard output itself is pointed at standard error, so that nothing a library prints, in
    Python or below it, can break the protocol.
    """

    def __init__(self, scrub: Scrubber) -> None:
        self._scrub = scrub
        self._lock = threading.Lock()
        self._last_time = -math.inf
        self._last_percent = -1.0
        self._cancel = threading.Event()
        self.is_completing = False
        self._fd = _claim_stdout()
        error = io.TextIOWrapper(
            io.FileIO(_STDERR, "w", closefd=False),
            encoding="utf-8",
            errors="backslashreplace",
            write_through=True,
        )
        sys.stdout = sys.stderr = ScrubbedStream(error, scrub)

    def send(self, message: str, /, **fields: Any) -> None:
        """Write one message; a reader that went away cancels the run."""
        line = json.dumps({"type": message, **_plain(fields)}, allow_nan=False) + "\n"
        data = line.encode()
        with self._lock:
            try:
                while data:
                    data = data[os.write(self._fd, data) :]
            except OSError:
                self._cancel.set()

    def progress(self, percent: float) -> None:
        """Report progress, clamped to 0..100; at most a few times a second, never backward."""
        if not math.isfinite(percent):
            return
        percent = min(100.0, max(0.0, percent))
        now = time.monotonic()
        with self._lock:
            early = now - self._last_time < PROGRESS_INTERVAL and percent < 100.0
            if percent <= self._last_percent or early:
                return
            self._last_time, self._last_percent = now, percent
        self.send(Message.PROGRESS, percent=round(percent, 2))

    def info(self, text: str) -> None:
        """Inform the user of what happens."""
        self.send(Message.INFO, text=self._line(text))

    def warning(self, text: str) -> None:
        """Warn the user of what deserves attention."""
        self.send(Message.WARNING, text=self._line(text))

    def result(self, outputs: Mapping[str, Any]) -> None:
        """End the run with its outputs."""
        self.send(Message.RESULT, outputs=outputs)

    def error(self, text: str, kind: str) -> None:
        """End the run with one sentence."""
        self.send(Message.ERROR, text=self._line(text), kind=kind)

    def _line(self, text: str) -> str:
        """Return a text as it is shown: without credentials, in one line, not endless."""
        text = _UNSHOWN.sub(lambda found: ascii(found[0])[1:-1], self._scrub(str(text)))
        return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}..."

    def canceled(self) -> bool:
        """Return whether the run should stop."""
        return self._cancel.is_set()

    def cancel(self) -> None:
        """Ask the run to stop."""
        self._cancel.set()

    def wait_for_cancel(self) -> None:
        """Return once the run should stop."""
        self._cancel.wait()

    def completing(self) -> None:
        """Announce that outputs are being moved to their final names; too late to cancel."""
        self.is_completing = True
        self.send(Message.COMPLETING)


class Stdin:
    """Reads standard input as bytes without Python's buffer.

    A thread that is blocked inside ``sys.stdin`` when the interpreter ends aborts the process;
    one that is blocked in :func:`os.read` does not.
    """

    def __init__(self) -> None:
        self._pending = b""
        self._ended = False

    def line(self, most: float = math.inf) -> bytes:
        """Return the next line with its end, or what is left, or nothing at the end.

        A line of more than ``most`` bytes ends where it was read to.
        """
        while b"\n" not in self._pending and len(self._pending) <= most and self._fill():
            pass
        line, end, self._pending = self._pending.partition(b"\n")
        return line + end

    def rest(self, most: float = math.inf) -> bytes:
        """Return everything up to the end, or a little more than ``most`` bytes."""
        while len(self._pending) <= most and self._fill():
            pass
        data, self._pending = self._pending, b""
        return data

    def _fill(self) -> bool:
        if not self._ended:
            try:
                block = os.read(_STDIN, _BLOCK)
            except OSError:
                block = b""
            self._pending += block
            self._ended = not block
        return not self._ended

    def watch(self, channel: Channel, end_cancels: bool) -> None:
        """Cancel the run on a cancel line and, where ``end_cancels``, when input ends."""

        def run() -> None:
            while line := self.line():
                said = _parsed(line)
                if said == json.loads(CANCEL_LINE):
                    channel.cancel()
                elif isinstance(said, dict) and "task" in said:
                    channel.warning(
                        "Standard input has another job behind the first, which is not run; start "
                        "a core of its own for it."
                    )
            if end_cancels:
                channel.cancel()

        threading.Thread(target=run, name="control", daemon=True).start()


def _quoted(value: str, safe: str = "/") -> str:
    return quote(value, safe, errors="surrogatepass")


def _parsed(line: bytes) -> Any:
    """Return what a line says; None if that is not JSON."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _claim_stdout() -> int:
    """Return a private copy of standard output and point descriptor 1 at standard error."""
    try:
        os.fstat(_STDERR)
    except OSError:  # started without standard error, as GUI programs on Windows do
        os.dup2(os.open(os.devnull, os.O_WRONLY), _STDERR)
    try:
        private = os.dup(_STDOUT)
    except OSError:
        private = os.open(os.devnull, os.O_WRONLY)
    os.dup2(_STDERR, _STDOUT)
    return private


def _plain(value: Any) -> Any:
    """Return ``value`` made of what JSON knows; NaN and infinity become null."""
    if value is None or isinstance(value, (bool, str, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if hasattr(value, "tolist"):  # NumPy scalars and arrays, without importing NumPy
        return _plain(value.tolist())
    if isinstance(value, Iterable):
        return [_plain(item) for item in value]
    return str(value)
