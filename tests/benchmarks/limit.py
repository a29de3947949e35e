"""How near a build comes to the limit: ``make bench-limit``.

The limit reads every raster and compresses what a stack holds, with the same codecs and the same
threads, and does nothing else: no grid, no warping, no files, no check. For series it reads the
rasters that change with the steps again, as they do not fit into memory at once. In place of the
two masks of a step its water mask or its map of layover and shadow is compressed twice. Both are
processes of their own; the table also tells what the limit takes where it does keep each chunk in a
file, and what its work takes without its start.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from .bare import INPUTS
from .jobs import Contender, build_job, repeat, seconds
from .products import ROOT, sample_products

OUTPUTS = {
    "Zarr, maps": ({"ZARR": "stack.zarr", "CHUNKING": "spatial"}, ["zarr"]),
    "Zarr, both": ({"ZARR": "stack.zarr"}, ["zarr", "zarr"]),
    "NetCDF": ({"NETCDF": "stack.nc"}, ["netcdf"]),
    "all": ({"ZARR": "stack.zarr", "NETCDF": "stack.nc"}, ["zarr+netcdf", "zarr"]),
}
"""Parameters of the build, and the passes of the limit."""


def work_alone(command: list[str], runs: int) -> float:
    """Return the median of what processes of the limit tell of their work."""
    times = []
    for _ in range(runs):
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        times.append(json.loads(done.stdout))
    return float(np.median(times))


def main() -> None:
    """Run builds and limits in turn and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--products", type=int, default=30)
    parser.add_argument("--size", type=int, default=2000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--inputs", default="interferograms", choices=INPUTS)
    parser.add_argument("--outputs", nargs="+", default=list(OUTPUTS)[:2], choices=OUTPUTS)
    parser.add_argument("--folder", type=Path, help="write outputs here, such as to a RAM disk")
    parser.add_argument("--share", type=float, default=0.0, help="share in the other UTM zone")
    given = parser.parse_args()
    product_type, layers, zipped = INPUTS[given.inputs]
    products = sample_products(
        given.products, given.size, layers, product_type, given.share, zipped
    )
    print(f"{given.products} {given.inputs} x {len(layers)} layers x {given.size}^2 pixels")
    print(
        "| | build (s) | limit (s) | limit with files (s) | limit's work (s) "
        "| build / limit | build / limit with files |"
    )
    print("|---|---|---|---|---|---|---|")
    for name in given.outputs:
        parameters, passes = OUTPUTS[name]
        bare = [sys.executable, "-m", "tests.benchmarks.bare", str(products), given.inputs, *passes]
        with tempfile.TemporaryDirectory(dir=given.folder or products.parent) as temporary:
            folder = Path(temporary)
            chunks = folder / "chunks"
            costs = repeat(
                [
                    build_job("build", products, folder, LAYERS=",".join(layers), **parameters),
                    Contender("limit", bare, ()),
                    Contender("files", [*bare, "--chunks", str(chunks)], (chunks,)),
                ],
                folder,
                given.runs,
            )
        ours, limit, files = (seconds(costs[key]) for key in ("build", "limit", "files"))
        work = work_alone(bare, given.runs)
        print(
            f"| {name} | {ours:.1f} | {limit:.1f} | {files:.1f} | {work:.1f} "
            f"| {ours / limit:.2f} | {ours / files:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
