"""The stack that several formats are exported from."""

from __future__ import annotations

import pytest

from tests.running import build, samples


@pytest.fixture(scope="package")
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
    folder = tmp_path_factory.mktemp("wide")
    for chunking in ("spatial", "temporal"):
        build(products.folder, ZARR=folder / f"{chunking}.zarr", CHUNKING=chunking, MASKS="false")
    return folder
