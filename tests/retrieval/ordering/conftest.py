"""An account that orders at the service."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from hyp3_stack.core.contract import Task
from hyp3_stack.core.retrieval.ordering.job_requests import JobRequest
from hyp3_stack.core.retrieval.ordering.order_desk import Patience
from hyp3_stack.core.retrieval.ordering.order_request import OrderRequest, job_options
from hyp3_stack.core.retrieval.ordering.ordering import Bill
from hyp3_stack.core.retrieval.ordering.planned_pairs import planned_requests
from hyp3_stack.core.run.parameters import Parameters
from hyp3_stack.core.run.reporter import SilentReporter
from hyp3_stack.core.run.vector_layer import layer_features
from tests.hyp3_server import Hyp3Service

from .plans import plan, scenes

HASTE = Patience(settle=0.3, pause=0.1, lock=0.6)


class Acting(SilentReporter):
    """Does something as soon as a text is told."""

    def __init__(self, text, action):
        super().__init__()
        self._text, self._action = text, action

    def info(self, text):
        super().info(text)
        if self._text in text:
            self._action()


class Customer:
    """Orders plans as the task does, but looks for lost jobs for a shorter time."""

    def __init__(self, service: Hyp3Service, credentials: Mapping[str, str], folder: Path) -> None:
        self.service = service
        self.credentials = credentials
        self.journal = folder / "orders" / "journal.json"
        self.reporter = SilentReporter()
        self.patience = HASTE

    def parameters(self, features: Sequence[dict[str, Any]], **more: Any) -> dict[str, Any]:
        return {
            "API_URL": self.service.url,
            "INPUT": plan(features),
            "NAME": "ridge",
            "MAX_CREDITS": 1000,
            "JOURNAL": str(self.journal),
            **more,
        }

    def know(self, features: Sequence[dict[str, Any]]) -> None:
        """Let the catalog know the scenes of a plan."""
        self.service.know_scenes(scenes(features))

    def order(self, features: Sequence[dict[str, Any]], **more: Any) -> tuple[Bill, dict[str, str]]:
        """Return the bill and the ids of all jobs of the plan."""
        values = Parameters(self.parameters(features, **more), Task.ORDER_PAIRS)
        order = OrderRequest.from_parameters(values, "NAME")
        requests = planned_requests(layer_features(values, "INPUT") or (), job_options(values))
        opened = order.opened(values, self.credentials, self.reporter, patience=self.patience)
        with opened as (ordering, _):
            bill = ordering.bill(requests, with_failed=values.flag("RETRY_FAILED"))
            return bill, order.settled(ordering, bill, self.reporter)

    @property
    def keys(self) -> Counter[str]:
        """How often each content was stored at the service."""
        return Counter(
            JobRequest(job.record["job_type"], job.record["job_parameters"]).key
            for job in self.service.jobs.values()
        )


@pytest.fixture
def customer(service: Hyp3Service, credentials: dict[str, str], tmp_path: Path) -> Customer:
    return Customer(service, credentials, tmp_path)
