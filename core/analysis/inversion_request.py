"""The job of ``hyp3:invertstack``, read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from ..contract import Task
from ..errors import InvalidParameterError
from ..object_store.location import RemoteLocation, stack_source
from ..outputs.options import OutputOptions, read_outputs
from ..outputs.output_paths import check_outputs
from ..pages.report_files import check_targets
from ..run.parameters import Extent, Parameters
from .solver.time_functions import parse_steps


@dataclass(frozen=True)
class InversionRequest:
    """A checked ``invertstack`` job."""

    source: Path | RemoteLocation  # the stack of pairs
    # See :func:`.pair_selection.select_pairs`.
    start: date | None
    end: date | None
    extent: Extent | None
    layer: str
    reference_area: str | None  # ``auto``, coordinates, or None for the stack's own point
    # How pairs are inverted.
    weights: str
    gaps: str
    min_coherence: float
    min_temporal_coherence: float
    # Functions of time, see :class:`.time_functions.TimeFunctions` and ``SEASONS`` there.
    degree: int
    seasonal: str
    steps: tuple[np.datetime64, ...]
    repair: str  # ``none``, ``islands``, ``closure`` or ``both``
    # Corrections, see :mod:`.corrections`.
    troposphere: str
    deramp: str
    dem_error: bool
    outputs: OutputOptions  # what is written and how
    report: Path | None  # web page, or None for none

    @classmethod
    def from_parameters(cls, values: Mapping[str, Any]) -> InversionRequest:
        """Read and check the parameters of a job.

        Raises
        ------
        InvalidParameterError, OutputError
            If a parameter is missing or wrong.
        """
        given = Parameters(values, Task.INVERT_STACK)
        source = stack_source(given)
        start, end = given.period()
        request = cls(
            source=source,
            start=start,
            end=end,
            extent=given.extent(),
            layer=given.choice("LAYER"),
            reference_area=given.text("REFERENCE_AREA"),
            weights=given.choice("WEIGHTS"),
            gaps=given.choice("GAPS"),
            min_coherence=given.number("MIN_COHERENCE"),
            min_temporal_coherence=given.number("MIN_TEMPORAL_COHERENCE"),
            degree=given.integer("POLYNOMIAL"),
            seasonal=given.choice("SEASONAL"),
            steps=parse_steps(given.names("STEPS")),
            repair=given.choice("REPAIR"),
            troposphere=given.choice("TROPOSPHERE"),
            deramp=given.choice("DERAMP"),
            dem_error=given.flag("DEM_ERROR"),
            outputs=read_outputs(given),
            report=given.output("REPORT"),
        )
        request._check_outputs()
        return request

    @property
    def needs_survey(self) -> bool:
        """Whether islands of phase are sought: for a repair, or to report what one would do."""
        return self.repair != "none" or self.report is not None

    def _check_outputs(self) -> None:
        source, outputs = self.source, self.outputs
        files = outputs.files
        for name, path in files.items():
            if isinstance(source, Path) and path.resolve() == source.resolve():
                raise InvalidParameterError(
                    f"{name} is {path}, which is INPUT itself; give another name, because the "
                    "stack of pairs is never changed."
                )
        if isinstance(source, RemoteLocation) and outputs.remote is not None:
            if source.url == outputs.remote.url:
                raise InvalidParameterError(
                    f"ZARR_URL is {source.url}, which is INPUT itself; give another address."
                )
        for stack in (None, source, *files.values()):
            if stack is None or isinstance(stack, Path):
                check_targets({"REPORT": self.report}, stack)
        inputs = source if isinstance(source, Path) else Path(__file__)
        is_remote = outputs.remote is not None
        check_outputs(files.get("NETCDF"), files.get("ZARR"), inputs, is_remote)
