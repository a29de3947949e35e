"""Writing a whole stack."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import insar_gamma
from .network import pairs
from .scene import Scene
from .spec import SampleProduct, SampleSpec, SampleStack

WORKERS = 2


def write_products(folder: Path, spec: SampleSpec) -> SampleStack:
    """Write sample products and return their truth.

    Parameters
    ----------
    folder
        Where product folders or zips go; it is made if missing.
    spec
        What to make.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    scene = Scene(spec)
    tasks = [(scene, index, pair, folder) for index, pair in enumerate(pairs(spec.products))]
    with ThreadPoolExecutor(WORKERS) as pool:
        made: list[SampleProduct] = list(pool.map(lambda task: insar_gamma.make(*task), tasks))
    return SampleStack(folder, spec, tuple(made))
