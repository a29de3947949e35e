"""The job of ``hyp3:exportstack``, read and checked."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from ..contract import Task
from ..errors import InvalidParameterError, OutputError
from ..machine.atomic import check_writable
from ..object_store.location import RemoteLocation, stack_source
from ..run.parameters import Extent, Parameters
from .points import Points, read_points


@dataclass(frozen=True)
class ExportRequest:
    """A checked ``exportstack`` job."""

    source: Path | RemoteLocation  # the stack
    format: str  # one of :data:`core.parameters.export_parameters.FORMATS`
    # See :func:`.stack_part.select_part`.
    layers: tuple[str, ...]
    start: date | None
    end: date | None
    extent: Extent | None
    steps_as: str  # ``files`` or ``bands``, for GeoTIFFs
    points: Points | None  # where series are taken; None for other formats
    output: Path  # folder that is written
    history: str  # the job in a line

    @classmethod
    def from_parameters(cls, values: Mapping[str, Any]) -> ExportRequest:
        """Read and check the parameters of a job.

        Raises
        ------
        InvalidParameterError, OutputError
            If a parameter is missing or wrong.
        """
        given = Parameters(values, Task.EXPORT_STACK)
        source = stack_source(given)
        start, end = given.period()
        chosen = given.choice("FORMAT")
        points = read_points(given) if chosen == "series" else None
        output = given.output("OUTPUT", required=True) or Path()
        _check_place(output, source)
        check_folder(output)
        return cls(
            source=source,
            format=chosen,
            layers=given.names("LAYERS"),
            start=start,
            end=end,
            extent=given.extent(),
            steps_as=given.choice("STEPS_AS"),
            points=points,
            output=output,
            history=given.history(),
        )


def _check_place(folder: Path, source: Path | RemoteLocation) -> None:
    if isinstance(source, Path):
        place, stack = folder.resolve(), source.resolve()
        if place == stack or stack in place.parents:
            raise InvalidParameterError(
                f"OUTPUT is {folder}, which is the stack itself or lies in it; choose a folder of "
                "its own, because the stack is never changed."
            )


def check_folder(folder: Path) -> None:
    """Check that an export replaces nothing.

    Raises
    ------
    OutputError
        If there is a file, or a folder that is not empty, or no folder can be made.
    """
    if os.path.lexists(folder):
        if not folder.is_dir():
            raise OutputError(f"OUTPUT is {folder}, which is a file; choose a folder.")
        if any(folder.iterdir()):
            raise OutputError(
                f"OUTPUT is {folder}, which is not empty; an export replaces nothing, so choose "
                "another folder or empty this one."
            )
    check_writable(folder)
