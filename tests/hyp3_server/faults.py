"""Things that go wrong with a file, on demand."""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass, field


@dataclass
class Fault:
    """What happens to requests for one file.

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
    released: threading.Event = field(default_factory=threading.Event, repr=False)


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
