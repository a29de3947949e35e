"""Of runs that begin in the same moment, one gets the place, and keeps it."""

from __future__ import annotations

import pytest

from hyp3_stack.core.errors import OutputError
from hyp3_stack.core.object_store.claim import MARK, Claim
from hyp3_stack.core.object_store.location import BRIEF, RemoteLocation
from hyp3_stack.core.object_store.objects import Objects
from tests.object_store.proxy import Answer, Request
from tests.object_store.remote import age
from tests.object_store.service import Service


def two(location: RemoteLocation) -> tuple[Claim, Claim]:
    """Return the claims of two runs that have looked at the place in the same moment."""
    claims = Claim(Objects(location, BRIEF)), Claim(Objects(location, BRIEF))
    for claim in claims:
        claim.look()
    return claims


@pytest.mark.parametrize("before", ["nothing", "a dead run's mark", "a mark that goes"])
def test_the_first_of_two_runs_keeps_its_place(
    object_store: Service, location: RemoteLocation, place: str, before: str
) -> None:
    if before != "nothing":
        age(object_store, place, "another-system")
    first, second = two(location)
    if before == "a mark that goes":
        Objects(location).remove([MARK])
        first.look()
    first.take()
    try:
        mark = object_store.contents(place)[MARK]
        with pytest.raises(OutputError, match="taken by another run"):
            second.take()
        first.check()
        assert object_store.contents(place)[MARK] == mark
    finally:
        first.release()
    assert object_store.keys(place) == []


@pytest.mark.parametrize(
    "answer", [Answer(501, "NotImplemented"), Answer(400, "InvalidArgument")], ids=str
)
def test_a_service_that_knows_no_conditions(
    object_store: Service, location: RemoteLocation, place: str, answer: Answer
) -> None:
    """There the run that writes last goes on."""
    asked: list[Request] = []

    def refuse(request: Request) -> Answer | None:
        if request.method == "PUT":
            asked.append(request)
        # Each second request is the one without a condition.
        return answer if len(asked) % 2 and asked[-1] is request else None

    first, second = two(location)
    object_store.proxy.faults = refuse
    first.take()
    second.take()
    assert len(asked) == 4
    second.check()
    with pytest.raises(OutputError, match="taken by another run"):
        first.check()
    first.leave()
    second.release()
    assert object_store.keys(place) == []
