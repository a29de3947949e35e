"""A project of MintPy: the HDF5 files that its loader or its inversion would have written.

Layout and names of datasets are those that MintPy documents at
https://mintpy.readthedocs.io/en/latest/api/data_structure/.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from ..errors import InvalidParameterError
from ..files.written_stack import DISPLACEMENT, StackKind
from ..machine.blocks import run_blocks
from ..network.pair_network import PairNetwork
from ..products.layers import (
    COHERENCE,
    COMPONENTS,
    HEIGHTS,
    LOOK_AZIMUTH,
    LOOK_ELEVATION,
    MASK_FILL,
    UNWRAPPED_PHASE,
    WATER_MASK,
)
from ..run.reporter import Reporter, step, stop_if_canceled
from .mintpy_attributes import base_attributes
from .stack_part import Block, StackPart, compact

STACK_FILE = "inputs/ifgramStack.h5"
GEOMETRY_FILE = "inputs/geometryGeo.h5"
CONFIGURATION = "smallbaselineApp.cfg"

_SIDES = ("reference", "secondary")

_NEARLY_ZERO = np.float32(1e-6)
"""Radians; stands for a valid phase of 0, which MintPy takes for missing data."""

_SETTINGS = """\
# Settings of MintPy that differ from its own; MintPy adds the others when it runs.
# From this folder: smallbaselineApp.py {file} --start modify_network
mintpy.load.processor = hyp3
# Weather models need an account, and MintPy's do not take the meters of a UTM zone.
mintpy.troposphericDelay.method = no
"""

Convert = Callable[[NDArray[Any]], NDArray[Any]]
_Dataset = tuple[str, str, str, Convert]
"""Name in MintPy, layer of the stack, type, and how the one becomes the other."""


def write_mintpy(part: StackPart, folder: Path, reporter: Reporter) -> list[str]:
    """Write a project of MintPy from pairs or displacement, and return the names of the files.

    Pairs become ``inputs/ifgramStack.h5``, with which ``smallbaselineApp.py`` goes on from the step
    ``modify_network``; displacement becomes ``timeseries.h5`` and ``velocity.h5`` with their masks.

    Raises
    ------
    InvalidParameterError
        If the stack holds something else, or lacks a layer that MintPy needs.
    OSError
        If a file cannot be written.
    """
    if part.kind is StackKind.BACKSCATTER:
        raise InvalidParameterError(
            f"FORMAT is mintpy, which works with interferograms, but {part.stack.label} holds "
            "backscatter; choose FORMAT geotiff or series."
        )
    (folder / "inputs").mkdir()
    is_pairs = part.kind is StackKind.PAIRS
    needed = (UNWRAPPED_PHASE, COHERENCE, HEIGHTS) if is_pairs else (DISPLACEMENT,)
    for name in needed:
        if name not in part.layers:
            where, remedy = part.stack.label, f"build the stack with {name}"
            if name in part.stack.layers:
                where, remedy = "LAYERS", "add it"
            raise InvalidParameterError(
                f"FORMAT is mintpy, but {where} lacks {name}, which MintPy needs; {remedy}, or "
                "choose FORMAT geotiff."
            )
    attributes = base_attributes(part)
    if not is_pairs:
        return _write_displacement(part, attributes, folder, reporter)
    with step(reporter, 0.0, 90.0) as share:
        _write_pairs(part, attributes, folder / STACK_FILE, share)
    with step(reporter, 90.0, 100.0) as share:
        _write_geometry(part, attributes, folder / GEOMETRY_FILE, share)
    text = _SETTINGS.format(file=CONFIGURATION) + _reference(part)
    (folder / CONFIGURATION).write_text(text, encoding="utf-8")
    return [CONFIGURATION, STACK_FILE, GEOMETRY_FILE]


def _reference(part: StackPart) -> str:
    """Return the setting for the reference point of the stack, if it has one in the window."""
    x, y = (part.stack.values(f"reference_point_{axis}") for axis in "xy")
    pixel = None if x is None or y is None else _pixel(part, float(x), float(y))
    if pixel is None:
        return ""
    row, column = pixel
    return f"# The reference point of the stack.\nmintpy.reference.yx = {row}, {column}\n"


def _pixel(part: StackPart, x: float, y: float) -> tuple[int, int] | None:
    """Return row and column of a point, None where it lies outside of the window."""
    grid = part.grid
    row, column = int((grid.top - y) // grid.spacing), int((x - grid.left) // grid.spacing)
    return (row, column) if 0 <= row < grid.height and 0 <= column < grid.width else None


# --- pairs ----------------------------------------------------------------------------------------


def _phase(values: NDArray[Any]) -> NDArray[Any]:
    values[values == 0] = _NEARLY_ZERO
    return _zeros(values)


def _zeros(values: NDArray[Any]) -> NDArray[Any]:
    """Return values with 0, MintPy's value for missing data, where they are NaN."""
    return np.nan_to_num(values, nan=0.0)


