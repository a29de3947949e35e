"""What the pass over the pixels learns of each step, against numpy in double precision."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
import xarray as xr
from pyproj import CRS

from hyp3_stack.core.grid.lattice import Grid
from hyp3_stack.core.pixels.survey import Findings, Survey
from hyp3_stack.core.products.product_types import PRODUCT_TYPES
from tests.sample_products import SampleStack

from ..running import build, copy_products, layer_file

CORR = PRODUCT_TYPES["INSAR_GAMMA"].layers["corr"]


def survey_of(coherence: np.ndarray, blocks: int = 1) -> Findings:
    """Return what is found in one step of coherence that comes in blocks of rows."""
    height, width = coherence.shape
    wkt = CRS.from_epsg(32610).to_wkt()
    grid = Grid(32610, 500_000.0, 4_000_000.0, 80.0, width, height, wkt)
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


@pytest.mark.parametrize("layers", ["water_mask", "corr"])
def test_only_what_is_known_is_told(small: SampleStack, tmp_path: Path, layers: str) -> None:
    """Layers without data, as far as steps are told apart by them."""
    for path in copy_products(small, tmp_path / "in"):
        with rasterio.open(layer_file(path, "corr")) as file:
            profile = file.profile
        with rasterio.open(layer_file(path, "corr"), "w", **profile) as file:
            file.write(np.zeros(file.shape, "float32"), 1)
    outputs = {"NETCDF": tmp_path / "s.nc", "ZARR": tmp_path / "s.zarr"}
    build(tmp_path / "in", **outputs, LAYERS=layers, STAC=True)
    for stack in (
        xr.open_dataset(outputs["NETCDF"]),
        xr.open_zarr(outputs["ZARR"], group="temporally_optimized"),
    ):
        with stack:
            assert "of the rasters of the products" in stack.attrs["footprint_comment"]
            if layers == "water_mask":
                assert not {"valid_fraction", "coherence_mean"} & set(stack.variables)
            else:
                assert (stack.valid_fraction == 0).all()
                assert stack.valid_fraction.attrs["comment"] == "0: no pixel has data"
                assert stack.coherence_mean.isnull().all()
                assert stack.coherence_mean.attrs["comment"] == "NaN: no pixel has data"
