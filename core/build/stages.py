"""The stages of a build: describe, lay out, fill, finish; whatever is done already is left out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import xarray as xr

from ..append.kept_steps import check_kept
from ..assessment.assess import SELF_ASSESSMENT, Assessment, assess_stack
from ..dataset.findings import Additions
from ..errors import StackError
from ..files.verify import take_samples
from ..outputs.unfinished_outputs import UnfinishedOutputs
from ..pixels.survey import Findings
from ..run.reporter import Reporter, complete, step, stop_if_canceled
from ..work.execution import Executor
from ..work.journal import Journal
from .design import Design, designed_dataset
from .maps import map_pieces
from .series import series_pieces
from .taking_over import take_over
from .targets import Targets, is_of_series


@dataclass(frozen=True)
class Built:
    """A stack that was written."""

    dataset: xr.Dataset  # the stack as described before writing (lazy), with what the pixels showed
    findings: Findings  # what was learned from the pixels
    # What was found when the stack was assessed; None where an earlier attempt did that, or where
    # it cannot be assessed.
    assessment: Assessment | None = None


def write_stack(
    design: Design,
    outputs: UnfinishedOutputs,
    note: Path | None,
    executor: Executor,
    reporter: Reporter,
) -> Built:
    """Write and check all outputs of a stack under their temporary names.

    Parameters
    ----------
    note
        File in which the build notes what is done; None for a build that always starts over.
    executor
        Where the pieces run.
    """
    dataset = designed_dataset(design, reporter)
    with Journal(note, design.inputs, design.steps) as journal:
        taking_over = partial(take_over, design, journal)
        if outputs.begin(journal, dataset, is_of_series, taking_over):
            complete(reporter)
            return Built(dataset, _findings(design, journal))
        _fill(design, outputs, journal, executor, reporter)
        built = _finish(design, dataset, outputs, journal, reporter)
        reporter.info("Reading the outputs back to check them.")
        samples = take_samples(design.source, dataset, design.layers)
        outputs.verify(dataset, samples, journal)
        journal.finish(outputs.proofs(journal))
        complete(reporter)
    return built


def _fill(
    design: Design,
    outputs: UnfinishedOutputs,
    journal: Journal,
    executor: Executor,
    reporter: Reporter,
) -> None:
    """Write the blocks of all layers."""
    sinks, layouts = outputs.sinks(), design.layouts
    targets = Targets(
        design.source,
        design.layers,
        design.survey,
        layouts.map_unit,
        layouts.series_unit,
        layouts.budget,
        sinks,
    )
    maps_end = 85.0 if not sinks.series else 50.0 if sinks.maps else 5.0
    stages = [(map_pieces(targets), 0.0, maps_end, False)]
    if sinks.series:
        stages.append((series_pieces(targets), maps_end, 85.0, True))
    for pieces, begin, end, one_by_one in stages:
        rest = [piece for piece in pieces if piece.key not in journal]
        # What is done already counts as progress.
        begin += (end - begin) * (1.0 - len(rest) / max(len(pieces), 1))
        with step(reporter, begin, end) as current:
            executor.run(rest, targets, journal, current, one_by_one)


def _finish(
    design: Design,
    dataset: xr.Dataset,
    outputs: UnfinishedOutputs,
    journal: Journal,
    reporter: Reporter,
) -> Built:
    """Add what the pixels showed and what the assessment finds to the dataset and all outputs."""
    findings = _findings(design, journal)
    differences = dict(journal.learned.maxima)
    if design.base is not None:
        check_kept(design.base, design.source, findings.statistics)
        for name, value in design.base.differences.items():
            differences[name] = max(value, differences.get(name, value))
    outputs.finish(
        dataset, Additions.of(dataset, design.source.grid, findings, differences), journal
    )
    stop_if_canceled(reporter)
    assessment = _assess(outputs, reporter)
    outputs.seal(dataset, {} if assessment is None else {SELF_ASSESSMENT: assessment.summary})
    return Built(dataset, findings, assessment)


def _assess(outputs: UnfinishedOutputs, reporter: Reporter) -> Assessment | None:
    """Assess the first output, for all of them."""
    try:
        return assess_stack(outputs.place)
    except (StackError, ValueError, TypeError, LookupError, RuntimeError) as error:
        # Hours of work must not be lost because a description of them fails.
        reporter.warning(
            f"The stack is made without {SELF_ASSESSMENT}, because it cannot be assessed "
            f"({type(error).__name__}: {error})."
        )
        return None


def _findings(design: Design, journal: Journal) -> Findings:
    survey = design.survey
    survey.restore(journal.learned.sums)
    return survey.findings()
