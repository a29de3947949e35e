"""From an area to orders: edited layers, options, answers of catalog and service, journals.

Whatever comes: nothing is ordered unasked, twice, or for more than was confirmed.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from hyp3_stack.core.contract import PARAMETERS
from hyp3_stack.core.retrieval.ordering.job_requests import JobRequest
from tests.hyp3_server import Fault, Hyp3Service
from tests.hyp3_server.sky import Sky
from tests.retrieval.ordering.plans import burst_pairs, plan, scenes

from . import damage
from .answers import HEADERS
from .core_runs import RIGHT, WRONG, Answer, Outcome, run_job

SHARE = 9

TASKS = {
    "searchscenes": ("POST /search",),
    "planpairs": ("GET /costs", "GET /user"),
    "orderpairs": ("GET /costs", "GET /jobs", "GET /user", "POST /jobs", "POST /search"),
    "watchjobs": ("GET /jobs",),
    "resubmitjobs": ("GET /costs", "GET /jobs", "GET /user", "POST /jobs"),
}
"""By task: answers that may be spoiled."""

SENSIBLE = {
    "SEASONS": ["all", "1-3", "11-2,6", "summer"],
    "MAX_BASELINE": [0, 1.5, 1e9],
    "NEIGHBORS": [1, 3, "99"],
    "BRIDGES": ["none", "years", "gaps"],
    "JOB_TYPE": ["any", "INSAR_GAMMA", "INSAR_ISCE_MULTI_BURST"],
    "LOOKS": ["20x4", "10x2", "5x1"],
    "INCLUDE": ["none", "dem,look_vectors"],
    "EXTENT": ["179,-179,35,36 [EPSG:4326]", "-117.9,-117.7,89,90 [EPSG:4326]", "0,1,0,1"],
    "DIRECTION": ["ascending", "descending", "any"],
    "START": ["2021-01-01", "2040-01-01"],
    "NAME": ["<b>x</b>", "a,b", "x" * 101],
}

NOT_ODD = {"API_URL", "PROXIES", "JOURNAL_FOLDER", "WAIT", "INTERVAL", "CONFIRM", "WORK_FOLDER"}
STATES = ("SUCCEEDED", "FAILED", "RUNNING", "PENDING")
KEPT = ("path", "time", "frame_or_burst", "state_vectors")
"""Columns of a scene that follow from its own entry in the catalog."""
NAME = "ridge"
PLAN = burst_pairs(4)
PRICE = float(len(PLAN))
RING = [[-117.9, 35.25], [-117.7, 35.25], [-117.8, 35.4], [-117.9, 35.25]]
AREA = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {},
            "geometry": {"type": "Polygon", "coordinates": [RING]},
        }
    ],
}


def inputs() -> st.SearchStrategy[Any]:
    def of_task(task: str) -> st.SearchStrategy[Any]:
        options = st.sampled_from(sorted(PARAMETERS[task] - NOT_ODD)).flatmap(
            lambda name: st.tuples(
                st.just(name), st.sampled_from(SENSIBLE.get(name, [None])) | damage.odd_values
            )
        )
        return st.fixed_dictionaries(
            {
                "task": st.just(task),
                "given": damage.rarely(st.lists(options, max_size=2)),
                "layer": st.just([]) | damage.json_edits,
                "spoiled": st.sampled_from(TASKS[task]),
                "edits": st.just([]) | damage.json_edits,
                "bytes": damage.rarely(damage.byte_edits),
                # The catalog is asked again for minutes where an answer breaks off.
                "headers": st.sampled_from(HEADERS[: 3 if task == "searchscenes" else None]),
                "confirmed": st.booleans(),
                "journal": st.just([]) | damage.json_edits,
                "journal_bytes": damage.rarely(damage.byte_edits),
            }
        )

    return st.sampled_from([*TASKS, "orderpairs", "planpairs"]).flatmap(of_task)


def prepare(folder: Path, here: Path) -> None:
    """The services are begun anew for each input."""


def run(folder: Path, here: Path, recipe: Any) -> Outcome:
    with Hyp3Service() as service:
        os.environ.update(service.environment)
        attempt = _Attempt(service, here, recipe)
        task = recipe["task"]
        if task in ("searchscenes", "planpairs"):
            return attempt.search() if task == "searchscenes" else attempt.plan()
        return attempt.order()


class _Attempt:
    """One input for the services on 127.0.0.1."""

    def __init__(self, service: Hyp3Service, here: Path, recipe: Any) -> None:
        self.service, self.here, self.recipe = service, here, recipe
        self.login = {"token": service.accounts.token(service.user.name)}
        self.untouched: set[str] = set()
        sky = Sky()
        passes = [sky.burst(day, n, 1, (0.0, day)) for day in range(0, 60, 12) for n in range(3)]
        service.catalog.update({scene.name: scene for scene in passes})
        service.know_scenes(scenes(PLAN))

    def run(self, task: str, **given: Any) -> Answer:
        """Run a task, with what is fixed for all."""
        if "API_URL" in PARAMETERS[task]:
            given["API_URL"] = self.service.url
        return run_job(self.here, task, self.login, **given)

    def run_spoiled(self, given: Mapping[str, Any]) -> Answer:
        """Run the task of the input as that says."""
        recipe = self.recipe
        if recipe["edits"] or recipe["bytes"] or recipe["headers"]:
            self.service.spoil = self._spoiled
        return self.run(recipe["task"], **{**given, **dict(recipe["given"])})

    def search(self) -> Outcome:
        clean = self._searched()
        area = self._edited(AREA)
        target = self.here / "spoiled.geojson"
        given = {"AREA": area, "OUTPUT": str(target), "REPORT": str(self.here / "s.html")}
        answer = self.run_spoiled(given)
        refused = answer.refusal(target)
        if refused or answer.outputs["OUTPUT"] != str(target):
            return refused or (RIGHT, "elsewhere")
        expected = {row["granule"]: row for row in _rows(clean)}
        for row in _rows(json.loads(target.read_text())):
            name = row["granule"]
            if name in self.untouched and any(row[key] != expected[name][key] for key in KEPT):
                return WRONG, f"{row} was {expected[name]}"
        return RIGHT, ""

    def plan(self) -> Outcome:
        clean = self._searched()
        target = self.here / "pairs.geojson"
        layer = self._edited(clean)
        given = {"INPUT": layer, "OUTPUT": str(target), "REPORT": str(self.here / "p.html")}
        answer = self.run_spoiled(given)
        refused = answer.refusal(target)
        if refused or answer.outputs["OUTPUT"] != str(target):
            return refused or (RIGHT, "elsewhere")
        known = json.dumps(layer)
        for pair in _rows(json.loads(target.read_text())):
            names = [*pair["reference"].split(","), *pair["secondary"].split(",")]
            if not all(json.dumps(name)[1:-1] in known for name in names):
                return WRONG, f"{pair} is of other scenes"
            if not pair["reference_date"] < pair["secondary_date"]:
                return WRONG, f"{pair} is not in the order of time"
        return RIGHT, ""

    def order(self) -> Outcome:
        recipe, service, task = self.recipe, self.service, self.recipe["task"]
        journal = self.here / "orders" / "journal.json"
        base = {"MAX_CREDITS": 1000, "JOURNAL": str(journal)}
        first = {**base, "INPUT": plan(PLAN), "NAME": NAME, "CONFIRM": PRICE}
        if task != "orderpairs" or recipe["journal"] or recipe["journal_bytes"]:
            answer = self.run("orderpairs", **first)
            if answer.code:
                raise RuntimeError(answer.text)
            document = damage.edit_json(json.loads(journal.read_text()), recipe["journal"])
            journal.write_bytes(
                damage.edit_bytes(json.dumps(document).encode(), recipe["journal_bytes"])
            )
        before = set(service.jobs)
        if task == "watchjobs":
            answer = self.run_spoiled({"PROJECT": NAME})
            counts = [answer.outputs.get(name, 0) for name in STATES]
            refused = answer.refusal()
            if refused is None and sum(counts) != answer.outputs["COUNT"]:
                return WRONG, f"{answer.outputs}"
            return refused or (RIGHT, "")
        if task == "resubmitjobs":
            for job_id in sorted(before)[:2]:
                service.fail(job_id)
            given = {**base, "PROJECT": NAME, **({"CONFIRM": 2.0} if recipe["confirmed"] else {})}
        else:
            given = {**first, "INPUT": self._edited(first["INPUT"])}
            if not recipe["confirmed"]:
                del given["CONFIRM"]
        answer = self.run_spoiled(given)
        new = [service.jobs[job_id] for job_id in service.jobs.keys() - before]
        paid = 8000 - service.user.remaining_credits - (PRICE if before else 0)
        most = given.get("CONFIRM", 0.0)
        keys = Counter(
            JobRequest(job.record["job_type"], job.record["job_parameters"]).key
            for job in service.jobs.values() if job.record["status_code"] != "FAILED"
        )  # fmt: skip
        if paid > most or len(new) > most or (keys and max(keys.values()) > 1):
            return WRONG, f"{len(new)} ordered for {paid} of {most} credits, {keys}; {answer}"
        refused = answer.refusal()
        if refused is None and not {job.job_id for job in new} <= set(answer.outputs["JOBS"]):
            return WRONG, f"{new} are not among {answer.outputs['JOBS']}"
        return refused or (RIGHT, "")

    def _edited(self, layer: Any) -> Any:
        """Return a layer whose features are as the input says."""
        return {**layer, "features": damage.edit_json(layer["features"], self.recipe["layer"])}

    def _searched(self) -> Any:
        """Return the layer of scenes of a search in which nothing goes wrong."""
        target = self.here / "scenes.geojson"
        answer = self.run("searchscenes", EXTENT="-117.9,-117.7,35.25,35.4 [EPSG:4326]",
                          START="2020-07-01", OUTPUT=str(target))  # fmt: skip
        if answer.code:
            raise RuntimeError(answer.text)
        return json.loads(target.read_text())

    def _spoiled(self, asked: str, original: bytes) -> Fault | None:
        """Return what is answered in place of an answer; orders themselves are left alone."""
        recipe = self.recipe
        is_order = asked == "POST /jobs" and b'"validate_only": true' not in original
        if not asked.startswith(recipe["spoiled"]) or is_order:
            return None
        content = json.dumps(damage.edit_json(json.loads(original), recipe["edits"])).encode()
        content = damage.edit_bytes(content, recipe["bytes"])
        self.untouched |= _whole(json.loads(original), content)
        return Fault(status=200, content=content, headers=recipe["headers"])


def _whole(original: Any, content: bytes) -> set[str]:
    """Return the names of scenes whose entries in an answer of the catalog are as they were."""
    try:
        items = json.loads(content)["items"]
        whole = [item for item in original["items"] if item in items]
    except (ValueError, LookupError, TypeError):
        return set()
    return {item["umm"]["DataGranule"]["Identifiers"][0]["Identifier"] for item in whole}


def _rows(layer: Any) -> list[dict[str, Any]]:
    return [feature["properties"] for feature in layer["features"]]
