"""Zips of other programs, and folders that may not be read."""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hyp3_stack.core.products.scan import scan_folder
from tests.running import contents, copy_products, harmonize, layer_file, zip_product
from tests.sample_products import SampleStack


@pytest.fixture(scope="module")
def harmonized(small: SampleStack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first product, harmonized from its folder."""
    folder = tmp_path_factory.mktemp("harmonized")
    copy_products(small, folder / "in", 1)
    harmonize(folder / "in", folder / "out")
    return folder / "out"


@pytest.mark.parametrize(
    "place",
    ["", "another name/", "data/{}/", "./{}/", "./", "./data/{}/", "a/b/{}/", "{}\\", "data\\{}\\"],
)
def test_zips_of_other_programs(
    small: SampleStack, harmonized: Path, tmp_path: Path, place: str
) -> None:
    product = small.products[0]
    (tmp_path / "in").mkdir()
    with zipfile.ZipFile(tmp_path / "in" / f"{product.name}.zip", "w") as archive:
        archive.writestr("other/readme.txt", "packed by hand")
        for path in product.path.iterdir():
            entry = zipfile.ZipInfo()
            # As it is: ZipInfo itself would put slashes.
            entry.filename = place.format(product.name) + path.name
            archive.writestr(entry, path.read_bytes())
    harmonize(tmp_path / "in", tmp_path / "out")
    assert contents(tmp_path / "out") == contents(harmonized)


@pytest.mark.parametrize(
    ("method", "word"), [(zipfile.ZIP_BZIP2, "bzip2"), (zipfile.ZIP_LZMA, "LZMA")]
)
def test_zips_whose_compression_is_not_read(
    small: SampleStack, tmp_path: Path, method: int, word: str
) -> None:
    [folder] = copy_products(small, tmp_path, 1)
    packed = zip_product(folder, method=method)
    layer_file(folder, "corr").unlink()
    assert [item.location for item in scan_folder(tmp_path).products] == [folder]
    shutil.rmtree(folder)
    [bad] = scan_folder(tmp_path).damaged
    assert bad.reason == (
        f"The zip {packed} is compressed with {word}, which is not read; unpack it, and take the "
        "folder instead."
    )


@contextmanager
def not_as_root() -> Iterator[None]:
    """Take away the right of root to read everything."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="the system has no such permissions")
@pytest.mark.parametrize("with_zip", [False, True])
def test_a_folder_that_may_not_be_read(small: SampleStack, with_zip: bool) -> None:
    # Not in tmp_path, whose parents only its owner may enter.
    with tempfile.TemporaryDirectory() as root:
        os.chmod(root, 0o755)
        [folder] = copy_products(small, Path(root), 1)
        if with_zip:
            zip_product(folder)
        folder.chmod(0)
        try:
            with not_as_root():
                scan = scan_folder(Path(root))
        finally:
            folder.chmod(0o755)
    if with_zip:
        assert [item.location for item in scan.products] == [folder.with_suffix(".zip")]
        assert f"{folder} is not" in scan.notes[0]
        return
    assert scan.products == ()
    [bad] = scan.damaged
    assert bad.reason == f"{folder} cannot be read (Permission denied); check its permissions."
