"""Products under nearly their names are taken where their files tell the name, else named."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from hyp3_stack.core.errors import NoProductsError, ProductError
from hyp3_stack.core.products.scan import scan_folder
from hyp3_stack.core.selection.selection import SelectionOptions, select_products
from tests.running import copy_products, pack_product, zip_product
from tests.sample_products import SampleStack

BURSTS_X = "S1_136231_IW2_20200604T022312_VV_7C85-BURSTxS1_136231_IW2_20200616T022313_VV_5D11-BURST"


@pytest.mark.parametrize(
    "form",
    [
        "{} (1)",
        "{}(1)",
        "{}_1",
        "{}-2",
        "{} - Copy",
        "{} - Copy (2)",
        "{} copy 2",
        "Copy of {}",
        "{}.",
        "{} ",
        "{}.zip",
        "{}_unzipped",
        "my product",
    ],
)
@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_names_that_programs_changed(
    small: SampleStack, tmp_path: Path, form: str, kind: str
) -> None:
    one, two = copy_products(small, tmp_path, 2)
    changed = form.format(two.name)
    if kind == "zip":
        pack_product(two, tmp_path / f"{changed}.zip")
    else:
        two.rename(tmp_path / changed)
    scan = scan_folder(tmp_path)
    assert [str(product) for product in scan.products] == [one.name, two.name]
    assert scan.damaged == () and scan.notes == () and scan.near == ()


@pytest.mark.parametrize("change", [str.lower, str.upper, lambda name: f"{name}_3"])
@pytest.mark.parametrize("ending", [None, ".zip", ".ZIP", ".zip.zip", ".zip.", ".zip_", ""])
def test_other_letters_and_endings(
    small: SampleStack, tmp_path: Path, change: Callable[[str], str], ending: str | None
) -> None:
    [folder] = copy_products(small, tmp_path, 1)
    name = change(folder.name)
    if ending is None:
        folder.rename(tmp_path / "a")
        (tmp_path / "a").rename(tmp_path / name)
    else:
        pack_product(folder, tmp_path / "a.zip")
        (tmp_path / "a.zip").rename(tmp_path / f"{name}{ending}")
    [product] = scan_folder(tmp_path).products
    assert str(product) == folder.name


@pytest.mark.parametrize("place", ["", "downloads", "a.zip", "all.zip", "folders.zip"])
def test_files_of_several_products_in_one_place(
    small: SampleStack, tmp_path: Path, place: str
) -> None:
    folders = copy_products(small, tmp_path / "in", 3)
    root = tmp_path / "flat"
    root.mkdir()
    if place.endswith(".zip"):
        with zipfile.ZipFile(root / place, "w") as archive:
            for folder in folders:
                for path in folder.iterdir():
                    inner = f"{folder.name}/" if place == "folders.zip" else ""
                    archive.write(path, f"{inner}{path.name}")
    else:
        (root / place).mkdir(exist_ok=True)
        for folder in folders:
            for path in folder.iterdir():
                shutil.copy(path, root / place / path.name)
    selection = select_products(root, SelectionOptions())
    expected = select_products(tmp_path / "in", SelectionOptions())
    assert [str(item) for item, _ in selection.products] == [folder.name for folder in folders]
    assert selection.left_out == () and selection.warnings == expected.warnings


RENAMED: dict[str, Callable[[str], str]] = {
    "former name": lambda name: BURSTS_X,
    "small letters": str.lower,
    "words before": lambda name: f"my-{name}",
    "begin lost": lambda name: name[5:],
}


def make(tmp_path: Path, folder: Path, how: str) -> str:
    """Make something that looks like a product of a folder; return its name."""
    if how in ("part", "crdownload", "download"):
        name = f"{folder.name}.zip.{how}"
        (tmp_path / name).write_bytes(b"PK\3\4 and more")
    elif how == "folder of Safari":
        name = f"{folder.name}.zip.download"
        (tmp_path / name).mkdir()
        zip_product(folder, tmp_path / name / f"{folder.name}.zip")
    elif how == "layer alone":
        name = f"{folder.name}_corr.tif"
        shutil.copy(folder / name, tmp_path / name)
    elif how == "zip of zips":
        name = "bulk.zip"
        inner = zip_product(folder, tmp_path / "inner.zip")
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.write(inner, f"{folder.name}.zip")
        inner.unlink()
    elif how == "too deep":
        name = f"a/b/{folder.name}"
        shutil.copytree(folder, tmp_path / name)
    elif how.removesuffix(" in a zip") in RENAMED:
        name = RENAMED[how.removesuffix(" in a zip")](folder.name)
        (tmp_path / name).mkdir()
        for path in folder.iterdir():
            shutil.copy(path, tmp_path / name / path.name.replace(folder.name, name))
        if how.endswith(" in a zip"):
            zip_product(tmp_path / name)
            shutil.rmtree(tmp_path / name)
            return f"{name}.zip"
        name = f"{name}/{name}_corr.tif"
    elif how == "empty copy":
        name = f"{folder.name} (2)"
        (tmp_path / name).mkdir()
    elif how == "7z":
        name = f"{folder.name}.7z"
        (tmp_path / name).write_bytes(b"7z")
    else:
        name = "products.zip"
        (tmp_path / name).write_bytes(zip_product(folder).read_bytes()[:-40])
        folder.with_suffix(".zip").unlink()
    return name


@pytest.mark.parametrize(
    "how",
    [
        "part",
        "crdownload",
        "download",
        "folder of Safari",
        "layer alone",
        "zip of zips",
        "too deep",
        "former name",
        "former name in a zip",
        "small letters",
        "words before",
        "words before in a zip",
        "begin lost",
        "begin lost in a zip",
        "empty copy",
        "7z",
        "cut zip of another name",
    ],
)
def test_what_is_not_taken_is_named(small: SampleStack, tmp_path: Path, how: str) -> None:
    one, two = copy_products(small, tmp_path / "in", 2)
    two.rename(tmp_path / two.name)
    name = make(tmp_path / "in", tmp_path / two.name, how)
    selection = select_products(tmp_path / "in", SelectionOptions())
    assert [str(product) for product, _ in selection.products] == [one.name]
    [said] = [text for text in selection.warnings if name in text]
    assert "not taken, because" in said and said.endswith(".")
    assert name in [item.name for item in selection.left_out]
    shutil.rmtree(one)
    with pytest.raises(NoProductsError) as caught:
        scan_folder(tmp_path / "in")
    assert name in str(caught.value)


@pytest.mark.parametrize("ending", [".TIF", ".tiff", ".Tif"])
@pytest.mark.parametrize("is_zipped", [False, True])
def test_endings_that_hyp3_does_not_give(
    small: SampleStack, tmp_path: Path, ending: str, is_zipped: bool
) -> None:
    [folder] = copy_products(small, tmp_path, 1)
    for path in folder.glob("*.tif"):
        path.rename(path.with_suffix(ending))
    if is_zipped:
        pack_product(folder)
    [damaged] = scan_folder(tmp_path).damaged
    assert damaged.name == folder.name and f"_corr{ending}; name them" in damaged.reason


SEALED = Path("/proc/sys/vm/compact_memory")
"""A file that not even root may read."""


@pytest.mark.skipif(not SEALED.is_file(), reason="there is no such file")
@pytest.mark.parametrize("ending", [".zip", ".zip.1", ".zip_", ""])
def test_a_zip_that_may_not_be_read(small: SampleStack, tmp_path: Path, ending: str) -> None:
    one, two = copy_products(small, tmp_path / "in", 2)
    two.rename(tmp_path / two.name)
    (tmp_path / "in" / f"{two.name}{ending}").symlink_to(SEALED)
    [damaged] = scan_folder(tmp_path / "in").damaged
    assert damaged.name == two.name
    assert damaged.reason.endswith("cannot be read (Permission denied); check its permissions.")


@pytest.mark.skipif(not SEALED.is_file(), reason="there is no such file")
def test_a_zip_of_whatever_that_may_not_be_read(small: SampleStack, tmp_path: Path) -> None:
    copy_products(small, tmp_path, 1)
    (tmp_path / "all of 2019.zip").symlink_to(SEALED)
    scan = scan_folder(tmp_path)
    assert (len(scan.products), scan.near) == (1, ("all of 2019.zip",))
    assert "cannot be read (Permission denied); check its permissions" in scan.notes[0]


def test_many_of_one_kind_make_one_sentence(small: SampleStack, tmp_path: Path) -> None:
    [one] = copy_products(small, tmp_path, 1)
    for number in range(9):
        (tmp_path / f"{one.name[:-4]}000{number}.zip.part").write_bytes(b"")
    scan = scan_folder(tmp_path)
    [said] = scan.notes
    assert "and 4 more look like products, but are not taken" in said
    assert len(scan.near) == 9


def test_a_copy_of_a_product_that_is_there(small: SampleStack, tmp_path: Path) -> None:
    [one] = copy_products(small, tmp_path, 1)
    copied = zip_product(one, tmp_path / f"{one.name} (1).zip")
    (tmp_path / f"{one.name}.zip.part").write_bytes(b"PK")
    selection = select_products(tmp_path, SelectionOptions())
    assert selection.products[0][0].location == one and selection.left_out == ()
    assert len(selection.warnings) == 2
    assert f"{one} is used and {copied} is not" in selection.warnings[0]


def test_a_damaged_zip_of_nearly_its_name_is_a_bad_product(
    small: SampleStack, tmp_path: Path
) -> None:
    one, two = copy_products(small, tmp_path, 2)
    bad = pack_product(two, tmp_path / f"{two.name} (1).zip")
    bad.write_bytes(bad.read_bytes()[:-100])
    with pytest.raises(ProductError, match="cannot be read"):
        select_products(tmp_path, SelectionOptions())
    selection = select_products(tmp_path, SelectionOptions(skip_bad=True))
    assert [item.name for item in selection.left_out] == [two.name]


def test_a_zip_named_as_another_product(small: SampleStack, tmp_path: Path) -> None:
    """As HyP3 gives out where it publishes products under names of its own."""
    [one] = copy_products(small, tmp_path, 1)
    other = one.name[:-4] + "0000"
    pack_product(one, tmp_path / f"{other}.zip")
    scan = scan_folder(tmp_path)
    assert [str(product) for product in scan.products] == [one.name]
    assert scan.notes == (f"{tmp_path / other}.zip holds {one.name}, as its files show.",)