def _labels(values: NDArray[Any]) -> NDArray[Any]:
    return np.where(values == MASK_FILL, 0, _zeros(values))


_PAIRS: tuple[_Dataset, ...] = (
    ("unwrapPhase", UNWRAPPED_PHASE, "f4", _phase),
    ("coherence", COHERENCE, "f4", _zeros),
    ("connectComponent", COMPONENTS, "i2", _labels),
)


def _write_pairs(
    part: StackPart, attributes: Mapping[str, str], path: Path, reporter: Reporter
) -> None:
    reference, secondary = part.times
    baselines = part.numbers("perpendicular_baseline")
    if baselines is None or np.isnan(baselines).any():
        reporter.warning(
            f"{part.stack.label} lacks the perpendicular baseline of each pair; MintPy "
            "gets 0 instead, so do not let it correct errors of the heights."
        )
        baselines = np.nan_to_num(np.zeros(part.steps.size) if baselines is None else baselines)
    with h5py.File(path, "w") as file:
        file.attrs.update({**attributes, "FILE_TYPE": "ifgramStack", "UNIT": "radian"})
        days = [compact(times) for times in (reference, secondary)]
        file["date"] = np.array(days, dtype="S8").T
        file["bperp"] = baselines.astype("f4")
        # The name is an old one: True keeps a pair.
        file["dropIfgram"] = np.ones(part.steps.size, bool)
        used = [row for row in _PAIRS if row[1] in part.layers]
        for number, row in enumerate(used):
            with _share(reporter, number, len(used)) as share:
                dataset = _write_layer(part, file, row, share)
            # Of any value: MintPy compares it with that of what it makes later.
            dataset.attrs["MODIFICATION_TIME"] = "0"


def _share(reporter: Reporter, number: int, count: int) -> Any:
    return step(reporter, 100.0 * number / count, 100.0 * (number + 1) / count)


def _write_layer(
    part: StackPart, file: h5py.File, row: _Dataset, reporter: Reporter, once: bool = False
) -> h5py.Dataset:
    """Write a layer block by block, without compression, as MintPy does."""
    name, layer, dtype, convert = row
    shape: tuple[int, ...] = (part.grid.height, part.grid.width)
    if part.has_steps(layer) and not once:
        shape = (part.steps.size, *shape)
    dataset = file.create_dataset(name, shape, dtype)

    def work(block: Block) -> None:
        if len(shape) == 3:
            dataset[block] = convert(part.read(layer, *block))
        else:
            dataset[block[1:]] = convert(part.read_once(layer, *block[1:]))

    blocks = part.blocks(layer)
    if len(shape) == 2:
        blocks = [block for block in blocks if block[0].start == 0]
    run_blocks(work, blocks, len(blocks), reporter)
    return dataset


# --- geometry -------------------------------------------------------------------------------------


def _write_geometry(
    part: StackPart, attributes: Mapping[str, str], path: Path, reporter: Reporter
) -> None:
    radius, height = (float(attributes[name]) for name in ("EARTH_RADIUS", "HEIGHT"))

    def incidence(elevation: NDArray[Any]) -> NDArray[Any]:
        return 90.0 - np.degrees(elevation)

    def slant_range(elevation: NDArray[Any]) -> NDArray[Any]:
        # Law of cosines in the triangle of Earth's center, ground and satellite.
        sine, cosine = np.sin(elevation.astype(float)), np.cos(elevation.astype(float))
        return np.sqrt((radius + height) ** 2 - (radius * cosine) ** 2) - radius * sine

    def azimuth(angle: NDArray[Any]) -> NDArray[Any]:
        # Of the line from satellite to ground, counterclockwise from north.
        return (np.degrees(angle.astype(float)) + 90.0) % 360.0 - 180.0

    rows: tuple[_Dataset, ...] = (
        ("height", HEIGHTS, "f4", np.asarray),
        ("incidenceAngle", LOOK_ELEVATION, "f4", incidence),
        ("slantRangeDistance", LOOK_ELEVATION, "f4", slant_range),
        ("azimuthAngle", LOOK_AZIMUTH, "f4", azimuth),
        ("waterMask", WATER_MASK, "?", lambda values: values == 1),
    )
    missing = sorted({layer for _, layer, _, _ in rows} - set(part.layers))
    if missing:
        reporter.warning(
            f"MintPy gets no {', '.join(missing)} and does without that part of the geometry."
        )
    used = [row for row in rows if row[1] in part.layers]
    with h5py.File(path, "w") as file:
        file.attrs.update({**attributes, "FILE_TYPE": "geometry"})
        for number, row in enumerate(used):
            with _share(reporter, number, len(used)) as share:
                _write_layer(part, file, row, share, once=True)


