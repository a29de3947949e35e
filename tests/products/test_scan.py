"""Finding products: folders, zips, whatever else lies about, and odd paths."""

from __future__ import annotations

import os
import shutil
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from hyp3_stack.core.errors import NoProductsError
from hyp3_stack.core.products.scan import Scan, scan_folder
from tests.running import build, copy_products, layer_file, pack_product, zip_product
from tests.sample_products import SampleStack
from tests.spoiled_zips import spoil

NAME = "S1AA_20230106T015136_20230118T015137_VVP012_INT80_G_ueF_0A1B"

ODD_PATHS = [
    "with space/demo of a dem/ led and trailed ",
    "20190101T000000_20190202/S1AA_20190610T135156/j.doe",
    'it\'s "quoted"/$HOME/#hash/bang!',
    "per%20cent/semi;co,lon:/ümläut-日本-ñ/que?ry&a=b",
    "{braces}/a}{b",
    "{open",
    "close}",
    "star*[1]/new\nline/-dash",
    "old.zip",
    "file.tif",
]


def names(scan: Scan) -> list[str]:
    return [str(product) for product in scan.products]


@pytest.fixture(scope="module")
def usual(small: SampleStack, tmp_path_factory: pytest.TempPathFactory) -> xr.Dataset:
    """A stack of two products, from a folder with a harmless name."""
    folder = tmp_path_factory.mktemp("usual")
    for product in small.products[:2]:
        (folder / product.name).symlink_to(product.path)
    with xr.open_dataset(build(folder, NETCDF=folder / "s.nc").netcdf) as stack:
        return stack.load()


@pytest.mark.parametrize("odd", ODD_PATHS)
def test_paths_do_not_matter(
    small: SampleStack, usual: xr.Dataset, tmp_path: Path, odd: str
) -> None:
    """Those of a folder, of a zip and of outputs."""
    unpacked, packed = small.products[:2]
    folder = tmp_path / odd
    folder.mkdir(parents=True)
    (folder / unpacked.name).symlink_to(unpacked.path)
    zip_product(packed.path, folder / f"{packed.name}.zip")
    run = build(folder, NETCDF=folder / "out.nc", ZARR=folder / "out.zarr", CHUNKING="temporal")
    with (
        xr.open_dataset(run.netcdf) as one,
        xr.open_zarr(run.zarr, group="temporally_optimized") as other,
    ):
        for layer in unpacked.layers:
            np.testing.assert_array_equal(one[layer].values, usual[layer].values)
            np.testing.assert_array_equal(other[layer].values, usual[layer].values)
        assert list(one.product_name.values) == list(usual.product_name.values)
    left = sorted(path.name for path in folder.iterdir())
    assert left == sorted([unpacked.name, f"{packed.name}.zip", "out.nc", "out.zarr"])


def test_what_is_found_and_what_is_not(small: SampleStack, tmp_path: Path) -> None:
    one, two, three, four = copy_products(small, tmp_path / "all")
    root = tmp_path / "all"
    # A zip beside folders, a product one level down, a zip one level down.
    pack_product(two)
    (root / "march").mkdir()
    three.rename(root / "march" / three.name)
    (root / "april").mkdir()
    pack_product(four, root / "april" / f"{four.name}.ZIP")
    # Things that are no products, nor look like any.
    (root / "notes.txt").write_text("x")
    (root / "stack.nc").write_text("x")
    (root / "other.zip").write_text("x")
    (root / NAME).write_text("a file named as a product")
    (root / "broken link").symlink_to("nowhere")
    (root / ".hidden").mkdir()
    shutil.copytree(one, root / ".hidden" / NAME)
    shutil.copytree(one, root / f".{NAME}")
    (root / "__MACOSX" / one.name).mkdir(parents=True)
    (root / "__MACOSX" / two.name).mkdir(parents=True)
    (root / "__MACOSX" / two.name / f"._{two.name}_corr.tif").write_text("x")
    (root / "empty").mkdir()
    scan = scan_folder(root)
    assert names(scan) == [one.name, two.name, three.name, four.name]
    assert scan.damaged == () and scan.notes == () and scan.near == ()


def test_a_product_folder_itself(small: SampleStack) -> None:
    product = small.products[0]
    assert names(scan_folder(product.path)) == [product.name]


def test_a_folder_in_a_folder_of_its_name(small: SampleStack, tmp_path: Path) -> None:
    """As Windows unpacks a zip."""
    product = small.products[0]
    shutil.copytree(product.path, tmp_path / product.name / product.name)
    [found] = scan_folder(tmp_path).products
    assert found.location == tmp_path / product.name / product.name
    assert list(found.layers) == ["unw_phase", "corr", "water_mask"]


