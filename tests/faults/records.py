"""What runs note for the next ones: journals with what a stopped build wrote, and manifests."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from hyp3_stack.core.retrieval.download.manifest import MANIFEST_NAME
from tests import running
from tests.build.interrupted import assert_same, interrupt, outputs
from tests.hyp3_server import Hyp3Service
from tests.retrieval.downloads import assert_complete
from tests.retrieval.products import Stack
from tests.sample_products import SampleSpec, write_products

from . import damage
from .core_runs import RIGHT, WRONG, Outcome, run_job

SHARE = 7

STOPS = (25, 45, 70, 91)
"""Percent of progress at which builds were stopped."""


def inputs() -> st.SearchStrategy[Any]:
    spoiled = st.tuples(
        st.sampled_from(["removed", "emptied", "cut", "zeroed", "flipped", "swapped", "grown"]),
        # Chunks by far outnumber the journal, which counts as much.
        st.sampled_from(["any", "any", "journal"]),
        damage.fractions,
        damage.fractions,
        st.integers(0, 99),
    )
    journals = st.fixed_dictionaries(
        {
            "what": st.just("journal"),
            "stop": st.sampled_from(STOPS),
            "damages": st.lists(spoiled, min_size=1, max_size=3),
        }
    )
    manifests = st.fixed_dictionaries(
        {
            "what": st.just("manifest"),
            "edits": st.just([]) | damage.json_edits,
            "bytes": st.just([]) | damage.byte_edits,
        }
    )
    return journals | manifests


def prepare(folder: Path, here: Path) -> None:
    spec = SampleSpec(
        products=3,
        rows=60,
        columns=64,
        noise=False,
        layers=("unw_phase", "corr", "water_mask"),
        sidecars=False,
    )
    write_products(folder / "in", spec)
    undisturbed = folder / "undisturbed"
    undisturbed.mkdir()
    running.build(folder / "in", **outputs(undisturbed))


def run(folder: Path, here: Path, recipe: Any) -> Outcome:
    return (
        _run_journal(folder, here, recipe)
        if recipe["what"] == "journal"
        else _run_manifest(here, recipe)
    )


def _run_journal(folder: Path, here: Path, recipe: Any) -> Outcome:
    out = here / "out"
    stopped = folder / str(recipe["stop"])
    if not stopped.exists():
        # A build goes on only where its outputs lie as they did.
        interrupt(folder / "in", recipe["stop"], **outputs(out))
        shutil.copytree(out, stopped)
        shutil.rmtree(out)
    shutil.copytree(stopped, out)
    files = sorted(path for path in out.rglob("*") if path.is_file() and path.name != "lock")
    journals = [path for path in files if path.name.startswith("journal")]
    for kind, what, *numbers in recipe["damages"]:
        among = [path for path in (journals if what == "journal" else files) if path.exists()]
        if among:
            spoil(among, kind, *numbers)
    answer = run_job(here, "buildstack", INPUT=str(folder / "in"), **outputs(out))
    refused = answer.refusal(out / "s.nc", out / "s.zarr")
    if refused:
        return refused
    try:
        assert_same(out, folder / "undisturbed")
    except AssertionError as error:
        return WRONG, str(error)
    left = running.leftovers(out)
    return (WRONG, f"left behind: {left}") if left else (RIGHT, "")


def spoil(files: list[Path], kind: str, which: float, place: float, number: int) -> None:
    """Do to one of the files what disks and people do."""
    path = files[int(which * len(files))]
    data = bytearray(path.read_bytes())
    at = int(place * len(data))
    if kind == "removed":
        path.unlink()
        return
    if kind == "cut":
        del data[at:]
    elif kind == "emptied":
        data.clear()
    elif kind == "zeroed":
        data[at:] = bytes(len(data) - at)
    elif kind == "flipped" and data:
        data[at] ^= 1 << number % 8
    elif kind == "grown":
        data += bytes(number + 1)
    elif kind == "swapped":
        other = files[int(place * len(files))]
        content = other.read_bytes()
        other.write_bytes(data)
        data = bytearray(content)
    path.write_bytes(data)


def _run_manifest(here: Path, recipe: Any) -> Outcome:
    with Hyp3Service() as service:
        os.environ.update(service.environment)
        jobs = Stack(service, here / "server").add(2, size=2000)
        credentials = {"token": service.accounts.token(service.user.name)}
        out = here / "out"
        given = {"API_URL": service.url, "OUTPUT": str(out)}
        first = run_job(here, "downloadproducts", credentials, **given)
        if first.code:
            raise RuntimeError(first.text)
        manifest = out / MANIFEST_NAME
        content = damage.edit_json(json.loads(manifest.read_text()), recipe["edits"])
        data = damage.edit_bytes(json.dumps(content, indent=1).encode(), recipe["bytes"])
        manifest.write_bytes(data)
        refused = run_job(here, "downloadproducts", credentials, **given).refusal()
        for job in jobs:
            try:
                assert_complete(out, job)
            except (AssertionError, OSError) as error:
                return WRONG, f"{job.archive.stem} is not whole ({error!r})"
        return refused or (RIGHT, "")
