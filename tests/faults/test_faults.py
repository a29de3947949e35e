"""Hostile inputs of every kind end in a sentence or in the right result."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .amount import COUNT, SEED, share
from .campaign import Handler, try_inputs
from .groups import GROUPS

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def handler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Handler]:
    with Handler(tmp_path_factory.mktemp("faults")) as made:
        yield made


@pytest.mark.parametrize("group", GROUPS)
def test_hostile_inputs(handler: Handler, group: str) -> None:
    print(f"HYP3_STACK_SEED={SEED} HYP3_STACK_FAULTS={COUNT}")
    tally = try_inputs(handler, group, share(GROUPS[group].SHARE), SEED)
    tally.write()
    tally.check()
