"""Which side may import what: the core no QGIS, the QGIS side nothing that QGIS lacks."""

import ast
import sys
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


def imports(path):
    """Yield (top-level package or None, module file or None) of each import statement."""
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


@pytest.mark.parametrize("path", CORE, ids=name)
def test_core_imports_no_qgis(path):
    found = {package for package, _ in imports(path)}
    assert not found & {"qgis", "osgeo", "PyQt5", "PyQt6", "processing"}


@pytest.mark.parametrize("path", CORE, ids=name)
def test_core_does_not_import_the_qgis_side(path):
    for _, module in imports(path):
        if module is not None:
            assert ROOT / "core" in [module, *module.parents]


@pytest.mark.parametrize("path", QGIS_SIDE, ids=name)
def test_qgis_side_needs_only_what_qgis_has(path):
    assert foreign(path) <= sys.stdlib_module_names | {"qgis", "osgeo", "processing"}


@pytest.mark.parametrize("path", QGIS_SIDE, ids=name)
def test_qgis_side_calls_zip_as_python_3_9_does(path):
    """Some builds of QGIS 3.40 have that Python, where zip knows no ``strict``."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    strict = [
        call.lineno
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id == "zip" and call.keywords
    ]
    assert not strict


ORDER = ("products", "grid", "stack", "files", "tasks")
"""Folders of the core in the way of the data: each imports those before it."""


@pytest.mark.parametrize("place", range(len(ORDER)), ids=ORDER)
def test_imports_go_one_way(place):
    later = {ROOT / "core" / folder for folder in ORDER[place + 1 :]}
    paths = sorted((ROOT / "core" / ORDER[place]).rglob("*.py"))
    assert paths
    for path in paths:
        for _, module in imports(path):
            assert module is None or not later & {module, *module.parents}, (name(path), module)


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
