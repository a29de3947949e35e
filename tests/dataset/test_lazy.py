"""The dataset of a stack before it is written: values are read from the products on demand."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from hyp3_stack.core.dataset.dataset import stack_dataset
from tests.sample_products import SampleStack

from ..running import Run, contents_of


@pytest.fixture(scope="module")
def lazy(gamma: SampleStack) -> xr.Dataset:
    source, layers = contents_of(gamma.folder)
    return stack_dataset(source, layers)


@pytest.fixture(scope="module")
def written(built: Run) -> xr.Dataset:
    with xr.open_dataset(built.netcdf, mask_and_scale=False, engine="netcdf4") as dataset:
        return dataset.load()


PLACES = [
    (slice(None), slice(None), slice(None)),
    (1, slice(3, 40), slice(5, 9)),
    (slice(0, 3, 2), 17, slice(None, None, 7)),
    (-1, slice(30, 4, -5), 21),
    (slice(1, 2), slice(8, 8), slice(None)),
    ([2, 0], slice(10, 20), [30, 11, 12]),
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", ["unw_phase", "corr", "data_mask", "mask_reason"])
def test_layers_with_steps(
    lazy: xr.Dataset, written: xr.Dataset, name: str, place: tuple[object, ...]
) -> None:
    found, expected = lazy[name][place], written[name][place]
    assert found.dtype == expected.dtype and found.dims == expected.dims
    np.testing.assert_array_equal(found.values, expected.values)


@pytest.mark.parametrize("place", [place[1:] for place in PLACES])
@pytest.mark.parametrize("name", ["lv_theta", "water_mask"])
def test_layers_without_steps(
    lazy: xr.Dataset, written: xr.Dataset, name: str, place: tuple[object, ...]
) -> None:
    np.testing.assert_array_equal(lazy[name][place].values, written[name][place].values)


def test_nothing_is_read_before(lazy: xr.Dataset) -> None:
    shown = repr(lazy.variables["unw_phase"])
    assert f"[{lazy['unw_phase'].size} values with dtype=float32]" in shown
