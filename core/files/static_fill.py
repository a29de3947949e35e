"""What fills the gaps of static layers in harmonized products: one map for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import OutputError, ProductError, StackError
from ..grid.lattice import Grid
from ..grid.placement import Placement, latitudes
from ..grid.plan import Plan
from ..inputs.read_errors import limit_error
from ..machine.atomic import temporary
from ..machine.blocks import BAND_BYTES, bands, cached_bands, run_blocks
from ..pixels.mosaic import is_missing
from ..pixels.source import StackSource
from ..pixels.static_layers import StaticReader
from ..pixels.values import ValueOptions, is_available
from ..products.layers import Layer
from ..products.nodata import NoData
from ..products.product import check_unchanged
from ..run.reporter import Reporter
from ..selection.consistency import lines_of_sight

_TILE = 256
_ZIPPED_BANDS = 3
"""Each block opens all products once more, and those in zips are unpacked from the beginning
again: there a thread takes so many bands at once."""


@dataclass(frozen=True)
class StaticFill:
    """A static layer and the products that fill each other's gaps in it."""

    layer: Layer
    # Products that have it and see the ground from one direction, at least two.
    placements: tuple[Placement, ...]

    def covered_pixels(self, grid: Grid) -> float:
        """Return about how many pixels of the grid the products cover together."""
        covered = sum(placement.covered_pixels(grid) for placement in self.placements)
        return min(covered, float(grid.width * grid.height))

    def bytes_on(self, grid: Grid) -> int:
        """Return how many bytes the map takes while the products are written."""
        return np.dtype(self.layer.dtype).itemsize * grid.width * grid.height


def fills_of(plan: Plan, layers: Sequence[Layer]) -> tuple[StaticFill, ...]:
    """Return where products fill each other's gaps.

    Interferograms do so where a stack could hold them together: look angles of another path or
    direction would be wrong ones. Backscatter has static layers of the ground only.
    """
    groups: dict[object, list[Placement]] = {}
    rasters = {item.product.name.text: item.raster for item in plan.placements}
    products = [item.product for item in plan.placements]
    seen = lines_of_sight(products, lambda product: latitudes(rasters[product.name.text]))
    for placement, line in zip(plan.placements, seen, strict=True):
        key = line if placement.product.name.is_insar else None
        groups.setdefault(key, []).append(placement)
    fills = []
    for layer in layers:
        for group in groups.values() if layer.static else ():
            held = tuple(item for item in group if is_available(item, layer))
            if len(held) > 1 and any(layer.name in item.product.layers for item in held):
                fills.append(StaticFill(layer, held))
    return tuple(fills)


class StaticMap:
    """A static layer that is put together from products, on disk while it is needed.

    Its rows follow each other without a header, so that threads write and read parts of it.
    """

    def __init__(self, fill: StaticFill, grid: Grid, path: Path) -> None:
        self.fill = fill
        self._grid = grid
        self._path = path
        self._dtype = np.dtype(fill.layer.dtype)
        self._line = self._dtype.itemsize * grid.width

    def reserve(self) -> None:
        """Make the file; of its blocks it does not matter which is written first."""
        with open(self._path, "wb") as file:
            file.truncate(self._line * self._grid.height)

    def blocks(self) -> Iterator[slice]:
        """Cut the grid into rows that are put together at once."""
        is_zipped = any(item.product.is_zipped for item in self.fill.placements)
        most = BAND_BYTES * (_ZIPPED_BANDS if is_zipped else 1)
        return bands(self._grid.height, _TILE, most // self._line)

    def write(self, rows: slice, resampling: str, reporter: Reporter) -> None:
        """Put rows together by the rules of stacks.

        Raises
        ------
        OSError
            If they cannot be written.
        ProductError
            If a product turns out to be damaged.
        """
        source = StackSource(
            self._grid,
            tuple((placement,) for placement in self.fill.placements),
            ValueOptions(resampling),
        )
        part_rows = max(1, BAND_BYTES // self._line)
        reader = StaticReader(source, compares=False, part_rows=part_rows, reporter=reporter)
        values, _ = reader.read(self.fill.layer, rows, slice(0, self._grid.width))
        with open(self._path, "r+b") as file:
            file.seek(rows.start * self._line)
            file.write(np.ascontiguousarray(values).data)

    def fill_gaps(self, block: NDArray[Any], first_row: int, outside: float) -> None:
        """Fill what is missing in a block of a product, in place.

        Parameters
        ----------
        block
            Shape (rows, width of the grid), in the data type of the product.
        first_row
            Row of the grid at which it begins.
        outside
            Value of missing data in the block.

        Raises
        ------
        OSError
            If the file cannot be read.
        """
        missing = NoData(outside)
        for part in cached_bands(block.shape):
            values = block[part]
            gaps = missing.where(values)
            if not gaps.any():
                continue
            found = self._read(first_row + part.start, len(values))
            gaps &= ~is_missing(found, self.fill.layer)
            if values.dtype.kind in "iu" and found.dtype.kind == "f":
                # Heights in whole meters stay such heights.
                limits = np.iinfo(values.dtype)
                np.rint(found, out=found)
                gaps &= (found >= limits.min) & (found <= limits.max)
            values[gaps] = found[gaps]

    def _read(self, first: int, count: int) -> NDArray[Any]:
        size = count * self._grid.width
        found = np.fromfile(self._path, self._dtype, size, offset=first * self._line)
        if found.size != size:
            raise OSError(f"the map of {self.fill.layer.name} has lost its end")
        return found.reshape(count, self._grid.width)


StaticMaps = Mapping[tuple[str, str], StaticMap]
"""Maps by the names of product and layer."""


@contextmanager
def static_maps(
    fills: Sequence[StaticFill], grid: Grid, resampling: str, folder: Path, reporter: Reporter
) -> Iterator[StaticMaps]:
    """Put the maps together that fill gaps; they are removed when the block ends.

    Each product is read once for each of its layers, however many products they fill.

    Parameters
    ----------
    resampling
        The user's choice, see :func:`core.raster.layer_reader.resampling_of`.
    folder
        Where the products go; the maps lie there in a hidden folder.

    Raises
    ------
    OutputError
        If the folder cannot be made, or the disk is full.
    ProductError
        If a product turns out to be damaged.
    InputChangedError
        If one is changed while it is read.
    """
    with temporary(folder / "static_layers") as hidden:
        maps = [
            StaticMap(fill, grid, hidden / f"{number}_{fill.layer.name}")
            for number, fill in enumerate(fills)
        ]
        pieces = [(item, rows) for item in maps for rows in item.blocks()]
        products = {item.product.name.text: item.product for f in fills for item in f.placements}
        try:
            if maps:
                hidden.mkdir()
            for item in maps:
                item.reserve()
            run_blocks(
                lambda piece: piece[0].write(piece[1], resampling, reporter),
                pieces,
                len(pieces),
                reporter,
            )
            check_unchanged(products.values())
        except (ProductError, OSError) as error:
            check_unchanged(products.values())
            if isinstance(error, ProductError):
                raise
            raise not_written(folder, error) from error
        yield {
            (placement.product.name.text, item.fill.layer.name): item
            for item in maps
            for placement in item.fill.placements
        }


def not_written(path: Path, error: OSError) -> StackError:
    """Return what to raise where a file or folder cannot be written, or not all of it."""
    return limit_error(str(path), error) or OutputError(
        f"{path} cannot be written ({error.strerror or error}); free some space or choose another "
        "folder."
    )
