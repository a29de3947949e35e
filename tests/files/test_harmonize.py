"""Harmonized products: HyP3 products again, all on one grid."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import rasterio
import xarray as xr

from hyp3_stack.core.errors import Canceled, InvalidParameterError, OutputError, ProductError
from hyp3_stack.core.run.reporter import SilentReporter
from hyp3_stack.core.tasks import harmonize_products
from tests.running import (
    Run,
    StopAt,
    assert_one_sentence,
    build,
    contents,
    copy_products,
    damage_tile,
    harmonize,
    layer_file,
    leftovers,
    pack_product,
)
from tests.sample_products import SampleStack

from .conftest import STATIC, folder_of


def test_the_result_is_a_folder_of_the_same_products(gamma: SampleStack, harmonized: Run) -> None:
    assert harmonized.outputs["CRS"] == "EPSG:32610"
    assert (harmonized.outputs["COPIED"], harmonized.outputs["WARPED"]) == (4, 2)
    before, after = contents(gamma.folder), contents(folder_of(harmonized))
    assert after.keys() == before.keys()
    for name, data in before.items():
        if not name.endswith(".tif"):
            assert after[name] == data, name


def test_rasters_keep_type_missing_value_and_tags(gamma: SampleStack, harmonized: Run) -> None:
    grids = set()
    for product in gamma.products:
        for layer in product.layers:
            after = layer_file(folder_of(harmonized) / product.name, layer)
            with rasterio.open(layer_file(product.path, layer)) as old, rasterio.open(after) as new:
                assert new.dtypes == old.dtypes and new.count == 1
                assert new.nodata == old.nodata == product.nodata[layer]
                assert new.tags()["AREA_OR_POINT"] == "Point" == old.tags()["AREA_OR_POINT"]
                assert new.profile["tiled"] and new.profile["compress"] == "deflate"
                assert new.crs.to_epsg() == 32610
                grids.add((new.transform, new.shape))
    assert len(grids) == 1, "all on one grid"


def test_copied_rasters_keep_every_pixel(gamma: SampleStack, harmonized: Run) -> None:
    for product in gamma.products:
        if product.epsg != 32610:
            continue
        for layer in product.layers:
            after = layer_file(folder_of(harmonized) / product.name, layer)
            with rasterio.open(layer_file(product.path, layer)) as old, rasterio.open(after) as new:
                column, row = ~new.transform * (old.transform.c, old.transform.f)
                assert column == int(column) and row == int(row)
                rows = slice(int(row), int(row) + old.height)
                columns = slice(int(column), int(column) + old.width)
                values, expected = new.read(1), old.read(1)
                held = expected != old.nodata
                view = f"uint{8 * expected.itemsize}"
                np.testing.assert_array_equal(
                    values[rows, columns][held].view(view), expected[held].view(view)
                )
                values[rows, columns][held] = old.nodata
                assert (values == old.nodata).all() == (layer not in STATIC)


def test_a_stack_of_harmonized_products_is_the_same_stack(
    gamma: SampleStack, per_pair: Run, built: Run, harmonized: Run, tmp_path: Path
) -> None:
    again = build(folder_of(harmonized), NETCDF=tmp_path / "b.nc", STATIC_LAYERS="per_pair")
    assert any("6 products are copied bit for bit, 0 are warped" in line for line in again.infos)
    with (
        xr.open_dataset(per_pair.netcdf, mask_and_scale=False) as one,
        xr.open_dataset(again.netcdf, mask_and_scale=False) as other,
        xr.open_dataset(built.netcdf, mask_and_scale=False) as static,
    ):
        for name in one.coords:
            np.testing.assert_array_equal(one[name].values, other[name].values, err_msg=name)
        for layer in gamma.products[0].layers:
            for pair in range(6):
                a, b = one[layer].values[pair], other[layer].values[pair]
                if layer in STATIC:
                    # Where a product has no data it takes those that a stack takes.
                    a = np.where(np.isnan(a) | (a == 255), static[layer].values, a)
                different = a != b
                if a.dtype.kind == "f":
                    different &= ~(np.isnan(a) & np.isnan(b))
                # Of a warped reference pixel GeoTIFFs keep only the one at its center.
                allowed = 1 if layer in ("unw_phase", "los_disp", "vert_disp") else 0
                assert different.sum() <= allowed, (layer, pair)
                assert (a[different] == 0).all()


@pytest.fixture(scope="module")
def plain(small: SampleStack, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Small products, harmonized with default options."""
    return harmonize(small.folder, tmp_path_factory.mktemp("plain") / "out")


