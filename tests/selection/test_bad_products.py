"""Products that are damaged or incomplete stop a run, or are left out if the user wants it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import rasterio
import xarray as xr

from hyp3_stack.core.errors import NoProductsError, ProductError
from hyp3_stack.core.selection.selection import SelectionOptions, select_products
from tests.running import assert_one_sentence, build, copy_products, layer_file
from tests.sample_products import SampleStack


def break_file(path: Path, how: str) -> None:
    data = path.read_bytes()
    if how == "cut":
        path.write_bytes(data[: len(data) * 2 // 3])
    elif how == "last byte lost":
        path.write_bytes(data[:-1])
    elif how == "header only":
        path.write_bytes(data[:8])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "garbage":
        path.write_bytes(bytes(range(256)) * 20)
    elif how == "web page":
        path.write_bytes(b"<html><body>Sign in</body></html>")
    elif how == "HDF5":
        import h5py

        path.unlink()
        with h5py.File(path, "w") as file:
            file["a"], file["b"] = [1], [2]
    else:
        path.unlink()
        path.mkdir()


@pytest.mark.parametrize(
    ("how", "clue"),
    [
        ("cut", "is truncated"),
        ("last byte lost", "is truncated"),
        ("header only", "cannot be read"),
        ("empty", "cannot be read"),
        ("garbage", "cannot be read"),
        ("web page", "cannot be read"),
        ("HDF5", "cannot be read"),
        ("folder", "has no layer corr"),
    ],
)
def test_a_raster_that_is_none(small: SampleStack, tmp_path: Path, how: str, clue: str) -> None:
    folders = copy_products(small, tmp_path / "in", 2)
    break_file(layer_file(folders[1], "corr"), how)
    layers = ("unw_phase", "corr")
    with pytest.raises(ProductError) as caught:
        select_products(tmp_path / "in", SelectionOptions(layers=layers))
    text = str(caught.value)
    assert_one_sentence(text, folders[1].name, "corr", clue)
    assert "retrieve the product again" in text or "order it again" in text
    selection = select_products(tmp_path / "in", SelectionOptions(layers=layers, skip_bad=True))
    assert [str(product) for product, _ in selection.products] == [folders[0].name]
    assert [item.name for item in selection.left_out] == [folders[1].name]


def test_damage_in_a_layer_that_is_not_asked_for(small: SampleStack, tmp_path: Path) -> None:
    folders = copy_products(small, tmp_path / "in", 2)
    layer_file(folders[1], "corr").write_bytes(b"")
    run = build(tmp_path / "in", NETCDF=tmp_path / "s.nc", LAYERS="unw_phase")
    assert run.outputs["STEPS"] == 2


def test_a_missing_parameter_file(small: SampleStack, tmp_path: Path) -> None:
    folders = copy_products(small, tmp_path / "in", 2)
    (folders[0] / f"{folders[0].name}.txt").unlink()
    with pytest.raises(ProductError) as caught:
        build(tmp_path / "in", NETCDF=tmp_path / "s.nc")
    assert str(caught.value) == (
        f"{folders[0].name} lacks its parameter file {folders[0].name}.txt; retrieve the product "
        "again."
    )
    assert list(tmp_path.iterdir()) == [tmp_path / "in"]
    run = build(tmp_path / "in", NETCDF=tmp_path / "s.nc", ON_BAD_PRODUCT="skip")
    assert run.outputs["STEPS"] == 1 and run.outputs["SKIPPED"] == 1
    with xr.open_dataset(run.netcdf) as stack:
        assert list(stack.product_name.values) == [folders[1].name]
    [said] = [text for text in run.warnings if text.startswith("Left out:")]
    assert folders[0].name in said
    assert any(line.startswith(f"  left out: {folders[0].name}") for line in run.infos)


def test_nothing_but_bad_products(small: SampleStack, tmp_path: Path) -> None:
    for folder in copy_products(small, tmp_path / "in"):
        (folder / f"{folder.name}.txt").unlink()
    with pytest.raises(NoProductsError, match="4 damaged or incomplete"):
        build(tmp_path / "in", NETCDF=tmp_path / "s.nc", ON_BAD_PRODUCT="skip")


def test_a_zip_that_is_not_asked_for_need_not_be_whole(small: SampleStack, tmp_path: Path) -> None:
    copy_products(small, tmp_path, 2)
    damaged = tmp_path / "S1AA_20230106T015136_20230425T015137_VVP012_INT80_G_ueF_0001.zip"
    damaged.write_bytes(b"PK\x03\x04 and then nothing")
    with pytest.raises(ProductError, match=f"The zip .*{damaged.stem}.* cannot be read"):
        select_products(tmp_path, SelectionOptions())
    early = select_products(tmp_path, SelectionOptions(end=date(2023, 2, 28)))
    assert len(early.products) == 2


def test_a_raster_without_a_coordinate_system(small: SampleStack, tmp_path: Path) -> None:
    folders = copy_products(small, tmp_path, 2)
    with rasterio.open(layer_file(folders[0], "corr")) as file:
        profile, values = file.profile, file.read()
    with rasterio.open(layer_file(folders[0], "corr"), "w", **{**profile, "crs": None}) as file:
        file.write(values)
    clue = "has no coordinate reference system"
    with pytest.raises(ProductError, match=f"corr of {folders[0].name} .*{clue}"):
        select_products(tmp_path, SelectionOptions(layers=("corr",)))
