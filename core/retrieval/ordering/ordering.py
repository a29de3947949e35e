"""From jobs that are wanted to jobs that are ordered: what is new, what it costs, and the order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timezone

from ...errors import Canceled, InvalidParameterError, RetrievalError
from ...run.reporter import stop_if_canceled
from ..jobs.jobs import FAILED, JobRecord
from ..jobs.listing import list_jobs
from ..service.session import DoubtfulAnswerError
from .failed_jobs import Attempts, attempts_of
from .job_requests import JobRequest, jobs_text, types_of_content
from .order_desk import OrderDesk, Quote, chunks
from .order_journal import ANSWERED, LOOKED_UP, REFUSED, SENDING, OrderJournal, Sent
from .pair_checks import check_ground
from .prices import SMALLEST_PRICE, credits_text, fetch_prices, plain_credits


@dataclass(frozen=True)
class Bill:
    """What an order would be, as the service itself has checked and priced it."""

    new: tuple[Quote, ...]  # jobs to be ordered, the most important first
    there: dict[str, str]  # ids of jobs of the same content that were ordered before, by key
    credits: float  # price of all new jobs
    # Of the account, before the order; None where not known or not limited.
    credits_left: float | None
    known: frozenset[str]  # ids of all jobs that the account has
    # How many of "there" are of the other one of both types of jobs that take one burst.
    single_bursts: int = 0
    # What is wanted, but has failed for good, so that it is not in "new".
    hopeless: tuple[Attempts, ...] = ()

    @property
    def prices(self) -> dict[str, float]:
        """Prices of the new jobs by key."""
        return {quote.request.key: quote.credits for quote in self.new}


class Ordering:
    """One order at one service.

    Parameters
    ----------
    desk
        The account and the name of the jobs.
    journal
        Of that account and name, locked by this run where it orders.
    kept
        Ids of jobs whose products are complete on disk: they count as there, although expired.
    """

    def __init__(
        self, desk: OrderDesk, journal: OrderJournal, kept: Set[str] = frozenset()
    ) -> None:
        self._desk = desk
        self._journal = journal
        self._kept = kept
        self._reporter = desk.reporter

    def project_jobs(self) -> list[JobRecord]:
        """List all jobs of the project, newest first, with those that were ordered just now."""
        self._settle_doubtful()
        desk = self._desk
        return list_jobs(desk.service, None, desk.credentials, desk.reporter, project=desk.name)

    def bill(self, requests: Sequence[JobRequest], *, with_failed: bool = False) -> Bill:
        """Find out what is new and let the service check and price that; orders nothing.

        Parameters
        ----------
        requests
            What is wanted.
        with_failed
            Also what has failed twice, or for a reason that stays.

        Raises
        ------
        RetrievalError
            If the service cannot be asked, or refuses one of the jobs or the account.
        """
        if not requests:
            return Bill((), {}, 0.0, None, frozenset())
        prices = fetch_prices(self._desk.service.url, self._reporter)
        expected = {job.key: prices.of(job.job_type, job.parameters) for job in requests}
        self._settle_doubtful()
        jobs = self._desk.listed(types_of_content(request.job_type for request in requests))
        known = frozenset(job.job_id for job in jobs)
        keys = {request.key for request in requests}
        alive = self._alive(jobs, known, keys)
        there = {key: job.job_id for key, job in alive.items()}
        wanted = [request for request in requests if request.key not in there]
        hopeless = [] if with_failed else self._hopeless(wanted, jobs)
        given_up = {attempts.request.key for attempts in hopeless}
        wanted = [request for request in wanted if request.key not in given_up]
        self._report_earlier(wanted, jobs)
        check_ground(wanted, self._reporter)
        quotes = []
        for quote in self._desk.quoted(wanted):
            if quote.key in there:
                # The service fills in more than this program knows of.
                there[quote.request.key] = there[quote.key]
            else:
                quotes.append(quote)
        differing = [quote for quote in quotes if quote.credits != expected[quote.request.key]]
        if differing:
            self._reporter.warning(
                f"{self._desk.service.url} prices {jobs_text(len(differing))} otherwise than its "
                "table of costs does; what it says of the jobs themselves counts."
            )
        lost = self._journal.lost & {quote.request.key for quote in quotes}
        if lost:
            self._reporter.warning(
                f"Of the new jobs, {len(lost)} were sent before, without a clear answer, and not "
                "found afterwards; compare the credits of your account with what you ordered "
                "before you order them again."
            )
        total = sum(quote.credits for quote in quotes)
        left = self._desk.credits_left() if quotes else None
        return Bill(
            tuple(quotes),
            {key: job_id for key, job_id in there.items() if key in keys},
            total,
            left,
            known,
            sum(
                alive[request.key].job_type != request.job_type
                for request in requests
                if request.key in alive
            ),
            tuple(hopeless),
        )

    def note_quote(self, bill: Bill) -> None:
        """Note that the user is shown a bill, so that its price is confirmed for no other."""
        self._journal.note_quote(bill.prices)

    def place(self, bill: Bill, confirmed: float, most_credits: float) -> dict[str, str]:
        """Order the new jobs of a bill that the user has confirmed, and return their ids by key.

        Each request is written into the journal before it is sent. One without a clear answer is
        looked up, and nothing of it is sent again by this run.

        Parameters
        ----------
        bill
            Of this order.
        confirmed
            The price that the user has agreed to: that of the bill, or of the whole order of which
            the bill is the rest.
        most_credits
            The order may not cost more.

        Raises
        ------
        InvalidParameterError
            If the bill is not what the user has confirmed, or costs more than allowed.
        RetrievalError
            If some jobs were not ordered; the message says how many were.
        """
        if not bill.new:
            return {}
        self._require_terms(bill, confirmed, most_credits)
        if not self._journal.is_rest_of(confirmed, bill.prices):
            self._journal.confirm(bill.prices)
        ordered: dict[str, str] = {}
        spent = 0.0
        for chunk in chunks([quote.request for quote in bill.new]):
            agreed = sum(bill.prices[request.key] for request in chunk)
            self._stop_if_needed(ordered, bill, spent + agreed)
            sent = self._journal.sending(chunk, self._desk.name, agreed)
            try:
                answer = self._desk.send(chunk)
                is_whole = len(answer.job_ids) == len(chunk)
                self._journal.settle(sent, ANSWERED if is_whole else SENDING, answer.job_ids)
                answer.require_all(chunk)
            except Canceled:
                raise Canceled(
                    "The run was canceled while jobs were being ordered; run the same again: it "
                    "looks up what was ordered before it orders anything."
                ) from None
            except DoubtfulAnswerError as error:
                job_ids = self._look_up(chunk, sent, bill, error)
                ordered |= job_ids
                spent += agreed
                if len(job_ids) < len(chunk):
                    raise RetrievalError(
                        f"{error} {self._account_of(ordered, bill)} Nothing is sent again by "
                        "itself, and the service may have taken credits for jobs that it lost; "
                        "run without CONFIRM to see what is left and what it costs."
                    ) from None
                self._reporter.warning(
                    f"{error} Nothing is lost: the request was carried out all the same "
                    f"({jobs_text(len(chunk))})."
                )
            except RetrievalError as error:
                self._journal.settle(sent, REFUSED, {})
                if not ordered:
                    raise
                raise RetrievalError(f"{error} {self._account_of(ordered, bill)}") from None
            else:
                ordered |= answer.job_ids
                spent += answer.credits
            self._reporter.progress(100.0 * len(ordered) / len(bill.new))
        if spent > bill.credits + SMALLEST_PRICE:
            self._reporter.warning(
                f"{self._desk.service.url} took {credits_text(spent)} for jobs that it had priced "
                f"at {credits_text(bill.credits)}; ask whoever runs the service."
            )
        return ordered

    def _require_terms(self, bill: Bill, confirmed: float, most_credits: float) -> None:
        is_same = abs(confirmed - bill.credits) < SMALLEST_PRICE
        is_rest = self._journal.is_rest_of(confirmed, bill.prices)
        if not is_same and not is_rest:
            raise InvalidParameterError(
                f"CONFIRM is {plain_credits(confirmed)}, but this order costs "
                f"{credits_text(bill.credits)}, so nothing was ordered; run without CONFIRM to see "
                "what it holds, and confirm that."
            )
        if not is_rest and not self._journal.may_be_confirmed(bill.prices):
            raise InvalidParameterError(
                f"CONFIRM is {plain_credits(confirmed)}, but that price was shown or confirmed for "
                "other jobs, or for an earlier attempt of these, so nothing was ordered; run "
                "without CONFIRM to see what this order holds, and confirm that."
            )
        if bill.credits > most_credits:
            raise InvalidParameterError(
                f"The order costs {credits_text(bill.credits)}, but MAX_CREDITS is "
                f"{plain_credits(most_credits)}, so nothing was ordered; raise MAX_CREDITS, or "
                "take pairs out of the plan."
            )
        if bill.credits_left is not None and bill.credits > bill.credits_left:
            raise RetrievalError(
                f"The order costs {credits_text(bill.credits)}, but your account has only "
                f"{plain_credits(bill.credits_left)} left, so nothing was ordered; take pairs out "
                "of the plan, or wait for the credits of the next month."
            )

    def _alive(
        self, jobs: Sequence[JobRecord], known: Set[str], keys: Set[str]
    ) -> dict[str, JobRecord]:
        """Return jobs whose products are there or will be, by key; the newest of each."""
        now = datetime.now(timezone.utc)
        # Listings may lag behind what was just ordered.
        noted = self._journal.job_ids
        unlisted = [noted[key] for key in sorted(keys & noted.keys()) if noted[key] not in known]
        late = [job for job in map(self._desk.by_id, unlisted) if job is not None]
        alive: dict[str, JobRecord] = {}
        for job in sorted((*jobs, *late), key=lambda job: job.requested):
            is_there = not job.expired(now) or job.job_id in self._kept
            if job.status != FAILED and is_there:
                alive[JobRequest.of(job).key] = job
        return alive

    def _hopeless(self, wanted: Sequence[JobRequest], jobs: Sequence[JobRecord]) -> list[Attempts]:
        """Return what is wanted, but would fail as it did before."""
        keys = {request.key for request in wanted}
        failed = [job for job in jobs if job.status == FAILED and JobRequest.of(job).key in keys]
        return [
            attempts for attempts in attempts_of(failed, self._reporter) if not attempts.is_hopeful
        ]

    def _report_earlier(self, wanted: Sequence[JobRequest], jobs: Sequence[JobRecord]) -> None:
        """Report what is ordered although there were jobs of the same scenes."""
        keys = {request.key for request in wanted}
        scenes = {request.scenes_key for request in wanted}
        counts: Counter[str] = Counter()
        for job in jobs:
            made = JobRequest.of(job)
            if made.key in keys:
                counts["failed" if job.status == FAILED else "expired"] += 1
            elif made.scenes_key in scenes:
                counts["have other options"] += 1
        for state, count in sorted(counts.items()):
            self._reporter.info(
                f"Earlier jobs of the same scenes that {state}: {count}; they count as new."
            )
        looks = {request.parameters.get("looks") for request in wanted}
        others = [
            job
            for job in jobs
            if job.project == self._desk.name and looks - {job.parameters.get("looks")}
        ]
        if others:
            self._reporter.warning(
                f"The project {self._desk.name} has jobs of other looks than this order "
                f"({len(others)}), and products of different looks do not make one stack; give "
                "another NAME to keep them apart."
            )

    def _settle_doubtful(self) -> None:
        """Look up what an earlier run sent without learning what came of it."""
        for sent in self._journal.doubtful:
            self._reporter.info(
                f"A request of {jobs_text(len(sent.jobs))} at {sent.time:%Y-%m-%d %H:%M:%S} UTC "
                "had no clear answer; it is looked up before anything else."
            )
            requests = [
                JobRequest(body["job_type"], body["job_parameters"]) for body in sent.jobs.values()
            ]
            found = self._desk.look_up(requests, sent.time, self._others(sent))
            self._journal.settle(sent, LOOKED_UP, found)
            self._reporter.info(f"Found of its {jobs_text(len(requests))}: {len(sent.job_ids)}.")

    def _look_up(
        self,
        chunk: Sequence[JobRequest],
        sent: Sent,
        bill: Bill,
        error: DoubtfulAnswerError,
    ) -> dict[str, str]:
        """Return the jobs of a request that had no clear answer, as far as they are there."""
        self._reporter.info(
            f"{error} Whether the request of {jobs_text(len(chunk))} was carried out is looked up "
            f"now, for about {self._desk.patience.settle:.0f} seconds."
        )
        try:
            found = self._desk.look_up(chunk, sent.time, bill.known | self._others(sent))
        except RetrievalError as second:
            raise RetrievalError(
                f"{error} Whether the request of {jobs_text(len(chunk))} was carried out is not "
                f"known, because it could not be looked up ({str(second).rstrip('.')}); run the "
                "same again later: it looks before it orders anything."
            ) from None
        self._journal.settle(sent, LOOKED_UP, found)
        return dict(sent.job_ids)

    def _others(self, sent: Sent) -> set[str]:
        """Return the ids of all requests of the journal but one."""
        return self._journal.all_ids - set(sent.job_ids.values())

    def _account_of(self, ordered: dict[str, str], bill: Bill) -> str:
        left = len(bill.new) - len(ordered)
        return (
            f"{len(ordered)} of {len(bill.new)} jobs were ordered and {left} were not; the journal "
            f"{self._journal.path} has their ids."
        )

    def _stop_if_needed(self, ordered: dict[str, str], bill: Bill, credits: float) -> None:
        """Stop before a request where the user asked to, or the service took more than it said."""
        if credits > bill.credits + SMALLEST_PRICE:
            raise RetrievalError(
                f"{self._desk.service.url} took more credits than it had quoted, so the "
                f"order was stopped. {self._account_of(ordered, bill)}"
            )
        try:
            stop_if_canceled(self._reporter)
        except Canceled:
            raise Canceled(f"The run was canceled. {self._account_of(ordered, bill)}") from None
