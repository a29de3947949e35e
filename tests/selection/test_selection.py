"""Which products and layers go into a stack, and the account of those that do not."""

from __future__ import annotations

import os
import shutil
from datetime import date
from pathlib import Path

import pytest
import xarray as xr

from hyp3_stack.core.errors import (
    InconsistentProductsError,
    InvalidParameterError,
    NoProductsError,
    ProductError,
)
from hyp3_stack.core.selection.selection import Selection, SelectionOptions, select_products
from tests.running import build, copy_products, damage_layer, layer_file
from tests.sample_products import SampleStack

GAMMA = "S1AA_20230106T015136_20230118T015137_VVP012_INT80_G_ueF"


def chosen(selection: Selection) -> list[str]:
    return [str(product) for product, _ in selection.products]


def layers(selection: Selection) -> list[str]:
    return [layer.name for layer in selection.layers]


def make(folder: Path, name: str, source: Path, processed: str | None = None) -> Path:
    """Make a product from one layer of another."""
    made = folder / name
    made.mkdir(parents=True)
    shutil.copy(layer_file(source, "corr"), layer_file(made, "corr"))
    (made / f"{name}.txt").write_text("Baseline: 12.5\n")
    if processed:
        (made / f"{name}.README.md.txt").write_text(f"Processing Date/Time: {processed}\n")
    return made


# --- layers -------------------------------------------------------------------------------------


def test_layers_in_table_order(gamma: SampleStack) -> None:
    every = select_products(gamma.folder, SelectionOptions())
    assert set(layers(every)) >= set(gamma.products[0].layers)
    some = select_products(gamma.folder, SelectionOptions(layers=("dem", "unw_phase", "corr")))
    assert layers(some) == ["unw_phase", "corr", "dem"]


def test_unknown_layers(gamma: SampleStack) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        select_products(gamma.folder, SelectionOptions(layers=("corr", "VV", "Corr")))
    text = str(caught.value)
    assert "LAYERS names VV, Corr, which INSAR_GAMMA products do not have" in text
    assert "choose from unw_phase, corr, amp" in text


def test_a_requested_layer_that_a_product_lacks(small: SampleStack, tmp_path: Path) -> None:
    folders = copy_products(small, tmp_path)
    layer_file(folders[1], "corr").unlink()
    with pytest.raises(ProductError) as caught:
        build(tmp_path, NETCDF=tmp_path / "s.nc", LAYERS="unw_phase,corr")
    assert f"{folders[1].name} has no layer corr" in str(caught.value)
    assert "leave the layer out of LAYERS" in str(caught.value)
    run = build(tmp_path, NETCDF=tmp_path / "s.nc", LAYERS="unw_phase,corr", ON_BAD_PRODUCT="skip")
    assert run.outputs["STEPS"] == 3 and run.outputs["SKIPPED"] == 1
    assert any(text.startswith("Left out:") and folders[1].name in text for text in run.warnings)


def test_a_layer_that_some_products_lack(small: SampleStack, tmp_path: Path) -> None:
    """Without LAYERS whatever is there is stacked, gaps are said aloud."""
    folders = copy_products(small, tmp_path)
    layer_file(folders[1], "corr").unlink()
    run = build(tmp_path, NETCDF=tmp_path / "s.nc", ZARR=tmp_path / "s.zarr")
    [warning] = [text for text in run.warnings if "corr" in text]
    assert "missing in 1 of 4 products" in warning and folders[1].name in warning
    for stack in (
        xr.open_dataset(run.netcdf),
        xr.open_zarr(run.zarr, group="spatially_optimized"),
        xr.open_zarr(run.zarr, group="temporally_optimized"),
    ):
        with stack:
            full = stack.corr.notnull().any(("y", "x")).values
            assert list(full) == [True, False, True, True]
            assert stack.unw_phase.notnull().any(("y", "x")).values.all()


def test_radar_geometry_and_browse_images_are_no_layers(small: SampleStack, tmp_path: Path) -> None:
    name = "S1_056072_IW2_20220814_20220907_VV_INT80_E09B"
    folder = make(tmp_path, name, small.products[0].path)
    for suffix in ("wrapped_phase_rdr", "lat_rdr", "los_rdr", "rgb", "unw_phase.tif.aux"):
        (folder / f"{name}_{suffix}.tif").write_text("no raster at all")
    selection = select_products(tmp_path, SelectionOptions())
    assert layers(selection) == ["corr"]


def test_products_without_any_layer(tmp_path: Path) -> None:
    folder = tmp_path / f"{GAMMA}_0001"
    folder.mkdir()
    (folder / f"{folder.name}.txt").write_text("Baseline: 1\n")
    (folder / f"{folder.name}_lat_rdr.tif").write_text("x")
    with pytest.raises(ProductError, match="holds no layer that can be stacked"):
        select_products(tmp_path, SelectionOptions())


