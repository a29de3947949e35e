"""The outputs of one run while they have hidden names: laid out, filled, checked, found again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import xarray as xr

from ..dataset.findings import Additions
from ..dataset.stack_layer import StackLayer
from ..errors import UNREADABLE, OutputError
from ..files.chunking import Layouts
from ..files.receipts import by_output as by_place
from ..files.verify import Sample
from ..object_store.late_metadata import LateMetadataStore
from ..run.reporter import Reporter, StepReporter, step
from ..work.journal import Journal
from ..work.pieces import Receipts
from .output import LastingWriter, Output, OutputPlaces, Sinks

Writers = Sequence[LastingWriter]


class UnfinishedOutputs:
    """All outputs of one run, before they get their names."""

    def __init__(
        self,
        outputs: Sequence[Output],
        layers: Sequence[StackLayer],
        layouts: Layouts,
        places: OutputPlaces,
        reporter: Reporter,
    ) -> None:
        self._writers = [output.writer(places, layers, layouts) for output in outputs]
        # Of a run that has others, too, nothing is noted: no attempt comes back to these then.
        self._lasting = [item for item in self._writers if isinstance(item, LastingWriter)]
        self._workspace = places.workspace
        self._reporter = reporter

    @property
    def place(self) -> Path | LateMetadataStore:
        """Where the first output is, to be read as a whole stack."""
        return self._writers[0].place

    def begin(
        self,
        journal: Journal,
        dataset: xr.Dataset,
        reads_others: Callable[[str], bool],
        take_over: Callable[[Writers], None] | None = None,
    ) -> bool:
        """Lay the outputs out, or find those that an earlier attempt laid out.

        Returns whether that attempt had completed the outputs, so that they only need their names.

        Parameters
        ----------
        journal
            What was noted of that attempt.
        reads_others
            See :meth:`core.work.journal.Journal.doubt`.
        take_over
            Makes the work of an attempt on another subject that of this one; an `OutputError` says
            that it cannot.
        """
        lost, is_new = 0, True
        try:
            goes_on = journal.resume()
            if goes_on and journal.is_same_subject:
                if journal.finished is not None and self._stands(journal):
                    self._reporter.info(
                        "Going on with a build that stopped when its outputs were complete; only "
                        "their names were missing."
                    )
                    return True
            journal.finished = None
            if goes_on and not all(writer.is_laid_out() for writer in self._lasting):
                raise OutputError("What a build that stopped has left is damaged")
            if goes_on:
                before = len(journal)
                journal.doubt(self._remove_failing(journal), reads_others)
                lost = before - len(journal)
            if goes_on and take_over is not None and not journal.is_same_subject:
                take_over(self._lasting)
            else:
                is_new = not goes_on
        except OutputError as error:
            self._reporter.info(f"{error}; starting over.")
            goes_on = False
        if not goes_on:
            # A note that was of no use may have left outputs, and one may describe damaged ones.
            journal.start_over()
            self._workspace.clear()
        # The catalog may know more now, or less.
        for writer in self._writers:
            writer.lay_out(dataset, self._reporter)
        if is_new:
            journal.begin()
        if goes_on:
            damaged = f", {lost} were damaged since and are done again" if lost else ""
            self._reporter.info(
                f"Going on with a build that stopped; {len(journal)} pieces of work are done"
                f"{damaged}."
            )
        return False

    def sinks(self) -> Sinks:
        """Open what takes blocks."""
        sinks = Sinks()
        for writer in self._writers:
            sinks |= writer.sinks()
        return sinks

    def finish(self, dataset: xr.Dataset, additions: Additions, journal: Journal) -> None:
        """Add what is known only after all blocks were read to the dataset and all outputs."""
        additions.add_to(dataset)
        if not all(writer.keeps_blocks() for writer in self._writers):
            journal.forget()
        with step(self._reporter, 85.0, 97.0) as current:
            for writer in self._writers:
                writer.finish(dataset, additions, current)

    def seal(self, dataset: xr.Dataset, attributes: Mapping[str, str]) -> None:
        """Add the last attributes of the stack, and what lists all that is there for readers."""
        Additions(of_stack=attributes).add_to(dataset)
        for writer in self._writers:
            writer.seal(attributes)

    def verify(self, dataset: xr.Dataset, samples: Sequence[Sample], journal: Journal) -> None:
        """Read the outputs again: coordinates, attributes, samples of layers, and all chunks."""
        receipts, quiet = _receipts(journal), StepReporter(self._reporter, 97.0, 99.0)
        for writer in self._writers:
            writer.verify(dataset, samples, receipts[writer.label], quiet)

    def proofs(self, journal: Journal) -> dict[str, Any]:
        """Return what proves complete outputs beside the receipts of chunks, as JSON knows it."""
        receipts = _receipts(journal)
        return {writer.label: writer.proof(receipts[writer.label]) for writer in self._lasting}

    def _stands(self, journal: Journal) -> bool:
        """Return whether outputs that were complete still are, under whichever name."""
        proofs, receipts = journal.finished or {}, _receipts(journal)
        quiet = StepReporter(self._reporter, 0.0, 0.0)
        try:
            return all(
                writer.stands(proofs[writer.label], receipts[writer.label], quiet)
                for writer in self._lasting
            )
        except UNREADABLE:
            return False

    def _remove_failing(self, journal: Journal) -> set[str]:
        """Remove what is not as it was noted, and return the names of those chunks.

        What a piece wrote that is not noted is removed as well: it is done again.
        """
        receipts, quiet = _receipts(journal), StepReporter(self._reporter, 0.0, 0.0)
        return {
            f"{writer.label}/{name}"
            for writer in self._lasting
            for name in writer.remove_failing(receipts[writer.label], quiet)
        }


def _receipts(journal: Journal) -> Mapping[str, Receipts]:
    """Return the receipts of what each output holds, by its label."""
    return defaultdict(dict, by_place(journal.receipts))
