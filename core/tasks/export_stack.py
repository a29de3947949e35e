"""The task behind ``hyp3:exportstack``: a written stack in the formats of other programs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyproj import CRS

from ..contract import SPATIAL_GROUP, TEMPORAL_GROUP
from ..errors import InvalidParameterError, OutputError, StackError
from ..export.cloud_geotiff import write_geotiffs
from ..export.export_request import ExportRequest, check_folder
from ..export.insar_explorer import write_insar_explorer
from ..export.mintpy_project import write_mintpy
from ..export.point_series import write_series
from ..export.stack_part import StackPart, select_part
from ..export.zarr_pyramid import write_pyramid
from ..files.netcdf_file import plain_errors
from ..files.written_stack import open_stack
from ..inputs.read_errors import limit_error
from ..machine.atomic import complete_or_absent
from ..machine.disk import check_space
from ..run.reporter import Reporter, complete, step


def run(
    parameters: Mapping[str, Any], credentials: Mapping[str, str] | None, reporter: Reporter
) -> dict[str, Any]:
    """Export a stack.

    Returns
    -------
    dict
        Outputs of ``hyp3:exportstack``: ``OUTPUT`` and the paths of the ``FILES`` in it.
    """
    request = ExportRequest.from_parameters(parameters)
    group = TEMPORAL_GROUP if request.format == "series" else SPATIAL_GROUP
    with (
        open_stack(request.source, group, "INPUT", reporter) as stack,
    ):
        part = select_part(stack, request.layers, request.start, request.end, request.extent)
        _check_unit(part, request.format)
        check_space([(request.output / "files", _estimate_bytes(part, request))])
        with complete_or_absent(request.output) as folder:
            folder.mkdir()
            try:
                with step(reporter, 0.0, 100.0) as writing, plain_errors(folder / "files"):
                    names = _write(part, request, folder, writing)
            except OSError as error:
                raise _not_written(request.output, error) from error
            complete(reporter)
            check_folder(request.output)  # again: much may have happened since
    return {
        "OUTPUT": str(request.output),
        "FILES": [str(request.output / name) for name in names],
    }


def _check_unit(part: StackPart, chosen: str) -> None:
    """Check that coordinates are meters; stacks of other programs may be in degrees."""
    if chosen in ("mintpy", "insar_explorer", "pyramid") and not part.grid.is_metric:
        raise InvalidParameterError(
            f"FORMAT is {chosen}, which takes maps in meters, but {part.stack.label} is in "
            f"{CRS.from_wkt(part.grid.wkt).name}; choose FORMAT geotiff or series."
        )


def _not_written(folder: Path, error: OSError) -> StackError:
    return limit_error(str(folder), error) or OutputError(
        f"{folder} cannot be written ({error.strerror or error}); free some space or choose "
        "another folder."
    )


def _write(part: StackPart, request: ExportRequest, folder: Path, reporter: Reporter) -> list[str]:
    if request.points is not None:
        return write_series(part, request.points, folder, reporter)
    if request.format == "mintpy":
        return write_mintpy(part, folder, reporter)
    if request.format == "insar_explorer":
        return write_insar_explorer(part, folder, reporter)
    if request.format == "pyramid":
        return write_pyramid(part, request.history, folder, reporter)
    return write_geotiffs(part, request.steps_as, folder, reporter)


def _estimate_bytes(part: StackPart, request: ExportRequest) -> int:
    """Return about how many bytes the export takes, if the values do not compress."""
    if request.points is not None:
        return 16 * len(part.layers) * part.steps.size * len(request.points.values)
    pixels = part.grid.height * part.grid.width
    if request.format == "pyramid":
        pixels += pixels // 3
    return sum(
        math.prod((part.steps.size if part.has_steps(name) else 1, pixels))
        * part.dtype(name).itemsize
        for name in part.layers
    )
