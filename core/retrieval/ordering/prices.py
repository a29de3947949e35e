"""What jobs cost: the price table of a service, which needs no login."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...errors import RetrievalError
from ...run.reporter import Reporter
from ..service.credentials import Credentials
from ..service.json_fields import FieldError, number, strings
from ..service.service_failures import strange
from ..service.session import ask, endpoint, open_without_login

SMALLEST_PRICE = 0.005
"""Credits; sums of prices that differ by less are the same."""


@dataclass(frozen=True)
class Prices:
    """The price table of a service."""

    api_url: str  # the service
    # Its answer to ``GET /costs``: by job type either ``cost``, or ``cost_table`` nested by the
    # values of the job parameters that ``cost_parameters`` names.
    table: Mapping[str, Any]

    def of(self, job_type: str, parameters: Mapping[str, Any]) -> float:
        """Return the price of a job in credits.

        Parameters
        ----------
        job_type
            As the service calls it.
        parameters
            Parameters of the job under the names of the service, defaults filled in.

        Raises
        ------
        RetrievalError
            If the table has no price for such a job.
        """
        row = self.table.get(job_type)
        if not isinstance(row, dict):
            raise RetrievalError(
                f"{self.api_url} does not offer jobs of the type {job_type}; check API_URL."
            )
        try:
            entry = row if "cost" in row else {"cost": row["cost_table"]}
            for name in strings(row, "cost_parameters"):
                entry = {"cost": entry["cost"][_column(parameters[name])]}
            price = number(entry, "cost")
        except (FieldError, LookupError, TypeError):
            price = None
        if price is None or price < 0.0:
            named = ", ".join(map(str, row.get("cost_parameters") or ()))
            raise RetrievalError(
                f"{self.api_url} gives no price for this job of the type {job_type}; choose other "
                f"values of {named or 'its options'}."
            )
        return price


def fetch_prices(api_url: str, reporter: Reporter) -> Prices:
    """Ask a service for its prices.

    Raises
    ------
    RetrievalError
        If the service does not answer, or with something else.
    """
    service = open_without_login(api_url)
    nobody = Credentials("nowhere, because prices need no login")
    table = ask(service, endpoint(service, "costs"), nobody, reporter, remedy="check API_URL")
    if not any(isinstance(row, dict) for row in table.values()):
        raise strange(api_url, "JSON without prices")
    return Prices(api_url, table)


def credits_text(credits: float) -> str:
    """Return a number of credits for a sentence: ``1 credit``, ``1,250 credits``."""
    number = f"{credits:,.2f}".rstrip("0").rstrip(".")
    return f"{number} credit{'' if credits == 1 else 's'}"


def plain_credits(credits: float) -> str:
    """Return a number of credits as ``CONFIRM`` takes it: ``1250`` or ``2.5``."""
    return f"{credits:.2f}".rstrip("0").rstrip(".")


def _column(value: Any) -> str:
    """Return where a parameter's value stands in the table: of a list, its length counts."""
    if isinstance(value, list | tuple):
        return str(len(value))
    return value if isinstance(value, str) else str(int(value))
