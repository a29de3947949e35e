"""Written stacks with damage, which are assessed, appended to, inverted and exported."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import zarr
from hypothesis import strategies as st

from hyp3_stack.core.run.reporter import SilentReporter
from hyp3_stack.core.tasks import export_stack, invert_stack
from tests import running
from tests.damages import damaged_copy

from .core_runs import RIGHT, WRONG, Outcome, run_job
from .pixels import facts, judge, make_products, products_in, truths_in

SHARE = 7

GROUPS = ("spatially_optimized", "temporally_optimized")
FURTHER = {
    "invertstack": ("NETCDF", "d.nc", {}),
    "exportstack": ("OUTPUT", "rasters", {"FORMAT": "geotiff", "LAYERS": "unw_phase,corr"}),
}
"""Tasks that make something else: the parameter that names it, its name, and further ones."""


_TASKS = {"invertstack": invert_stack, "exportstack": export_stack}


def inputs() -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {
            "kind": st.sampled_from(["nc", "zarr"]),
            "task": st.sampled_from(["assess", "append", *FURTHER]),
            "seed": st.integers(0, 1 << 32),
        }
    )


def prepare(folder: Path, here: Path) -> None:
    make_products(folder / "in")
    first, second = products_in(folder / "in")
    shutil.copytree(first, folder / "first" / first.name)
    running.build(folder / "first", NETCDF=folder / "s.nc", ZARR=folder / "s.zarr")
    for task, (output, name, options) in FURTHER.items():
        given = {"INPUT": str(folder / "s.nc"), output: str(folder / name), **options}
        _TASKS[task].run(given, None, SilentReporter())


def run(folder: Path, here: Path, recipe: Any) -> Outcome:
    target = here / f"s.{recipe['kind']}"
    damage = damaged_copy(folder / target.name, target, recipe["seed"])
    before = _contents(target)
    if recipe["task"] == "assess":
        answer = run_job(here, "assessstack", INPUT=str(target), JSON=str(here / "a.json"))
        outcome = answer.refusal(here / "a.json", named=[str(target)]) or (RIGHT, "assessed")
    elif recipe["task"] in FURTHER:
        output, name, options = FURTHER[recipe["task"]]
        given = {"INPUT": str(target), output: str(here / name), **options}
        answer = run_job(here, recipe["task"], **given)
        outcome = answer.refusal(here / name, named=[str(target)]) or _compared(
            here / name, folder / name, damage
        )
        if outcome[0] == WRONG and _reads_as_another(folder / target.name, target):
            outcome = RIGHT, f"{damage}: the chunk is another that is whole"
    else:
        output = {"nc": "NETCDF", "zarr": "ZARR"}[recipe["kind"]]
        given = {"INPUT": str(folder / "in"), output: str(target), "APPEND": "true"}
        answer = run_job(here, "buildstack", **given)
        refused = answer.refusal(named=[str(target)])
        if refused is None:
            return _judge(target, folder, answer.warnings, damage)
        outcome = refused
    return outcome if _contents(target) == before else (WRONG, f"{damage}: the stack is touched")


def _judge(target: Path, folder: Path, warnings: tuple[str, ...], damage: str) -> Outcome:
    truths = truths_in(folder / "in")  # what is appended may reach beyond the grid
    for group in GROUPS if target.is_dir() else ("",):
        kind, text = judge(target, truths, warnings, may_crop=True, group=group)
        if kind != RIGHT:
            return kind, f"{damage}: {group} {text}"
    return RIGHT, ""


def _compared(made: Path, expected: Path, damage: str) -> Outcome:
    """Compare what was made of a damaged stack with what a whole one gives; facts may be others."""
    if made.suffix == ".nc":
        is_same = facts(made).drop_attrs().equals(facts(expected).drop_attrs())
        return (RIGHT, "") if is_same else (WRONG, f"{damage}: other values")
    for raster in expected.iterdir():
        with rasterio.open(made / raster.name) as one, rasterio.open(raster) as other:
            is_same = np.array_equal(one.read(), other.read(), equal_nan=True)
            if not is_same or one.transform != other.transform or one.crs != other.crs:
                return WRONG, f"{damage}: {raster.name} is other than it has to be"
    return RIGHT, ""


def _reads_as_another(whole: Path, damaged: Path) -> bool:
    """Return whether a chunk, which has no checksum, was changed into another that Zarr reads."""
    for path in whole.rglob("*"):
        changed = damaged / path.relative_to(whole)
        if path.is_file() and path.read_bytes() != changed.read_bytes():
            if path.name.startswith(".z") or path.suffix == ".json":
                return False
            try:
                zarr.open_array(changed.parent, mode="r")[:]
            except (RuntimeError, ValueError):
                return False
            return True
    return False


def _contents(target: Path) -> dict[str, bytes]:
    return running.contents(target) if target.is_dir() else {"": target.read_bytes()}
