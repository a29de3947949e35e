"""Sample products for benchmarks, made once and kept below ``build/bench``."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "bench"


def sample_products(
    number: int,
    size: int,
    layers: tuple[str, ...] = (),
    product_type: str = "INSAR_GAMMA",
    share: float = 1 / 3,
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
        Their layers; empty for all.
    product_type
        Their type.
    share
        Share of the products that lie in the neighboring zone.
    """
    name = f"{product_type}-{number}x{size}-{share:.2f}-{'-'.join(layers) or 'all'}"
    folder = FOLDER / name
    if not folder.is_dir():
        partial = FOLDER / f"{name}.{os.getpid()}"
        command = [sys.executable, "-m", "tests.sample_products", str(partial), "--no-sidecars"]
        command += ["--products", str(number), "--size", str(size), "--type", product_type]
        command += ["--share", str(share)] + (["--layers", *layers] if layers else [])
        try:
            subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
            os.rename(partial, folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return folder
