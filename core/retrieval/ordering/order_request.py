"""Reads what the user wants to have ordered, and opens the account and its journal for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ...errors import InvalidParameterError
from ...parameters.order_parameters import EXTRA_LAYERS
from ...run.parameters import Parameters
from ...run.reporter import Reporter
from ..catalog.catalog_cache import cache_folder
from ..download.manifest import complete_jobs
from ..jobs.filters import WITHOUT_PROJECT
from ..service.connection import checked_api_url
from ..service.credentials import resolve_credentials
from ..service.json_fields import is_plain, one_line
from ..service.session import open_service
from .job_requests import LONGEST_NAME, MULTI_BURST, SINGLE_BURST, jobs_text
from .order_desk import OrderDesk, Patience
from .order_journal import OrderJournal, journal_name
from .ordering import Bill, Ordering
from .planned_pairs import pair_label
from .prices import credits_text, plain_credits

_NO_LAYERS = "none"
_SHOWN = 10
"""Pairs that a message names."""


@dataclass(frozen=True)
class OrderRequest:
    """What an order may do."""

    name: str  # of the jobs: the project
    most_credits: float  # the order may not cost more
    confirmed: float | None  # the price that the user has agreed to; None for a bill only

    @classmethod
    def from_parameters(cls, values: Parameters, name_parameter: str) -> OrderRequest:
        """Read the name of the jobs, ``MAX_CREDITS`` and ``CONFIRM``.

        Raises
        ------
        InvalidParameterError
            If one of them is missing or cannot be.
        """
        name = one_line(values.text(name_parameter)) or ""
        if not name:
            raise InvalidParameterError(
                f"The parameter {name_parameter} is missing; give it a value."
            )
        if len(name) > LONGEST_NAME or not is_plain(name):
            raise InvalidParameterError(
                f"{name_parameter} has {len(name)} characters, but the name of jobs has at most "
                f"{LONGEST_NAME}, which can all be shown; give another one."
            )
        if name == WITHOUT_PROJECT:
            raise InvalidParameterError(
                f"{name_parameter} is {name}, by which Find jobs means those without a project; "
                "give another name."
            )
        return cls(name, values.number("MAX_CREDITS"), values.optional_number("CONFIRM"))

    @contextmanager
    def opened(
        self,
        values: Parameters,
        given: Mapping[str, str] | None,
        reporter: Reporter,
        *,
        folder: Path | None = None,
        patience: Patience | None = None,
    ) -> Iterator[tuple[Ordering, Path]]:
        """Log in, and keep other runs from ordering meanwhile.

        Parameters
        ----------
        values
            ``API_URL``, ``JOURNAL`` or ``JOURNAL_FOLDER``.
        folder
            Of downloaded products: those that are complete count as there, although expired.
        patience
            With requests that had no answer.

        Yields
        ------
        Ordering
            Of this account and name.
        Path
            The journal, which is not there before the first price is shown.
        """
        api_url = checked_api_url(str(values.text("API_URL")))
        credentials = resolve_credentials(given, reporter=reporter)
        if credentials.account:
            reporter.info(f"Account: {credentials.account} at {api_url}.")
        identity = {"service": api_url, "account": credentials.account, "project": self.name}
        path = _journal_path(values, identity)
        kept = frozenset() if folder is None else complete_jobs(folder, reporter)
        service = open_service(api_url, credentials, reporter)
        patience = patience or Patience()
        desk = OrderDesk(service, credentials, reporter, self.name, patience)
        with OrderJournal(path, identity).locked(cache_folder(), patience.lock, reporter):
            # As the last run has left it.
            yield Ordering(desk, OrderJournal(path, identity), kept), path

    def settled(self, ordering: Ordering, bill: Bill, reporter: Reporter) -> dict[str, str]:
        """Report a bill, and order what it holds if it is confirmed; return its job ids by key."""
        _report(bill, self.most_credits, reporter)
        if self.confirmed is None:
            if bill.new:
                ordering.note_quote(bill)
                reporter.info(
                    "Nothing was ordered. To order this, run the same with "
                    f"CONFIRM={plain_credits(bill.credits)}."
                )
            return bill.there
        ordered = ordering.place(bill, self.confirmed, self.most_credits)
        if ordered:
            reporter.info(
                f"Ordered as {self.name}: {jobs_text(len(ordered))} for "
                f"{credits_text(bill.credits)}."
            )
        return {**bill.there, **ordered}


def job_options(values: Parameters) -> dict[str, str | float | bool]:
    """Read the options of jobs under the names of the service.

    Raises
    ------
    InvalidParameterError
        If one of them is not what it has to be.
    """
    included = values.names("INCLUDE")
    unknown = [word for word in included if word not in (*EXTRA_LAYERS, _NO_LAYERS)]
    if unknown or (_NO_LAYERS in included and len(included) > 1):
        raise InvalidParameterError(
            f"INCLUDE names {', '.join(unknown or included)}, but it has to be {_NO_LAYERS}, or "
            f"some of: {', '.join(EXTRA_LAYERS)}."
        )
    return {
        "looks": values.choice("LOOKS"),
        "apply_water_mask": values.flag("WATER_MASK"),
        "phase_filter_parameter": values.number("FILTER"),
        **{f"include_{word}": word in included for word in EXTRA_LAYERS},
    }


def _journal_path(values: Parameters, identity: Mapping[str, str]) -> Path:
    path, folder = values.output("JOURNAL"), values.path("JOURNAL_FOLDER")
    if path is None and folder is None:
        raise InvalidParameterError(
            "JOURNAL is missing; name a file that keeps what was ordered, and use it again for the "
            "same project."
        )
    if path is not None and path.is_dir():
        raise InvalidParameterError(f"JOURNAL is {path}, which is a folder; give a file name.")
    return path or Path(str(folder)) / journal_name(identity)


def _report(bill: Bill, most_credits: float, reporter: Reporter) -> None:
    """Show what an order would cost."""
    total = len(bill.new) + len(bill.there) + len(bill.hopeless)
    if bill.there:
        reporter.info(
            f"Of {jobs_text(total)}, {len(bill.there)} were ordered before and are not ordered "
            "again."
        )
    if bill.single_bursts:
        reporter.info(
            f"Of these, {bill.single_bursts} are of the other type of jobs for one burst "
            f"({SINGLE_BURST} and {MULTI_BURST}), which makes the same."
        )
    for why in dict.fromkeys(map(str, bill.hopeless)):
        labels = [pair_label(each.request) for each in bill.hopeless if str(each) == why]
        more = f" and {len(labels) - _SHOWN} more" if len(labels) > _SHOWN else ""
        reporter.warning(
            f"Left out, because earlier jobs of the same scenes and options {why}: "
            f"{', '.join(labels[:_SHOWN])}{more}; set RETRY_FAILED to order them all the same."
        )
    if not bill.new:
        reporter.info("There is nothing new to order.")
        return
    kinds: dict[tuple[str, float], int] = {}
    for quote in bill.new:
        kind = (quote.request.job_type, quote.credits)
        kinds[kind] = kinds.get(kind, 0) + 1
    for (job_type, credits), count in kinds.items():
        reporter.info(
            f"{jobs_text(count)} of the type {job_type} at {credits_text(credits)}: "
            f"{credits_text(count * credits)}."
        )
    left = ""
    if bill.credits_left is not None:
        rest = plain_credits(bill.credits_left - bill.credits)
        left = f", and {rest} of {plain_credits(bill.credits_left)} remain then"
    reporter.info(
        f"What is new, {jobs_text(len(bill.new))}, costs {credits_text(bill.credits)}{left}."
    )
    if bill.credits_left is not None and bill.credits > bill.credits_left:
        reporter.warning("The order costs more than your account has left.")
    if bill.credits > most_credits:
        reporter.warning(
            f"The order costs more than MAX_CREDITS, which is {plain_credits(most_credits)}."
        )