@pytest.mark.parametrize("kind", ["empty", "files", "nothing stackable"])
def test_a_folder_without_products(tmp_path: Path, kind: str) -> None:
    if kind == "files":
        (tmp_path / "a.tif").write_text("x")
        (tmp_path / "deep" / "er").mkdir(parents=True)
    if kind == "nothing stackable":
        (tmp_path / "S1_136231_IW2_20200604T022312_VV_7C85-BURST").mkdir()
    with pytest.raises(NoProductsError) as caught:
        scan_folder(tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert "choose the folder that holds the product folders or zips" in str(caught.value)


def test_products_are_sorted_by_time(tmp_path: Path, small: SampleStack) -> None:
    source = small.products[0]
    shuffled = [
        "S1AA_20230330T015136_20230411T015137_VVP012_INT80_G_ueF_0000",
        "S1BB_20230106T015136_20230211T015137_VVP012_INT80_G_ueF_0000",
        "S1CA_20230106T015136_20230118T015137_VVP012_INT80_G_ueF_FFFF",
        "S1AA_20230118T015137_20230130T015136_VVP012_INT80_G_ueF_1111",
    ]
    for name in shuffled:
        (tmp_path / name).mkdir()
        shutil.copy(layer_file(source.path, "corr"), tmp_path / name / f"{name}_corr.tif")
    assert names(scan_folder(tmp_path)) == [shuffled[2], shuffled[1], shuffled[3], shuffled[0]]


# --- zips ---------------------------------------------------------------------------------------


def test_a_zip_from_a_mac(small: SampleStack, tmp_path: Path) -> None:
    product = small.products[0]
    with zipfile.ZipFile(tmp_path / f"{product.name}.zip", "w") as archive:
        archive.writestr(f"__MACOSX/._{product.name}", b"x")
        archive.writestr(f"__MACOSX/._{product.name}_corr.tif", b"x")
        archive.writestr(f"__MACOSX/{product.name}/._{product.name}_corr.tif", b"x")
        archive.mkdir(product.name)
        for path in product.path.iterdir():
            archive.write(path, f"{product.name}/{path.name}")
            archive.writestr(f"{product.name}/._{path.name}", b"x")
    [found] = scan_folder(tmp_path).products
    assert list(found.layers) == ["unw_phase", "corr", "water_mask"]
    assert build(tmp_path, NETCDF=tmp_path / "s.nc").outputs["STEPS"] == 1


def test_a_product_both_as_folder_and_as_zip(small: SampleStack, tmp_path: Path) -> None:
    [folder] = copy_products(small, tmp_path, 1)
    packed = zip_product(folder)
    scan = scan_folder(tmp_path)
    assert [product.location for product in scan.products] == [folder]
    [note] = scan.notes
    assert f"{folder.name} is there twice" in note
    assert f"{folder} is used and {packed} is not" in note
    run = build(tmp_path, NETCDF=tmp_path / "s.nc")
    assert run.outputs["STEPS"] == 1 and note in run.warnings


@pytest.mark.parametrize(
    "damage",
    ["layer missing", "layer cut", "dead link", "text missing", "empty", "nested"],
)
def test_a_complete_zip_wins_over_its_half_unpacked_folder(
    small: SampleStack, tmp_path: Path, damage: str
) -> None:
    [folder] = copy_products(small, tmp_path, 1)
    packed = zip_product(folder)
    unpacked = folder
    if damage == "nested":
        unpacked = folder / folder.name
        unpacked.mkdir()
        for path in [path for path in folder.iterdir() if path.is_file()]:
            path.rename(unpacked / path.name)
        assert [item.location for item in scan_folder(tmp_path).products] == [unpacked]
    layer = unpacked / f"{folder.name}_corr.tif"
    if damage == "layer cut":
        layer.write_bytes(layer.read_bytes()[:-100])
    elif damage in ("layer missing", "nested"):
        layer.unlink()
    elif damage == "dead link":
        layer.unlink()
        layer.symlink_to(tmp_path / "gone.tif")
    elif damage == "text missing":
        (folder / f"{folder.name}.txt").unlink()
    else:
        shutil.rmtree(folder)
        folder.mkdir()
    scan = scan_folder(tmp_path)
    assert [product.location for product in scan.products] == [packed]
    [note] = scan.notes
    assert f"{packed} is used and {unpacked} is not, because it is incomplete." in note
    assert build(tmp_path, NETCDF=tmp_path / "s.nc").outputs["STEPS"] == 1


def test_a_folder_with_more_than_its_zip(small: SampleStack, tmp_path: Path) -> None:
    [folder] = copy_products(small, tmp_path, 1)
    zip_product(folder)
    (folder / f"{folder.name}.txt.bak").write_text("mine")
    assert [product.location for product in scan_folder(tmp_path).products] == [folder]


def test_a_half_unpacked_folder_beside_a_damaged_zip(small: SampleStack, tmp_path: Path) -> None:
    [folder] = copy_products(small, tmp_path, 1)
    packed = zip_product(folder)
    packed.write_bytes(packed.read_bytes()[:-100])
    (folder / f"{folder.name}_water_mask.tif").unlink()
    assert [product.location for product in scan_folder(tmp_path).products] == [folder]


@pytest.mark.parametrize(
    ("damage", "clue"),
    [
        ("text", "File is not a zip file"),
        ("nothing", "File is not a zip file"),
        ("end lost", "File is not a zip file"),
        ("begin lost", "cannot be read"),
        ("encrypted", "is encrypted"),
        ("unknown compression", "compression method is not supported"),
        ("no files", "holds no GeoTIFF"),
    ],
)
def test_zips_that_cannot_be_read(
    small: SampleStack, tmp_path: Path, damage: str, clue: str
) -> None:
    product = small.products[0]
    packed = zip_product(product.path, tmp_path / f"{product.name}.zip")
    if damage == "text":
        packed.write_bytes(b"<html>Not found</html>")
    elif damage == "no files":
        zipfile.ZipFile(packed, "w").close()
    else:
        spoil(packed, damage)
    scan = scan_folder(tmp_path)
    assert scan.products == ()
    [bad] = scan.damaged
    assert bad.name == product.name
    assert str(packed) in bad.reason and clue in bad.reason
    assert bad.reason.endswith("retrieve the product again.")
    assert "\n" not in bad.reason


def test_a_folder_without_rasters(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    (tmp_path / NAME / f"{NAME}.txt").write_text("Baseline: 1")
    scan = scan_folder(tmp_path)
    assert scan.products == ()
    assert scan.damaged[0].reason.startswith(f"{tmp_path / NAME} holds no GeoTIFF of {NAME}")


# --- text files ---------------------------------------------------------------------------------


def test_readme_of_either_name(small: SampleStack, tmp_path: Path) -> None:
    source = small.products[0]
    burst = "S1_056072_IW2_20220814_20220907_VV_INT80_E09B"
    for name, readme, version in (
        (NAME, f"{NAME}.README.md.txt", "hyp3_gamma plugin version 9.0.5 running GAMMA release"),
        (burst, f"{burst}_README.md.txt", "hyp3_isce2 plugin version 4.1.4 running ISCE2 version"),
    ):
        (tmp_path / name).mkdir()
        shutil.copy(layer_file(source.path, "corr"), tmp_path / name / f"{name}_corr.tif")
        (tmp_path / name / readme).write_text(
            f"This data was processed by ASF DAAC HyP3 2025 using the {version} 20240627. Files\n"
            "are projected to WGS 84 / UTM zone 11N.\n"
            "Processing Date/Time: 2025-06-01T12:00:00+00:00\n"
        )
    by_name = {str(product): product for product in scan_folder(tmp_path).products}
    for name, plugin in ((NAME, "9.0.5"), (burst, "4.1.4")):
        readme = by_name[name].readme
        assert readme.plugin_version == plugin and readme.software_version == "20240627"
        assert readme.processed is not None
        assert readme.processed.isoformat() == "2025-06-01T12:00:00+00:00"
        assert by_name[name].parameters is None


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("2025-06-01T12:00:00Z", "2025-06-01T12:00:00+00:00"),
        ("2025-06-01T12:00:00.", "2025-06-01T12:00:00+00:00"),
        ("2025-06-01T12:00:00-02:00", "2025-06-01T12:00:00-02:00"),
        ("yesterday", None),
        ("", None),
    ],
)
def test_processing_times(
    small: SampleStack, tmp_path: Path, stamp: str, expected: str | None
) -> None:
    (tmp_path / NAME).mkdir()
    shutil.copy(layer_file(small.products[0].path, "corr"), tmp_path / NAME / f"{NAME}_corr.tif")
    (tmp_path / NAME / f"{NAME}.README.md.txt").write_text(f"Processing Date/Time: {stamp}\n")
    [product] = scan_folder(tmp_path).products
    processed = product.readme.processed
    assert (processed.isoformat() if processed else None) == expected


