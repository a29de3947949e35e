"""``data_mask`` and ``mask_reason`` against the layers that they are made from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from tests.sample_products import SampleSpec

from ..written_stacks import Written, write


def bit(stack: xr.Dataset, meaning: str) -> xr.DataArray:
    attributes = stack.mask_reason.attrs
    position = attributes["flag_meanings"].split().index(meaning)
    return (stack.mask_reason & int(attributes["flag_masks"][position])) > 0


def raw(written: Written) -> xr.Dataset:
    return xr.open_dataset(written.netcdf, mask_and_scale=False)


def test_interferograms(stacks: dict[str, Written]) -> None:
    for kind in ("INSAR_GAMMA", "INSAR_ISCE_BURST", "INSAR_ISCE_MULTI_BURST"):
        stack = raw(stacks[kind])
        phase, corr = stack.unw_phase.isnull(), stack["corr"].isnull()
        expected = xr.where(phase & corr, 0, xr.where(phase, 2, 1))
        np.testing.assert_array_equal(stack.data_mask, expected)
        assert {0, 1, 2} == set(np.unique(stack.data_mask)), kind
        np.testing.assert_array_equal(bit(stack, "no_data"), phase & corr)
        np.testing.assert_array_equal(bit(stack, "not_unwrapped"), phase & ~corr)
        np.testing.assert_array_equal(bit(stack, "low_coherence"), stack["corr"] < 0.1)
        # Each pair has the water of its own product, the stack that of all; coasts of warped ones
        # differ by a pixel.
        water, land = bit(stack, "water"), stack.water_mask == 1
        assert water.any()
        assert float((water & land).mean()) < 0.02 * float(water.mean())
        if "conncomp" in stack:
            np.testing.assert_array_equal(bit(stack, "in_no_component"), stack.conncomp == 0)


def test_the_reference_pixel_is_valid(gamma_stack: Written) -> None:
    stack = raw(gamma_stack)
    zero = stack.unw_phase == 0
    assert zero.any()
    assert (stack.data_mask.values[zero.values] == 1).all()


def test_backscatter(rtc_stack: Written) -> None:
    stack = raw(rtc_stack)
    missing = stack.VV_backscatter.isnull() & stack.VH_backscatter.isnull()
    known = stack.ls_map != 255
    slopes = ((stack.ls_map & 20) > 0) & known
    expected = xr.where(missing, 0, xr.where(slopes, 2, 1))
    np.testing.assert_array_equal(stack.data_mask, expected)
    assert {0, 1, 2} == set(np.unique(stack.data_mask))
    np.testing.assert_array_equal(bit(stack, "layover"), ((stack.ls_map & 4) > 0) & known)
    np.testing.assert_array_equal(bit(stack, "shadow"), ((stack.ls_map & 16) > 0) & known)


def test_merged_frames_have_masks(tmp_path: Path) -> None:
    spec = SampleSpec("RTC_GAMMA", 4, 80, 80, frames=2, layers=("VV", "ls_map"))
    stack = raw(write(tmp_path, spec, MERGE_PASSES="true"))
    assert stack.sizes["time"] == 2
    np.testing.assert_array_equal(stack.data_mask == 0, stack.VV_backscatter.isnull())


def test_no_masks_without_their_layers(gamma_stack: Written, tmp_path: Path) -> None:
    stack = raw(write(tmp_path, gamma_stack.samples, LAYERS="unw_phase,dem"))
    assert "data_mask" not in stack and "mask_reason" not in stack
    assert "ancillary_variables" not in stack.unw_phase.attrs