def test_a_second_run_replaces_the_first(small: SampleStack, plain: Run, tmp_path: Path) -> None:
    output = tmp_path / "out"
    shutil.copytree(folder_of(plain), output)
    stray = output / small.products[0].name / "stray.txt"
    stray.write_text("of an earlier version")
    second = harmonize(small.folder, output)
    assert second.outputs == {**plain.outputs, "OUTPUT": str(output)}
    assert contents(output) == contents(folder_of(plain))


def test_zips_give_the_same_files(small: SampleStack, plain: Run, tmp_path: Path) -> None:
    for folder in copy_products(small, tmp_path / "in"):
        pack_product(folder)
    harmonize(tmp_path / "in", tmp_path / "zips")
    assert contents(tmp_path / "zips") == contents(folder_of(plain))


def test_layers_can_be_chosen(small: SampleStack, tmp_path: Path) -> None:
    harmonize(small.folder, tmp_path / "out", LAYERS="corr")
    for product in small.products:
        made = [path.name for path in (tmp_path / "out" / product.name).glob("*.tif")]
        assert made == [f"{product.name}_corr.tif"]


@pytest.mark.parametrize("layers", ["los_disp", "unw_phase,los_disp"])
def test_layers_that_only_stacks_compute(small: SampleStack, tmp_path: Path, layers: str) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        harmonize(small.folder, tmp_path / "out", LAYERS=layers)
    assert_one_sentence(
        caught.value,
        f"LAYERS names los_disp, which no product in {small.folder} holds",
        "hyp3:buildstack, which computes it from unw_phase",
    )
    assert not (tmp_path / "out").exists()


def test_layers_that_stacks_compute_where_products_lack_them(
    small: SampleStack, tmp_path: Path
) -> None:
    first, second = copy_products(small, tmp_path / "in", 2)
    shutil.copy(layer_file(first, "unw_phase"), layer_file(first, "los_disp"))
    run = harmonize(tmp_path / "in", tmp_path / "out", LAYERS="unw_phase,los_disp")
    [warning] = run.warnings
    assert_one_sentence(Exception(warning), "los_disp is missing in 1 of 2 products", second.name)
    assert layer_file(tmp_path / "out" / first.name, "los_disp").exists()
    assert not layer_file(tmp_path / "out" / second.name, "los_disp").exists()


def test_extent_mode_and_crs(small: SampleStack, tmp_path: Path) -> None:
    run = harmonize(
        small.folder, tmp_path / "out", EXTENT_MODE="intersection", TARGET_CRS="EPSG:32611"
    )
    assert run.outputs["CRS"] == "EPSG:32611"
    assert (run.outputs["COPIED"], run.outputs["WARPED"]) == (1, 3)
    shapes = set()
    for path in (tmp_path / "out").rglob("*.tif"):
        with rasterio.open(path) as file:
            shapes.add((file.shape, file.crs.to_epsg()))
    assert len(shapes) == 1
    [(shape, epsg)] = shapes
    assert epsg == 32611 and max(shape) < 75


def test_inputs_are_untouched(small: SampleStack, tmp_path: Path) -> None:
    before = contents(small.folder)
    harmonize(small.folder, tmp_path / "out")
    assert contents(small.folder) == before


