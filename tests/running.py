"""Runs tasks of the core on sample products, which are made once per session."""

from __future__ import annotations

import hashlib
import shutil
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import rasterio

from hyp3_stack.core.build.design import stack_contents
from hyp3_stack.core.build.stack_plan import plan_stack
from hyp3_stack.core.build.stack_request import StackRequest
from hyp3_stack.core.dataset.stack_layer import StackLayer
from hyp3_stack.core.pixels.source import StackSource
from hyp3_stack.core.run.reporter import SilentReporter
from hyp3_stack.core.tasks import build_stack, harmonize_products
from tests.once import once
from tests.sample_products import SampleSpec, SampleStack, write_products

PHASES = ("unw_phase", "los_disp", "vert_disp")

_MADE: dict[SampleSpec, SampleStack] = {}


@contextmanager
def traced_peak() -> Iterator[Callable[[], int]]:
    """Give what returns the most bytes that Python and numpy have had since then."""
    tracemalloc.start()
    try:
        yield lambda: tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


class StopAt(SilentReporter):
    """Cancels as soon as the run has come so far."""

    def __init__(self, percent: float) -> None:
        super().__init__()
        self.stop = percent

    def canceled(self) -> bool:
        return self.percent >= self.stop


class StopAtCompletion(SilentReporter):
    """Cancels when outputs are about to get their final names, the last moment that there is."""

    def __init__(self) -> None:
        super().__init__()
        self.is_stopping = False

    def completing(self) -> None:
        self.is_stopping = True

    def canceled(self) -> bool:
        return self.is_stopping


@dataclass(frozen=True)
class Run:
    """What a task gave back and said."""

    outputs: dict[str, Any]
    infos: list[str]
    warnings: list[str]

    @property
    def netcdf(self) -> Path:
        return Path(self.outputs["NETCDF"])

    @property
    def zarr(self) -> Path:
        return Path(self.outputs["ZARR"])


def build(folder: Path, **parameters: Any) -> Run:
    """Run ``buildstack`` in this process."""
    reporter = SilentReporter()
    given = {"INPUT": str(folder)} | {name: _plain(value) for name, value in parameters.items()}
    outputs = build_stack.run(given, None, reporter)
    return Run(outputs, reporter.infos, reporter.warnings)


def harmonize(folder: Path, output: Path, **parameters: Any) -> Run:
    """Run ``harmonizeproducts`` in this process."""
    reporter = SilentReporter()
    given = {"INPUT": str(folder), "OUTPUT": str(output)} | parameters
    outputs = harmonize_products.run(given, None, reporter)
    return Run(outputs, reporter.infos, reporter.warnings)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


def samples(factory: pytest.TempPathFactory, **options: Any) -> SampleStack:
    """Return sample products, the same files for the same options; nobody may change them."""
    spec = SampleSpec(**options)
    if spec not in _MADE:
        name = f"samples-{hashlib.sha256(repr(spec).encode()).hexdigest()[:12]}"
        _MADE[spec] = once(factory, name, lambda folder: write_products(folder, spec))
    return _MADE[spec]


def contents_of(folder: Path, **parameters: Any) -> tuple[StackSource, tuple[StackLayer, ...]]:
    """Plan a stack and return where its blocks come from and its layers; nothing is written."""
    given = {"INPUT": str(folder), "NETCDF": "/none/none.nc", **parameters}
    request = StackRequest.from_parameters(given)
    planned = plan_stack(
        request.folder, request.selection, request.grid, request.build, SilentReporter()
    )
    return stack_contents(planned.plan, planned.layers, request.build, None)


def copy_products(stack: SampleStack, folder: Path, count: int | None = None) -> list[Path]:
    """Copy product folders to where a test may change them; return them in order."""
    made = []
    for product in stack.products[:count]:
        made.append(folder / product.name)
        shutil.copytree(product.path, made[-1])
    return made


def zip_product(
    folder: Path, target: Path | None = None, method: int = zipfile.ZIP_DEFLATED, inner: str = ""
) -> Path:
    """Zip a product folder as HyP3 does; ``inner`` replaces the folder's name in the zip."""
    target = target or folder.with_name(f"{folder.name}.zip")
    with zipfile.ZipFile(target, "w", method, compresslevel=1) as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, f"{inner or folder.name}/{path.name}")
    return target


def pack_product(folder: Path, target: Path | None = None) -> Path:
    """Replace a product folder by a zip of it."""
    packed = zip_product(folder, target)
    shutil.rmtree(folder)
    return packed


def damage_tile(path: Path, block: str = "0_0") -> None:
    """Overwrite the beginning of a compressed tile, which GDAL notices when it decodes it."""
    with rasterio.open(path) as file:
        start = int(file.get_tag_item(f"BLOCK_OFFSET_{block}", "TIFF", bidx=1))
    data = bytearray(path.read_bytes())
    data[start : start + 64] = bytes(64)
    path.write_bytes(data)


def damage_layer(path: Path, block: str = "0_0") -> None:
    """Store a layer in compressed tiles and damage one of them, which its header does not tell."""
    with rasterio.open(path) as file:
        values, profile = file.read(), file.profile
    profile.update(compress="deflate", tiled=True, blockxsize=16, blockysize=16)
    with rasterio.open(path, "w", **profile) as file:
        file.write(values)
    damage_tile(path, block)


def layer_file(folder: Path, layer: str) -> Path:
    """Return the path of a layer in a product folder."""
    return folder / f"{folder.name}_{layer}.tif"


def contents(folder: Path) -> dict[str, bytes]:
    """Return all files below a folder with their content."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def fingerprint(folder: Path) -> dict[str, str]:
    """Return checksums of all files below a folder by path."""
    return {name: hashlib.sha256(data).hexdigest() for name, data in contents(folder).items()}


def assert_one_sentence(error: BaseException, *parts: str) -> None:
    """Check what a user reads: one sentence that holds some words."""
    text = str(error)
    for part in parts:
        assert part in text, text
    assert text.endswith(".") and "\n" not in text and "Traceback" not in text


def leftovers(folder: Path) -> list[Path]:
    """Return what unfinished runs left behind."""
    return [path for path in folder.rglob("*") if ".hyp3-partial-" in path.name]
