"""Products that are harmonized once for several modules."""

from __future__ import annotations

from pathlib import Path

import pytest

from hyp3_stack.core.products.layers import LAYERS
from tests.running import Run, harmonize
from tests.sample_products import SampleStack

STATIC = tuple(layer.name for layer in LAYERS["INSAR_GAMMA"].values() if layer.static)


@pytest.fixture(scope="session")
def harmonized(gamma: SampleStack, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Six interferograms, of which two are warped."""
    return harmonize(gamma.folder, tmp_path_factory.mktemp("harmonized") / "out")


def folder_of(run: Run) -> Path:
    return Path(run.outputs["OUTPUT"])
