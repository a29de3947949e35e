"""Blocks of the stack, read from the products whenever they are asked for."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..grid.lattice import Grid
from ..grid.placement import Placement, Treatment
from ..machine.blocks import cached_bands, thread_count
from ..products.layers import SOURCE_FRAME, Layer
from ..raster.reference_pixel import reference_pixel
from ..raster.warping import Warps
from .kept_stack import KeptReader, KeptStack
from .masks import MASK_NAMES, Classifier
from .mosaic import is_missing
from .values import ValueOptions, ValueReader, is_available, missing_block

Step = tuple[Placement, ...]
"""The products of a step: one, or the frames of a pass that are merged."""


@dataclass(frozen=True)
class StackSource:
    """Reads any block of any layer of a plan; can be pickled and used from many threads."""

    grid: Grid  # common grid
    steps: tuple[Step, ...]  # products of each step, in order
    options: ValueOptions = field(default=ValueOptions())  # what is made of the stored values
    # Row and column of the phase reference pixel by product name, in the product's raster.
    references: Mapping[str, tuple[int, int] | None] = field(default_factory=dict)
    # By layer name, for each step: the value at the stack's reference point.
    offsets: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    mask_inputs: tuple[Layer, ...] = ()  # layers from which masks are made
    # The stack that holds the steps of products that are in it already.
    kept: KeptStack | None = None

    @classmethod
    def of(
        cls,
        grid: Grid,
        steps: Sequence[Step],
        options: ValueOptions,
        kept: KeptStack | None = None,
    ) -> StackSource:
        """Return a source, with the phase reference pixel of each product looked up."""
        new = [placement for placement in itertools.chain(*steps) if placement.kept_step is None]
        with ThreadPoolExecutor(thread_count()) as pool:
            # In a zip half of a file has to be unpacked for it.
            found = pool.map(lambda item: reference_pixel(item.product, item.raster), new)
            references = {
                item.product.name.text: pixel for item, pixel in zip(new, found, strict=True)
            }
        return cls(grid, tuple(steps), options, references, kept=kept)

    @property
    def placements(self) -> tuple[Placement, ...]:
        """All products, step by step."""
        return tuple(itertools.chain(*self.steps))

    def read(self, layer: Layer, step: int, rows: slice, columns: slice) -> NDArray[Any]:
        """Read a block of one layer of one step.

        Parameters
        ----------
        step
            Number of the pair or date, from 0.
        rows, columns
            Block of the grid; both ends given.

        Returns
        -------
        ndarray
            Shape (rows, columns); all missing where the products lack the layer or the block.

        Raises
        ------
        ProductError
            If a file cannot be read.
        """
        if layer.name in MASK_NAMES and not self.is_kept(step):
            return self._read_mask(layer, step, rows, columns)
        touches = self.touches(step, rows, columns) or layer.name in MASK_NAMES
        if not (self.has(layer, step) and touches):
            return missing_block(layer, rows, columns)
        with self.reader(layer, step) as reader:
            return reader.read(rows, columns)

    def _read_mask(self, layer: Layer, step: int, rows: slice, columns: slice) -> NDArray[Any]:
        classifier = Classifier((rows.stop - rows.start, columns.stop - columns.start))
        if self.touches(step, rows, columns):
            for item in self.mask_inputs:
                if self.has(item, step):
                    classifier.add(item, self.read(item, step, rows, columns))
        return classifier.masks()[layer.name]

    def is_kept(self, step: int) -> bool:
        """Return whether a step comes from the stack that is appended to."""
        return self.steps[step][0].kept_step is not None

    def is_warped(self, step: int) -> bool:
        """Return whether a product of a step is warped when it is read."""
        return not self.is_kept(step) and any(
            placement.treatment is Treatment.WARP for placement in self.steps[step]
        )

    def reader(
        self, layer: Layer, step: int, warps: Warps | None = None
    ) -> StepReader | KeptReader:
        """Open a layer of a step for reading many blocks; a product has to have the layer.

        Layers that are read together, block by block, can share their ``warps``.
        """
        kept_step = self.steps[step][0].kept_step
        if self.kept is not None and kept_step is not None:
            if layer.name == SOURCE_FRAME.name:
                deciding = _merged_backscatter(self.steps[step], self.kept.variables)
                return self.kept.open_frame(deciding, kept_step)
            return self.kept.open(layer, kept_step)
        return StepReader(self, layer, step, warps)

    def has(self, layer: Layer, step: int) -> bool:
        """Return whether a product of a step has a layer."""
        if layer is SOURCE_FRAME or layer.name == SOURCE_FRAME.name:
            return True
        if layer.name in MASK_NAMES and self.is_kept(step):
            return True
        return any(is_available(placement, layer) for placement in self.steps[step])

    def touches(self, step: int, rows: slice, columns: slice) -> bool:
        """Return whether a product of a step reaches into a block of the grid."""
        return any(placement.touches(self.grid, rows, columns) for placement in self.steps[step])


class StepReader:
    """Reads blocks of one layer of one step, merged where the step has several frames.

    Where frames overlap, a pixel comes from the frame whose center is nearest among those with data
    there, which keeps away from the edges of frames. To be used as a context manager.
    """

    def __init__(
        self, source: StackSource, layer: Layer, step: int, warps: Warps | None = None
    ) -> None:
        self._source = source
        self._warps = warps
        self._layer = layer
        self._owners = layer.name == SOURCE_FRAME.name
        self._placements = source.steps[step]
        sources = _merged_backscatter(self._placements) if self._owners else layer
        with ExitStack() as files:
            self._readers = {
                number: files.enter_context(self._open(placement, sources, step))
                for number, placement in enumerate(self._placements)
                if is_available(placement, sources)
            }
            self._files = files.pop_all()

    def _open(self, placement: Placement, layer: Layer, step: int) -> ValueReader:
        offsets = self._source.offsets.get(layer.name)
        return ValueReader(
            placement,
            layer,
            self._source.grid,
            self._source.options,
            self._source.references.get(placement.product.name.text),
            0.0 if offsets is None else offsets[step],
            self._warps,
        )

    def __enter__(self) -> StepReader:
        return self

    def __exit__(self, *exception: Any) -> None:
        self._files.__exit__(*exception)

    def read(self, rows: slice, columns: slice) -> NDArray[Any]:
        """Return a block of the grid, shape (rows, columns)."""
        grid = self._source.grid
        if len(self._placements) == 1 and not self._owners:
            return self._readers[0].read(rows, columns)
        merged = missing_block(self._layer, rows, columns)
        nearest = np.full(merged.shape, np.inf, "float32")
        for number, reader in self._readers.items():
            if not self._placements[number].touches(grid, rows, columns):
                continue
            # Nothing but the call holds what is read, so that there is one such block at a time.
            self._merge(number, reader.read(rows, columns), rows, columns, merged, nearest)
        return merged

    def _merge(
        self,
        number: int,
        block: NDArray[Any],
        rows: slice,
        columns: slice,
        merged: NDArray[Any],
        nearest: NDArray[np.float32],
    ) -> None:
        """Take over the pixels of a frame that are nearer to its center than those before."""
        grid, placement = self._source.grid, self._placements[number]
        layer = self._readers[number].layer
        for band in cached_bands(block.shape):
            part = block[band]
            lines = slice(rows.start + band.start, rows.start + band.stop)
            distance = _distance(grid, placement, lines, columns)
            chosen = distance < nearest[band]
            chosen &= ~is_missing(part, layer)
            np.copyto(nearest[band], distance, where=chosen)
            taken = merged.dtype.type(number) if self._owners else part
            np.copyto(merged[band], taken, where=chosen)


def _merged_backscatter(placements: Step, variables: frozenset[str] | None = None) -> Layer:
    """Return the layer that decides which frame a pixel comes from: the first polarization.

    For a kept step that is the first one among the variables of its stack.
    """
    layers = list(placements[0].product.layers.values())
    backscatter = [layer for layer in layers if layer.is_backscatter]
    there = [one for one in backscatter if variables is None or one.variable in variables]
    return (there or layers)[0]


def _distance(grid: Grid, placement: Placement, rows: slice, columns: slice) -> NDArray[np.float32]:
    """Return squared distances of a block's pixels from the center of a product, in pixels."""
    left, bottom, right, top = placement.bounds
    center_row = (grid.top - (top + bottom) / 2) / grid.spacing - 0.5
    center_column = ((left + right) / 2 - grid.left) / grid.spacing - 0.5
    down = np.square(np.arange(rows.start, rows.stop) - center_row)
    right_ = np.square(np.arange(columns.start, columns.stop) - center_column)
    return (down[:, np.newaxis] + right_[np.newaxis]).astype("float32")
