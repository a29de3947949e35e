"""Assessments of stacks that nobody changes, and copies of stacks that a test may change."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from hyp3_stack.core.assessment.assess import Assessment, assess_stack

from ..written_stacks import Written

Assess = Callable[[Path], Assessment]


@pytest.fixture(scope="session")
def assessed() -> Assess:
    """Return the assessment of a stack that nobody changes, made once."""
    return functools.cache(assess_stack)


@pytest.fixture
def file_copy(gamma_stack: Written, tmp_path: Path) -> Path:
    return Path(shutil.copy(gamma_stack.netcdf, tmp_path / "s.nc"))


@pytest.fixture
def store_copy(gamma_stack: Written, tmp_path: Path) -> Path:
    return Path(shutil.copytree(gamma_stack.zarr, tmp_path / "s.zarr"))