# --- displacement ---------------------------------------------------------------------------------

_RESULTS: tuple[tuple[str, str, str, tuple[_Dataset, ...]], ...] = (
    (
        "velocity.h5",
        "velocity",
        "m/year",
        (
            ("velocity", "velocity", "f4", np.asarray),
            ("velocityStd", "velocity_standard_error", "f4", np.asarray),
        ),
    ),
    (
        "temporalCoherence.h5",
        "temporalCoherence",
        "1",
        (("temporalCoherence", "temporal_coherence", "f4", _zeros),),
    ),
    ("maskTempCoh.h5", "mask", "1", (("mask", "mask", "?", lambda values: values == 0),)),
)
"""File, its type and unit, and its datasets."""


def _write_displacement(
    part: StackPart, attributes: Mapping[str, str], folder: Path, reporter: Reporter
) -> list[str]:
    days = compact(part.times[0])
    attributes = {**attributes, "REF_DATE": days[0], **_reference_pixel(part)}
    names = ["timeseries.h5"]
    with h5py.File(folder / names[0], "w") as file, step(reporter, 0.0, 80.0) as share:
        file.attrs.update({**attributes, "FILE_TYPE": "timeseries", "UNIT": "m"})
        file["date"] = np.array(days, dtype="S8")
        baselines = _baselines_of_dates(part)
        if baselines is not None:
            file["bperp"] = baselines.astype("f4")
        series = _write_layer(part, file, ("timeseries", DISPLACEMENT, "f4", np.asarray), share)
        if part.steps[0] != 0:
            _subtract_first(part, series, reporter)
    period = _whole_period(part)
    with step(reporter, 80.0, 95.0) as share:
        for name, kind, unit, rows in _RESULTS:
            used = [row for row in rows if row[1] in part.layers]
            if not used:
                continue
            names.append(name)
            with h5py.File(folder / name, "w") as file:
                file.attrs.update({**attributes, **period, "FILE_TYPE": kind, "UNIT": unit})
                for row in used:
                    _write_layer(part, file, row, share)
    if HEIGHTS in part.layers:
        names.append(GEOMETRY_FILE)
        with step(reporter, 95.0, 100.0) as share:
            _write_geometry(part, attributes, folder / GEOMETRY_FILE, share)
    return names


def _whole_period(part: StackPart) -> dict[str, str]:
    """Return the dates of velocity and coherence: those of the stack, also if fewer are exported.

    MintPy makes displacement of a velocity by ``DATE12``, for other programs, and compares it with
    GNSS between the other two.
    """
    days = compact(part.all_times[0])
    first, last = days[0], days[-1]
    return {
        "START_DATE": first,
        "END_DATE": last,
        "DATE12": f"{first}_{last}",
        "REF_DATE": first,
    }


def _subtract_first(part: StackPart, series: h5py.Dataset, reporter: Reporter) -> None:
    """Make displacement relative to the first date that is exported."""
    for rows in part.bands(DISPLACEMENT):
        first = series[0, rows]
        for number in range(part.steps.size):
            stop_if_canceled(reporter)
            series[number, rows] -= first


def _reference_pixel(part: StackPart) -> dict[str, str]:
    """Return the middle of the reference area, where the window holds it."""
    area = part.stack.text("reference_area")
    try:
        x, y, _ = map(float, area.split(","))
    except ValueError:
        return {}
    pixel = _pixel(part, x, y)
    return {} if pixel is None else {"REF_Y": str(pixel[0]), "REF_X": str(pixel[1])}


def _baselines_of_dates(part: StackPart) -> NDArray[np.float64] | None:
    """Return perpendicular baselines against the first date in meters, None if not known."""
    stack = part.stack
    reference, secondary = (stack.instants(f"pair_{side}_time") for side in _SIDES)
    baselines = stack.values("pair_perpendicular_baseline")
    if reference is None or secondary is None or baselines is None:
        return None
    network = PairNetwork.of_pairs(reference, secondary)
    is_known = network.date_count == stack.raw.sizes["time"] and network.component_count == 1
    if not is_known or np.isnan(baselines).any():
        return None
    found = np.linalg.lstsq(network.incidence(), baselines, rcond=None)[0][part.steps]
    return found - found[0]
