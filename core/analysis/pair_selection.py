"""Which pairs and pixels of a stack are inverted, and how they are read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS

from ..errors import InvalidParameterError
from ..files.stack_blocks import StackBlocks, cut_at_chunks, steps_by_chunk
from ..files.written_stack import StackKind, WrittenStack, within_period
from ..grid.extent import cut_to_extent
from ..grid.lattice import Grid
from ..machine.blocks import run_blocks
from ..network.pair_network import PairNetwork
from ..network.phase_variance import independent_looks
from ..products.layers import COHERENCE, COMPONENTS, LOS_DISPLACEMENT, UNWRAPPED_PHASE
from ..products.sentinel1 import LONGEST_GAP, PHASE_TO_DISPLACEMENT
from ..run.parameters import Extent
from ..run.reporter import Reporter, SilentReporter


@dataclass(frozen=True)
class PairSelection:
    """Pairs and a window of a stack; can be pickled, and read from many threads."""

    blocks: StackBlocks  # where they are read from
    layer: str  # ``unw_phase``, or ``los_disp``, which is turned into phase
    pairs: NDArray[np.intp]  # positions of the pairs in the stack, ascending; shape (M,)
    network: PairNetwork  # their acquisitions
    grid: Grid  # grid of the window
    # Upper left pixel of the window in the stack.
    row: int
    column: int
    # Independent looks of each pair, None where the stack lacks them; shape (M,).
    looks: NDArray[np.intp] | None
    # Whether the stack has these layers of pairs.
    has_coherence: bool
    has_components: bool

    def only(self, kept: NDArray[np.bool_]) -> PairSelection:
        """Return the same with fewer pairs, and only their acquisitions."""
        network = self.network
        times = network.times
        some = PairNetwork.of_pairs(times[network.reference[kept]], times[network.secondary[kept]])
        looks = None if self.looks is None else self.looks[kept]
        return replace(self, pairs=self.pairs[kept], network=some, looks=looks)

    @property
    def chunks(self) -> tuple[int, int, int]:
        """Pairs, rows and columns of a chunk of the stack."""
        steps, rows, columns = self.blocks.array(self.layer).chunks
        return steps, rows, columns

    @property
    def chunk_bytes(self) -> int:
        """Size of a chunk once it is decompressed; 0 where the stack has none."""
        return self.blocks.array(self.layer).chunk_bytes

    def phase(
        self,
        rows: slice,
        columns: slice,
        threads: int = 1,
        reporter: Reporter | None = None,
    ) -> NDArray[np.float32]:
        """Read the phase of all pairs in a block of the window; shape (M, rows, columns)."""
        phase = self._read(self.layer, rows, columns, threads, reporter)
        if self.layer == LOS_DISPLACEMENT:
            phase /= np.float32(PHASE_TO_DISPLACEMENT)
        return phase

    def coherence(
        self,
        rows: slice,
        columns: slice,
        threads: int = 1,
        reporter: Reporter | None = None,
    ) -> NDArray[np.float32]:
        """Read the coherence of all pairs in a block of the window; shape (M, rows, columns)."""
        return self._read(COHERENCE, rows, columns, threads, reporter)

    def components(
        self,
        rows: slice,
        columns: slice,
        threads: int = 1,
        reporter: Reporter | None = None,
    ) -> NDArray[np.float32]:
        """Read the connected components of all pairs in a block; shape (M, rows, columns)."""
        return self._read(COMPONENTS, rows, columns, threads, reporter)

    def geometry(self, name: str, rows: slice, columns: slice) -> NDArray[Any]:
        """Read a layer without steps, or of one with steps what the first pair with data has.

        The block has shape (rows, columns).
        """
        place = (
            slice(self.row + rows.start, self.row + rows.stop),
            slice(self.column + columns.start, self.column + columns.stop),
        )
        return self.blocks.read_once(name, self.pairs.tolist(), *place)

    def _read(
        self, name: str, rows: slice, columns: slice, threads: int, reporter: Reporter | None
    ) -> NDArray[np.float32]:
        """Read in parts of whole chunks, so that several threads decompress at once."""
        height, width = rows.stop - rows.start, columns.stop - columns.start
        block = np.empty((self.pairs.size, height, width), np.float32)
        depth, high, wide = self.blocks.array(name).chunks
        top, left = self.row + rows.start, self.column + columns.start

        def read(part: tuple[slice, slice, slice]) -> None:
            chosen, down, across = part
            block[chosen, down, across] = self.blocks.read(
                name,
                self.pairs[chosen].tolist(),
                slice(top + down.start, top + down.stop),
                slice(left + across.start, left + across.stop),
            )

        parts = [
            (chosen, down, across)
            for chosen in steps_by_chunk(self.pairs, depth)
            for down in cut_at_chunks(top, height, high)
            for across in cut_at_chunks(left, width, wide)
        ]
        run_blocks(read, parts, len(parts), reporter or SilentReporter(), threads)
        return block


def select_pairs(
    stack: WrittenStack,
    layer: str,
    start: date | None,
    end: date | None,
    extent: Extent | None,
) -> PairSelection:
    """Choose the pairs and the window of a stack.

    Parameters
    ----------
    layer
        ``unw_phase`` or ``los_disp``.
    start, end
        UTC days, inclusive, in which both acquisitions of a pair lie; None for no limit.
    extent
        The window is the smallest one that holds it; None for the whole stack.

    Raises
    ------
    InvalidParameterError
        If the stack has no pairs, or no more than one date is left.
    GridError
        If the extent lies outside the stack.
    """
    _check_kind(stack, layer)
    times = [_times(stack, f"{side}_time") for side in ("reference", "secondary")]
    reference, secondary = _of_passes(np.stack(times).astype("datetime64[ns]"))
    days = [side.astype("datetime64[D]") for side in (reference, secondary)]
    kept = within_period(days, start, end)
    if not kept.any():
        first, last = min(days[0]), max(days[1])
        raise InvalidParameterError(
            f"START and END ({start or 'open'} to {end or 'open'}) leave no pair of "
            f"{stack.label}, whose dates are {first} to {last}; both dates of a pair have to lie "
            "in the period, so choose a longer one."
        )
    _check_order(stack, np.flatnonzero(kept & (reference >= secondary)))
    network = PairNetwork.of_pairs(reference[kept], secondary[kept])
    row, column, grid = cut_to_extent(stack.grid, extent)
    pairs = np.flatnonzero(kept)
    return PairSelection(
        stack.blocks,
        layer,
        pairs,
        _with_middles(stack, network),
        grid,
        row,
        column,
        _looks(stack, pairs),
        COHERENCE in stack.layers,
        COMPONENTS in stack.layers,
    )


def _times(stack: WrittenStack, name: str) -> NDArray[np.datetime64]:
    times = stack.instants(name)
    if times is None or np.isnat(times).any():
        raise InvalidParameterError(
            f"{stack.parameter} is {stack.place}, which lacks the times of its pairs, or has them "
            "in a unit or calendar that stacks do not use; give a stack that hyp3:buildstack wrote."
        )
    return times


def _of_passes(times: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    """Return when passes began: of frames that follow each other, the time of the first one.

    Products of one track may begin with other frames of the same pass, which is one acquisition.
    """
    starts, place = np.unique(times, return_inverse=True)
    begins = np.append(True, np.diff(starts) >= np.timedelta64(LONGEST_GAP, "ns"))
    first = np.maximum.accumulate(np.where(begins, np.arange(starts.size), 0))
    return starts[first][place].reshape(times.shape)


def _check_order(stack: WrittenStack, wrong: NDArray[np.intp]) -> None:
    if wrong.size:
        labels = stack.values("pair_label")
        name = str(wrong[0] + 1) if labels is None else str(labels[wrong[0]])
        raise InvalidParameterError(
            f"{stack.parameter} is {stack.place}, whose pair {name} does not lead from an earlier "
            "acquisition to a later one; build the stack without it."
        )


def _check_kind(stack: WrittenStack, layer: str) -> None:
    what = f"{stack.parameter} is {stack.place}, which"
    if stack.kind is StackKind.BACKSCATTER:
        raise InvalidParameterError(
            f"{what} holds backscatter, but displacement comes from interferograms; give a stack "
            "of INSAR_GAMMA or INSAR_ISCE products."
        )
    if stack.kind is StackKind.DISPLACEMENT:
        raise InvalidParameterError(
            f"{what} holds displacement already; give the stack of pairs that it was made from."
        )
    stack.check_order([layer] if layer in stack.raw.variables else [])
    if not stack.grid.is_metric:
        raise InvalidParameterError(
            f"{what} is in {CRS.from_wkt(stack.grid.wkt).name}, but an inversion needs coordinates "
            "in meters; build the stack with a UTM zone as TARGET_CRS."
        )
    if layer not in stack.layers or stack.raw.variables[layer].dims[0] != "pair":
        others = [name for name in (UNWRAPPED_PHASE, LOS_DISPLACEMENT) if name in stack.layers]
        remedy = f"choose {others[0]}" if others else f"build the stack with {UNWRAPPED_PHASE}"
        raise InvalidParameterError(f"{what} has no layer {layer}; {remedy}.")


def acquisition_bounds(stack: WrittenStack) -> NDArray[np.datetime64] | None:
    """Return start and end of acquisitions to the second, shape (acquisitions, 2), if known."""
    starts, ends = stack.instants("acquisition_time"), stack.instants("acquisition_end_time")
    if starts is None or ends is None or starts.shape != ends.shape:
        return None
    bounds = np.stack([starts, ends], axis=1).astype("datetime64[s]")
    lengths = bounds[:, 1] - bounds[:, 0]
    is_known = (lengths >= np.timedelta64(0)) & (lengths < np.timedelta64(LONGEST_GAP, "s"))
    return bounds.astype("datetime64[ms]") if is_known.all() else None  # not so for NaT


def _with_middles(stack: WrittenStack, network: PairNetwork) -> PairNetwork:
    """Return a network with the middle of each acquisition, where the stack holds its end."""
    bounds = acquisition_bounds(stack)
    if bounds is None:
        return network
    lengths = dict(zip(bounds[:, 0].tolist(), bounds[:, 1] - bounds[:, 0], strict=True))
    none = np.timedelta64(0, "ms")
    halves = [lengths.get(start, none) // 2 for start in network.times.astype("M8[ms]").tolist()]
    times = network.times + np.array(halves).astype("timedelta64[ns]")
    return PairNetwork(times, network.reference, network.secondary)


def _looks(stack: WrittenStack, pairs: NDArray[np.intp]) -> NDArray[np.intp] | None:
    both = [stack.values(f"looks_{side}") for side in ("range", "azimuth")]
    if both[0] is None or both[1] is None:
        return None
    across, along = (side[pairs] for side in both if side is not None)
    if not all((np.isfinite(looks) & (looks > 0)).all() for looks in (across, along)):
        return None
    return np.array([independent_looks(*looks) for looks in zip(across, along, strict=True)])
