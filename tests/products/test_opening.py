"""Layers that are not what HyP3 delivers are told as what they are, before anything is read."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.transform import Affine, from_origin

from hyp3_stack.core.errors import ProductError
from hyp3_stack.core.selection.selection import SelectionOptions, select_products
from tests.raster.test_raster_file import change_entry
from tests.running import assert_one_sentence, build, copy_products, layer_file, pack_product
from tests.sample_products import SampleStack


def rewrite(path: Path, values: np.ndarray | None = None, **options: Any) -> None:
    with rasterio.open(path) as file:
        profile, stored = file.profile, file.read()
    values = stored if values is None else values
    with rasterio.open(path, "w", **{**profile, "count": len(values), **options}) as file:
        file.write(values.astype(options.get("dtype", values.dtype)))


def refusal(folder: Path, **options: Any) -> str:
    with pytest.raises(ProductError) as caught:
        select_products(folder, SelectionOptions(**options))
    assert_one_sentence(str(caught.value))
    return str(caught.value)


def _bands(path: Path) -> None:
    with rasterio.open(path) as file:
        values = file.read(1)
    rewrite(path, np.stack([values, values, values]))


def _alpha(path: Path) -> None:
    with rasterio.open(path) as file:
        values = file.read(1)
    rewrite(path, np.stack([values, values]), alpha="yes")


def _mask(path: Path) -> None:
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "r+") as file:
        file.write_mask(np.ones(file.shape, bool))


def _scale(path: Path) -> None:
    with rasterio.open(path, "r+") as file:
        file.scales = (0.01,)


def _complex_integers(path: Path) -> None:
    change_entry(path, 339, struct.pack("<HHIHH", 339, 3, 1, 5, 0))


def _offset(path: Path) -> None:
    rewrite(path, compress="deflate", BIGTIFF="YES")
    with rasterio.open(path, "r+") as file:
        file.offsets = (7.0,)


@pytest.mark.parametrize(
    ("layer", "edit", "clue"),
    [
        ("corr", _bands, "has 3 bands, not one"),
        ("water_mask", _bands, "has 3 bands, not one"),
        ("unw_phase", _alpha, "has 2 bands, not one"),
        ("unw_phase", lambda path: rewrite(path, dtype="complex64"), "type complex64"),
        ("corr", lambda path: rewrite(path, dtype="int16"), "type int16"),
        ("unw_phase", lambda path: rewrite(path, dtype="int32", BIGTIFF="YES"), "type int32"),
        ("corr", _complex_integers, "type complex_int16"),
        ("water_mask", lambda path: rewrite(path, dtype="int8", nodata=None), "type int8"),
        ("corr", _mask, "has a mask of its own"),
        ("corr", _scale, "values that are to be scaled"),
        ("unw_phase", _offset, "values that are to be scaled"),
    ],
)
@pytest.mark.parametrize("is_zipped", [False, True])
def test_forms_that_no_layer_has(
    small: SampleStack,
    tmp_path: Path,
    layer: str,
    edit: Callable[[Path], None],
    clue: str,
    is_zipped: bool,
) -> None:
    folder = copy_products(small, tmp_path / "in", 2)[1]
    edit(layer_file(folder, layer))
    if is_zipped:
        pack_product(folder)
    text = refusal(tmp_path / "in")
    assert f"The layer {layer} of {folder.name}" in text and clue in text
    assert "use the product as HyP3 delivered it" in text
    selection = select_products(tmp_path / "in", SelectionOptions(skip_bad=True))
    assert [item.name for item in selection.left_out] == [folder.name]


def test_a_mask_beside_a_layer(small: SampleStack, tmp_path: Path) -> None:
    folder = copy_products(small, tmp_path / "in", 1)[0]
    path = layer_file(folder, "corr")
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=False), rasterio.open(path, "r+") as file:
        file.write_mask(np.ones(file.shape, bool))
    text = refusal(tmp_path / "in")
    assert f"corr of {folder.name} has a mask beside it ({path.name}.msk)" in text
    assert select_products(tmp_path / "in", SelectionOptions(layers=("unw_phase",))).products


def test_types_that_layers_may_have(small: SampleStack, tmp_path: Path) -> None:
    folder = copy_products(small, tmp_path / "in", 1)[0]
    rewrite(layer_file(folder, "corr"), dtype="float64")
    rewrite(layer_file(folder, "water_mask"), dtype="float32")
    assert len(select_products(tmp_path / "in", SelectionOptions()).layers) == 3
    build(tmp_path / "in", NETCDF=tmp_path / "s.nc")


@pytest.mark.parametrize("value", [0.5, -1.0, 300.0])
def test_masks_that_hold_no_class_numbers(small: SampleStack, tmp_path: Path, value: float) -> None:
    folder = copy_products(small, tmp_path / "in", 1)[0]
    path = layer_file(folder, "water_mask")
    with rasterio.open(path) as file:
        values = file.read().astype("float32")
    values[values == 1] = value
    rewrite(path, values, dtype="float32")
    with pytest.raises(ProductError) as caught:
        build(tmp_path / "in", NETCDF=tmp_path / "s.nc")
    assert f"water_mask of {folder.name} holds" in str(caught.value)
    assert "class numbers" in str(caught.value)
    assert not (tmp_path / "s.nc").exists()


# --- headers that lie ---------------------------------------------------------------------------


@pytest.mark.parametrize("count", [2, 5000, 65535])
@pytest.mark.parametrize("which", [0, -1])
def test_samples_of_a_pixel_are_not_believed(
    small: SampleStack, tmp_path: Path, count: int, which: int
) -> None:
    """Neither of a product that is copied nor of one that would be warped."""
    folders = copy_products(small, tmp_path / "in")
    path = layer_file(folders[which], "corr")
    change_entry(path, 277, struct.pack("<HHIHH", 277, 3, 1, count, 0))
    text = refusal(tmp_path / "in")
    assert f"corr of {folders[which].name} has {count:,} bands" in text


@pytest.mark.parametrize(
    ("size", "block", "clue"),
    [
        (200_000, 256, "claims 200,000 x 200,000 pixels"),
        (200_000, 16_384, "has blocks of 1,074 MB"),
        (100_000, 512, "claims 100,000 x 100,000 pixels"),
        (40_000, 8_192, "has blocks of 268 MB"),
    ],
)
def test_sizes_are_not_believed(
    small: SampleStack, tmp_path: Path, size: int, block: int, clue: str
) -> None:
    folder = copy_products(small, tmp_path / "in", 2)[0]
    for path in folder.glob("*.tif"):
        with rasterio.open(path) as file:
            profile = {**file.profile, "width": size, "height": size, "tiled": True}
        profile |= {"blockxsize": block, "blockysize": block, "compress": "deflate"}
        with rasterio.open(path, "w", **profile, SPARSE_OK=True, BIGTIFF="YES"):
            pass
    text = refusal(tmp_path / "in")
    assert folder.name in text and clue in text


@pytest.mark.parametrize(
    ("tag", "value"), [(256, 50_000), (257, 50_000), (257, 2_000_000_000), (278, 1)]
)
def test_headers_that_contradict_themselves(
    small: SampleStack, tmp_path: Path, tag: int, value: int
) -> None:
    folder = copy_products(small, tmp_path / "in", 2)[0]
    for path in folder.glob("*.tif"):
        rewrite(path, blockysize=10)
        change_entry(path, tag, struct.pack("<HHII", tag, 4, 1, value))
    text = refusal(tmp_path / "in")
    assert f"unw_phase of {folder.name} has a header that contradicts itself" in text


# --- positions that make no sense ---------------------------------------------------------------


def moved(path: Path, transform: Affine) -> None:
    with rasterio.open(path, "r+") as file:
        file.transform = transform


@pytest.mark.parametrize(
    ("place", "clue"),
    [
        (lambda old: old * Affine.rotation(3), "rotated raster, not a north-up raster with square"),
        (lambda old: old * Affine.scale(1, -1), "rows that run from south to north"),
        (lambda old: old * Affine.scale(-1, 1), "columns that run from east to west"),
        (lambda old: old * Affine.scale(1, 2), "pixels that are not square (80 x 160)"),
        (lambda old: old * Affine.scale(1, 1.0001), "pixels that are not square"),
        (lambda old: from_origin(np.nan, old.f, 80, 80), "numbers that are not finite"),
        (lambda old: from_origin(old.c, np.inf, 80, 80), "numbers that are not finite"),
        (lambda old: Affine.translation(8e8, 0) * old, "has no place"),
        (lambda old: Affine.translation(0, -3e7) * old, "has no place"),
        (lambda old: Affine.translation(4e6, 0) * old, "has no place"),
        (lambda old: from_origin(-118.2, 35.8, 0.0008, 0.0008), "has pixels of 0.0008 m"),
        (lambda old: old * Affine.scale(0.001), "has pixels of 0.08 m"),
    ],
)
def test_places_that_make_no_sense(
    small: SampleStack, tmp_path: Path, place: Callable[[Affine], Affine], clue: str
) -> None:
    folders = copy_products(small, tmp_path / "in")
    for path in folders[1].glob("*.tif"):
        with rasterio.open(path) as file:
            transform = file.transform
        moved(path, place(transform))
    text = refusal(tmp_path / "in")
    assert f"unw_phase of {folders[1].name}" in text and clue in text
    selection = select_products(tmp_path / "in", SelectionOptions(skip_bad=True))
    assert [item.name for item in selection.left_out] == [folders[1].name]


# --- layers that users clipped, resampled or renamed --------------------------------------------


@pytest.mark.parametrize("tail", ["_clip", "-clipped", " (1)", "_UTM11"])
def test_layers_under_other_names(small: SampleStack, tmp_path: Path, tail: str) -> None:
    folders = copy_products(small, tmp_path / "in", 2)
    for folder in folders:
        for path in list(folder.glob("*.tif")):
            path.rename(path.with_name(f"{path.stem}{tail}.tif"))
    first = layer_file(folders[0], "unw_phase")
    text = refusal(tmp_path / "in")
    assert f"only as {first.stem}{tail}.tif" in text and f"HyP3's name {first.name}" in text
    assert "again" not in text and "EXTENT" in text


def test_one_layer_under_another_name(small: SampleStack, tmp_path: Path) -> None:
    """A stack without it would miss it without a word; nobody misses one that is not asked for."""
    folder = copy_products(small, tmp_path / "in", 2)[1]
    path = layer_file(folder, "corr")
    path.rename(path.with_name(f"{path.stem}_clip.tif"))
    for layers in ((), ("corr",), ("corr", "unw_phase")):
        assert f"{folder.name} holds its layer corr only as" in refusal(
            tmp_path / "in", layers=layers
        )
    assert select_products(tmp_path / "in", SelectionOptions(layers=("unw_phase",))).products


def test_a_file_with_the_name_of_an_optional_layer(small: SampleStack, tmp_path: Path) -> None:
    """What users compute is often called so; it stops nobody who does not ask for that layer."""
    folder = copy_products(small, tmp_path / "in", 2)[1]
    made = folder / f"{folder.name}_los_disp_mm.tif"
    made.write_bytes(layer_file(folder, "corr").read_bytes())
    selection = select_products(tmp_path / "in", SelectionOptions())
    assert len(selection.products) == 2 and len(selection.layers) == 3
    [text] = [text for text in selection.warnings if made.name in text]
    assert "los_disp of 1 of 2 products is not taken" in text
    assert_one_sentence(text)
    assert made.name in refusal(tmp_path / "in", layers=("los_disp",))


def test_a_note_that_scales_a_layer(small: SampleStack, tmp_path: Path) -> None:
    folder = copy_products(small, tmp_path / "in", 2)[1]
    path = layer_file(folder, "corr")
    path.with_name(f"{path.name}.aux.xml").write_text(
        '<PAMDataset><PAMRasterBand band="1"><Scale>0.01</Scale></PAMRasterBand></PAMDataset>'
    )
    assert f"The layer corr of {folder.name} has values that are to be scaled" in refusal(
        tmp_path / "in"
    )
    assert select_products(tmp_path / "in", SelectionOptions(layers=("unw_phase",))).products


def test_copies_beside_layers_do_not_matter(small: SampleStack, tmp_path: Path) -> None:
    folder = copy_products(small, tmp_path / "in", 1)[0]
    path = layer_file(folder, "corr")
    path.with_name(f"{path.stem}_clip.tif").write_bytes(path.read_bytes())
    assert len(select_products(tmp_path / "in", SelectionOptions()).layers) == 3


def _clip(path: Path) -> None:
    with rasterio.open(path) as file:
        values, transform = file.read()[:, 3:-5, 4:-9], file.transform
    height, width = values.shape[1:]
    rewrite(
        path, values, height=height, width=width, transform=transform * Affine.translation(4, 3)
    )


def _to_degrees(path: Path) -> None:
    rewrite(path, crs="EPSG:4326", transform=from_origin(-118.2, 35.8, 0.0008, 0.0008))


def _resample(path: Path) -> None:
    with rasterio.open(path) as file:
        values, transform = file.read()[:, ::2, ::2], file.transform
    height, width = values.shape[1:]
    rewrite(path, values, height=height, width=width, transform=transform * Affine.scale(2))


def _shift(path: Path) -> None:
    with rasterio.open(path) as file:
        transform = file.transform
    moved(path, transform * Affine.translation(0.5, 0))


@pytest.mark.parametrize(
    ("edit", "clues"),
    [
        (_clip, ("was clipped or filled up", "clip all its layers alike", "EXTENT")),
        (_to_degrees, ("was put into WGS 84 (EPSG:4326)", "UTM zone", "TARGET_CRS")),
        (_resample, ("was resampled (pixels of 160, not 80)", "resample all its layers alike")),
        (_shift, ("was moved", "as HyP3 delivered them")),
    ],
)
def test_layers_that_differ_say_how(
    small: SampleStack, tmp_path: Path, edit: Callable[[Path], None], clues: tuple[str, ...]
) -> None:
    folder = copy_products(small, tmp_path / "in", 2)[1]
    edit(layer_file(folder, "corr"))
    text = refusal(tmp_path / "in")
    assert f"corr of {folder.name} lies on another grid than its layer unw_phase" in text
    assert all(clue in text for clue in clues) and "retrieve" not in text


def test_layers_that_are_clipped_alike_are_stacked(small: SampleStack, tmp_path: Path) -> None:
    for folder in copy_products(small, tmp_path / "in", 2):
        for path in folder.glob("*.tif"):
            _clip(path)
    run = build(tmp_path / "in", NETCDF=tmp_path / "s.nc")
    assert run.outputs["STEPS"] == 2 and any("2 products are copied" in line for line in run.infos)
