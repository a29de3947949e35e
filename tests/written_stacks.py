"""One built stack of each product type, as NetCDF, as Zarr and with its report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
import zarr

from hyp3_stack.core.assessment.assess import assess_stack
from hyp3_stack.core.assessment.verdict import Verdict
from hyp3_stack.core.run.reporter import SilentReporter
from hyp3_stack.core.tasks import build_stack
from tests.sample_products import SampleSpec, SampleStack, write_products
from tests.sample_products.spec import LAYERS

TYPES = tuple(LAYERS)


@dataclass(frozen=True)
class Written:
    """A stack on disk."""

    samples: SampleStack
    netcdf: Path
    zarr: Path
    report: Path
    reporter: SilentReporter

    @property
    def is_insar(self) -> bool:
        return self.samples.spec.is_insar

    def open(self) -> xr.Dataset:
        return xr.open_dataset(self.netcdf)

    def raw(self) -> xr.Dataset:
        return xr.open_dataset(self.netcdf, decode_cf=False)


def write(
    folder: Path,
    source: SampleSpec | SampleStack,
    outputs: Sequence[str] = ("NETCDF",),
    **parameters: str,
) -> Written:
    """Build a stack of products, which are made unless they are there already."""
    samples = source
    if isinstance(samples, SampleSpec):
        samples = write_products(folder / "products", samples)
    reporter = SilentReporter()
    written = Written(samples, folder / "s.nc", folder / "s.zarr", folder / "s.html", reporter)
    places = {"NETCDF": written.netcdf, "ZARR": written.zarr, "REPORT": written.report}
    given = {name: str(places[name]) for name in outputs} | {"INPUT": str(samples.folder)}
    build_stack.run(given | parameters, None, reporter)
    return written


def verdicts(path: Path) -> dict[tuple[str, str], Verdict]:
    """Return what is said of each requirement, by its id and level."""
    items = assess_stack(path).items
    return {(i.requirement["id"], i.requirement["level"]): i.verdict for i in items}


def write_each(folder: Path) -> dict[str, Written]:
    """Build a stack of each product type, in folders of their own."""
    return {
        kind: write(
            folder / kind.lower(),
            SampleSpec(product_type=kind, products=5, rows=90, columns=100, water_masked=True),
            ("NETCDF", "ZARR", "REPORT"),
        )
        for kind in TYPES
    }


def enlarge(store: Path, side: int, layers: Sequence[str], in_one_chunk: bool = False) -> None:
    """Give a Zarr store without groups so many rows and columns, and only these layers.

    Nothing is written beside metadata and coordinates. With ``in_one_chunk`` layers begin anew.
    """
    group = zarr.open_group(store, mode="r+", use_consolidated=False)
    for name, array in list(group.arrays()):
        axes = array.attrs.get("_ARRAY_DIMENSIONS", ())
        is_map = {"y", "x"} <= set(axes)
        if is_map and name not in layers:
            del group[name]
            continue
        shape = [
            side if axis in ("y", "x") else n for axis, n in zip(axes, array.shape, strict=True)
        ]
        if is_map and in_one_chunk:
            attributes = array.attrs.asdict()
            group.create_array(
                name,
                shape=shape,
                chunks=shape,
                dtype=array.dtype,
                fill_value=np.nan,
                overwrite=True,
            ).attrs.update(attributes)
        else:
            array.resize(shape)
    for axis in ("y", "x"):
        start, second = group[axis][:2]
        group[axis][:] = start + (second - start) * np.arange(side)
    zarr.consolidate_metadata(store)
