"""Writing a whole stack."""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rasterio.errors import NotGeoreferencedWarning

from . import insar_gamma, isce, rtc
from .network import pairs, passes
from .scene import Scene
from .spec import SampleProduct, SampleSpec, SampleStack

WORKERS = 2
MAKERS = {
    "INSAR_GAMMA": insar_gamma.make,
    "INSAR_ISCE_BURST": isce.make,
    "INSAR_ISCE_MULTI_BURST": isce.make,
    "RTC_GAMMA": rtc.make,
}


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
    make = MAKERS[spec.product_type]
    parts = pairs(spec.products) if spec.is_insar else passes(spec.products, spec.frames)
    with warnings.catch_warnings(), ThreadPoolExecutor(WORKERS) as pool:
        # Files in radar geometry have no position on the map, and shall have none.
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        tasks = [pool.submit(make, scene, index, part, folder) for index, part in enumerate(parts)]
        made: list[SampleProduct] = [task.result() for task in tasks]
    return SampleStack(folder, spec, tuple(made))
