"""Time, memory and size of each format of ``exportstack``: ``make bench-exports``.

The stacks are small ones of sample products, repeated to as many steps and pixels as are asked for,
with noise added, so that they compress no better than real ones. Series are taken at 1,000 points.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from pyproj import Transformer

from tests import checkout  # noqa: F401 - registers the package hyp3_stack
from tests.analysis.inverting import invert
from tests.running import build

from .jobs import Contender, core_job, measure
from .products import FOLDER, sample_products

LAYERS = ("unw_phase", "corr", "dem", "lv_theta", "lv_phi", "water_mask")
POINTS = 1000
CHUNK = 512


def enlarge(source: Path, target: Path, steps: int, size: int) -> None:
    """Write a stack of so many steps and so many rows and columns."""
    with xr.open_dataset(source) as opened:
        stack = opened.load()
    dimension = "time" if "time" in stack.dims else "pair"
    count = stack.sizes[dimension]
    turns = np.arange(steps) // count
    indexers = {dimension: np.arange(steps) % count}
    indexers |= {axis: np.arange(size) % stack.sizes[axis] for axis in ("y", "x")}
    large = stack.isel(indexers)
    for name in ("time", "reference_time", "secondary_time"):
        if name in large.coords:
            old = large[name]
            period = np.ptp(stack[name].values) + np.timedelta64(12, "D")
            new = (old.dims, old.values + turns * period, old.attrs, old.encoding)
            large = large.assign_coords({name: new})
    spacing = float(stack.x[1] - stack.x[0])
    for axis, step in (("x", spacing), ("y", -spacing)):
        old = large[axis]
        values = float(stack[axis][0]) + step * np.arange(size)
        large = large.assign_coords({axis: (axis, values, old.attrs, old.encoding)})
    large = large.drop_vars(["x_bnds", "y_bnds", "time_bnds"], errors="ignore")
    generator = np.random.default_rng(0)
    for variable in large.variables.values():
        if variable.dims[-2:] == ("y", "x"):
            chunks = (1,) * (variable.ndim - 2) + (CHUNK, CHUNK)
            encoding = {"zlib": True, "complevel": 1, "shuffle": True, "chunksizes": chunks}
            variable.encoding = {"_FillValue": variable.encoding["_FillValue"], **encoding}
            if variable.encoding["_FillValue"] == 255:
                variable.encoding["dtype"] = "uint8"
            else:
                noise = generator.normal(0, 1e-3, variable.shape).astype("float32")
                variable.values = variable.values + noise
    large.to_netcdf(target)


def make_stacks(products: Path, folder: Path, steps: int, size: int) -> None:
    """Write ``pairs.nc`` and ``displacement.nc``."""
    small = build(products, NETCDF=folder / "small.nc").netcdf
    inverted = invert(small, NETCDF=folder / "inverted.nc", MIN_TEMPORAL_COHERENCE=0.0).netcdf
    enlarge(small, folder / "pairs.nc", steps, size)
    enlarge(inverted, folder / "displacement.nc", steps, size)


def points(stack: Path) -> dict[str, Any]:
    """Return points that are spread over a stack."""
    with xr.open_dataset(stack) as opened:
        crs = opened.spatial_ref.attrs["crs_wkt"]
        generator = np.random.default_rng(1)
        x, y = (generator.choice(opened[axis].values, POINTS) for axis in ("x", "y"))
    places = np.transpose(Transformer.from_crs(crs, "OGC:CRS84", always_xy=True).transform(x, y))
    features = [
        {"properties": {"id": number}, "geometry": {"type": "Point", "coordinates": place}}
        for number, place in enumerate(places.tolist())
    ]
    return {"type": "FeatureCollection", "features": features}


def contenders(pairs: Path, displacement: Path, folder: Path) -> Iterator[Contender]:
    """Return all exports."""
    for name, stack, given in (
        ("mintpy, pairs", pairs, {"FORMAT": "mintpy"}),
        ("mintpy, displacement", displacement, {"FORMAT": "mintpy"}),
        ("insar_explorer", displacement, {"FORMAT": "insar_explorer"}),
        ("geotiff, files", displacement, {"FORMAT": "geotiff"}),
        ("geotiff, bands", displacement, {"FORMAT": "geotiff", "STEPS_AS": "bands"}),
        ("pyramid", displacement, {"FORMAT": "pyramid"}),
        ("series", displacement, {"FORMAT": "series", "POINTS": points(displacement)}),
    ):
        target = folder / name.replace(", ", "-")
        yield core_job(name, "exportstack", [target], INPUT=str(stack), OUTPUT=str(target), **given)


def main() -> None:
    """Export once in each format and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--size", type=int, default=1000)
    given = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER) as temporary:
        folder = Path(temporary)
        products = sample_products(12, 200, LAYERS, share=0.0)
        # Linux counts the memory of the process that starts a command into the command's peak.
        making = get_context("spawn").Process(
            target=make_stacks, args=(products, folder, given.steps, given.size)
        )
        making.start()
        making.join()
        if making.exitcode:
            raise SystemExit("The stacks cannot be made.")
        print(f"{given.steps} steps of {given.size} x {given.size} pixels\n")
        print("| format | seconds | MB at the peak | files | MB |\n|---|---|---|---|---|")
        for contender in contenders(folder / "pairs.nc", folder / "displacement.nc", folder):
            cost = measure(contender, folder)
            files = [path for path in contender.outputs[0].rglob("*") if path.is_file()]
            size = sum(path.stat().st_size for path in files) / 1e6
            print(
                f"| {contender.name} | {cost.seconds:.1f} | {cost.megabytes:.0f} | {len(files)} "
                f"| {size:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
