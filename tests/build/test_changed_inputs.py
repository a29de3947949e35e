"""Inputs that change while they are read make no stack; what changes no content is no matter."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import rasterio

from hyp3_stack.core.errors import InputChangedError
from hyp3_stack.core.run.reporter import SilentReporter
from hyp3_stack.core.tasks import build_stack, harmonize_products
from tests.sample_products import SampleStack

from ..running import (
    assert_one_sentence,
    build,
    contents,
    copy_products,
    harmonize,
    layer_file,
    leftovers,
    zip_product,
)

LAYERS = "unw_phase,corr"


class Meddler(SilentReporter):
    """Does something to the inputs once the run has come so far."""

    def __init__(self, percent: float, meddle: Callable[[], None]) -> None:
        super().__init__()
        self.begin = percent
        self.meddle = meddle
        self.is_done = False

    def progress(self, percent: float) -> None:
        super().progress(percent)
        if percent >= self.begin and not self.is_done:
            self.is_done = True
            self.meddle()


def set_back(path: Path, before: os.stat_result) -> None:
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replace(path: Path, other: Path) -> None:
    shutil.copy(other, path.with_name("new"))
    os.replace(path.with_name("new"), path)


def replace_by_one_of_equal_size_and_time(path: Path, other: Path) -> None:
    before = path.stat()
    content = other.read_bytes()[: before.st_size]
    path.with_name("new").write_bytes(content.ljust(before.st_size, b"\0"))
    set_back(path.with_name("new"), before)
    os.replace(path.with_name("new"), path)


def write_into(path: Path, other: Path) -> None:
    with rasterio.open(path, "r+") as file:
        file.write(file.read(1) + 1, 1)


def write_into_and_set_the_time_back(path: Path, other: Path) -> None:
    before = path.stat()
    with open(path, "r+b") as file:
        file.seek(before.st_size // 2)
        file.write(b"\x42" * 64)
    set_back(path, before)


def cut(path: Path, other: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def remove(path: Path, other: Path) -> None:
    path.unlink()


def swap_the_folders(path: Path, other: Path) -> None:
    aside = path.parent.with_name("aside")
    path.parent.rename(aside)
    shutil.copytree(aside, path.parent)
    shutil.copy(other, path)


def lead_elsewhere(path: Path, other: Path) -> None:
    path.unlink()
    path.symlink_to(other)


CHANGES = [
    replace,
    replace_by_one_of_equal_size_and_time,
    write_into,
    write_into_and_set_the_time_back,
    cut,
    remove,
    swap_the_folders,
    lead_elsewhere,
]


@pytest.mark.parametrize(
    ("change", "bad"), list(zip(CHANGES, itertools.cycle(["skip", "stop"]), strict=False))
)
def test_no_stack_of_two_halves(
    small: SampleStack, tmp_path: Path, change: Callable[[Path, Path], None], bad: str
) -> None:
    products = copy_products(small, tmp_path / "in")
    given = {"INPUT": str(tmp_path / "in"), "LAYERS": LAYERS, "ON_BAD_PRODUCT": bad}
    given["NETCDF"] = str(tmp_path / "s.nc")
    paths = layer_file(products[1], "unw_phase"), layer_file(products[2], "unw_phase")
    reporter = Meddler(30, lambda: change(*paths))
    with pytest.raises(InputChangedError) as caught:
        build_stack.run(given, None, reporter)
    assert_one_sentence(
        caught.value, f"{products[1].name} was changed while it was read (", str(products[1]), "run"
    )
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "aside") == ["in"]
    assert not reporter.warnings


@pytest.mark.parametrize("change", [replace, write_into_and_set_the_time_back, remove])
def test_no_harmonized_product_of_two_halves(
    small: SampleStack, tmp_path: Path, change: Callable[[Path, Path], None]
) -> None:
    [one, other] = copy_products(small, tmp_path / "in", 2)
    layer, another = layer_file(one, "corr"), layer_file(other, "corr")
    given = {"INPUT": str(tmp_path / "in"), "OUTPUT": str(tmp_path / "out")}
    with pytest.raises(InputChangedError, match=f"{one.name} was changed while it was read"):
        harmonize_products.run(given, None, Meddler(5, lambda: change(layer, another)))
    assert not (tmp_path / "out" / one.name).exists()
    assert not leftovers(tmp_path)


@pytest.mark.parametrize("is_gone", [False, True])
def test_zips_that_are_retrieved_again(small: SampleStack, tmp_path: Path, is_gone: bool) -> None:
    zips = [zip_product(folder) for folder in copy_products(small, tmp_path)]
    for folder in tmp_path.iterdir():
        if folder.is_dir():
            shutil.rmtree(folder)

    def meddle() -> None:
        zips[2].unlink() if is_gone else replace(zips[2], zips[1])

    given = {"INPUT": str(tmp_path), "NETCDF": str(tmp_path / "s.nc"), "LAYERS": LAYERS}
    with pytest.raises(InputChangedError, match=f"{zips[2].stem} was changed"):
        build_stack.run(given | {"ON_BAD_PRODUCT": "skip"}, None, Meddler(40, meddle))


def read(path: Path) -> None:
    path.read_bytes()


def protect(path: Path) -> None:
    path.chmod(0o444)


def give_a_second_name(path: Path) -> None:
    os.link(path, path.with_name(f"{path.name}.copy"))


def keep_statistics(path: Path) -> None:
    for name in (path, path.with_suffix(".png")):
        name.with_name(f"{name.name}.aux.xml").write_text("<PAMDataset></PAMDataset>")


@pytest.mark.parametrize("act", [read, protect, give_a_second_name, keep_statistics])
def test_what_changes_no_content(
    small: SampleStack, tmp_path: Path, act: Callable[[Path], None]
) -> None:
    products = copy_products(small, tmp_path / "in")
    files = [layer_file(product, layer) for product in products for layer in LAYERS.split(",")]
    keep_statistics(files[0])
    reporter = Meddler(40, lambda: [act(file) for file in files])
    given = {"INPUT": str(tmp_path / "in"), "LAYERS": LAYERS}
    build_stack.run(given | {"NETCDF": str(tmp_path / "s.nc")}, None, reporter)
    assert reporter.is_done and (tmp_path / "s.nc").is_file()
    harmonize(tmp_path / "in", tmp_path / "out", LAYERS=LAYERS)


def write_into_the_file(stack: Path) -> None:
    before = stack.stat()
    with open(stack, "r+b") as file:
        file.seek(before.st_size - 100)
        file.write(b"\x42")


def replace_the_file(stack: Path) -> None:
    replace(stack, stack)


def change_a_chunk(stack: Path) -> None:
    chunk = stack / "spatially_optimized" / "corr" / "0.0.0"
    before = chunk.stat()
    chunk.write_bytes(chunk.read_bytes())
    set_back(chunk, before)


def lose_a_chunk(stack: Path) -> None:
    (stack / "spatially_optimized" / "unw_phase" / "1.0.0").unlink()


@pytest.fixture(scope="module")
def begun(small: SampleStack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both outputs of the products of January, which no test may change."""
    folder = tmp_path_factory.mktemp("begun")
    build(small.folder, END="2023-01-31", LAYERS=LAYERS, **outputs(folder))
    return folder


