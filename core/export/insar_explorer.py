"""What the QGIS plugin InSAR Explorer reads: a folder of maps by date, and a layer of points.

InSAR Explorer 2.5 takes maps from NetCDF files that are named ``timeseries-<day>.grd`` and lie in
the folder of the map that is clicked, and points from fields that are named ``D<day>``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
from numpy.typing import NDArray

from ..errors import InvalidParameterError
from ..files.written_stack import DISPLACEMENT, StackKind
from ..metadata.variables import GRID_MAPPING
from ..run.reporter import Reporter, step, stop_if_canceled
from .geopackage import PointTable, write_points
from .stack_part import ReadMap, StackPart

VELOCITY, VELOCITY_ERROR = "velocity", "velocity_standard_error"
POINTS_FILE = "displacement.gpkg"

MOST_POINTS = 3_000_000
"""Pixels as points: more make a file of many gigabytes, which takes minutes to open."""

_HELD = 30_000_000
"""Values of the series that are held at once, 4 bytes each."""

_MILLIMETERS = {DISPLACEMENT: "mm", VELOCITY: "mm/year", VELOCITY_ERROR: "mm/year"}


def write_insar_explorer(part: StackPart, folder: Path, reporter: Reporter) -> list[str]:
    """Write displacement for InSAR Explorer, in mm and mm/year, and return the names of the files.

    Pixels without velocity are left out of the layer of points, which holds the other layers
    without steps as fields too, in their own units.

    Raises
    ------
    InvalidParameterError
        If the stack holds something else, LAYERS leaves out displacement or velocity, or two dates
        are of one day.
    OSError
        If a file cannot be written.
    """
    _check(part)
    count = sum(
        int(np.count_nonzero(~np.isnan(part.read(VELOCITY, slice(0, 1), *tile))))
        for tile in part.tiles(VELOCITY, _HELD)
    )
    if not count:
        raise InvalidParameterError(
            f"{part.stack.label} has no velocity in any pixel that is exported; choose another "
            "EXTENT, or run hyp3:invertstack with a lower MIN_TEMPORAL_COHERENCE."
        )
    days = [f"timeseries-{day}.grd" for day in part.labels]
    files = ((DISPLACEMENT, days, 45.0), (VELOCITY, ["velocity_mm_year.grd"], 50.0))
    begin = 0.0
    for layer, names, end in files:
        with step(reporter, begin, end) as share, part.maps(layer, folder, share) as read:
            for number, name in enumerate(names):
                _write_map(part, layer, read, number, folder / name, share)
                share.progress(100.0 * (number + 1) / len(names))
        begin = end
    names = [name for _, listed, _ in files for name in listed]
    if count > MOST_POINTS:
        reporter.warning(
            f"{count:,} pixels have displacement, more than the {MOST_POINTS:,} that a layer of "
            f"points takes; {POINTS_FILE} is left out, and the maps hold all. Choose an EXTENT to "
            "get points."
        )
        return names
    with step(reporter, begin, 100.0) as share:
        _write_points(part, folder / POINTS_FILE, count, share)
    return [*names, POINTS_FILE]


def _check(part: StackPart) -> None:
    if part.kind is not StackKind.DISPLACEMENT:
        remedy = (
            "run hyp3:invertstack first, or choose FORMAT mintpy or geotiff"
            if part.stack.is_insar
            else "choose FORMAT geotiff or series"
        )
        raise InvalidParameterError(
            f"FORMAT is insar_explorer, which shows displacement, but {part.stack.label} holds "
            f"{part.kind.value}; {remedy}."
        )
    missing = [name for name in (DISPLACEMENT, VELOCITY) if name not in part.layers]
    if missing:
        raise InvalidParameterError(
            f"FORMAT is insar_explorer, which needs {missing[0]}; add it to LAYERS, or leave "
            "LAYERS empty."
        )
    if not part.is_daily:
        raise InvalidParameterError(
            f"{part.stack.parameter} is {part.stack.place}, which has several dates of one day, "
            "but InSAR Explorer names dates by day; choose a period without them by START and "
            "END, or FORMAT geotiff."
        )


def _write_map(
    part: StackPart, layer: str, read: ReadMap, number: int, path: Path, reporter: Reporter
) -> None:
    """Write a map as a NetCDF file with one variable, as GDAL takes it for a raster."""
    grid = part.grid
    with netCDF4.Dataset(path, "w", format="NETCDF4") as file:
        file.Conventions = "CF-1.11"
        mapping = file.createVariable(GRID_MAPPING, "i4")
        mapping.setncatts(part.grid_mapping(grid))
        for axis, values in (("y", grid.y), ("x", grid.x)):
            file.createDimension(axis, values.size)
            variable = file.createVariable(axis, "f8", (axis,))
            variable.setncatts({"standard_name": f"projection_{axis}_coordinate", "units": "m"})
            variable[:] = values
        data = file.createVariable(
            layer, "f4", ("y", "x"), fill_value=np.nan, compression="zlib", complevel=1
        )
        data.setncatts(
            {
                "long_name": part.stack.text("long_name", layer),
                "units": _MILLIMETERS[layer],
                "grid_mapping": GRID_MAPPING,
            }
        )
        for rows in part.bands(layer):
            stop_if_canceled(reporter)
            data[rows] = read(number, rows) * np.float32(1000)


def _write_points(part: StackPart, path: Path, count: int, reporter: Reporter) -> None:
    grid, days = part.grid, part.labels
    others = [name for name in part.layers if not part.has_steps(name) and name != VELOCITY]
    table = PointTable("displacement", grid, (VELOCITY, *others, *(f"D{day}" for day in days)))

    def batches() -> Iterator[tuple[NDArray[Any], NDArray[Any], list[NDArray[Any]]]]:
        for rows, across in part.tiles(DISPLACEMENT, _HELD):
            velocity = part.read(VELOCITY, slice(0, 1), rows, across)
            row, column = np.nonzero(~np.isnan(velocity))
            if not row.size:
                continue
            fields = [velocity[row, column] * 1000.0]
            for name in others:
                values = part.read(name, slice(0, 1), rows, across)[row, column].astype(float)
                fields.append(values * 1000.0 if name in _MILLIMETERS else values)
            for number in range(len(days)):
                values = part.read(DISPLACEMENT, [number], rows, across)[0]
                fields.append(values[row, column] * 1000.0)
            yield grid.x[across][column], grid.y[rows][row], fields

    write_points(path, table, batches(), count, reporter)
