"""Peak memory of the core process with 10 times the products: ``make bench-memory``.

The peak is what the system counts for the finished process (``ru_maxrss``). Products beyond the
first six are links to the rasters of these under other names and dates.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from .jobs import build_job, megabytes, repeat, seconds
from .products import LAYERS, linked_products

GOAL_MEGABYTES = 1000.0
OUTPUTS = {
    "NetCDF": {"NETCDF": "stack.nc"},
    "Zarr, maps": {"ZARR": "stack.zarr", "CHUNKING": "spatial"},
    "Zarr, series": {"ZARR": "stack.zarr", "CHUNKING": "temporal"},
    "Zarr, both": {"ZARR": "stack.zarr"},
    "all": {"NETCDF": "stack.nc", "ZARR": "stack.zarr"},
}


def main() -> None:
    """Build stacks of few and of many products and print peaks and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--products", type=int, nargs=2, default=[30, 300])
    parser.add_argument("--size", type=int, default=1000)
    parser.add_argument("--layers", nargs="+", default=["unw_phase", "corr", "lv_theta"])
    parser.add_argument("--outputs", nargs="+", default=["all"], choices=OUTPUTS)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--memory", help="value of the parameter MEMORY")
    given = parser.parse_args()
    layers = tuple(name for name in LAYERS if name in given.layers)
    folders = {number: linked_products(number, given.size, layers) for number in given.products}
    few, many = given.products
    extra = {} if given.memory is None else {"MEMORY": given.memory}
    print(f"{few} and {many} products x {len(layers)} layers x {given.size}^2 pixels\n")
    print(f"| | peak MB, {few} | peak MB, {many} | ratio | seconds, {few} | seconds, {many} |")
    print("|---|---|---|---|---|---|")
    worst = 0.0
    for name in given.outputs:
        with tempfile.TemporaryDirectory(dir=folders[few].parent) as temporary:
            folder = Path(temporary)
            jobs = [
                build_job(
                    str(number), products, folder,
                    LAYERS=",".join(layers), **OUTPUTS[name], **extra,
                )
                for number, products in folders.items()
            ]  # fmt: skip
            costs = repeat(jobs, folder, given.runs)
        peaks = [megabytes(costs[job.name]) for job in jobs]
        times = [seconds(costs[job.name]) for job in jobs]
        worst = max(worst, *peaks)
        print(
            f"| {name} | {peaks[0]:.0f} | {peaks[1]:.0f} | {peaks[1] / peaks[0]:.2f} "
            f"| {times[0]:.1f} | {times[1]:.1f} |",
            flush=True,
        )
    print(f"\nThe highest peak is {worst / GOAL_MEGABYTES:.2f} of {GOAL_MEGABYTES:.0f} MB.")


if __name__ == "__main__":
    main()
