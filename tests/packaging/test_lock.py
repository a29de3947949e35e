"""The lock files: complete, hashed, and free of places to download from."""

import re

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .conftest import ROOT


def entries(name):
    """Return {package: (requirement, hashes)} of a lock file."""
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    locked = {}
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            head, *hashes = re.split(r"\s+--hash=", line.strip())
            requirement = Requirement(head)
            key = canonicalize_name(requirement.name)
            assert key not in locked, f"{key} is locked twice"
            locked[key] = (requirement, hashes)
    return locked


def wanted(name):
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return [
        Requirement(line.split("#")[0])
        for line in lines
        if line.strip() and not line.startswith(("#", "-c"))
    ]


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_exact_versions_with_hashes(name):
    for package, (requirement, hashes) in entries(name).items():
        assert re.fullmatch(r"==[^,*]+", str(requirement.specifier)), package
        assert hashes, package
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", value.strip()) for value in hashes)


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_no_index_and_no_path(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert not re.search(r"://|^\s*-(i|e|f)\b|--(extra-)?index|--find-links|@|\./", text, re.M)


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_lock_satisfies_the_ranges(name):
    locked = entries(f"{name}.lock")
    for requirement in wanted(f"{name}.txt"):
        version = next(iter(locked[canonicalize_name(requirement.name)][0].specifier)).version
        assert requirement.specifier.contains(version), requirement


def test_both_locks_agree():
    core, tools = entries("requirements.lock"), entries("requirements-dev.lock")
    for package in core.keys() & tools.keys():
        assert core[package][0].specifier == tools[package][0].specifier
