"""A zip of any kind is a bad product at worst, which can be left out."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from hyp3_stack.core.errors import ProductError
from hyp3_stack.core.selection.selection import SelectionOptions, select_products
from tests.running import assert_one_sentence, build, copy_products, pack_product
from tests.sample_products import SampleStack
from tests.spoiled_zips import BAD, HOSTILE, spoil

pytestmark = pytest.mark.faults


@pytest.mark.parametrize("how", BAD)
def test_bad_zips_stop_or_are_left_out(small: SampleStack, tmp_path: Path, how: str) -> None:
    one, two = copy_products(small, tmp_path / "in", 2)
    bad = pack_product(two)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of zipfile, about a name that is there twice
        spoil(bad, how)
    if how != "folder":
        with pytest.raises(ProductError) as caught:
            select_products(tmp_path / "in", SelectionOptions())
        assert_one_sentence(caught.value, two.name)
    # A folder with the ending of a zip, and empty, stops nothing.
    selection = select_products(tmp_path / "in", SelectionOptions(skip_bad=how != "folder"))
    assert [str(product) for product, _ in selection.products] == [one.name]
    assert len(selection.left_out) == 1
    assert how != "folder" or any(bad.name in text for text in selection.warnings)


@pytest.mark.parametrize("how", HOSTILE)
def test_what_lies_beside_a_product_in_a_zip_does_no_harm(
    small: SampleStack, tmp_path: Path, how: str
) -> None:
    [one] = copy_products(small, tmp_path / "in", 1)
    packed = pack_product(one)
    spoil(packed, how)
    before = sorted(tmp_path.rglob("*"))
    run = build(tmp_path / "in", NETCDF=tmp_path / "s.nc")
    assert run.outputs["STEPS"] == 1
    assert sorted(tmp_path.rglob("*")) == sorted([*before, tmp_path / "s.nc"])
