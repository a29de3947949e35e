"""When acquisitions began: from names and granules, over midnight and the turn of the year."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from hyp3_stack.core.products.names import parse_name
from hyp3_stack.core.products.parameter_file import ParameterFile
from hyp3_stack.core.products.product import Product
from hyp3_stack.core.selection.acquisition_times import (
    acquisition_times,
    in_step_order,
    product_identity,
    shared_times,
)
from hyp3_stack.core.selection.passes import pass_starts
from tests.sample_products.tiny import burst, gamma_name, multi_name, rtc_name, single_name, slc

FIRST = datetime(2022, 12, 19, 23, 59, 58, tzinfo=timezone.utc)
CYCLE = timedelta(days=12)
STARTS = [FIRST + number * CYCLE for number in range(3)]


def bursts(start: datetime) -> list[str]:
    """Return three bursts, of which only the first is before midnight; not in their order."""
    seconds = (3, 6, 0)
    return [burst(56072 + s // 3, start + timedelta(seconds=s)) for s in seconds]


def product(name: str, reference: list[str] | None = None, secondary: list[str] | None = None):
    parsed = parse_name(name)
    assert parsed is not None
    text = f"Reference Granule: {', '.join(reference or ())}\n"
    text += f"Secondary Granule: {', '.join(secondary or ())}\n"
    return Product(parsed, Path("/nowhere") / name, "", (), ParameterFile(text))


def pair(one: int, other: int, number: str = "0001") -> Product:
    """Return a pair as HyP3 names it: by the last day of the secondary."""
    first, last = STARTS[one], STARTS[other] + timedelta(seconds=6)
    name = multi_name(56072, 3, 27, first, last, number)
    return product(name, bursts(STARTS[one]), bursts(STARTS[other]))


def test_an_acquisition_is_the_same_in_both_roles() -> None:
    network = [pair(0, 1), pair(1, 2), pair(0, 2)]
    assert shared_times(network) == [(STARTS[a], STARTS[b]) for a, b in ((0, 1), (1, 2), (0, 2))]
    assert "20230101" in str(network[0]), "the name holds the day after midnight"
    ordered = in_step_order(reversed(network), lambda item: item)
    assert ordered == [network[0], network[2], network[1]]


@pytest.mark.parametrize("seconds", [0, 1, 2, 3], ids="before at after later".split())
def test_a_single_burst_is_of_the_day_on_which_it_begins(seconds: int) -> None:
    starts = [FIRST + timedelta(seconds=seconds), FIRST + CYCLE]
    granules = [[burst(56072, start)] for start in starts]
    assert acquisition_times(product(single_name(56072, *starts), *granules)) == tuple(starts)


def test_names_of_frames_hold_the_times() -> None:
    item = product(gamma_name(*STARTS[:2]), [slc(STARTS[0], 30000)], [slc(STARTS[1], 30175)])
    assert acquisition_times(item) == tuple(STARTS[:2])


def test_a_day_alone_is_the_acquisition_of_that_day_in_other_products() -> None:
    told = pair(0, 1)
    untold = product(multi_name(56072, 3, 27, STARTS[1] + timedelta(seconds=6), STARTS[2]))
    assert shared_times([told, untold])[1][0] == STARTS[1]
    assert shared_times([untold])[0][0] == datetime(2023, 1, 1, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    "granules",
    [
        [burst(56072, FIRST - timedelta(days=2))],
        ["S1_056072_IW2_20229919T235958_VV_67BC-BURST"],
        ["none"],
        [],
    ],
)
def test_granules_of_another_day_tell_nothing(granules: list[str]) -> None:
    item = product(single_name(56072, *STARTS[:2]), granules, granules)
    assert acquisition_times(item) == item.name.times


def test_granules_of_another_pass_do_not_move_the_start() -> None:
    granules = [*bursts(STARTS[0]), burst(56000, STARTS[0] - timedelta(minutes=20))]
    item = product(multi_name(56072, 3, 27, *STARTS[:2]), granules, bursts(STARTS[1]))
    assert acquisition_times(item)[0] == STARTS[0]


def test_a_rerun_is_known_whatever_day_its_name_holds() -> None:
    def identity(*names: str) -> set[tuple[object, ...]]:
        sides = bursts(STARTS[0]), bursts(STARTS[1])
        return {product_identity(product(name, *sides)) for name in names}

    last = STARTS[1] + timedelta(seconds=6)
    names = [multi_name(56072, 3, 27, STARTS[0], day, "0002") for day in (STARTS[1], last)]
    assert len(identity(*names)) == 1
    assert product_identity(pair(0, 1)) != product_identity(pair(0, 2))


def test_a_burst_is_the_same_under_both_names() -> None:
    granules = [[burst(56072, start)] for start in STARTS[:2]]
    old = product(single_name(56072, *STARTS[:2], "E09B"), *granules)
    new = product(multi_name(56072, 1, 27, *STARTS[:2], "E09C"), *granules)
    assert product_identity(old) == product_identity(new)
    other = product(multi_name(56073, 1, 27, *STARTS[:2]), *granules)
    assert product_identity(other) != product_identity(new)


def test_frames_after_midnight_belong_to_the_pass_before() -> None:
    times = [FIRST + timedelta(seconds=s) for s in (-23, 2, 27)]
    later = FIRST + CYCLE + timedelta(minutes=3)
    texts = [*(rtc_name(time) for time in times), rtc_name(times[1], "0002"), rtc_name(later)]
    names = [name for text in texts if (name := parse_name(text))]
    assert len(names) == 5
    starts = pass_starts(reversed(names))
    assert [starts[text] for text in texts] == [times[0]] * 4 + [later]
