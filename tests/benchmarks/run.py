"""Times the core process and its peers on the same products: ``python -m tests.benchmarks.run``.

Every run is a whole process, in turn (ours, peer, ours, peer ...), so that a machine whose speed
drifts treats all alike. The table gives medians and the ratio to odc-stac in the same run.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
import rioxarray  # noqa: F401 - registers the accessor ``rio``
import xarray as xr

from .peers.grid import FORMATS

ROOT = Path(__file__).resolve().parents[2]
LAYERS = ("unw_phase", "corr", "amp", "lv_theta", "lv_phi", "water_mask")
NETCDF_PEERS = {
    "netcdf": "odc-stac, NetCDF",
    "netcdf-defaults": "odc-stac, NetCDF by default",
}


@dataclass(frozen=True)
class Cost:
    """What one run took."""

    seconds: float
    cpu: float
    megabytes: float


@dataclass(frozen=True)
class Contender:
    """A command and what it writes."""

    name: str
    command: list[str]
    outputs: tuple[Path, ...]
    job: dict[str, object] | None = None


def measure(contender: Contender, folder: Path) -> Cost:
    """Run a command once.

    Earlier outputs are emptied and put aside: file systems are slow to make files right after many
    were removed (ext4 looks past the inodes of the last minutes one by one). What earlier runs
    wrote reaches the disk before.
    """
    for output in contender.outputs:
        if output.exists():
            past = Path(tempfile.mkdtemp(prefix="past-", dir=folder))
            output.rename(past / output.name)
            for path in past.rglob("*"):
                if path.is_file():
                    os.truncate(path, 0)
    os.sync()
    command = list(contender.command)
    if contender.job is not None:
        job = folder / "job.json"
        job.write_text(json.dumps(contender.job))
        command.append(str(job))
    begin = time.perf_counter()
    with open(folder / "log.txt", "wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begin
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(f"{contender.name} failed:\n{(folder / 'log.txt').read_text()}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000)


def make_products(folder: Path, number: int, size: int) -> Path:
    """Make sample products and return the first, which lies in the main zone.

    They are made in a process of their own: Linux counts the memory of the process that starts a
    command into the command's peak.
    """
    command = [sys.executable, "-m", "tests.sample_products", str(folder), "--no-sidecars"]
    command += ["--products", str(number), "--size", str(size), "--layers", *LAYERS]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return min(path for path in folder.iterdir() if path.is_dir())


def contenders(
    products: Path, folder: Path, peer_python: Path, formats: tuple[str, ...]
) -> list[Contender]:
    """Return ours and the peers' commands for the same grid."""
    plan = folder / "plan.nc"
    job = {
        "protocol": 1,
        "task": "buildstack",
        "parameters": {"INPUT": str(products), "NETCDF": str(plan), "LAYERS": "water_mask"},
    }
    measure(Contender("plan", [sys.executable, "core"], (plan,), job), folder)
    with xr.open_dataset(plan, decode_coords="all") as stack:
        spacing = float(stack.x[1] - stack.x[0])
        grid = [
            float(stack.x[0]) - spacing / 2,
            float(stack.y[0]) + spacing / 2,
            spacing,
            stack.sizes["x"],
            stack.sizes["y"],
        ]
        epsg = stack.rio.crs.to_epsg()

    def ours(name: str, netcdf: bool, zarr: bool, **options: str) -> Contender:
        outputs = {}
        if netcdf:
            outputs["NETCDF"] = str(folder / "ours.nc")
        if zarr:
            outputs["ZARR"] = str(folder / "ours.zarr")
        parameters = {"INPUT": str(products), "LAYERS": ",".join(LAYERS), **outputs, **options}
        return Contender(
            name,
            [sys.executable, "core"],
            tuple(map(Path, outputs.values())),
            {"protocol": 1, "task": "buildstack", "parameters": parameters},
        )

    def peer(name: str, module: str, form: str) -> Contender:
        output = folder / f"{module}.{'zarr' if form == 'zarr' else 'nc'}"
        command = [str(peer_python), "-W", "ignore", "-m", f"tests.benchmarks.peers.{module}"]
        command += [str(products), str(output), "--form", form, "--epsg", str(epsg)]
        command += ["--grid", *map(str, grid), "--layers", *LAYERS]
        return Contender(name, command, (output,))

    result = []
    if "zarr" in formats:
        result += [
            peer("odc-stac, Zarr", "odc", "zarr"),
            peer("rioxarray, Zarr", "rio", "zarr"),
            ours("Zarr, maps", False, True, CHUNKING="spatial"),
            # What the peers write: no masks, and all layers for each pair.
            ours("Zarr, maps, no masks", False, True, CHUNKING="spatial", MASKS="false"),
            ours("Zarr, maps, no masks, static per pair", False, True, CHUNKING="spatial",
                 MASKS="false", STATIC_LAYERS="per_pair"),
            ours("Zarr, series", False, True, CHUNKING="temporal"),
            ours("Zarr, both, and NetCDF", True, True, CHUNKING="both"),
        ]  # fmt: skip
    peers = [peer(name, "odc", form) for form, name in NETCDF_PEERS.items() if form in formats]
    if peers:
        result += [*peers, ours("NetCDF", True, False)]
    return result


