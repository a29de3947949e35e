"""A child process whose output is read line by line and that can always be stopped.

Needs the standard library only, so that it is tested without QGIS.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ...core.run.surroundings import clean_environment

POLL_SECONDS = 0.1
"""How often a waiting run asks whether it was canceled."""

STDOUT = "stdout"
STDERR = "stderr"

_LINES = 10_000
_END = object()


def parse_message(line: str) -> dict[str, Any]:
    """Return the JSON object of a line; an empty one for what others write there."""
    try:
        message = json.loads(line)
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}


class ChildProcess:
    """One child process; both its outputs are drained by threads.

    ``command`` is started without a shell. ``stdin_text`` is written to standard input, which then
    stays open until :meth:`stop` or the end. Raises OSError if the program cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        stdin_text: str | None = None,
    ) -> None:
        self.linger = 1.0
        """Seconds to listen after the end while another process keeps the outputs open."""
        self._lines: queue.Queue = queue.Queue(_LINES)
        self._unsent: queue.SimpleQueue = queue.SimpleQueue()
        self._process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL if stdin_text is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environ),
            start_new_session=True,  # of no effect on Windows
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        self._readers = [
            self._start(self._drain, name, stream)
            for name, stream in ((STDOUT, self._process.stdout), (STDERR, self._process.stderr))
        ]
        if stdin_text is not None:
            self._start(self._write_unsent)
            self.send_later(stdin_text)

    @staticmethod
    def _start(function: Callable, *arguments) -> threading.Thread:
        thread = threading.Thread(target=function, args=arguments, daemon=True)
        thread.start()
        return thread

    def _drain(self, name: str, stream) -> None:
        with stream:
            for line in iter(stream.readline, b""):
                self._lines.put((name, line.decode("utf-8", "replace").rstrip("\r\n")))
        self._lines.put((name, _END))

    def send_later(self, text: str) -> None:
        """Write to the child's standard input as soon as it reads, after what was sent before.

        A child that does not read would block the caller for ever. One that is gone is noticed
        elsewhere.
        """
        self._unsent.put(text)

    def _write_unsent(self) -> None:
        try:
            while (text := self._unsent.get()) is not None:
                self._process.stdin.write(text.encode())
                self._process.stdin.flush()
        except (OSError, ValueError):
            return

    def lines(self) -> Iterator[tuple[str, str] | None]:
        """Yield (stream name, line) as they come, and None whenever nothing came for a moment.

        Ends when both outputs are closed, or soon after the process has ended while a process that
        it started keeps them open.
        """
        open_streams = {STDOUT, STDERR}
        ended = None
        while open_streams:
            try:
                name, line = self._lines.get(timeout=POLL_SECONDS)
            except queue.Empty:
                if self._process.poll() is not None:
                    ended = ended or time.monotonic()
                    if time.monotonic() - ended > self.linger:
                        return
                yield None
                continue
            if line is _END:
                open_streams.discard(name)
            else:
                yield name, line

    @property
    def returncode(self) -> int | None:
        """Exit code; negative: the signal that killed the process; None: it runs."""
        return self._process.poll()

    def wait(self, seconds: float) -> bool:
        """Wait for the end and return whether it came."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def terminate(self) -> None:
        """Ask the process, and those that it has started, to end."""
        self._signal("SIGTERM", self._process.terminate)

    def kill(self) -> None:
        """End the process, and those that it has started, at once."""
        self._signal("SIGKILL", self._process.kill)

    def _signal(self, name: str, otherwise: Callable[[], None]) -> None:
        """Signal the whole session, where there is such a thing, as long as its head lives."""
        if not hasattr(os, "killpg"):
            otherwise()
        elif self._process.poll() is None:
            os.killpg(self._process.pid, getattr(signal, name))

    def stop(self, grace: float = 2.0) -> None:
        """End the process, if need be by force, and release what belongs to it."""
        if self.returncode is None:
            self.terminate()
            if not self.wait(grace):
                self.kill()
                self.wait(grace)
        if self._process.stdin is not None:
            self._unsent.put(None)
            try:
                self._process.stdin.close()
            except OSError:  # what was not yet written has no reader any more
                return


def describe_exit(returncode: int | None, platform: str = sys.platform) -> str | None:
    """Return how a process was ended from outside and what to do, or None if it ended by itself."""
    out_of_memory = (
        "was killed, most likely because the memory ran out; close other programs, or choose fewer "
        "LAYERS or a smaller EXTENT"
    )
    crashed = "crashed ({}); run again, and if it happens again report it with the log"
    if returncode is None:
        return None
    if platform == "win32":
        # NTSTATUS: 0xC0000017 no memory, 0xC0000005 access violation, 0xC00000FD stack overflow.
        status = returncode & 0xFFFFFFFF
        if status == 0xC0000017:
            return out_of_memory
        return crashed.format(f"status 0x{status:08X}") if status >= 0xC0000000 else None
    if 0 <= returncode <= 128:
        return None
    number = -returncode if returncode < 0 else returncode - 128
    if number == 9:
        return out_of_memory
    if number == 15:
        return "was ended by another program; run again"
    return crashed.format(f"signal {number}")


def current_environment() -> dict[str, str]:
    """Return the environment in which children run."""
    return clean_environment(os.environ)
