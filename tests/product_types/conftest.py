"""One stack of each product type, half of the layers' tests read it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from tests.once import once
from tests.running import Run, build, samples
from tests.sample_products import SampleProduct, SampleStack
from tests.truth import Positions

TYPES = ("INSAR_GAMMA", "INSAR_ISCE_BURST", "INSAR_ISCE_MULTI_BURST", "RTC_GAMMA")
EPSG = 32610


@dataclass(frozen=True)
class Built:
    """Samples, and the stack of them, which is built when it is first asked for."""

    samples: SampleStack
    build: Callable[[], Run]

    @cached_property
    def run(self) -> Run:
        """The run that stacked them."""
        return self.build()

    @cached_property
    def stack(self) -> xr.Dataset:
        """The stack as stored (masks as uint8)."""
        return stored(self.run.netcdf)

    @property
    def dimension(self) -> str:
        return "pair" if "pair" in self.stack.dims else "time"

    @property
    def products(self) -> list[SampleProduct]:
        """The samples in the order of the stack's steps."""
        by_name = {product.name: product for product in self.samples.products}
        return [by_name[name] for name in self.stack.product_name.values]

    @property
    def positions(self) -> Positions:
        spacing = float(self.samples.spec.pixel)
        return Positions(self.stack.x.values, self.stack.y.values, EPSG, spacing)


def stored(path: Path, group: str | None = None) -> xr.Dataset:
    """Open a stack as it is stored and load it."""
    engine: dict[str, Any] = {"engine": "netcdf4"}
    if group is not None:
        engine = {"engine": "zarr", "group": group}
    with xr.open_dataset(path, mask_and_scale=False, decode_coords="all", **engine) as stack:
        return stack.load()


Stacker = Callable[..., Built]


@pytest.fixture(scope="session")
def stacker(tmp_path_factory: pytest.TempPathFactory) -> Stacker:
    """Makes noise-free samples and a NetCDF stack of them; equal calls give the same one."""
    made: dict[str, Built] = {}

    def make(options: dict[str, Any], **parameters: Any) -> Built:
        key = repr((sorted(options.items()), sorted(parameters.items())))
        if key not in made:
            given = {"noise": False, "products": 4, "rows": 130, "columns": 140} | options
            products = samples(tmp_path_factory, **given)
            name = f"stack-{hashlib.sha256(key.encode()).hexdigest()[:12]}"

            def stack(folder: Path) -> Run:
                return build(products.folder, NETCDF=folder / "s.nc", **parameters)

            made[key] = Built(products, lambda: once(tmp_path_factory, name, stack))
        return made[key]

    return make


@pytest.fixture(scope="session", params=TYPES)
def built(request: pytest.FixtureRequest, stacker: Stacker) -> Built:
    """Four products with all layers, the third of them in the neighboring zone; static per step."""
    options = {"product_type": request.param, "water_masked": "ISCE_BURST" in request.param}
    return stacker(options, STATIC_LAYERS="per_pair")