def check(product: Path, path: Path) -> float:
    """Return the share of a native product's pixels that a stack holds bit for bit."""
    with rasterio.open(product / f"{product.name}_corr.tif") as file:
        stored = file.read(1)
        x, y = file.transform * (0.5, 0.5)
    engine = {"engine": "zarr", "consolidated": None} if path.is_dir() else {"engine": "netcdf4"}
    for group in ("spatially_optimized", "temporally_optimized"):
        if (path / group).exists():
            engine["group"] = group
    with xr.open_dataset(path, **engine) as written:
        left = int(np.argmin(np.abs(written.x.values - x)))
        top = int(np.argmin(np.abs(written.y.values - y)))
        rows, columns = stored.shape
        found = written["corr"][0, top : top + rows, left : left + columns].values
    equal = (found == stored) | ((stored == 0) & (np.isnan(found) | (found == 0)))
    return float(equal.mean())


def table(costs: dict[str, list[Cost]]) -> str:
    """Return the medians and ratios as Markdown."""

    def median(name: str, read: Callable[[Cost], float]) -> float:
        return statistics.median(map(read, costs[name]))

    def ratio(name: str, peer: str) -> str:
        pairs = zip(costs[name], costs[peer], strict=True)
        return f"{statistics.median(a.seconds / b.seconds for a, b in pairs):.2f}"

    lines = [
        "| | seconds | CPU seconds | peak MB | time against odc-stac |",
        "|---|---|---|---|---|",
    ]
    for name in costs:
        peers = NETCDF_PEERS.values() if name == "NetCDF" else ("odc-stac, Zarr",)
        ratios = [
            f"{ratio(name, peer)}{' of its default' if peer.endswith('default') else ''}"
            for peer in peers
            if peer in costs and peer != name
        ]
        lines.append(
            f"| {name} | {median(name, lambda c: c.seconds):.1f} "
            f"| {median(name, lambda c: c.cpu):.1f} "
            f"| {median(name, lambda c: c.megabytes):.0f} | {', '.join(ratios) or '–'} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Make products, run everything in turn, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--products", type=int, default=30)
    parser.add_argument("--size", type=int, default=2000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--formats", nargs="+", default=["zarr"], choices=FORMATS)
    parser.add_argument("--peer-python", type=Path, required=True)
    parser.add_argument("--folder", type=Path, help="keep products and outputs here")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        print(f"{given.products} products x {len(LAYERS)} layers x {given.size}^2 pixels")
        first = make_products(folder / "products", given.products, given.size)
        runs = contenders(folder / "products", folder, given.peer_python, tuple(given.formats))
        costs: dict[str, list[Cost]] = {contender.name: [] for contender in runs}
        for _ in range(given.runs):
            for contender in runs:
                costs[contender.name].append(measure(contender, folder))
        print(table(costs))
        # Last: Linux counts the memory of the process that starts a command into its peak.
        print("\nShare of a native product's coherence kept bit for bit:")
        for contender in runs:
            print(f"  {contender.name}: {check(first, contender.outputs[-1]):.4f}")
        for past in folder.glob("past-*"):
            shutil.rmtree(past)


if __name__ == "__main__":
    main()
