"""The stack that several formats are exported from."""

from __future__ import annotations

import pytest

from tests.once import once
from tests.running import build, samples


@pytest.fixture(scope="session")
def wide(tmp_path_factory):
    """Interferograms of more than a tile, as a Zarr store of maps and one of series."""
    products = samples(
        tmp_path_factory,
        products=3,
        rows=620,
        columns=540,
        noise=False,
        sidecars=False,
        layers=("unw_phase", "corr", "water_mask", "wrapped_phase"),
    )

    def make(folder):
        for chunking in ("spatial", "temporal"):
            store = folder / f"{chunking}.zarr"
            build(products.folder, ZARR=store, CHUNKING=chunking, MASKS="false")
        return folder

    return once(tmp_path_factory, "wide", make)
