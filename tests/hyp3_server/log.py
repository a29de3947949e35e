"""What was asked, for tests that say how often and how much."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Entry:
    """One request and what was sent for it; credentials are noted as present only."""

    service: str
    method: str
    path: str
    query: dict[str, str]
    range: str = ""
    authorization: str = ""
    has_cookie: bool = False
    host: str = ""
    user_agent: str = ""
    status: int = 0
    sent: int = 0
    form: list[tuple[str, str]] = field(default_factory=list)
    body: Any = None

    @property
    def file(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def start(self) -> int:
        """First byte that was asked for."""
        return int(self.range.removeprefix("bytes=").partition("-")[0] or 0)


class RequestLog:
    """All requests since the last clear."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[Entry] = []

    def add(self, entry: Entry) -> None:
        with self._lock:
            self._entries.append(entry)

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()

    def of(self, service: str) -> list[Entry]:
        with self._lock:
            return [entry for entry in self._entries if entry.service == service]

    def orders(self) -> list[Entry]:
        """Return the orders that came, without those that were only to be checked."""
        posts = [entry for entry in self.of("api") if entry.method == "POST" and entry.body]
        return [entry for entry in posts if not entry.body.get("validate_only")]

    def secrets(self) -> dict[str, set[str]]:
        """Return the kinds of credentials that came, by service."""
        with self._lock:
            found: dict[str, set[str]] = {}
            for entry in self._entries:
                kinds = {entry.authorization, "Cookie" if entry.has_cookie else ""} - {""}
                found.setdefault(entry.service, set()).update(kinds)
            return found

    def files(self, name: str | None = None) -> list[Entry]:
        return [entry for entry in self.of("files") if name in (None, entry.file)]