def outputs(folder: Path) -> dict[str, str]:
    return {"NETCDF": str(folder / "s.nc"), "ZARR": str(folder / "s.zarr")}


@pytest.mark.parametrize(
    ("output", "change"),
    [
        ("NETCDF", write_into_the_file),
        ("NETCDF", replace_the_file),
        ("ZARR", change_a_chunk),
        ("ZARR", lose_a_chunk),
    ],
)
def test_a_stack_that_is_changed_while_it_is_appended_to(
    small: SampleStack, begun: Path, tmp_path: Path, output: str, change: Callable[[Path], None]
) -> None:
    shutil.copytree(begun, tmp_path, dirs_exist_ok=True)
    stack = Path(outputs(tmp_path)[output])
    given = {"INPUT": str(small.folder), output: str(stack), "LAYERS": LAYERS, "APPEND": True}
    with pytest.raises(InputChangedError) as caught:
        build_stack.run(given, None, Meddler(30, lambda: change(stack)))
    assert_one_sentence(caught.value, f"{stack} was changed by another run or program meanwhile (")
    assert not leftovers(tmp_path) and stack.exists()


def test_a_stack_that_is_only_read_is_appended_to(
    small: SampleStack, begun: Path, tmp_path: Path
) -> None:
    """File managers look at everything and leave notes of their own."""
    shutil.copytree(begun, tmp_path, dirs_exist_ok=True)
    note = tmp_path / "s.zarr" / "spatially_optimized" / "corr" / ".DS_Store"
    note.write_bytes(b"")

    def read_all() -> None:
        assert contents(tmp_path)
        note.write_bytes(b"read")

    given = {"INPUT": str(small.folder), "LAYERS": LAYERS, "APPEND": True, **outputs(tmp_path)}
    assert build_stack.run(given, None, Meddler(30, read_all))["STEPS"] == 4
