"""Products that are harmonized, and stores that are built, once for several modules."""

from __future__ import annotations

from pathlib import Path

import pytest

from hyp3_stack.core.products.product_types import PRODUCT_TYPES
from tests.once import once
from tests.running import Run, build, harmonize
from tests.sample_products import SampleStack

STATIC = tuple(layer.name for layer in PRODUCT_TYPES["INSAR_GAMMA"].layers.values() if layer.static)


@pytest.fixture(scope="session")
def harmonized(gamma: SampleStack, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Six interferograms, of which two are warped."""
    return once(
        tmp_path_factory, "harmonized", lambda folder: harmonize(gamma.folder, folder / "out")
    )


@pytest.fixture(scope="session")
def stores(gamma: SampleStack, tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Path]:
    """The same stack in Zarr format 3 without and with shards, in small chunks."""
    layers = "unw_phase,corr,dem,water_mask"
    options = {"ZARR_FORMAT": "3", "CHUNK_SIZE": 0.01, "LAYERS": layers}

    def make(folder: Path) -> dict[bool, Path]:
        return {
            sharding: build(
                gamma.folder, ZARR=folder / f"{sharding}.zarr", SHARDING=sharding, **options
            ).zarr
            for sharding in (False, True)
        }

    return once(tmp_path_factory, "shards", make)


def folder_of(run: Run) -> Path:
    return Path(run.outputs["OUTPUT"])
