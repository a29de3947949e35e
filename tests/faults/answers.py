"""Answers of the service: records of other types, broken JSON, odd statuses and headers."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import requests
from hypothesis import strategies as st

from tests.hyp3_server import Fault, Hyp3Service
from tests.retrieval.downloads import assert_complete
from tests.retrieval.products import Stack

from . import damage
from .core_runs import RIGHT, WRONG, Outcome, run_job

SHARE = 9

HEADERS = (
    {}, {}, {}, {"Content-Length": "7"}, {"Content-Encoding": "gzip"}, {"Content-Encoding": "br"},
    {"Content-Type": "text/html"}, {"Retry-After": "-1"},
    {"Content-Type": "application/json; charset=nonsense"}, {"X-Long": "a" * 70_000},
    {"Set-Cookie": "\xff=\xfe; Max-Age=99999999999999999999"}, {"Location": "//"},
)  # fmt: skip


def inputs() -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {
            "task": st.sampled_from(["findjobs", "downloadproducts"]),
            "edits": st.just([]) | damage.json_edits,
            "bytes": st.just([]) | st.just([]) | damage.byte_edits,
            "status": st.just(200)
            | st.sampled_from([201, 204, 206, 301, 302, 400, 401, 403, 404, 413, 451]),
            "headers": st.sampled_from(HEADERS),
        }
    )


def prepare(folder: Path, here: Path) -> None:
    """The service is begun anew for each input."""


def run(folder: Path, here: Path, recipe: Any) -> Outcome:
    with Hyp3Service() as service:
        os.environ.update(service.environment)
        stack = Stack(service, here / "server")
        jobs = stack.add(2, size=2000)
        token = service.accounts.token(service.user.name)
        answer = requests.get(
            f"{service.url}/jobs", headers={"Authorization": f"Bearer {token}"}, timeout=30
        )
        listing = answer.json()
        content = json.dumps(damage.edit_json(listing, recipe["edits"])).encode()
        content = damage.edit_bytes(content, recipe["bytes"])
        service.api_faults.add(
            "jobs",
            Fault(times=-1, status=recipe["status"], content=content, headers=recipe["headers"]),
        )
        given = {"API_URL": service.url}
        place = {"findjobs": "WORK_FOLDER", "downloadproducts": "OUTPUT"}[recipe["task"]]
        given[place] = str(here / "out")
        (here / "out").mkdir()
        found = run_job(here, recipe["task"], {"token": token}, **given)
        refused = found.refusal(here / "out" / "jobs.geojson")
        if refused:
            return refused
        untouched = _untouched(content, listing)
        if recipe["task"] == "findjobs":
            features = json.loads((here / "out" / "jobs.geojson").read_text())["features"]
            there = {str(feature["properties"].get("job_id")) for feature in features}
            missing = untouched - there
        else:
            missing = {job.job_id for job in jobs if job.job_id in untouched}
            for job in jobs:
                product = here / "out" / job.archive.stem
                if product.is_dir():
                    assert_complete(here / "out", job)
                    missing.discard(job.job_id)
        if missing:
            return WRONG, f"without {missing}, whose records are whole; warnings: {found.warnings}"
        return RIGHT, ""


def _untouched(content: bytes, listing: Any) -> set[str]:
    """Return the ids of jobs whose records are in an answer as they were."""
    try:
        records = json.loads(content)["jobs"]
    except (ValueError, LookupError, TypeError):
        return set()
    return {record["job_id"] for record in listing["jobs"] if record in records}
