"""Waiting for calls that cannot be interrupted, and waiting between attempts."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TypeVar

from ...errors import RetrievalError
from ...run.reporter import Reporter
from ...run.waiting import run_cancellable

Result = TypeVar("Result")

_FOREVER = 10.0 * 365.0 * 86400.0
_WORTH_TELLING = 2.0 * 86400.0
POLL_SECONDS = 0.2
"""How often a waiting run looks whether it should stop."""


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how patiently a transfer is tried."""

    attempts: int = 5  # attempts without progress before a transfer is given up
    # Seconds of the first pause, which doubles each time, and its bound.
    first_delay: float = 1.0
    longest_delay: float = 30.0
    # The longest pause in seconds that a server may ask for with ``Retry-After``.
    longest_request: float = 300.0

    def delay(self, failures: int) -> float:
        """Return the pause in seconds after the given number of failures, with some jitter."""
        pause = min(self.first_delay * 2.0 ** (failures - 1), self.longest_delay)
        # Not for secrecy: the jitter keeps parallel transfers from coming back together.
        return pause * random.uniform(0.75, 1.0)  # noqa: S311 # nosec B311


def retry_after(value: str | None) -> float | None:
    """Read the header ``Retry-After`` (RFC 9110): seconds or a date, as seconds from now.

    From 0 to ten years; None where there is nothing that can be read.
    """
    if not value:
        return None
    text = value.strip()
    if re.fullmatch(r"[+-]?[0-9]+(\.[0-9]*)?", text):
        return min(max(float(text), 0.0), _FOREVER)
    try:
        moment = parsedate_to_datetime(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=timezone.utc)
        pause = (moment - datetime.now(timezone.utc)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(pause, 0.0), _FOREVER)


def when_to_retry(pause: float) -> str:
    """Return when to come back after a pause in seconds, for a sentence that ends with it."""
    if pause <= 0.0 or pause > _WORTH_TELLING:
        return "later"
    return f"in {pause:.0f} seconds, as it asks"


def wait_for(
    call: Callable[[], Result], reporter: Reporter, seconds: float, service: str
) -> Result:
    """Ask a service by a library that knows no timeouts, see ``run_cancellable``.

    Parameters
    ----------
    call
        What to run; its result or exception is passed on.
    service
        Name of the service for the message.

    Raises
    ------
    RetrievalError
        If the deadline has passed.
    """
    try:
        return run_cancellable(call, reporter, seconds)
    except TimeoutError:
        raise RetrievalError(
            f"{service} did not answer within {seconds:.0f} seconds; try again later, and "
            "check the proxy settings if this happens again."
        ) from None
