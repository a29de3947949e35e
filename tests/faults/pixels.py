"""Two tiny products, and whether a stack holds their pixels, all of them and no others."""

from __future__ import annotations

import functools
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import rasterio
import xarray as xr

from tests.build.interrupted import MADE_ANEW
from tests.sample_products import SampleSpec, write_products

from .core_runs import RIGHT, WRONG, Answer, Outcome, run_job

LAYERS = ("unw_phase", "corr")
Truth = dict[str, xr.DataArray]


def make_products(folder: Path) -> list[Path]:
    """Write two products of the same zone; return their folders."""
    spec = SampleSpec(
        products=2, rows=40, columns=44, neighbor_zone_share=0, layers=LAYERS, sidecars=False
    )
    return [product.path for product in write_products(folder, spec).products]


def products_in(folder: Path) -> list[Path]:
    """Return the folders of products in order."""
    return sorted(path for path in folder.iterdir() if path.is_dir())


def layer_file(product: Path, layer: str) -> Path:
    """Return the path of a layer in the folder of a product."""
    return product / f"{product.name}_{layer}.tif"


def copy_products(folder: Path, target: Path) -> list[Path]:
    """Copy the products; return their folders."""
    shutil.copytree(folder, target)
    return products_in(target)


def read_truth(product: Path) -> Truth:
    """Read the layers of a product as a stack has to hold them, without the core."""
    truth = {}
    for layer in LAYERS:
        with rasterio.open(layer_file(product, layer)) as file:
            values = file.read(1, masked=True).astype("float32").filled(np.nan)
            if file.nodata is None:
                values[values == 0] = np.nan  # as in all of HyP3's layers of numbers
            left, top = file.transform * (0.5, 0.5)
            x = left + file.transform.a * np.arange(file.width)
            y = top + file.transform.e * np.arange(file.height)
        truth[layer] = xr.DataArray(values, {"y": y, "x": x}, ("y", "x"))
    truth["unw_phase"].attrs["zero"] = _reference_point(product)
    return truth


def _reference_point(product: Path) -> tuple[float, float]:
    """Return where the phase of a product is zero by definition, which looks like no data."""
    text = (product / f"{product.name}.txt").read_text()
    x, y = (
        re.search(f"{axis} coordinate of the reference point.*: (.*)", text)[1]  # type: ignore[index]
        for axis in "XY"
    )
    return float(x), float(y)


@functools.cache
def truths_in(folder: Path) -> dict[str, Truth]:
    """Read the layers of all products."""
    return {product.name: read_truth(product) for product in products_in(folder)}


def facts(path: Path) -> xr.Dataset:
    """Return all that a stack holds but when and from which files it was made."""
    with xr.open_dataset(path) as stack:
        kept = stack.load()
    for name in MADE_ANEW:
        kept.attrs.pop(name, None)
    return kept


def build(here: Path, skips: bool, *named: str) -> tuple[Answer, Outcome | None]:
    """Build ``s.nc`` from the folder ``in``; the outcome is None where there is a stack to judge.

    Parameters
    ----------
    here
        Where both lie.
    skips
        Whether bad products are left out.
    named
        Names of which a refusal has to hold one.
    """
    netcdf = here / "s.nc"
    rule = "skip" if skips else "stop"
    answer = run_job(
        here, "buildstack", INPUT=str(here / "in"), NETCDF=str(netcdf), ON_BAD_PRODUCT=rule
    )
    return answer, answer.refusal(netcdf, named=named or ("",))


def judge(
    path: Path,
    truths: dict[str, Truth],
    warnings: Sequence[str] = (),
    may_lack: bool = False,
    may_crop: bool = False,
    group: str = "",
) -> Outcome:
    """Compare the steps of a stack with the products that it is made of.

    Parameters
    ----------
    path
        The stack.
    truths
        The products, of which those that are left out have to be warned of.
    warnings
        What the build warned of.
    may_lack
        Whether products, layers and pixels may be left out without a word, as they were asked for.
    may_crop
        Whether the grid may end within products.
    group
        Group of a Zarr store.
    """
    with xr.open_zarr(path, group=group) if group else xr.open_dataset(path) as opened:
        stack = opened.load()
    left = dict(truths)
    for step in range(stack.sizes.get("pair", 0)):
        values = stack.isel(pair=step)
        same = [
            name
            for name, truth in left.items()
            if _is_same(values, truth, warnings, may_lack, may_crop)
        ]
        if not same:
            return WRONG, f"{values.product_name.item()} has other pixels; warnings: {warnings}"
        left.pop(same[0])
    if len(left) == len(truths):
        return WRONG, "the stack is empty"
    if left and not warnings and not may_lack:
        return WRONG, f"without {', '.join(left)}, and not a word of it"
    return RIGHT, f"without {', '.join(left)}" if left else ""


def _is_same(
    values: xr.Dataset, truth: Truth, warnings: Sequence[str], may_lack: bool, may_crop: bool
) -> bool:
    for layer, expected in truth.items():
        found = values.get(layer)
        if found is None or np.isnan(found).all():
            if may_lack or any(layer in text for text in warnings):
                continue
            return False
        is_inside = np.isin(expected.x, found.x).all() and np.isin(expected.y, found.y).all()
        if not (is_inside or may_lack or may_crop):
            return False
        there = expected.reindex(x=found.x, y=found.y)
        if "zero" in expected.attrs:
            x, y = expected.attrs["zero"]
            found = found.where(np.isfinite(there) | (found != 0) | (found.x != x) | (found.y != y))
        if not np.array_equal(there.values, found.values, equal_nan=True):
            return False
    return True
