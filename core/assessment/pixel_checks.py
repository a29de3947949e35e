"""Looks at pixels of a written stack: whether they are there, and can be what they say they are."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..files.stack_blocks import cut_at_chunks, steps_by_chunk
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

_BLOCK_PIXELS = 2_000_000
"""So many pixels of a map are in memory at once."""

_WINDOW_BYTES = 64_000_000
"""Largest part of a layer with chunks of many steps that is read."""

_LEAST_STEPS = 3
_ROOM = 2e-3
"""Values that are warped or rounded may be so far beyond a limit."""

_SAME = 2e-3
"""Largest difference of a mean or share from what the stack says; values may be rounded."""


@dataclass
class _Map:
    """What was read of a map of one step, or of a layer without steps, block by block."""

    step: int | None = None  # None also where only a part of the map is read
    pixels: int = 0
    known: int = 0  # pixels with data
    total: float = 0.0  # sum of their values
    low: float = math.inf
    high: float = -math.inf

    def add(self, block: NDArray[np.float64]) -> None:
        """Take a block, missing pixels as NaN."""
        known = block[~np.isnan(block)]
        self.pixels += block.size
        self.known += known.size
        if known.size:
            with np.errstate(invalid="ignore"):
                self.total += float(known.sum())
            self.low = min(self.low, float(known.min()))
            self.high = max(self.high, float(known.max()))


def check_pixels(stack: WrittenStack, is_remote: bool) -> tuple[list[Check], str]:
    """Read pixels of one dataset, in blocks, and check them.

    From an object store less is read.

    Returns
    -------
    checks : list of Check
        On values, flags and what the stack says of its steps.
    extent : str
        How much was read, in words.

    Raises
    ------
    InvalidParameterError
        If a part of the stack cannot be read.
    """
    steps = _steps(stack, MOST_REMOTE_BYTES if is_remote else MOST_BYTES)
    values: list[str] = []
    flags: list[str] = []
    problems: list[str] = []
    for name in stack.layers:
        maps: dict[int | None, _Map] = {}
        for step, block in _read(stack, name, steps):
            maps.setdefault(step, _Map(step)).add(block)
            flags.extend(unknown_flags(stack, name, block))
        for item in maps.values():
            problems.extend(_statistics(stack, name, item))
        values.extend(_extremes(name, [item for item in maps.values() if item.known]))
        if not any(item.known for item in maps.values()) and _has_data(stack, name):
            values.append(f"{name} has no data in any pixel that was read")
    values.extend(_lengths(stack))
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


def _read(
    stack: WrittenStack, name: str, steps: Sequence[int]
) -> Iterator[tuple[int | None, NDArray[np.float64]]]:
    """Yield blocks of a layer with the step whose map they are a part of.

    Where chunks hold many steps, maps would take all of them for each step; some whole chunks in
    the middle are read instead.
    """
    variable = stack.raw.variables[name]
    *depth, high, wide = stack.blocks.array(name).chunks
    height, width = variable.shape[-2:]
    if not depth or depth[0] == 1:
        bands = _bands(height, width, high)
        for step in (None,) if not depth else steps:
            for rows in bands:
                block = stack.read(name, [step or 0], rows, slice(None))
                yield step, block.astype("float64", copy=False)
        return
    size = variable.dtype.itemsize * variable.shape[0]
    rows = _middle(height, high, min(high, _WINDOW_BYTES // (size * min(wide, width))))
    columns = _middle(width, wide, _WINDOW_BYTES // (size * (rows.stop - rows.start)))
    for part in steps_by_chunk(np.array(steps), depth[0]):
        yield None, stack.read(name, steps[part], rows, columns).astype("float64", copy=False)


def _bands(height: int, width: int, high: int) -> list[slice]:
    """Cut a map into bands of whole chunks, as far as they are not too large."""
    rows = max(1, _BLOCK_PIXELS // width)
    rows = rows // high * high or rows
    return cut_at_chunks(0, height, rows)


def _middle(length: int, chunk: int, most: int) -> slice:
    """Return whole chunks in the middle of an axis that are at most so long, or a part of one."""
    size = min(length, max(1, most // chunk * chunk or most))
    first = (length - size) // 2
    first -= first % min(chunk, size)
    return slice(first, min(first + size, length))


def _extremes(name: str, maps: Sequence[_Map]) -> Iterator[str]:
    """Yield what is wrong with the least and largest values of the maps of a layer."""
    ends = [end for item in maps for end in (item.low, item.high)]
    if any(map(math.isinf, ends)):
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


def _statistics(stack: WrittenStack, name: str, item: _Map) -> Iterator[str]:
    """Yield differences between a map and what the stack says of its step."""
    if item.step is None:
        return
    share = stack.values("valid_fraction")
    if name == primary(stack) and share is not None and item.step < share.size:
        found = item.known / item.pixels
        if not abs(found - share[item.step]) <= _SAME:
            yield (
                f"valid_fraction of step {item.step + 1} is {share[item.step]:.3f}, but "
                f"{name} has data in {found:.3f}"
            )
    mean = stack.values("coherence_mean")
    if name == COHERENCE and mean is not None and item.step < mean.size and item.known:
        found = item.total / item.known
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
        if stack.raw.variables[name].ndim == 3 and stack.raw.variables[name].dtype.kind == "f"
    ]
    return measured[0] if len(measured) == 1 else None


def _lengths(stack: WrittenStack) -> Iterator[str]:
    """Yield that look vectors of pixels are not unit vectors."""
    names = [f"look_vector_{axis}" for axis in "xyz"]
    if not set(names) <= set(stack.layers):
        return
    height, width = stack.raw.sizes["y"], stack.raw.sizes["x"]
    for rows in _bands(height, width, stack.blocks.array(names[0]).chunks[-2]):
        parts = [stack.read(name, [0], rows, slice(None)) for name in names]
        length = np.sqrt(sum(np.square(part, dtype="float64") for part in parts))
        if (np.abs(length - 1.0) > _ROOM).any():
            yield "look_vector_x, _y, _z are not unit vectors somewhere"
            return


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
            elif not _same(*(_sample(stack, name) for stack in (first, other))):
                problems.append(f"{name} of {other.label} has other values")
        problems.extend(
            f"{name} of {other.label} differs"
            for name in sorted(set(first.raw.attrs) & set(other.raw.attrs))
            if not np.array_equal(first.raw.attrs[name], other.raw.attrs[name])
        )
    return Check("Both groups of the store hold the same stack", tuple(problems), True)


def _sample(stack: WrittenStack, name: str) -> NDArray[Any]:
    """Return a variable, of a layer one block in the middle of some steps."""
    variable = stack.raw.variables[name]
    if name not in stack.layers:
        return np.asarray(variable.values)
    rows, columns = (slice(size // 2, size // 2 + 8) for size in variable.shape[-2:])
    count = variable.shape[0] if variable.ndim == 3 else 1
    return stack.read(name, range(0, count, max(1, count // 8)), rows, columns)


def _same(one: NDArray[Any], other: NDArray[Any]) -> bool:
    return bool(np.array_equal(one, other, equal_nan=one.dtype.kind == other.dtype.kind == "f"))
