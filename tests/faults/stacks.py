"""Written stacks with damage, which are assessed and appended to."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from tests import running
from tests.damages import damaged_copy

from .core_runs import RIGHT, WRONG, Outcome, run_job
from .pixels import judge, make_products, products_in, truths_in

SHARE = 4

GROUPS = ("spatially_optimized", "temporally_optimized")


def inputs() -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {
            "kind": st.sampled_from(["nc", "zarr"]),
            "task": st.sampled_from(["assess", "append"]),
            "seed": st.integers(0, 1 << 32),
        }
    )


def prepare(folder: Path, here: Path) -> None:
    make_products(folder / "in")
    first, second = products_in(folder / "in")
    shutil.copytree(first, folder / "first" / first.name)
    running.build(folder / "first", NETCDF=folder / "s.nc", ZARR=folder / "s.zarr")


def run(folder: Path, here: Path, recipe: Any) -> Outcome:
    target = here / f"s.{recipe['kind']}"
    damage = damaged_copy(folder / target.name, target, recipe["seed"])
    before = _contents(target)
    if recipe["task"] == "assess":
        answer = run_job(here, "assessstack", INPUT=str(target), JSON=str(here / "a.json"))
        outcome = answer.refusal(here / "a.json", named=[str(target)]) or (RIGHT, "assessed")
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


def _contents(target: Path) -> dict[str, bytes]:
    return running.contents(target) if target.is_dir() else {"": target.read_bytes()}
