"""Networks of pairs: connected, closed by triangles, and the same for the same dates."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from hyp3_stack.core.errors import InvalidParameterError
from hyp3_stack.core.retrieval.planning.pair_rules import (
    BRIDGE,
    NEIGHBOR,
    YEAR,
    PairRules,
    PlannedNetwork,
    read_seasons,
)

FIRST = date(2018, 1, 5)


def network(
    days: list[int], rules: PairRules | None = None, meters: list[float] | None = None
) -> PlannedNetwork:
    """Plan dates so many days after the first, at so many meters."""
    places = np.zeros(len(days)) if meters is None else np.array(meters)
    baselines = places[None, :] - places[:, None]
    return PlannedNetwork(
        [FIRST + timedelta(days=day) for day in days], baselines, rules or PairRules()
    )


def spans(found: PlannedNetwork) -> dict[tuple[int, int], int]:
    return {(i, j): (found.days[j] - found.days[i]).days for i, j in found.pairs}


def test_the_next_dates() -> None:
    found = network(list(range(0, 60, 12)))
    assert found.pairs == [
        (0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (1, 4), (2, 3), (2, 4), (3, 4),
    ]  # fmt: skip
    assert set(found.rule_of.values()) == {NEIGHBOR}
    # Each of the triangles 012, 013, 023, 123, 124, 134 and 234 has three sides.
    assert sum(found.triangle_counts.values()) == 3 * 7


@pytest.mark.parametrize("neighbors", [1, 2, 3, 5])
@pytest.mark.parametrize("max_days", [6, 24, 48, 400])
@pytest.mark.parametrize("seed", range(6))
def test_what_holds_for_all_networks(neighbors: int, max_days: int, seed: int) -> None:
    """Dates with gaps, of two satellites, with outliers and unknown baselines."""
    random = np.random.default_rng(seed)
    days = sorted({int(day) for day in 6 * random.integers(0, 200, 60)})
    meters = random.normal(0, 80, len(days))
    meters[random.integers(0, len(days), 3)] = 900.0
    meters[random.integers(0, len(days), 3)] = np.nan
    rules = PairRules(neighbors, max_days, max_baseline=200.0)
    found = network(days, rules, meters.tolist())
    assert found.network.component_count == 1
    assert min(len(found.partners(position)) for position in range(len(days))) >= 2
    if neighbors > 1:
        assert min(found.triangle_counts.values()) > 0
    for (i, j), rule in found.rule_of.items():
        assert i < j
        if rule == NEIGHBOR:
            assert days[j] - days[i] <= max_days
            assert not abs(meters[j] - meters[i]) > 200.0
    again = network(days, rules, meters.tolist())
    assert again.rule_of == found.rule_of


def test_a_gap_is_bridged_by_its_shortest_pair_and_two_that_close_it() -> None:
    found = network([*range(0, 60, 12), *range(200, 260, 12)])
    bridges = {pair for pair, rule in found.rule_of.items() if rule == BRIDGE}
    assert bridges == {(4, 5), (3, 5), (4, 6)}
    assert all(found.triangle_counts[pair] > 0 for pair in bridges)


def test_a_date_far_off_the_others_is_connected_by_the_smallest_baselines() -> None:
    meters = [0.0, 10.0, 20.0, 900.0, 10.0, 0.0, 15.0]
    found = network(list(range(0, 84, 12)), PairRules(max_baseline=300.0), meters)
    # Of two pairs of 12 days, the one of the smaller baseline connects it; another closes.
    assert found.rule_of[2, 3] == BRIDGE
    assert len(found.partners(3)) == 2
    assert all(NEIGHBOR != found.rule_of[pair] for pair in found.pairs if 3 in pair)


def test_without_bridges_a_network_in_parts_is_refused() -> None:
    with pytest.raises(InvalidParameterError, match="2 parts, the first from 2018-01-05 to 2018"):
        network([0, 12, 24, 200, 212], PairRules(bridges="none"))
    assert network([0, 12, 24], PairRules(bridges="none")).network.component_count == 1


def test_pairs_over_a_year() -> None:
    days = list(range(0, 3 * 365, 12))
    found = network(days, PairRules(bridges="years"))
    years = [pair for pair, rule in found.rule_of.items() if rule == YEAR]
    # The first date of each month that has dates a year later, with two of them each.
    firsts = [found.days[first] for first, _ in years]
    assert len({(day.year, day.month) for day in firsts}) == 25
    assert len(years) == 2 * 25
    assert all(abs(spans(found)[pair] - 365) <= 30 for pair in years)
    assert all(found.triangle_counts[pair] > 0 for pair in years)


def test_a_chain_has_no_triangles_and_still_two_pairs_a_date() -> None:
    found = network(list(range(0, 72, 12)), PairRules(neighbors=1))
    assert [len(found.partners(position)) for position in range(1, 5)] == [2, 3, 3, 2]
    assert sum(count == 0 for count in found.triangle_counts.values()) == 1


def test_two_dates_are_one_pair_and_one_is_none() -> None:
    assert network([0, 500]).pairs == [(0, 1)]
    with pytest.raises(InvalidParameterError, match="at least two dates, but there is 1"):
        network([0])
    with pytest.raises(InvalidParameterError, match="at least two dates, but there are none"):
        network([])


@pytest.mark.parametrize(
    ("words", "months"),
    [
        ([], set(range(1, 13))),
        (["5-10"], {5, 6, 7, 8, 9, 10}),
        (["11-3"], {11, 12, 1, 2, 3}),
        (["3-4", "9"], {3, 4, 9}),
        (["6-6"], {6}),
        (["7-6"], set(range(1, 13))),
    ],
)
def test_seasons(words: list[str], months: set[int]) -> None:
    assert read_seasons(words) == months


@pytest.mark.parametrize("word", ["0-3", "5-13", "may-june", "5-", "-5", "1-2-3", "5.5", "²-3"])
def test_what_is_no_season(word: str) -> None:
    with pytest.raises(InvalidParameterError, match="range of months"):
        read_seasons([word])
