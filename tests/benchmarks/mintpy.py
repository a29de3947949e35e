"""Against MintPy's loader on the same products: ``make bench-mintpy``.

MintPy takes products of one grid only, so ``harmonizeproducts`` lays them on one first; that is not
timed. Its HDF5 stack holds phase, coherence and connected components; geometry comes from the first
product.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from pathlib import Path

import h5py
import numpy as np
import xarray as xr

from .jobs import Contender, build_job, core_job, measure, megabytes, repeat, seconds
from .products import FOLDER, sample_products

LAYERS = ("unw_phase", "corr", "dem", "lv_theta", "lv_phi", "water_mask")
OUTPUTS = {
    "Zarr, maps": {"ZARR": "maps.zarr", "CHUNKING": "spatial"},
    "Zarr, both": {"ZARR": "both.zarr"},
    "NetCDF": {"NETCDF": "stack.nc"},
}


def harmonized(products: Path, folder: Path) -> Path:
    """Return the products on one grid."""
    target = folder / "harmonized"
    given = {"INPUT": str(products), "OUTPUT": str(target)}
    measure(core_job("harmonize", "harmonizeproducts", [], **given), folder)
    return target


def loader(peer_python: Path, products: Path, folder: Path, compression: str) -> Contender:
    """Return MintPy's run."""
    output = folder / f"mintpy-{compression}"
    command = [str(peer_python), "-W", "ignore", "-m", "tests.benchmarks.peers.mintpy_loader"]
    command += [str(products), str(output), "--compression", compression]
    return Contender(f"MintPy, {compression} compression", command, (output,))


def size(path: Path) -> float:
    """Return megabytes on disk."""
    files = [path] if path.is_file() else [item for item in path.rglob("*") if item.is_file()]
    return sum(item.stat().st_size for item in files) / 1e6


def compare(mintpy: Path, netcdf: Path) -> float:
    """Return the share of pixels of phase and coherence that both stacks hold alike."""
    shares = []
    with h5py.File(mintpy / "inputs" / "ifgramStack.h5") as one, xr.open_dataset(netcdf) as other:
        dates = [[text.decode() for text in pair] for pair in one["date"][:]]
        order = np.lexsort(np.transpose(dates)[::-1])
        for theirs, ours in (("unwrapPhase", "unw_phase"), ("coherence", "corr")):
            found, expected = one[theirs][:][order], other[ours].values
            equal = (found == expected) | (np.isnan(expected) & ((found == 0) | np.isnan(found)))
            shares.append(equal.mean())
    return float(np.min(shares))


def main() -> None:
    """Run all in turn and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--products", type=int, default=30)
    parser.add_argument("--size", type=int, default=2000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--compression", nargs="+", default=["no", "lzf"])
    parser.add_argument("--peer-python", type=Path, required=True)
    given = parser.parse_args()
    if subprocess.run([given.peer_python, "-c", "import mintpy, osgeo.gdal_array"]).returncode:
        raise SystemExit("MintPy or GDAL's Python package is missing in its environment.")
    products = sample_products(given.products, given.size, LAYERS, share=0.0)
    with tempfile.TemporaryDirectory(dir=FOLDER) as temporary:
        folder = Path(temporary)
        same = harmonized(products, folder)
        runs = [loader(given.peer_python, same, folder, kind) for kind in given.compression]
        peers = [run.name for run in runs]
        for name, outputs in OUTPUTS.items():
            runs.append(build_job(name, same, folder, LAYERS=",".join(LAYERS), **outputs))
        costs = repeat(runs, folder, given.runs)
        print(f"{given.products} products x {len(LAYERS)} layers x {given.size}^2 pixels\n")
        heads = "".join(f" time against {name} |" for name in peers)
        print(f"| | seconds | peak MB | MB on disk |{heads}")
        print("|---|---|---|---|" + "---|" * len(peers))
        for run in runs:
            ratios = "".join(
                f" {seconds(costs[run.name]) / seconds(costs[peer]):.2f} |" for peer in peers
            )
            print(
                f"| {run.name} | {seconds(costs[run.name]):.1f} | {megabytes(costs[run.name]):.0f} "
                f"| {size(run.outputs[0]):.0f} |{ratios}"
            )
        share = compare(runs[0].outputs[0], folder / "stack.nc")
        print(f"\nShare of phase and coherence that is the same in both: {share:.4f}")


if __name__ == "__main__":
    main()