def test_the_output_must_not_touch_the_input(small: SampleStack, tmp_path: Path) -> None:
    copy_products(small, tmp_path / "in")
    (tmp_path / "link").symlink_to(tmp_path / "in")
    before = contents(tmp_path)
    for output in (
        tmp_path / "in",
        tmp_path / "in" / "deeper" / "out",
        tmp_path,
        tmp_path / "link" / "out",
        tmp_path / "x" / ".." / "in",
    ):
        with pytest.raises(InvalidParameterError, match="holds the input folder or lies in it"):
            harmonize(tmp_path / "in", output)
    assert contents(tmp_path) == before
    (tmp_path / "file").write_text("a file")
    with pytest.raises(InvalidParameterError, match="which is a file; choose a folder"):
        harmonize(tmp_path / "in", tmp_path / "file")
    with pytest.raises(InvalidParameterError, match="OUTPUT is missing"):
        harmonize_products.run({"INPUT": str(tmp_path / "in")}, None, SilentReporter())


def test_a_folder_that_cannot_be_made(small: SampleStack, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file")
    with pytest.raises(OutputError, match="cannot be written"):
        harmonize(small.folder, tmp_path / "file" / "out")


def test_damage_leaves_complete_products_only(
    small: SampleStack, plain: Run, tmp_path: Path
) -> None:
    copies = copy_products(small, tmp_path / "in")
    # Tiled and compressed, so that damage shows.
    shutil.copytree(folder_of(plain) / copies[2].name, copies[2], dirs_exist_ok=True)
    damage_tile(layer_file(copies[2], "corr"))
    with pytest.raises(ProductError, match=f"corr of {copies[2].name} is damaged"):
        harmonize(tmp_path / "in", tmp_path / "out")
    for folder in (tmp_path / "out").iterdir():
        assert contents(folder).keys() == contents(tmp_path / "in" / folder.name).keys()
    assert not (tmp_path / "out" / copies[2].name).exists()
    assert not leftovers(tmp_path / "out")


@pytest.mark.parametrize("zipped", [False, True])
def test_texts_on_rasters_that_are_not_written_are_left_out(
    small: SampleStack, tmp_path: Path, zipped: bool
) -> None:
    [folder] = copy_products(small, tmp_path / "in", 1)
    name = folder.name
    for file in ("corr.tif.xml", "amp.tif.xml", "amp.tif.aux.xml", "amp.png", "amp.png.xml"):
        (folder / f"{name}_{file}").write_text(file)
    if zipped:
        pack_product(folder)
    harmonize(tmp_path / "in", tmp_path / "out", LAYERS="corr")
    assert sorted(contents(tmp_path / "out" / name)) == sorted(
        [f"{name}.txt"]
        + [f"{name}_{file}" for file in ("corr.tif", "corr.tif.xml", "amp.png", "amp.png.xml")]
    )


def test_what_describes_other_pixels_is_not_copied(small: SampleStack, tmp_path: Path) -> None:
    """Overviews are what QGIS shows of a map, and a noted NoData value counts more than a tag."""
    [folder] = copy_products(small, tmp_path / "in", 1)
    path = layer_file(folder, "corr")
    with rasterio.open(path) as file:
        values, profile = file.read(), file.profile
    values[values == 0] = -9999
    with rasterio.open(path, "w", **profile) as file:
        file.write(values)
    with rasterio.Env(TIFF_USE_OVR=True), rasterio.open(path, "r+") as file:
        file.build_overviews([2, 4])
    path.with_name(f"{path.name}.aux.xml").write_text(
        '<PAMDataset><PAMRasterBand band="1"><NoDataValue>-9999</NoDataValue></PAMRasterBand>'
        "</PAMDataset>"
    )
    assert path.with_name(f"{path.name}.ovr").is_file()
    harmonize(tmp_path / "in", tmp_path / "out", TARGET_CRS="EPSG:32611")
    with rasterio.open(layer_file(tmp_path / "out" / folder.name, "corr")) as file:
        assert file.overviews(1) == [] and file.nodata == 0
        written = file.read(1)
    assert written.min() == 0 and (written > 0).any()


def test_a_damaged_sidecar_in_a_zip(small: SampleStack, tmp_path: Path) -> None:
    [folder] = copy_products(small, tmp_path / "in", 1)
    (folder / "notes.bin").write_bytes(bytes(range(256)) * 40)
    packed = pack_product(folder)
    data = bytearray(packed.read_bytes())
    place = data.find(b"notes.bin") + len("notes.bin") + 20
    data[place : place + 30] = bytes(30)
    packed.write_bytes(data)
    with pytest.raises(ProductError, match="zip .* cannot be read .*; retrieve the product again"):
        harmonize(tmp_path / "in", tmp_path / "out")
    assert not leftovers(tmp_path / "out") and contents(tmp_path / "out") == {}


def test_what_a_former_run_wrote_is_replaced(small: SampleStack, tmp_path: Path) -> None:
    harmonize(small.folder, tmp_path / "out")
    name = small.products[0].name
    # QGIS leaves statistics, a file manager its own notes.
    (tmp_path / "out" / name / f"{name}_corr.tif.aux.xml").write_text("<PAMDataset />")
    (tmp_path / "out" / name / ".DS_Store").write_text("")
    harmonize(small.folder, tmp_path / "out", RESAMPLING="nearest")
    assert contents(tmp_path / "out").keys() == contents(small.folder).keys()
    # Harmonized products are products, whose copies are harmonized as well.
    again = harmonize(tmp_path / "out", tmp_path / "again")
    assert again.outputs["WARPED"] == 0
    harmonize(tmp_path / "out", tmp_path / "again")


@pytest.mark.parametrize("kind", ["products", "file", "folder", "texts", "raster"])
def test_a_folder_that_was_not_written_here_is_not_replaced(
    small: SampleStack, tmp_path: Path, kind: str
) -> None:
    out, name = tmp_path / "out", small.products[1].name
    if kind == "products":
        copy_products(small, out)
    elif kind == "file":
        out.mkdir()
        (out / name).write_text("mine")
    elif kind == "texts":
        (out / name).mkdir(parents=True)
        (out / name / f"{name}.txt").write_text("mine")
    else:
        harmonize(small.folder, out)
    if kind == "folder":
        (out / name / f"{name} notes").mkdir()
    elif kind == "raster":
        shutil.copy(layer_file(small.products[1].path, "corr"), out / name)
    before = contents(out)
    with pytest.raises(OutputError, match="was not written by hyp3:harmonizeproducts;") as why:
        harmonize(small.folder, out)
    assert str(out) in str(why.value) and "choose another OUTPUT" in str(why.value)
    assert contents(out) == before


def test_an_empty_folder_of_the_name_may_be_used(small: SampleStack, tmp_path: Path) -> None:
    (tmp_path / "out" / small.products[1].name).mkdir(parents=True)
    harmonize(small.folder, tmp_path / "out")
    assert contents(tmp_path / "out").keys() == contents(small.folder).keys()


@pytest.mark.parametrize("percent", [0, 9, 20])
def test_cancel_keeps_complete_folders_only(
    small: SampleStack, tmp_path: Path, percent: float
) -> None:
    given = {"INPUT": str(small.folder), "OUTPUT": str(tmp_path / "out")}
    with pytest.raises(Canceled):
        harmonize_products.run(given, None, StopAt(percent))
    assert not leftovers(tmp_path)
    kept = list((tmp_path / "out").iterdir()) if (tmp_path / "out").exists() else []
    for folder in kept:
        assert contents(folder).keys() == contents(small.folder / folder.name).keys()
    assert bool(kept) == (percent > 9)
