"""The stack on disk that more products are appended to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from ..contract import SPATIAL_GROUP, TEMPORAL_GROUP
from ..dataset.findings import DIFFERENCE
from ..dataset.record import read_record, recorded_placements
from ..errors import UNREADABLE, InputChangedError, OutputError
from ..files.receipts import files_below
from ..files.stack_blocks import StackBlocks
from ..files.written_stack import open_stack
from ..grid.lattice import Grid, Lattice
from ..grid.placement import Placement
from ..machine.atomic import remove_leftovers
from ..machine.stamps import Stamps, find_change, take_stamps
from ..object_store.late_metadata import further_chunks, is_document
from ..pixels.kept_stack import KeptStack
from ..products.layers import Layer
from ..run.reporter import Reporter


@dataclass(frozen=True)
class Base:
    """A stack to append to."""

    path: Path  # NetCDF file or Zarr store
    groups: tuple[str, ...]  # all groups of the store; none of a NetCDF file
    stack: xr.Dataset  # its coordinates and attributes, in memory
    blocks: StackBlocks  # reads blocks of its layers
    grid: Grid
    placements: tuple[Placement, ...]  # its products, in the order of its steps
    layers: tuple[Layer, ...]  # its layers that come from products, in table order
    settings: Mapping[str, Any]  # parameters that decided on its values
    variables: tuple[str, ...]  # names of the variables on y and x, in order
    per_step: frozenset[str]  # those of them that change with its steps
    # Largest difference between products, by name of the layer without steps.
    differences: Mapping[str, float]
    stamps: Stamps  # its files as they were before anything of them was read

    @property
    def product_type(self) -> str:
        """Type of all its products."""
        return self.placements[0].product.name.product_type

    @property
    def identity(self) -> str:
        """Differs between all stacks that were ever written; ``id`` may be a DOI of several."""
        return " ".join(str(self.stack.attrs.get(name)) for name in ("id", "date_modified"))

    @property
    def names(self) -> frozenset[str]:
        """Names of its products."""
        return frozenset(item.product.name.text for item in self.placements)

    def check_unchanged(self) -> None:
        """Check that nothing has replaced or changed the stack since it was opened.

        Raises
        ------
        InputChangedError
            If something has: its steps may have other numbers by now, or other values.
        """
        found = find_change(self.stamps)
        if found is not None:
            raise InputChangedError(
                f"{self.path} was changed by another run or program meanwhile ({found[1]}); run "
                "again to append to what it holds now."
            )

    def kept(self, grid: Grid) -> KeptStack:
        """Return where its pixels are read from, for a stack on a grid of the same lattice."""
        return KeptStack(
            self.path,
            self.blocks,
            round((grid.top - self.grid.top) / grid.spacing),
            round((self.grid.left - grid.left) / grid.spacing),
            self.grid.height,
            self.grid.width,
            frozenset(self.variables),
            self.per_step,
        )


def open_outputs(netcdf: Path | None, zarr: Path | None, reporter: Reporter) -> tuple[Base, ...]:
    """Open the stack that outputs hold, first where it is appended to; empty without one.

    That is the output with the most products; ties go to the one that is read faster. Another may
    hold fewer, because a run was killed before it got its name, and less of the grid, but nothing
    else.

    Raises
    ------
    OutputError
        If an output is not a stack of ours, or the outputs hold different stacks.
    InvalidParameterError
        If one cannot be read, or ends the process that opens it.
    """
    for final in (netcdf, zarr):
        if final is not None and final.parent.is_dir():
            remove_leftovers(final, only_aside=True)
    found: list[Base] = []
    if zarr is not None and zarr.is_dir() and any(zarr.iterdir()):
        found.append(_open(zarr, "ZARR", reporter))
    if netcdf is not None and netcdf.is_file() and netcdf.stat().st_size:
        # Series are read map by map more slowly from the temporal group than from the file.
        last = bool(found) and SPATIAL_GROUP in found[0].groups
        found.insert(1 if last else 0, _open(netcdf, "NETCDF", reporter))
    found.sort(key=lambda item: len(item.names), reverse=True)
    for other in found[1:]:
        strange = sorted(other.names - found[0].names)
        if strange or not _is_part(other.grid, found[0].grid):
            raise OutputError(
                f"{other.path} and {found[0].path} hold different stacks"
                f"{f' (such as {strange[0]})' if strange else ''}; append to each of them alone."
            )
    return tuple(found)


def _is_part(inner: Grid, outer: Grid) -> bool:
    left, bottom, right, top = outer.bounds
    return (
        (inner.epsg, inner.wkt) == (outer.epsg, outer.wkt)
        and Lattice.of(outer).holds(inner)
        and left <= inner.bounds[0]
        and bottom <= inner.bounds[1]
        and right >= inner.bounds[2]
        and top >= inner.bounds[3]
    )


def _open(path: Path, parameter: str, reporter: Reporter) -> Base:
    groups = tuple(name for name in (SPATIAL_GROUP, TEMPORAL_GROUP) if (path / name).is_dir())
    try:
        stamps = take_stamps(_files(path / groups[0]) if groups else [path])
        with open_stack(path, parameter=parameter, reporter=reporter) as opened:
            layers = opened.layers
            per_step = [name for name in layers if opened.raw[name].ndim > 2]
            differences = {
                name: float(opened.raw[name].attrs[DIFFERENCE])
                for name in layers
                if DIFFERENCE in opened.raw[name].attrs
            }
            stack = xr.decode_cf(opened.raw.drop_vars(layers), decode_coords=False).load()
            grid, blocks = opened.grid, opened.blocks
        record = read_record(path, stack)
        placements = recorded_placements(path, stack, record)
        table = placements[0].product.type.layers
        from_products = tuple(layer for name, layer in table.items() if name in record["layers"])
        variables = tuple(record["maps"])
        settings = dict(record["settings"])
    except UNREADABLE as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise OutputError(
            f"{path} cannot be appended to ({reason}); give the path of a stack, or a new name."
        ) from error
    if not set(layers).issuperset([*variables, *(layer.variable for layer in from_products)]):
        raise OutputError(
            f"{path} lacks layers that it says it has; build it anew under another name."
        )
    return Base(
        path=path,
        groups=groups,
        stack=stack,
        blocks=blocks,
        grid=grid,
        placements=placements,
        layers=from_products,
        settings=settings,
        variables=variables,
        per_step=frozenset(per_step),
        differences=differences,
        stamps=stamps,
    )


def _files(group: Path) -> list[Path]:
    """Return what readers read of a group of a store, and nothing that computers leave beside."""
    names = list(files_below(group))
    arrays = {name.partition("/")[0] for name in names if "/" in name}
    found = [*filter(is_document, names), *further_chunks(names, arrays, ())]
    return [group / name for name in found]