# --- dates --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end", "count"),
    [
        (None, None, 4),
        (date(2023, 1, 6), date(2023, 2, 11), 4),
        (date(2023, 1, 7), None, 1),
        (None, date(2023, 1, 30), 3),
        (None, date(2023, 1, 29), 1),
        (date(2023, 1, 6), date(2023, 1, 18), 1),
        (date(2023, 1, 18), date(2023, 1, 30), 1),
    ],
)
def test_both_dates_lie_within_start_and_end(
    small: SampleStack, start: date | None, end: date | None, count: int
) -> None:
    selection = select_products(small.folder, SelectionOptions(start=start, end=end))
    within = [
        product.name
        for product in small.products
        if (start is None or product.reference_time.date() >= start)
        and (end is None or product.secondary_time.date() <= end)
    ]
    assert chosen(selection) == within and len(within) == count
    assert len(selection.left_out) == 4 - count
    assert {item.reason for item in selection.left_out} <= {"not within START and END"}


def test_no_product_within_the_dates(small: SampleStack) -> None:
    with pytest.raises(NoProductsError) as caught:
        select_products(small.folder, SelectionOptions(start=date(2024, 1, 1)))
    assert "4 not within START and END" in str(caught.value)
    assert "loosen the filters" in str(caught.value)


# --- types --------------------------------------------------------------------------------------


def test_two_product_types(small: SampleStack, tmp_path: Path) -> None:
    copy_products(small, tmp_path)
    burst = "S1_056072_IW2_20220814_20220907_VV_INT80_E09B"
    make(tmp_path, burst, small.products[0].path)
    with pytest.raises(InconsistentProductsError) as caught:
        select_products(tmp_path, SelectionOptions())
    text = str(caught.value)
    assert "4 INSAR_GAMMA" in text and "1 INSAR_ISCE_BURST" in text and "PRODUCT_TYPE" in text
    one = select_products(tmp_path, SelectionOptions(product_type="INSAR_ISCE_BURST"))
    assert chosen(one) == [burst]
    assert {item.reason for item in one.left_out} == {"of type INSAR_GAMMA"}
    other = select_products(tmp_path, SelectionOptions(product_type="INSAR_GAMMA"))
    assert len(other.products) == 4


def test_a_type_that_is_not_there(small: SampleStack) -> None:
    with pytest.raises(NoProductsError, match="no RTC_GAMMA products in .*, but 4 INSAR_GAMMA"):
        select_products(small.folder, SelectionOptions(product_type="RTC_GAMMA"))


# --- duplicates ---------------------------------------------------------------------------------


def test_the_newest_of_duplicates_wins_by_the_readme(small: SampleStack, tmp_path: Path) -> None:
    source = small.products[0].path
    old = make(tmp_path, f"{GAMMA}_FFFF", source, "2025-06-01T12:00:00+00:00")
    new = make(tmp_path, f"{GAMMA}_0001", source, "2025-06-01T14:00:00+00:00")
    # Later on the clock, but in another time zone.
    zone = make(tmp_path, f"{GAMMA}_AAAA", source, "2025-06-01T15:00:00+03:00")
    os.utime(old, (4e9, 4e9))
    selection = select_products(tmp_path, SelectionOptions())
    assert chosen(selection) == [new.name]
    assert sorted(item.name for item in selection.left_out) == sorted([old.name, zone.name])
    assert all(item.reason == f"older than {new.name}" for item in selection.left_out)
    for loser in (old, zone):
        [said] = [text for text in selection.warnings if text.startswith(loser.name)]
        assert said.endswith(f"the newer {new.name} is used.")
    run = build(tmp_path, NETCDF=tmp_path / "s.nc")
    assert run.outputs["STEPS"] == 1 and run.outputs["SKIPPED"] == 2
    assert len([text for text in run.warnings if "hold the same acquisitions" in text]) == 2


def test_duplicates_without_readme_go_by_the_time_of_their_files(
    small: SampleStack, tmp_path: Path
) -> None:
    one = make(tmp_path, f"{GAMMA}_0001", small.products[0].path)
    two = make(tmp_path, f"{GAMMA}_FFFF", small.products[0].path)
    for newest, other in ((one, two), (two, one)):
        os.utime(newest, (2e9, 2e9))
        os.utime(other, (1e9, 1e9))
        selection = select_products(tmp_path, SelectionOptions())
        assert chosen(selection) == [newest.name]
        [item] = selection.left_out
        assert (item.name, item.reason) == (other.name, f"of older files than {newest.name}")
        [said] = selection.warnings
        assert said.endswith(
            f"{newest.name} is used, whose files are newer, because no README says when they were "
            "made."
        )


