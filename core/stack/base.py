"""The stack on disk that more products are appended to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr
from pyproj import CRS

from ..atomic import remove_leftovers
from ..contract import SPATIAL_GROUP, TEMPORAL_GROUP
from ..errors import OutputError
from ..grid.crs import epsg_of
from ..grid.lattice import Grid
from ..grid.placement import Placement
from ..products.layers import LAYERS, Layer
from .dataset import GRID_MAPPING
from .record import read_record, recorded_placements
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
        """Differs between all stacks that were ever written; ``id`` may be a DOI of several."""
        return " ".join(str(self.stack.attrs.get(name)) for name in ("id", "date_modified"))

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
            frozenset(self.maps),
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
                epsg_of(crs),
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
