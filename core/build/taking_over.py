"""Takes over what a build of other products has done: steps of the same products stay as they are.

That is the way in which a build goes on without a product that turned out to be damaged.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import OutputError
from ..files.receipts import with_step
from ..outputs.output import LastingWriter, ReadableSink
from ..pixels.survey import Survey
from ..work.journal import Journal
from ..work.pieces import PieceResult, Receipts
from .design import Design
from .maps import step_of, with_number

Steps = list[dict[str, Any]]
"""What each step is made of, see `Design.steps`."""


def take_over(design: Design, journal: Journal, writers: Sequence[LastingWriter]) -> None:
    """Give the pieces of steps that both builds have the numbers that they have in this one.

    What is not of a step alone, such as series of pixels, is done again. The outputs are laid out
    as those of the other build, and all that is noted was found to be there.

    Parameters
    ----------
    design
        What this build is going to write.
    journal
        What the other build has noted; gets what is taken over.

    Raises
    ------
    OutputError
        If what the other build has done is of no use to this one.
    """
    steps = _common_steps(journal.noted_subject, design.steps)
    kept: dict[str, Receipts] = {}
    for key, receipts in journal.pieces.items():
        number = step_of(key)
        if number in steps:
            kept[with_number(key, steps[number])] = {
                with_step(name, steps[number]): made for name, made in receipts.items()
            }
    if not kept:
        raise OutputError("A build that stopped has done nothing that this one needs")
    gone = _survey_of_others(design, writers, journal, steps)
    survey = design.survey
    survey.take_over(journal.learned.sums, gone, steps)
    for writer in writers:
        writer.renumber(steps)
    learned_from = [
        with_number(key, steps[number])
        for key in journal.learned_from
        if (number := step_of(key)) in steps
    ]
    journal.take_over(kept, PieceResult(sums=survey.state()), learned_from)


def _common_steps(there: Steps, here: Steps) -> dict[int, int]:
    """Return the numbers here of steps that both have, by their numbers there, in order."""
    products_there, products_here = (
        {name: facts for step in steps for name, facts in step["products"].items()}
        for steps in (there, here)
    )
    for name in products_there.keys() & products_here.keys():
        if products_there[name] != products_here[name]:
            raise OutputError("Inputs were changed since a build of them stopped")
    numbers = {json.dumps(step, sort_keys=True): number for number, step in enumerate(here)}
    found = {
        number: numbers[text]
        for number, step in enumerate(there)
        if (text := json.dumps(step, sort_keys=True)) in numbers
    }
    if sorted(found.values()) != list(found.values()):
        raise OutputError("A build that stopped had its steps in another order")
    return found


def _survey_of_others(
    design: Design, writers: Sequence[LastingWriter], journal: Journal, numbers: Mapping[int, int]
) -> Survey:
    """Return what was learned of steps that are left out, from what was written of them."""
    grid = design.source.grid
    layers = [item.layer for item in design.layers if item.per_step]
    survey = Survey(grid, layers, len(journal.noted_subject))
    others = [
        key
        for key in journal.learned_from
        if (number := step_of(key)) is not None and number not in numbers
    ]
    if any(key not in journal for key in others):
        raise OutputError("What a build that stopped has left is damaged")
    columns = slice(0, grid.width)
    for key in others:
        number, names = step_of(key), key.rpartition(" ")[2].split(",")
        for item in design.layers:
            if number is None or item.name not in names or not survey.uses(item.layer):
                continue
            sink = _readable(writers)
            for rows in design.layouts.budget.row_bands(grid.height, grid.width):
                block = np.empty((rows.stop - rows.start, grid.width), item.layer.dtype)
                sink.read(item, number, rows, columns, block)
                survey.add(item.layer, number, rows, columns, block)
    return survey


def _readable(writers: Sequence[LastingWriter]) -> ReadableSink:
    """Return something to read maps from again."""
    found = [writer.sinks() for writer in writers]
    for sinks in found:
        if sinks.near is not None:
            return sinks.near
    for sinks in found:
        for sink in sinks.maps:
            if isinstance(sink, ReadableSink):
                return sink
    raise OutputError("A build that stopped has left nothing to read from")
