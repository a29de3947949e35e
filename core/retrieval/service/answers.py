"""What an answer is that holds no data: whose words it has, judged by its content."""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass
from enum import Enum

_SHOWN = 200
_HEAD = 4096
_PAGE_STARTS = (b"<!doctype html", b"<html", b"<head", b"<body")


class Speaker(Enum):
    """Who an answer is from, judged by its form."""

    SERVICE = "the service itself"
    GATEWAY = "the gateway in front of the service"
    STORAGE = "an object store or content network"
    PAGE = "a page for people: a firewall, a filter, a login page, or any web server"
    NOBODY = "nothing"
    UNKNOWN = "anything else"


@dataclass(frozen=True)
class Said:
    """An answer in place of the data that were asked for."""

    speaker: Speaker  # who it is from
    text: str = ""  # the words in it, one line, without what could be a control sequence

    @property
    def quoted(self) -> str:
        """The words in brackets for a sentence, empty where there are none."""
        return f" ({self.text})" if self.text else ""


def is_page(content_type: str, head: bytes) -> bool:
    """Return whether a body is a web page, whatever it should have been.

    Parameters
    ----------
    content_type
        As the header says.
    head
        The first bytes.
    """
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return "html" in content_type.lower() or start.startswith(_PAGE_STARTS)


def judge(content_type: str, body: bytes) -> Said:
    """Say whose words a body holds.

    Parameters
    ----------
    content_type
        As the header says.
    body
        The body, or as much of it as was read.
    """
    head = body[:_HEAD]
    text = head.decode("utf-8", "replace")
    if not head.strip():
        return Said(Speaker.NOBODY)
    if is_page(content_type, head):
        title = re.search(r"<title[^>]*>(.*?)</title", text, re.DOTALL | re.IGNORECASE)
        words = title[1] if title else re.sub(r"<(script|style).*?</\1>|<[^>]*>", " ", text)
        return Said(Speaker.PAGE, _line(html.unescape(words)))
    if b"<Error>" in head:
        parts = re.findall(r"<(?:Code|Message)>(.{1,200}?)</", text, re.DOTALL)
        return Said(Speaker.STORAGE, _line(": ".join(map(html.unescape, parts))))
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if isinstance(document, dict):
        if isinstance(document.get("detail"), str):
            return Said(Speaker.SERVICE, _line(document["detail"]))
        for key in ("message", "Message"):
            if key in document:
                return Said(Speaker.GATEWAY, _line(str(document[key] or "")))
    return Said(Speaker.UNKNOWN)


def _line(text: str) -> str:
    printable = "".join(c if c.isprintable() else " " for c in text[: 20 * _SHOWN])
    return " ".join(printable.split())[:_SHOWN]