def test_a_time_of_files_is_not_compared_with_a_processing_time(
    small: SampleStack, tmp_path: Path
) -> None:
    source = small.products[0].path
    dated = make(tmp_path, f"{GAMMA}_0001", source, "2025-06-01T12:00:00+00:00")
    one, two = (make(tmp_path, f"{GAMMA}_{end}", source) for end in ("AAAA", "FFFF"))
    os.utime(one, (4e9, 4e9))
    os.utime(two, (1e9, 1e9))
    selection = select_products(tmp_path, SelectionOptions())
    assert chosen(selection) == [dated.name]
    reason = f"without a processing time, unlike {dated.name}"
    assert [(item.name, item.reason) for item in selection.left_out] == [
        (one.name, reason),
        (two.name, reason),
    ]
    assert selection.warnings[0] == (
        f"{one.name} and {dated.name} hold the same acquisitions; {dated.name} is used, because "
        "only its README says when it was made."
    )


@pytest.mark.parametrize("damage", ["header", "no parameters"])
def test_a_bad_newest_duplicate_gives_way_to_the_next(
    small: SampleStack, tmp_path: Path, damage: str
) -> None:
    source = small.products[0].path
    times = ("11", "12", "13", "14")
    oldest, old, new, newest = (
        make(tmp_path, f"{GAMMA}_{hour}{hour}", source, f"2025-06-01T{hour}:00:00+00:00")
        for hour in times
    )
    for folder in (newest, new):
        if damage == "header":
            layer_file(folder, "corr").write_bytes(b"no TIFF")
        else:
            (folder / f"{folder.name}.txt").unlink()
    with pytest.raises(ProductError, match=newest.name):
        select_products(tmp_path, SelectionOptions())
    selection = select_products(tmp_path, SelectionOptions(skip_bad=True))
    assert chosen(selection) == [old.name]
    reasons = {item.name: item.reason for item in selection.left_out}
    assert reasons == {
        newest.name: "damaged or incomplete",
        new.name: "damaged or incomplete",
        oldest.name: f"older than {old.name}",
    }
    said = "\n".join(selection.warnings)
    assert f"{old.name} holds the same acquisitions as {newest.name} and is used instead." in said
    assert f"{oldest.name} and {old.name} hold the same acquisitions" in said


def test_a_duplicate_with_damaged_pixels_gives_way_too(small: SampleStack, tmp_path: Path) -> None:
    source = small.products[0].path
    old = make(tmp_path / "two", f"{GAMMA}_0001", source, "2025-06-01T11:00:00+00:00")
    new = make(tmp_path / "two", f"{GAMMA}_0002", source, "2025-06-01T12:00:00+00:00")
    damage_layer(layer_file(new, "corr"))
    run = build(tmp_path / "two", NETCDF=tmp_path / "s.nc", ON_BAD_PRODUCT="skip")
    assert run.outputs["STEPS"] == 1 and run.outputs["SKIPPED"] == 1
    with xr.open_dataset(run.netcdf) as stack:
        assert stack["product_name"].values.tolist() == [old.name]


def test_a_group_of_which_all_are_bad(small: SampleStack, tmp_path: Path) -> None:
    for end in ("0001", "0002"):
        folder = make(tmp_path, f"{GAMMA}_{end}", small.products[0].path)
        layer_file(folder, "corr").write_bytes(b"no TIFF")
    with pytest.raises(NoProductsError, match="2 damaged or incomplete"):
        select_products(tmp_path, SelectionOptions(skip_bad=True))


def test_pairs_that_share_one_date_are_no_duplicates(small: SampleStack, tmp_path: Path) -> None:
    names = [
        f"{GAMMA}_0001",
        f"{GAMMA}_0002".replace("20230118T015137", "20230130T015136"),
        f"{GAMMA}_0003".replace("20230106T015136", "20230107T015136"),
        f"{GAMMA}_0004".replace("T015137", "T015202"),
    ]
    for name in names:
        make(tmp_path, name, small.products[0].path)
    assert sorted(chosen(select_products(tmp_path, SelectionOptions()))) == sorted(names)


# --- bad products -------------------------------------------------------------------------------


def test_products_by_name(small: SampleStack, tmp_path: Path) -> None:
    names = [product.name for product in small.products]
    run = build(small.folder, NETCDF=tmp_path / "s.nc", PRODUCTS=f"{names[2]},{names[0]},nothing")
    with xr.open_dataset(run.netcdf) as stack:
        assert list(stack.product_name.values) == [names[0], names[2]]
    assert f"nothing is not in {small.folder}." in run.warnings
    with pytest.raises(NoProductsError, match="holds none of the products that PRODUCTS names"):
        build(small.folder, NETCDF=tmp_path / "t.nc", PRODUCTS="nothing")
