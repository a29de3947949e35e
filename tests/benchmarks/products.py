"""Sample products for benchmarks, made once and kept below ``build/bench``."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "bench"

LAYERS = ("unw_phase", "corr", "amp", "lv_theta", "lv_phi", "water_mask")
"""The layers of most benchmarks."""

_TINY = 40
_DISTINCT = 6


def sample_products(
    number: int,
    size: int,
    layers: tuple[str, ...] = LAYERS,
    product_type: str = "INSAR_GAMMA",
    share: float = 1 / 3,
    zipped: bool = False,
) -> Path:
    """Return a folder of noisy products.

    They are made in a process of their own: Linux counts the memory of the process that starts a
    command into the command's peak.

    Parameters
    ----------
    number
        How many products.
    size
        Rows and columns of each.
    layers
        Their layers; empty for all, with the small files that go along.
    product_type
        Their type.
    share
        Share of the products that lie in the neighboring zone.
    zipped
        Whether they are zips.
    """

    def make(folder: Path) -> None:
        command = [sys.executable, "-m", "tests.sample_products", str(folder)]
        command += ["--products", str(number), "--size", str(size), "--type", product_type]
        command += ["--share", str(share)] + (["--zip"] if zipped else [])
        command += ["--no-sidecars", "--layers", *layers] if layers else []
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)

    form = "zips" if zipped else "folders"
    name = "-".join([product_type, f"{number}x{size}", f"{share:.2f}", form, *(layers or ["all"])])
    return _once(name, make)


def linked_products(number: int, size: int, layers: tuple[str, ...] = LAYERS) -> Path:
    """Return a folder of many products of which only a few take space.

    Names and parameter files are those of tiny products; their rasters are links to those of six
    large ones in the same zones.
    """
    tiny = sample_products(number, _TINY, layers)
    large = sorted(sample_products(_DISTINCT, size, layers).iterdir())

    def make(folder: Path) -> None:
        for position, product in enumerate(sorted(tiny.iterdir())):
            target = folder / product.name
            target.mkdir(parents=True)
            shutil.copy(product / f"{product.name}.txt", target)
            rasters = _of_same_zone(product, large, position)
            for layer in layers:
                os.link(
                    rasters / f"{rasters.name}_{layer}.tif", target / f"{product.name}_{layer}.tif"
                )

    return _once(f"linked-{number}x{size}-{'-'.join(layers)}", make)


def _of_same_zone(product: Path, candidates: list[Path], position: int) -> Path:
    import rasterio

    def zone(folder: Path) -> int:
        with rasterio.open(next(folder.glob("*.tif"))) as file:
            return int(file.crs.to_epsg())

    wanted = zone(product)
    same = [candidate for candidate in candidates if zone(candidate) == wanted]
    return same[position % len(same)]


def _once(name: str, make: Callable[[Path], None]) -> Path:
    """Make a folder below ``build/bench`` where it is missing; never a part of one."""
    folder = FOLDER / name
    if not folder.is_dir():
        print(f"Making {name} ...", file=sys.stderr, flush=True)
        partial = FOLDER / f"{name}.{os.getpid()}"
        try:
            make(partial)
            os.rename(partial, folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return folder
