"""Against MintPy's inversion of the same stack: ``make bench-inversion``.

Both invert one stack with the same weights and reference pixel, each from its own format to its own
outputs; building the stack and writing it as MintPy's HDF5 is not timed. MintPy's velocity follows
from its series in a second step, as its workflow has it; ours comes with the inversion.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np
import xarray as xr

from .jobs import build_job, megabytes, repeat, seconds
from .products import FOLDER, sample_products
from .run import Contender, measure

LAYERS = ("unw_phase", "corr")
MINTPY_LOOKS_RATIO = 1.94


def stack_of(products: Path, folder: Path) -> Path:
    """Return the stack of the products."""
    layers = ",".join(LAYERS)
    job = build_job("stack", products, folder, ZARR="stack.zarr", LAYERS=layers)
    measure(job, folder)
    return folder / "stack.zarr"


def reference_pixel(stack: xr.Dataset) -> tuple[int, int]:
    """Return row and column of the pixel that is coherent in most pairs, 0 in none."""
    known = np.isfinite(stack.unw_phase.values) & (stack.unw_phase.values != 0)
    score = np.where(known.all(axis=0), np.nan_to_num(stack.corr.values).mean(axis=0), -1.0)
    row, column = np.unravel_index(score.argmax(), score.shape)
    return int(row), int(column)


def write_mintpy(stack: xr.Dataset, reference: tuple[int, int], folder: Path) -> None:
    """Write the part of MintPy's ifgramStack.h5 that its inversion reads."""
    (folder / "inputs").mkdir(parents=True)
    days = [
        np.datetime_as_string(stack[f"{side}_time"].values, "D")
        for side in ("reference", "secondary")
    ]
    dates = np.char.replace(np.stack(days, axis=1), "-", "").astype("S8")
    looks = [int(stack[f"looks_{side}"].values[0]) for side in ("azimuth", "range")]
    attributes = {
        "FILE_TYPE": "ifgramStack",
        "PROCESSOR": "hyp3",
        "LENGTH": stack.sizes["y"],
        "WIDTH": stack.sizes["x"],
        "WAVELENGTH": 0.055465763,
        "ALOOKS": looks[0],
        "RLOOKS": looks[1],
        "NCORRLOOKS": looks[0] * looks[1] / MINTPY_LOOKS_RATIO,
        "REF_Y": reference[0],
        "REF_X": reference[1],
        "UNIT": "radian",
        "PLATFORM": "Sen",
        "START_DATE": min(dates.ravel()).decode(),
        "END_DATE": max(dates.ravel()).decode(),
    }
    with h5py.File(folder / "inputs" / "ifgramStack.h5", "w") as file:
        file.attrs.update({name: str(value) for name, value in attributes.items()})
        file["date"] = dates
        file["bperp"] = stack.perpendicular_baseline.values.astype("float32")
        file["dropIfgram"] = np.ones(len(dates), bool)
        for ours, theirs in (("unw_phase", "unwrapPhase"), ("corr", "coherence")):
            values = np.nan_to_num(stack[ours].values)
            file.create_dataset(theirs, data=values, chunks=True)
            file[theirs].attrs["MODIFICATION_TIME"] = "0"


def contenders(
    stack: xr.Dataset, reference: tuple[int, int], peer_python: Path, folder: Path
) -> tuple[Contender, Contender]:
    """Return our run and MintPy's."""
    row, column = reference
    spacing = float(stack.x[1] - stack.x[0])
    job = {
        "protocol": 1,
        "task": "invertstack",
        "parameters": {
            "INPUT": str(folder / "stack.zarr"),
            "NETCDF": str(folder / "displacement.nc"),
            "REFERENCE_AREA": f"{float(stack.x[column])},{float(stack.y[row])},{spacing / 2}",
            "WEIGHTS": "variance",
            "MIN_TEMPORAL_COHERENCE": 0.0,
        },
    }
    ours = Contender("HyP3 Stack", [sys.executable, "core"], (folder / "displacement.nc",), job)
    outputs = tuple(folder / "mintpy" / name for name in ("timeseries.h5", "velocity.h5"))
    command = [str(peer_python), "-W", "ignore", "-m", "tests.benchmarks.peers.mintpy_inversion"]
    return ours, Contender("MintPy", [*command, str(folder / "mintpy")], outputs)


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
        difference = found[both] - expected[both]
        distance = np.abs(ours.temporal_coherence.values - coherence)[both]
        moved = 1000 * ours.displacement.values[:, both] - series[:, both]
        return {
            "pixels": float(both.sum()),
            "pixels with missing pairs": float(
                (ours.valid_pairs.values[both] < ours.sizes["pair"]).sum()
            ),
            "r of the velocities": float(np.corrcoef(found[both], expected[both])[0, 1]),
            "RMSE of the velocity (mm/year)": float(np.sqrt((difference**2).mean())),
            "RMSE of the displacement (mm)": float(np.sqrt((moved**2).mean())),
            "largest difference of temporal coherence": float(distance.max()),
        }


def main() -> None:
    """Run both in turn and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--products", type=int, default=300)
    parser.add_argument("--size", type=int, default=320)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--peer-python", type=Path, required=True)
    given = parser.parse_args()
    if subprocess.run([given.peer_python, "-c", "import mintpy, osgeo.gdal_array"]).returncode:
        raise SystemExit("MintPy or GDAL's Python package is missing in its environment.")
    products = sample_products(given.products, given.size, LAYERS, share=0.0)
    with tempfile.TemporaryDirectory(dir=FOLDER) as temporary:
        folder = Path(temporary)
        path = stack_of(products, folder)
        with xr.open_dataset(path, engine="zarr", group="temporally_optimized") as stack:
            reference = reference_pixel(stack)
            write_mintpy(stack, reference, folder / "mintpy")
            runs = contenders(stack, reference, given.peer_python, folder)
            sizes = dict(stack.sizes)
        costs = repeat(runs, folder, given.runs)
        print(f"{sizes['pair']} pairs, {sizes['y']} x {sizes['x']} pixels\n")
        print("| | seconds | peak MB | pixels/s |\n|---|---|---|---|")
        for run in runs:
            time = seconds(costs[run.name])
            rate = sizes["y"] * sizes["x"] / time
            print(f"| {run.name} | {time:.1f} | {megabytes(costs[run.name]):.0f} | {rate:,.0f} |")
        ratio = seconds(costs["MintPy"]) / seconds(costs["HyP3 Stack"])
        print(f"\nHyP3 Stack is {ratio:.0f} times as fast.\n")
        for name, value in compare(folder / "displacement.nc", folder / "mintpy").items():
            print(f"{name}: {value:.7g}")


if __name__ == "__main__":
    main()
