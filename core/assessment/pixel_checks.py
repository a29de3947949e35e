"""Looks at pixels of a written stack: whether they are there, and can be what they say they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..files.written_stack import WrittenStack
from ..pixels.look_vectors import LOOK_VECTORS
from ..products.layers import COHERENCE, UNWRAPPED_PHASE
from ..products.product_types import find_layer
from .conventions import Check
from .plausibility import unknown_flags

MOST_BYTES = 256_000_000
"""So much is read of a stack on disk, unpacked; a larger one is sampled."""

MOST_REMOTE_BYTES = 32_000_000
"""The same in an object store."""

_LEAST_STEPS = 3
_ROOM = 2e-3
"""Values that are warped or rounded may be so far beyond a limit."""

_SAME = 2e-3
"""Largest difference of a mean or share from what the stack says; values may be rounded."""


@dataclass
class _Map:
    """A map of one step (or of a layer without steps), missing pixels as NaN."""

    name: str
    step: int | None
    values: NDArray[np.float64]


def check_pixels(stack: WrittenStack, is_remote: bool) -> tuple[list[Check], str]:
    """Read pixels of one dataset and check them.

    From an object store less is read.

    Returns
    -------
    checks : list of Check
        On values, flags and what the stack says of its steps.
    extent : str
        How much was read, in words.
    """
    most = MOST_REMOTE_BYTES if is_remote else MOST_BYTES
    steps = _steps(stack, most)
    values: list[str] = []
    flags: list[str] = []
    problems: list[str] = []
    for name in stack.layers:
        read = 0
        ends: list[np.float64] = []
        for item in _read(stack, name, steps):
            read += 1
            known = item.values[~np.isnan(item.values)]
            ends += [known.min(), known.max()] if known.size else []
            flags.extend(unknown_flags(stack, name, item.values))
            problems.extend(_statistics(stack, item))
        values.extend(_extremes(name, ends))
        if read and not ends and _has_data(stack, name):
            values.append(f"{name} has no data in any pixel that was read")
    values.extend(_lengths(stack, steps))
    total = stack.raw.sizes[stack.dimension]
    extent = f"all {total} steps" if len(steps) == total else f"{len(steps)} of {total} steps"
    return [
        Check("Pixels are in the range of their quantity", _once(values), True, ("damaski",)),
        Check("Flags of pixels have a meaning", _once(flags), True, ("damaski",)),
        Check("Pixels agree with the numbers of their step", _once(problems), True),
    ], extent


def _once(problems: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(problems))


def _steps(stack: WrittenStack, most: int) -> tuple[int, ...]:
    """Return the steps that are read, evenly spaced."""
    total = stack.raw.sizes[stack.dimension]
    of_step = sum(
        variable.dtype.itemsize * int(np.prod(variable.shape[-2:]))
        for name in stack.layers
        if (variable := stack.raw.variables[name]).ndim == 3
    )
    number = min(total, max(_LEAST_STEPS, most // max(of_step, 1)))
    return tuple(sorted({int(step) for step in np.linspace(0, total - 1, number).round()}))


def _read(stack: WrittenStack, name: str, steps: Sequence[int]) -> Iterator[_Map]:
    """Yield maps of a layer, row by row of chunks where they are chunked for series."""
    variable = stack.raw.variables[name]
    fill = stack.number("_FillValue", name)
    if variable.ndim == 2:
        yield _Map(name, None, _numbers(variable[:, :].values, fill))
        return
    chunks = variable.encoding.get("chunksizes") or variable.encoding.get("chunks")
    if chunks and chunks[0] > 1:
        # Maps would take all chunks for each step.
        rows = min(int(chunks[1]), variable.shape[1])
        first = (variable.shape[1] - rows) // 2 // rows * rows
        block = _numbers(variable[:, first : first + rows, :].values, fill)
        for step in steps:
            yield _Map(name, None, block[step])
        return
    for step in steps:
        yield _Map(name, step, _numbers(variable[step].values, fill))


def _numbers(values: NDArray[Any], fill: float | None) -> NDArray[np.float64]:
    numbers = values.astype("float64")
    if fill is not None and not np.isnan(fill):
        numbers[values == fill] = np.nan
    return numbers


def _extremes(name: str, ends: Sequence[np.float64]) -> Iterator[str]:
    """Yield what is wrong with the least and largest values of the maps of a layer."""
    if np.isinf(ends).any():
        yield f"{name} is infinite somewhere"
    elif ends:
        low, high = _limits(name)
        for value in (min(ends), max(ends)):
            if not low - _ROOM <= value <= high + _ROOM:
                yield f"{name} reaches {value:g}, which is not from {low:g} to {high:g}"


def _limits(name: str) -> tuple[float, float]:
    """Return least and largest value of a variable; any for backscatter, whose scale differs."""
    made = {layer.variable: layer for layer in LOOK_VECTORS}
    layer = made.get(name) or find_layer(name)
    return (-np.inf, np.inf) if layer is None or layer.is_backscatter else layer.limits


def _has_data(stack: WrittenStack, name: str) -> bool:
    """Return whether a layer should have data: where the stack has some at all."""
    shares = stack.values("valid_fraction")
    return shares is None or bool((shares > 0).any())


def _statistics(stack: WrittenStack, item: _Map) -> Iterator[str]:
    """Yield differences between a map and what the stack says of its step."""
    if item.step is None:
        return
    known = ~np.isnan(item.values)
    share = stack.values("valid_fraction")
    if item.name == primary(stack) and share is not None and item.step < share.size:
        found = float(known.mean())
        if not abs(found - share[item.step]) <= _SAME:
            yield (
                f"valid_fraction of step {item.step + 1} is {share[item.step]:.3f}, but "
                f"{item.name} has data in {found:.3f}"
            )
    mean = stack.values("coherence_mean")
    if item.name == COHERENCE and mean is not None and item.step < mean.size and known.any():
        found = float(item.values[known].mean())
        if not abs(found - mean[item.step]) <= _SAME * max(1.0, abs(found)):
            yield (
                f"coherence_mean of step {item.step + 1} is {mean[item.step]:.3f}, but corr has a "
                f"mean of {found:.3f}"
            )


def primary(stack: WrittenStack) -> str | None:
    """Return the layer that coverage is judged by: unwrapped phase, or the only measurement."""
    if UNWRAPPED_PHASE in stack.layers:
        return UNWRAPPED_PHASE
    measured = [
        name
        for name in stack.layers
        if stack.raw[name].ndim == 3 and stack.raw[name].dtype.kind == "f"
    ]
    return measured[0] if len(measured) == 1 else None


def _lengths(stack: WrittenStack, steps: Sequence[int]) -> Iterator[str]:
    """Yield that look vectors of pixels are not unit vectors."""
    names = [f"look_vector_{axis}" for axis in "xyz"]
    if not set(names) <= set(stack.layers):
        return
    parts = [next(_read(stack, name, steps[:1])).values for name in names]
    length = np.sqrt(sum(np.square(part) for part in parts))
    if (np.abs(length - 1.0) > _ROOM).any():
        yield "look_vector_x, _y, _z are not unit vectors somewhere"


def check_groups(stacks: Sequence[WrittenStack]) -> Check:
    """Compare the groups of a store, which hold the same stack in two layouts."""
    first, problems = stacks[0], []
    for other in stacks[1:]:
        if set(first.raw.variables) != set(other.raw.variables):
            problems.append(f"{first.label} and {other.label} have different variables")
            continue
        for name in map(str, first.raw.variables):
            one, two = first.raw.variables[name], other.raw.variables[name]
            if one.shape != two.shape:
                problems.append(f"{name} of {other.label} has another shape")
            elif not _same(one, two, name in first.layers):
                problems.append(f"{name} of {other.label} has other values")
        problems.extend(
            f"{name} of {other.label} differs"
            for name in sorted(set(first.raw.attrs) & set(other.raw.attrs))
            if not np.array_equal(first.raw.attrs[name], other.raw.attrs[name])
        )
    return Check("Both groups of the store hold the same stack", tuple(problems), True)


def _same(one: Any, other: Any, is_map: bool) -> bool:
    """Return whether two variables hold the same, of layers one block in the middle."""
    if is_map:
        rows, columns = (slice(size // 2, size // 2 + 8) for size in one.shape[-2:])
        window: tuple[Any, ...] = (..., rows, columns)
        if one.ndim == 3:
            window = (slice(0, None, max(1, one.shape[0] // 8)), rows, columns)
        one, other = one[window], other[window]
    left, right = np.asarray(one.values), np.asarray(other.values)
    return bool(np.array_equal(left, right, equal_nan=left.dtype.kind == right.dtype.kind == "f"))
