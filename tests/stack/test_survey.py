"""What the pass over the pixels learns of each step, against numpy in double precision."""

from __future__ import annotations

import numpy as np
import pytest
from pyproj import CRS

from hyp3_stack.core.grid.lattice import Grid
from hyp3_stack.core.products.layers import LAYERS
from hyp3_stack.core.stack.survey import Findings, Survey

CORR = LAYERS["INSAR_GAMMA"]["corr"]


def survey_of(coherence: np.ndarray, blocks: int = 1) -> Findings:
    """Return what is found in one step of coherence that comes in blocks of rows."""
    height, width = coherence.shape
    wkt = CRS.from_epsg(32610).to_wkt()
    grid = Grid(32610, wkt, 500_000.0, 4_000_000.0, 80.0, width, height)
    survey = Survey(grid, [CORR], 1)
    for rows in np.array_split(np.arange(height), blocks):
        part = slice(int(rows[0]), int(rows[-1]) + 1)
        survey.add(CORR, 0, part, slice(0, width), coherence[part])
    return survey.findings()


@pytest.mark.parametrize("blocks", [1, 7])
def test_moments(blocks: int) -> None:
    coherence = np.random.default_rng(0).beta(4, 2, (900, 1100)).astype("float32")
    coherence[:, :300] = np.nan
    coherence[::3] = np.nan
    found = survey_of(coherence, blocks).statistics
    expected = coherence.astype("float64")
    np.testing.assert_allclose(found["coherence_mean"], np.nanmean(expected), rtol=1e-9)
    np.testing.assert_allclose(found["coherence_std"], np.nanstd(expected), rtol=1e-6)
    np.testing.assert_array_equal(found["valid_fraction"], np.isfinite(expected).mean())


def test_same_coherence_everywhere_does_not_vary() -> None:
    """Squares that are added one by one in float32 would make it vary by 0.01."""
    found = survey_of(np.full((600, 2000), 0.7, "float32")).statistics
    np.testing.assert_allclose(found["coherence_mean"], 0.7, rtol=1e-7)
    assert found["coherence_std"][0] < 0.003


def test_step_without_data() -> None:
    found = survey_of(np.full((30, 20), np.nan, "float32"))
    assert np.isnan(found.statistics["coherence_mean"][0])
    assert found.statistics["valid_fraction"][0] == 0.0
    assert found.outline.size == 0
