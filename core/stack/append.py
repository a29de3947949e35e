"""A stack that is on disk already and gets more pairs or dates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import xarray as xr
from pyproj import CRS

from ..atomic import remove_leftovers
from ..contract import SPATIAL_GROUP, TEMPORAL_GROUP
from ..errors import InconsistentProductsError, InvalidParameterError, OutputError
from ..grid.extent import around, choose_lines
from ..grid.lattice import Grid, Lattice
from ..grid.plan import GridOptions, Placement, Plan, bounds_in, common_spacing, place
from ..memory import MemoryBudget
from ..metadata.data_access import parse_data_access
from ..products.layers import LAYERS, Layer
from ..products.passes import group_passes
from ..products.product import Product, Raster
from ..products.selection import LeftOut
from ..reporter import Reporter
from .dataset import GRID_MAPPING
from .record import read_record, recorded_placements
from .reference import ReferencePoint, refer_to_point
from .source import StackSource
from .steps import step_order
from .stored import StoredStack

DIFFERENCE = "largest_difference_between_products"
"""Attribute of layers without steps."""


@dataclass(frozen=True)
class Base:
    """A stack to append to.

    Parameters
    ----------
    path
        NetCDF file or Zarr store.
    group
        Group of the store, None for a NetCDF file.
    stack
        Its coordinates and attributes, in memory.
    grid
        Its grid.
    placements
        Its products, in the order of its steps.
    layers
        Its layers that come from products, in table order.
    settings
        Parameters that decided on its values.
    maps
        Names of the variables on y and x, in order.
    differences
        Largest difference between products, by name of the layer without steps.
    """

    path: Path
    group: str | None
    stack: xr.Dataset
    grid: Grid
    placements: tuple[Placement, ...]
    layers: tuple[Layer, ...]
    settings: Mapping[str, Any]
    maps: tuple[str, ...]
    differences: Mapping[str, float]

    @property
    def product_type(self) -> str:
        """Type of all its products."""
        return self.placements[0].product.name.product_type

    @property
    def identity(self) -> str:
        """Differs between all stacks that were ever written."""
        return str(self.stack.attrs.get("id"))

    @property
    def names(self) -> frozenset[str]:
        """Names of its products."""
        return frozenset(item.product.name.text for item in self.placements)

    def stored(self, grid: Grid) -> StoredStack:
        """Return where its pixels are read from, for a stack on a grid of the same lattice."""
        return StoredStack(
            self.path,
            self.group,
            round((grid.top - self.grid.top) / grid.spacing),
            round((self.grid.left - grid.left) / grid.spacing),
            self.grid.height,
            self.grid.width,
        )


def open_base(netcdf: Path | None, zarr: Path | None) -> Base | None:
    """Open the stack that an output path names; None where there is none yet.

    Of several outputs the one that is read fastest is taken; another one may hold fewer products,
    because a power cut came before it got its name, but no others.

    Raises
    ------
    OutputError
        If an output is no stack of ours, or the outputs hold different stacks.
    """
    for final in (netcdf, zarr):
        if final is not None and final.parent.is_dir():
            remove_leftovers(final, only_aside=True)
    places: list[tuple[Path, str | None]] = []
    if zarr is not None and zarr.is_dir() and any(zarr.iterdir()):
        groups = [name for name in (SPATIAL_GROUP, TEMPORAL_GROUP) if (zarr / name).is_dir()]
        places += [(zarr, name) for name in groups[:1]]
    if netcdf is not None and netcdf.is_file() and netcdf.stat().st_size:
        # Series are read map by map more slowly from the temporal group than from the file.
        last = bool(places) and places[0][1] == SPATIAL_GROUP
        places.insert(1 if last else 0, (netcdf, None))
    bases = [_open(path, group) for path, group in places]
    for other in bases[1:]:
        strange = sorted(other.names - bases[0].names)
        if strange or other.grid != bases[0].grid:
            raise OutputError(
                f"{other.path} and {bases[0].path} hold different stacks"
                f"{f' (such as {strange[0]})' if strange else ''}; append to each of them alone."
            )
    return bases[0] if bases else None


def _open(path: Path, group: str | None) -> Base:
    options: dict[str, Any] = {"engine": "netcdf4"}
    if group is not None:
        options = {"engine": "zarr", "group": group, "consolidated": False}
    try:
        with xr.open_dataset(path, decode_coords=False, **options) as opened:
            small = [
                name for name, item in opened.variables.items() if item.dims[-2:] != ("y", "x")
            ]
            maps = [str(name) for name in opened.variables if name not in small]
            differences = {
                name: float(opened[name].attrs[DIFFERENCE])
                for name in maps
                if DIFFERENCE in opened[name].attrs
            }
            stack = opened[small].load()
            crs = CRS.from_wkt(stack[GRID_MAPPING].attrs["crs_wkt"])
            transform = [float(part) for part in stack[GRID_MAPPING].attrs["GeoTransform"].split()]
            grid = Grid(
                crs.to_epsg(),
                crs.to_wkt(),
                transform[0],
                transform[3],
                transform[1],
                stack.sizes["x"],
                stack.sizes["y"],
            )
            record = read_record(path, stack)
    except (OSError, KeyError, ValueError) as error:
        raise OutputError(
            f"{path} is no stack that can be appended to ({str(error).splitlines()[0]}); give the "
            "path of a stack, or a new name."
        ) from error
    placements = recorded_placements(path, stack, record)
    table = LAYERS[placements[0].product.name.product_type]
    layers = tuple(layer for name, layer in table.items() if name in record["layers"])
    if any(layer.variable not in maps for layer in layers):
        raise OutputError(
            f"{path} lacks layers that it says it has; build it anew under another name."
        )
    settings = record["settings"]
    return Base(
        path, group, stack, grid, placements, layers, settings, tuple(record["maps"]), differences
    )


def check_settings(base: Base, wanted: Mapping[str, Any]) -> None:
    """Check that new steps would be made as those of the stack were.

    Parameters
    ----------
    base
        The stack.
    wanted
        Parameters of the job that decide on values, by name.

    Raises
    ------
    InvalidParameterError
        If one differs.
    """
    for name, value in wanted.items():
        there = base.settings.get(name, value)
        if there != value:
            raise InvalidParameterError(
                f"{name} is {_said(value)}, but {base.path} was built with {_said(there)}; append "
                "with the same value, or build a new stack."
            )


def _said(value: Any) -> str:
    return "nothing" if value in (None, "", [], {}) else str(value)


def append_plan(
    base: Base,
    products: Sequence[tuple[Product, Raster]],
    options: GridOptions,
    grow: bool,
    left_out: Sequence[LeftOut],
) -> Plan:
    """Place the products of a stack and new ones on its grid.

    Parameters
    ----------
    base
        The stack.
    products
        New products with the grid that their layers share; may be none.
    options
        The user's choices; the extent counts only where the grid grows.
    grow
        Whether the grid grows to hold the new products.
    left_out
        Products that were put aside before, for the account.

    Raises
    ------
    InvalidParameterError
        If another CRS is asked for.
    InconsistentProductsError
        If a new product has another pixel spacing, or belongs to a pass of the stack that was
        merged.
    """
    grid = base.grid
    crs = CRS.from_wkt(grid.wkt)
    if options.target_crs is not None and CRS.from_user_input(options.target_crs) != crs:
        raise InvalidParameterError(
            f"TARGET_CRS is {options.target_crs}, but {base.path} is in {grid.crs}; leave it out."
        )
    reasons = [f"The grid is that of {base.path}."]
    lattice = Lattice.of(
        Raster(grid.epsg or 0, grid.left, grid.top, grid.spacing, grid.width, grid.height)
    )
    boxes = [bounds_in(raster, crs, grid.epsg) for _, raster in products]
    if products and round(common_spacing(products), 6) != round(grid.spacing, 6):
        raise InconsistentProductsError(
            f"{products[0][0]} has pixels of {products[0][1].spacing:g} m, but those of "
            f"{base.path} have {grid.spacing:g} m; stack it elsewhere."
        )
    if grow and products:
        lines = choose_lines(lattice, boxes, "union", options.extent, crs)
        lines = around([lattice.outward(grid.bounds), lines])
        grid = lattice.grid(grid.epsg, grid.wkt, lines)
        if grid != base.grid:
            reasons.append("It grows to hold the new products.")
    placements, outside = place(products, boxes, grid, lattice)
    both = sorted([*base.placements, *placements], key=lambda item: step_order(item.product))
    return Plan(grid, tuple(both), (*left_out, *outside), tuple(reasons))


def check_passes(base: Base, plan: Plan) -> None:
    """Check that no new frame belongs to a pass that the stack holds merged.

    Raises
    ------
    InconsistentProductsError
        If one does.
    """
    stored = {item.product.name.text: item.stored_step for item in plan.placements}
    for frames in group_passes([item.product for item in plan.placements]):
        steps = {stored[frame.name.text] for frame in frames}
        if len(steps) > 1:
            new = next(frame for frame in frames if stored[frame.name.text] is None)
            raise InconsistentProductsError(
                f"{new} is a frame of a pass that {base.path} holds already, merged without it; "
                "build a new stack to merge it."
            )


def refer_new_steps(
    source: StackSource, base: Base, layers: Sequence[Layer], reporter: Reporter
) -> tuple[StackSource, ReferencePoint]:
    """Refer the new pairs to the point to which those of the stack are referred.

    Parameters
    ----------
    source
        Stored and new steps.
    base
        The stack, which has such a point.
    layers
        Layers of the stack.
    reporter
        Told of progress.
    """
    x, y = (float(base.stack[f"reference_point_{axis}"]) for axis in "xy")
    known = base.stack["reference_phase"].values
    phases = [
        0.0 if (step := frames[0].stored_step) is None else float(known[step])
        for frames in source.steps
    ]
    offsets: dict[str, list[float]] = {}
    new = [number for number in range(len(source.steps)) if not source.is_stored(number)]
    if new:
        part = replace(source, steps=tuple(source.steps[number] for number in new))
        part, point = refer_to_point(part, f"{x!r},{y!r}", layers, reporter, MemoryBudget())
        for position, number in enumerate(new):
            phases[number] = point.phases[position]
            for name, values in part.offsets.items():
                offsets.setdefault(name, [0.0] * len(phases))[number] = values[position]
    grid = source.grid
    row = round((grid.top - y) / grid.spacing - 0.5)
    column = round((x - grid.left) / grid.spacing - 0.5)
    referred = replace(source, offsets={name: tuple(item) for name, item in offsets.items()})
    return referred, ReferencePoint(row, column, x, y, tuple(phases))


def carry_over(base: Base, dataset: xr.Dataset) -> None:
    """Give a new stack what stays: when it was begun, its history, facts of the unchanged scene."""
    history = str(base.stack.attrs.get("history", ""))
    dataset.attrs["history"] = "\n".join(filter(None, (dataset.attrs.get("history"), history)))
    published = base.stack.attrs.get("product_data_access")
    if published and "product_data_access" not in dataset.attrs:
        dataset.attrs |= parse_data_access(str(published)).attributes
    if "date_created" in base.stack.attrs:
        dataset.attrs["date_created"] = base.stack.attrs["date_created"]
    if dataset.sizes["x"] != base.grid.width or dataset.sizes["y"] != base.grid.height:
        return
    for name in dataset.variables:
        is_fact = dataset[name].dims == () and name not in (GRID_MAPPING,)
        if is_fact and name in base.stack and dataset[name].dtype.kind == "f":
            dataset[name].values = base.stack[name].values
            dataset[name].attrs = dict(base.stack[name].attrs)