def test_parameter_files_that_are_no_text(small: SampleStack, tmp_path: Path) -> None:
    [folder] = copy_products(small, tmp_path, 1)
    (folder / f"{folder.name}.txt").write_bytes(os.urandom(999) + b"\xff\xfe\n: \x00:\n" * 9)
    [product] = scan_folder(tmp_path).products
    assert product.parameters is not None and product.parameters.number("Baseline") is None
    run = build(tmp_path, NETCDF=tmp_path / "s.nc")
    assert any(
        text.startswith(f"The parameter file of {folder.name} holds nothing")
        for text in run.warnings
    )
    with xr.open_dataset(run.netcdf) as stack:
        assert np.isnan(stack.perpendicular_baseline.values).all()


@pytest.mark.parametrize("name", ["{}.txt", "{}.README.md.txt"])
@pytest.mark.parametrize("packed", [False, True])
def test_texts_without_end(small: SampleStack, tmp_path: Path, name: str, packed: bool) -> None:
    one, two = copy_products(small, tmp_path / "in", 2)
    text = two / name.format(two.name)
    text.write_bytes(bytes(50_000_000))
    if packed:
        pack_product(two)
    tracemalloc.start()
    try:
        scan = scan_folder(tmp_path / "in")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8_000_000
    assert [str(product) for product in scan.products] == [one.name]
    [bad] = scan.damaged
    assert bad.name == two.name and text.name in bad.reason and "too many for" in bad.reason
