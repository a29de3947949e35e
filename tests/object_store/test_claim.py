"""Of runs that begin in the same moment, one gets the place, and keeps it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hyp3_stack.core.errors import OutputError
from hyp3_stack.core.machine.processes import new_mark
from hyp3_stack.core.object_store.claim import MARK, check_held, take
from hyp3_stack.core.object_store.location import BRIEF, RemoteLocation
from hyp3_stack.core.object_store.objects import Objects
from tests.object_store.proxy import Answer, Request
from tests.object_store.remote import age
from tests.object_store.service import Service


@pytest.fixture
def objects(location: RemoteLocation) -> Iterator[Objects]:
    with Objects(location, BRIEF) as objects:
        yield objects


@pytest.mark.parametrize("before", ["nothing", "a dead run's mark", "a mark that goes"])
def test_the_first_of_two_runs_keeps_its_place(
    object_store: Service, objects: Objects, place: str, before: str
) -> None:
    if before != "nothing":
        age(object_store, place, "another-system")
    first, second = new_mark(), new_mark()
    seen_first = seen_second = objects.version(MARK)
    if before == "a mark that goes":
        objects.remove([MARK])
        seen_first = None
    take(objects, first, seen_first)
    with pytest.raises(OutputError, match="taken by another run"):
        take(objects, second, seen_second)
    check_held(objects, first)
    assert object_store.contents(place) == {MARK: first}


@pytest.mark.parametrize(
    "answer", [Answer(501, "NotImplemented"), Answer(400, "InvalidArgument")], ids=str
)
def test_a_service_that_knows_no_conditions(
    object_store: Service, objects: Objects, answer: Answer
) -> None:
    """There the run that writes last goes on."""
    asked: list[Request] = []

    def refuse(request: Request) -> Answer | None:
        if request.method == "PUT":
            asked.append(request)
        # Each second request is the one without a condition.
        return answer if len(asked) % 2 and asked[-1] is request else None

    first, second = new_mark(), new_mark()
    object_store.proxy.faults = refuse
    take(objects, first, None)
    take(objects, second, None)
    assert len(asked) == 4
    check_held(objects, second)
    with pytest.raises(OutputError, match="taken by another run"):
        check_held(objects, first)
