"""One built stack of each product type, as NetCDF, as Zarr and with its report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import xarray as xr

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


def write(folder: Path, spec: SampleSpec, **parameters: str) -> Written:
    samples = write_products(folder / "products", spec)
    reporter = SilentReporter()
    written = Written(samples, folder / "s.nc", folder / "s.zarr", folder / "s.html", reporter)
    given = {
        "INPUT": str(samples.folder),
        "NETCDF": str(written.netcdf),
        "ZARR": str(written.zarr),
        "REPORT": str(written.report),
        **parameters,
    }
    build_stack.run(given, None, reporter)
    return written


def write_each(folder: Path) -> dict[str, Written]:
    """Build a stack of each product type, in folders of their own."""
    return {
        kind: write(
            folder / kind.lower(),
            SampleSpec(product_type=kind, products=5, rows=90, columns=100, water_masked=True),
        )
        for kind in TYPES
    }
