"""Paths around the ascending node, where their number steps."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from hyp3_stack.core.selection.paths import Passage, is_at_node, paths_of_passages

NOON = datetime(2022, 8, 14, 10, 30, tzinfo=timezone.utc)
CYCLE = timedelta(days=12)


def passages(*paths: int, at_node: bool | None = True, apart: float = 20.0) -> list[Passage]:
    """Return one passage each repeat cycle, each some seconds later in the day."""
    return [
        Passage(path, NOON + n * CYCLE + timedelta(seconds=apart * n), at_node)
        for n, path in enumerate(paths)
    ]


@pytest.mark.parametrize(("before", "after"), [(43, 44), (1, 2), (175, 1)])
@pytest.mark.parametrize("at_node", [True, None])
def test_two_numbers_of_one_passage(before: int, after: int, at_node: bool | None) -> None:
    both = (before, after)
    found = paths_of_passages(passages(after, before, after, at_node=at_node))
    assert found == [both, both, both]
    assert paths_of_passages(passages(before, before, at_node=at_node)) == [(before,)] * 2


def test_without_times_the_place_decides() -> None:
    found = paths_of_passages([Passage(43, None, True), Passage(44, NOON, True)])
    assert found == [(43, 44), (43, 44)]


@pytest.mark.parametrize("paths", [(43, 45), (43, 42 + 60), (174, 1), (1, 3)])
def test_other_paths_stay_others(paths: tuple[int, int]) -> None:
    assert paths_of_passages(passages(*paths)) == [(path,) for path in paths]


def test_neighbors_elsewhere_stay_others() -> None:
    assert paths_of_passages(passages(43, 44, at_node=False)) == [(43,), (44,)]
    # A path later, at the same latitude.
    hour = 98.7 * 60
    assert paths_of_passages(passages(43, 44, apart=hour)) == [(43,), (44,)]
    assert paths_of_passages(passages(43, 44, at_node=None, apart=hour)) == [(43,), (44,)]
    unknown = Passage(None, NOON, True)
    assert paths_of_passages([unknown, *passages(43)]) == [(), (43,)]


def test_the_number_does_not_step_at_the_descending_node() -> None:
    assert is_at_node((), (-3.0, 1.0), ascending=False) is False
    assert is_at_node((), (-3.0, 1.0), ascending=True) is True


def test_midnight_does_not_part_a_passage() -> None:
    late = datetime(2022, 8, 14, 23, 59, 50, tzinfo=timezone.utc)
    early = late + CYCLE + timedelta(seconds=20)
    found = paths_of_passages([Passage(9, late, True), Passage(10, early, True)])
    assert found == [(9, 10), (9, 10)]


@pytest.mark.parametrize(
    ("bursts", "latitudes", "expected"),
    [
        ((92365,), None, True),
        ((92359, 92360), (34.0, 36.0), True),
        ((375887,), None, True),
        ((1, 2), None, True),
        ((92365 + 1074,), None, False),
        ((56072,), None, False),
        ((56072,), (-1.0, 1.5), True),
        ((), (-3.0, 1.0), True),
        ((), (34.0, 36.0), False),
        ((), (-9.0, -7.0), False),
        ((), None, None),
    ],
)
def test_what_lies_around_the_node(
    bursts: tuple[int, ...], latitudes: tuple[float, float] | None, expected: bool | None
) -> None:
    assert is_at_node(bursts, latitudes) is expected
