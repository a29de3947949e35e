"""Which side may import what: the core no QGIS, the QGIS side nothing that QGIS lacks."""

import ast
import sys
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .conftest import ROOT

CORE = sorted((ROOT / "core").rglob("*.py"))
QGIS_SIDE = [
    ROOT / "__init__.py",
    ROOT / "plugin.py",
    *sorted((ROOT / "processing_provider").rglob("*.py")),
]


@cache
def imports(path):
    """Return (top-level package or None, module file or None) of each import statement."""
    return tuple(_imports(path))


def _imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name.split(".")[0], None
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            top, *rest = node.module.split(".")
            yield (None, ROOT.joinpath(*rest)) if top == "hyp3_stack" else (top, None)
        elif isinstance(node, ast.ImportFrom):
            base = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
            for alias in node.names:
                child = base / alias.name
                module = child if child.is_dir() or child.with_suffix(".py").is_file() else base
                yield None, module


def source(module):
    """Return the file of a module path without suffix."""
    return module / "__init__.py" if module.is_dir() else module.with_suffix(".py")


def foreign(path, seen=None):
    """Return the packages outside of ours that importing ``path`` brings in."""
    seen = set() if seen is None else seen
    if path in seen:
        return set()
    seen.add(path)
    found = set()
    for package, module in imports(path):
        found |= {package} if package else foreign(source(module), seen)
    # Importing a module runs the __init__.py of each folder above it.
    for folder in path.parents:
        if folder == ROOT:
            break
        if (folder / "__init__.py").is_file():
            found |= foreign(folder / "__init__.py", seen)
    return found


def name(path: Path):
    return path.relative_to(ROOT).as_posix()


def test_core_imports_no_qgis():
    for path in CORE:
        found = {package for package, _ in imports(path)}
        assert not found & {"qgis", "osgeo", "PyQt5", "PyQt6", "processing"}, name(path)


def test_core_does_not_import_the_qgis_side():
    for path in CORE:
        for _, module in imports(path):
            assert module is None or ROOT / "core" in [module, *module.parents], name(path)


def test_qgis_side_needs_only_what_qgis_has():
    there = sys.stdlib_module_names | {"qgis", "osgeo", "processing"}
    for path in QGIS_SIDE:
        assert foreign(path) <= there, name(path)


def test_qgis_side_calls_zip_as_python_3_9_does():
    """Some builds of QGIS 3.40 have that Python, where zip knows no ``strict``."""
    for path in QGIS_SIDE:
        for node in ast.walk(ast.parse(path.read_text())):
            is_zip = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "zip"
            assert not (is_zip and node.keywords), f"{name(path)}:{node.lineno}"


WINGS = (
    "core/parameters",
    "core",
    "core/run",
    "core/machine",
    "core/network",
    "core/pages",
    "core/inputs",
    "core/products",
    "core/selection",
    "core/grid",
    "core/object_store",
    "core/retrieval/service",
    "core/retrieval/catalog",
    "core/retrieval/jobs",
    "core/retrieval/scenes",
    "core/retrieval/download",
    "core/retrieval/ordering",
    "core/retrieval/planning",
    "core/retrieval",
    "core/raster",
    "core/work",
    "core/work/cluster",
    "core/pixels",
    "core/metadata",
    "core/dataset",
    "core/files",
    "core/outputs",
    "core/stac",
    "core/assessment",
    "core/analysis/solver",
    "core/analysis/unwrapping",
    "core/analysis",
    "core/analysis/report",
    "core/export",
    "core/append",
    "core/build",
    "core/demo",
    "core/tasks",
    "processing_provider/process",
    "processing_provider/environment",
    "processing_provider/parameters",
    "processing_provider/layers/frames",
    "processing_provider/layers",
    "processing_provider/time_series/plot",
    "processing_provider/time_series/least_squares",
    "processing_provider/time_series/places",
    "processing_provider/time_series/series",
    "processing_provider/time_series",
    "processing_provider/dialogs",
    "processing_provider/algorithms",
    "processing_provider/algorithms/ordering",
    "processing_provider/watching",
    "processing_provider",
)
"""Folders from the lowest to the highest: each imports only itself and those before it."""

LOOSE = {
    "core": {"__main__", "contract", "errors", "version"},
    "processing_provider": {"provider", "environment_menu", "menu"},
}
"""Modules beside the wings."""

ENTRY = ROOT / "core" / "__main__.py"

MOST_MODULES = 15
SIDES = [ROOT / "core", ROOT / "processing_provider"]
MODULES = sorted(path for side in SIDES for path in side.rglob("*.py"))


def wing(path: Path):
    return path.parent.relative_to(ROOT).as_posix()


def imported(path: Path):
    """Return the files of ours that a module imports."""
    return {source(module) for _, module in imports(path) if module is not None} - {path}


def test_every_folder_is_a_wing():
    assert {wing(path) for path in MODULES} == set(WINGS)


def test_imports_go_one_way():
    for path in MODULES:
        lower = WINGS[: WINGS.index(wing(path)) + 1]
        upward = {name(target) for target in imported(path) if wing(target) not in lower}
        assert not upward or path == ENTRY, name(path)


@pytest.mark.parametrize("folder", WINGS)
def test_a_wing_can_be_overlooked(folder):
    modules = {path.stem for path in MODULES if wing(path) == folder} - {"__init__"}
    # There are as many tasks as algorithms ask for.
    assert len(modules) <= MOST_MODULES or folder == "core/tasks"
    if folder in LOOSE:
        assert modules <= LOOSE[folder]


def test_no_circle_of_modules():
    below: dict[Path, set[Path]] = {path: imported(path) for path in MODULES}
    while below:
        lowest = {path for path, targets in below.items() if not targets & below.keys()}
        assert lowest, sorted(map(name, below))
        below = {path: targets for path, targets in below.items() if path not in lowest}


def test_names_of_modules_are_unique():
    """An algorithm and its task may share a name, because they are about one thing."""
    seen: dict[str, str] = {}
    for path in MODULES:
        if path.stem.startswith("__") or wing(path).startswith("processing_provider/algorithms"):
            continue
        assert path.stem not in seen, (name(path), seen[path.stem])
        seen[path.stem] = name(path)


def test_core_imports_only_what_requirements_txt_names():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    requirements = [
        Requirement(line) for line in lines if line.strip() and not line.startswith("#")
    ]
    # An extra such as dask[distributed] names what it brings.
    named = {
        canonicalize_name(name)
        for requirement in requirements
        for name in (requirement.name, *requirement.extras)
    }
    found = {package for path in CORE for package, _ in imports(path) if package is not None}
    distributions = packages_distributions()
    for package in found - sys.stdlib_module_names:
        assert named & {canonicalize_name(name) for name in distributions[package]}, package


def test_the_rule_finds_a_science_package():
    assert {"numpy", "rasterio"} & foreign(ROOT / "core" / "grid" / "lattice.py")
