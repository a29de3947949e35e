"""Against MintPy's inversion of the same stack: ``make bench-inversion``.

Both invert one stack with the same reference pixel, each from its own format to its own outputs;
building the stack and writing it as MintPy's HDF5 is not timed. MintPy's velocity follows from its
series in a second step, as its workflow has it; ours comes with the inversion. MintPy counts years
of the calendar, which changes velocities by up to 0.1 %; they are compared with those that its
series have in years of 365.25 days, too. With ``--weights coherence`` both take the very same
weights; their tables of the variance differ by half a percent.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np
import xarray as xr

from .jobs import Contender, build_job, core_job, measure, megabytes, repeat, seconds
from .products import FOLDER, ROOT, sample_products

LAYERS = ("unw_phase", "corr")
MINTPY_WEIGHTS = {"variance": "var", "coherence": "coh", "none": "no"}


def stack_of(products: Path, folder: Path) -> None:
    """Build ``stack.zarr`` of the products."""
    layers = ",".join(LAYERS)
    measure(build_job("stack", products, folder, ZARR="stack.zarr", LAYERS=layers), folder)


def contenders(peer_python: Path, folder: Path, weights: str) -> tuple[Contender, Contender]:
    """Write MintPy's stack; return our run and MintPy's."""
    export = [sys.executable, "-m", "tests.benchmarks.mintpy_stack"]
    export += [str(folder / "stack.zarr"), str(folder / "mintpy")]
    told = subprocess.run(export, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    x, y, spacing = map(float, told.split())
    netcdf = folder / "displacement.nc"
    ours = core_job(
        "HyP3 Stack",
        "invertstack",
        [netcdf],
        INPUT=str(folder / "stack.zarr"),
        NETCDF=str(netcdf),
        REFERENCE_AREA=f"{x},{y},{spacing / 2}",
        WEIGHTS=weights,
        MIN_TEMPORAL_COHERENCE=0.0,
    )
    outputs = tuple(folder / "mintpy" / name for name in ("timeseries.h5", "velocity.h5"))
    command = [str(peer_python), "-W", "ignore", "-m", "tests.benchmarks.peers.mintpy_inversion"]
    command += [str(folder / "mintpy"), MINTPY_WEIGHTS[weights]]
    return ours, Contender("MintPy", command, outputs)


def compare(netcdf: Path, mintpy: Path) -> dict[str, float]:
    """Return how far both results are from each other where both have all pairs of a pixel.

    Where pairs are missing MintPy leaves pixels out that have a date without a pair.
    """
    with xr.open_dataset(netcdf) as ours, h5py.File(mintpy / "velocity.h5") as velocity:
        found = 1000 * ours.velocity.values.astype(float)
        expected = 1000 * velocity["velocity"][:].astype(float)
        with h5py.File(mintpy / "temporalCoherence.h5") as file:
            coherence = file["temporalCoherence"][:].astype(float)
        with h5py.File(mintpy / "timeseries.h5") as file:
            series = 1000 * (file["timeseries"][:].astype(float) - file["timeseries"][:1])
        both = np.isfinite(found) & (coherence > 0) & (series != 0).any(axis=0)
        # MintPy sets what it finds at the reference pixel by hand.
        both &= ours.valid_pairs.values > 0
        years = (ours.time.values - ours.time.values[0]) / np.timedelta64(1, "D") / 365.25
        same_years = np.polynomial.polynomial.polyfit(years, series[:, both], 1)[1]
        distance = np.abs(ours.temporal_coherence.values - coherence)[both]
        moved = 1000 * ours.displacement.values[:, both] - series[:, both]
        return {
            "pixels": float(both.sum()),
            "pixels with missing pairs": float(
                (ours.valid_pairs.values[both] < ours.sizes["pair"]).sum()
            ),
            "r of the velocities": float(np.corrcoef(found[both], expected[both])[0, 1]),
            "RMSE of the velocity (mm/year)": _rms(found[both] - expected[both]),
            "the same in years of 365.25 days": _rms(found[both] - same_years),
            "RMSE of the displacement (mm)": _rms(moved),
            "largest difference of temporal coherence": float(distance.max()),
        }


def _rms(difference: np.ndarray) -> float:
    return float(np.sqrt((difference**2).mean()))


def main() -> None:
    """Run both in turn and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--products", type=int, default=300)
    parser.add_argument("--size", type=int, default=320)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--weights", choices=tuple(MINTPY_WEIGHTS), default="variance")
    parser.add_argument("--peer-python", type=Path, required=True)
    given = parser.parse_args()
    if subprocess.run([given.peer_python, "-c", "import mintpy, osgeo.gdal_array"]).returncode:
        raise SystemExit("MintPy or GDAL's Python package is missing in its environment.")
    products = sample_products(given.products, given.size, LAYERS, share=0.0)
    with tempfile.TemporaryDirectory(dir=FOLDER) as temporary:
        folder = Path(temporary)
        stack_of(products, folder)
        runs = contenders(given.peer_python, folder, given.weights)
        costs = repeat(runs, folder, given.runs)
        with xr.open_dataset(folder / "displacement.nc") as result:
            sizes = dict(result.sizes)
        print(f"{sizes['pair']} pairs, {sizes['y']} x {sizes['x']} pixels, {given.weights}\n")
        print("| | seconds | CPU seconds | peak MB | pixels/s |\n|---|---|---|---|---|")
        for run in runs:
            time = seconds(costs[run.name])
            rate = sizes["y"] * sizes["x"] / time
            cpu = statistics.median(cost.cpu for cost in costs[run.name])
            memory = megabytes(costs[run.name])
            print(f"| {run.name} | {time:.1f} | {cpu:.1f} | {memory:.0f} | {rate:,.0f} |")
        ratio = seconds(costs["MintPy"]) / seconds(costs["HyP3 Stack"])
        cpu = costs["MintPy"][0].cpu / costs["HyP3 Stack"][0].cpu
        print(f"\nHyP3 Stack is {ratio:.0f} times as fast; MintPy takes {cpu:.0f} times the CPU.\n")
        for name, value in compare(folder / "displacement.nc", folder / "mintpy").items():
            print(f"{name}: {value:.7g}")


if __name__ == "__main__":
    main()
