"""What was sent to be ordered, written before it is sent, so that nothing is ordered twice."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ...errors import InvalidParameterError, OutputError
from ...machine.atomic import not_writable, replace_content
from ...machine.locks import FileLock
from ...run.documents import read_document
from ...run.reporter import Reporter
from ...run.waiting import wait_seconds
from ..service.json_fields import STRANGE
from .job_requests import JobRequest, jobs_text
from .prices import SMALLEST_PRICE, plain_credits

_ABOUT = "HyP3 Stack: orders of one project"
_LOCK = "hyp3_orders.lock"
_LOCK_PAUSE = 0.5
"""Seconds between two attempts to take the lock."""

SENDING = "sending"
"""State of a request whose answer is not known: it may have taken effect."""
ANSWERED = "answered"
REFUSED = "refused"
LOOKED_UP = "looked up"
_STATES = (SENDING, ANSWERED, REFUSED, LOOKED_UP)


@dataclass
class Sent:
    """One request to order jobs."""

    time: datetime  # when it was sent, UTC, by this computer's clock
    state: str  # :data:`SENDING` until its outcome is known
    jobs: dict[str, dict[str, Any]]  # what was sent, by key of the content
    credits: float  # price of all its jobs, as the service gave it before
    # What came of it, by key; empty for jobs that were not ordered.
    job_ids: dict[str, str] = field(default_factory=dict)


class OrderJournal:
    """The journal of the orders of one project of one account at one service.

    Each change is on the disk when a method returns.

    Parameters
    ----------
    path
        The file; made by the first order.
    identity
        Service, account and project. A journal of another identity is refused.

    Raises
    ------
    InvalidParameterError
        If the file is not a journal, or that of something else.
    OutputError
        If it cannot be read.
    """

    def __init__(self, path: Path, identity: Mapping[str, str]) -> None:
        self.path = path
        self._identity = dict(identity)
        self._confirmed: dict[str, float] = {}
        self._quoted: dict[str, str] = {}
        self.sent: list[Sent] = []
        try:
            text = read_document(path).decode()
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            raise OutputError(
                f"The journal of orders {path} cannot be read ({error}); give another JOURNAL."
            ) from None
        self._read(text)

    @property
    def job_ids(self) -> dict[str, str]:
        """Ids of all jobs that were ordered, by key; of several, the last one."""
        return {key: job_id for sent in self.sent for key, job_id in sent.job_ids.items()}

    @property
    def all_ids(self) -> set[str]:
        """Ids of all jobs that were ordered, also of those that were ordered again later."""
        return {job_id for sent in self.sent for job_id in sent.job_ids.values()}

    @property
    def lost(self) -> set[str]:
        """Keys of what was sent without a clear answer, and was not found afterwards."""
        doubtful = [sent for sent in self.sent if sent.state in (SENDING, LOOKED_UP)]
        return {key for sent in doubtful for key in sent.jobs} - self.job_ids.keys()

    @property
    def doubtful(self) -> list[Sent]:
        """Requests whose outcome is not known."""
        return [sent for sent in self.sent if sent.state == SENDING]

    def note_quote(self, prices: Mapping[str, float]) -> None:
        """Note for which jobs, by key, the user is shown a price; see :meth:`confirm`."""
        self._quoted[_total(prices)] = _content(prices)
        self._write()

    def may_be_confirmed(self, prices: Mapping[str, float]) -> bool:
        """Return whether the price of jobs can be meant for these.

        Not where that price was shown last for other jobs, or has been used for an order that held
        others or was carried out. What the journal does not know of may be meant.

        Parameters
        ----------
        prices
            Of the jobs that would be ordered, by key.
        """
        total = _total(prices)
        if total in self._quoted:
            return self._quoted[total] == _content(prices)
        if total != _total(self._confirmed):
            return True
        return prices.keys() == self._confirmed.keys() and not prices.keys() & self.job_ids.keys()

    def confirm(self, prices: Mapping[str, float]) -> None:
        """Note what the user has agreed to: jobs by key, and their prices in credits.

        Raises
        ------
        OutputError
            If it cannot be written; so for all that change the journal.
        """
        self._confirmed = dict(prices)
        self._quoted.pop(_total(prices), None)
        self._write()

    def is_rest_of(self, credits: float, prices: Mapping[str, float]) -> bool:
        """Return whether jobs are what is left of an order that was agreed to for so many credits.

        Not those of a request whose outcome was doubtful: the service may have taken their credits,
        and what is sent again has to be agreed to again.

        Parameters
        ----------
        credits
            What the user agrees to now.
        prices
            Of the jobs that would be ordered, by key; none may have become more expensive.
        """
        left = self._confirmed.keys() - self.job_ids.keys() - self.lost
        is_same = abs(credits - sum(self._confirmed.values())) < SMALLEST_PRICE
        return is_same and all(
            key in left and price <= self._confirmed[key] for key, price in prices.items()
        )

    def sending(self, requests: Sequence[JobRequest], name: str, credits: float) -> Sent:
        """Note a request that is about to be sent."""
        jobs = {request.key: request.body(name) for request in requests}
        sent = Sent(datetime.now(timezone.utc), SENDING, jobs, credits)
        self.sent.append(sent)
        self._write()
        return sent

    def settle(self, sent: Sent, state: str, job_ids: Mapping[str, str]) -> None:
        """Note what came of a request; where that fails, the next run looks it up."""
        sent.state = state
        sent.job_ids.update(job_ids)
        try:
            self._write()
        except OutputError as error:
            if not job_ids:
                raise
            raise OutputError(
                f"{error} Ordered all the same: {jobs_text(len(job_ids))}. Then run the same "
                "again: it looks them up before it orders anything."
            ) from None

    @contextmanager
    def locked(self, shared: Path, seconds: float, reporter: Reporter) -> Iterator[None]:
        """Keep other runs from ordering with journals of the same folder, or of the same user.

        Parameters
        ----------
        shared
            Folder that all runs of a user have in common; one that cannot be used does not matter.
        seconds
            How long the end of another run is waited for.
        reporter
            Informed of that; asked whether to stop.

        Raises
        ------
        OutputError
            If another run orders now, or the folder cannot be written to.
        """
        with ExitStack() as held:
            own = self.path.parent.resolve()
            for folder in dict.fromkeys((own, shared.resolve())):
                lock = FileLock(folder / _LOCK)
                try:
                    folder.mkdir(parents=True, exist_ok=True)
                    is_ours = _taken(lock, seconds, reporter)
                except OSError as error:
                    if folder == own:
                        raise not_writable(self.path, error) from None
                    continue
                if not is_ours:
                    raise OutputError(
                        f"Another run is ordering jobs at the moment ({folder / _LOCK} is locked); "
                        "wait until it has ended, so that nothing is ordered twice."
                    )
                held.callback(lock.release)
            yield

    def _read(self, text: str) -> None:
        try:
            document = json.loads(text)
            if document["about"] != _ABOUT:
                raise ValueError
            identity = _texts(document["identity"])
            self._confirmed = {
                str(key): float(price) for key, price in document["confirmed"].items()
            }
            self._quoted = {
                str(total): str(content) for total, content in document.get("quoted", {}).items()
            }
            self.sent = [
                Sent(
                    datetime.fromisoformat(item["time"]).astimezone(timezone.utc),
                    _STATES[_STATES.index(item["state"])],
                    {key: _body(body) for key, body in item["jobs"].items()},
                    float(item["credits"]),
                    _texts(item["job_ids"]),
                )
                for item in document["requests"]
            ]
        except STRANGE:
            raise InvalidParameterError(
                f"JOURNAL is {self.path}, which is not a journal of orders, or a damaged one; give "
                "another name."
            ) from None
        if identity != self._identity:
            owner = ", ".join(f"{name} {value}" for name, value in sorted(identity.items()))
            raise InvalidParameterError(
                f"JOURNAL is {self.path}, which belongs to other orders ({owner}); give another "
                "name."
            )

    def _write(self) -> None:
        document = {
            "about": _ABOUT,
            "identity": self._identity,
            "quoted": self._quoted,
            "confirmed": self._confirmed,
            "requests": [
                {**vars(sent), "time": sent.time.isoformat(timespec="milliseconds")}
                for sent in self.sent
            ],
        }
        try:
            replace_content(self.path, json.dumps(document, indent=1).encode())
        except OSError as error:
            raise not_writable(self.path, error) from None


def _taken(lock: FileLock, seconds: float, reporter: Reporter) -> bool:
    """Take a lock, or wait for its holder; return whether it was taken."""
    end = time.monotonic() + seconds
    is_waiting = False
    while not lock.take():
        if time.monotonic() >= end:
            return False
        if not is_waiting:
            reporter.info("Another run is ordering jobs at the moment; its end is waited for.")
        is_waiting = True
        wait_seconds(_LOCK_PAUSE, reporter)
    return True


def _texts(value: Any) -> dict[str, str]:
    """Return a mapping of texts; anything else raises one of :data:`STRANGE`."""
    if not all(isinstance(text, str) for text in value.values()):
        raise TypeError
    return dict(value)


def _body(value: Any) -> dict[str, Any]:
    """Return a job as it was sent, likewise."""
    job_type, parameters, name = value["job_type"], value["job_parameters"], value["name"]
    if not (isinstance(job_type, str) and isinstance(parameters, dict) and isinstance(name, str)):
        raise TypeError
    return {"job_type": job_type, "job_parameters": parameters, "name": name}


def _total(prices: Mapping[str, float]) -> str:
    return plain_credits(sum(prices.values()))


def _content(prices: Mapping[str, float]) -> str:
    return hashlib.sha256(json.dumps(sorted(prices)).encode()).hexdigest()


def journal_name(identity: Mapping[str, str]) -> str:
    """Return a file name for the journal of an identity: readable, and its own."""
    text = json.dumps(dict(identity), sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    letters = "".join(c if c.isascii() and c.isalnum() else "_" for c in identity["project"])
    return f"{letters[:40]}_{digest}.json"
