"""A server of somebody else, to which redirects lead; it serves the same product files."""

from __future__ import annotations

from .files import serve_file
from .web import Handler


class ElsewhereHandler(Handler):
    """Notes what it is told, and answers like the service's file host."""

    def do_GET(self) -> None:
        self.begin("elsewhere")
        if self.send_fault(self.service.api_faults.next("elsewhere")):
            return
        parts = self.entry.path.strip("/").split("/")
        if len(parts) == 2:
            serve_file(self, parts[0], parts[1])
        else:
            self.send_json(200, {"jobs": []})
