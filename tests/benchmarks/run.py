"""Times the core process and its peers on the same products: ``python -m tests.benchmarks.run``.

Every run is a whole process, in turn (ours, peer, ours, peer ...), so that a machine whose speed
drifts treats all alike. The table gives medians and the ratio to odc-stac in the same run.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import rasterio
import rioxarray  # noqa: F401 - registers the accessor ``rio``
import xarray as xr

from .jobs import Contender, Cost, build_job, measure, repeat
from .peers.grid import FORMATS
from .products import LAYERS, sample_products

NETCDF_PEERS = {
    "netcdf": "odc-stac, NetCDF",
    "netcdf-defaults": "odc-stac, NetCDF by default",
}


def contenders(
    products: Path, folder: Path, peer_python: Path, formats: tuple[str, ...]
) -> list[Contender]:
    """Return ours and the peers' commands for the same grid."""
    plan = build_job("plan", products, folder, NETCDF="plan.nc", LAYERS="water_mask")
    measure(plan, folder)
    with xr.open_dataset(plan.outputs[0], decode_coords="all") as stack:
        spacing = float(stack.x[1] - stack.x[0])
        grid = [
            float(stack.x[0]) - spacing / 2,
            float(stack.y[0]) + spacing / 2,
            spacing,
            stack.sizes["x"],
            stack.sizes["y"],
        ]
        epsg = stack.rio.crs.to_epsg()

    def ours(name: str, **parameters: str) -> Contender:
        return build_job(name, products, folder, **parameters)

    def peer(name: str, module: str, form: str) -> Contender:
        output = folder / f"{module}.{'zarr' if form == 'zarr' else 'nc'}"
        command = [str(peer_python), "-W", "ignore", "-m", f"tests.benchmarks.peers.{module}"]
        command += [str(products), str(output), "--form", form, "--epsg", str(epsg)]
        command += ["--grid", *map(str, grid), "--layers", *LAYERS]
        return Contender(name, command, (output,))

    netcdf, zarr = {"NETCDF": "ours.nc"}, {"ZARR": "ours.zarr"}
    maps = {**zarr, "CHUNKING": "spatial"}
    result = []
    if "zarr" in formats:
        result += [
            peer("odc-stac, Zarr", "odc", "zarr"),
            peer("rioxarray, Zarr", "rio", "zarr"),
            ours("Zarr, maps", **maps),
            # What the peers write: no masks, and all layers for each pair.
            ours("Zarr, maps, no masks", **maps, MASKS="false"),
            ours(
                "Zarr, maps, no masks, static per pair",
                **maps,
                MASKS="false",
                STATIC_LAYERS="per_pair",
            ),
            ours("Zarr, series", **zarr, CHUNKING="temporal"),
            ours("Zarr, both, and NetCDF", **zarr, **netcdf),
        ]
    peers = [peer(name, "odc", form) for form, name in NETCDF_PEERS.items() if form in formats]
    if peers:
        result += [*peers, ours("NetCDF", **netcdf)]
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
    parser.add_argument("--folder", type=Path, help="keep outputs here")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        print(f"{given.products} products x {len(LAYERS)} layers x {given.size}^2 pixels")
        products = sample_products(given.products, given.size)
        runs = contenders(products, folder, given.peer_python, tuple(given.formats))
        print(table(repeat(runs, folder, given.runs)))
        # Last: Linux counts the memory of the process that starts a command into its peak.
        print("\nShare of a native product's coherence kept bit for bit:")
        first = min(products.iterdir())  # it lies in the main zone
        for contender in runs:
            print(f"  {contender.name}: {check(first, contender.outputs[-1]):.4f}")
        for past in folder.glob("past-*"):
            shutil.rmtree(past)


if __name__ == "__main__":
    main()
