"""Jobs: documents that are none, and parameters of any type and value."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from hyp3_stack.core.contract import PARAMETERS
from hyp3_stack.core.run.reporter import SilentReporter
from hyp3_stack.core.tasks import invert_stack
from tests import running

from . import damage
from .core_runs import RIGHT, WRONG, Outcome, run_document
from .pixels import judge, make_products, products_in, truths_in

SHARE = 16

SENSIBLE = {
    "EXTENT": [
        "773500,775500,3845500,3847500 [EPSG:32610]", "-120.01,-120,34.72,34.73 [EPSG:4326]",
        "170,-170,-10,10 [EPSG:4326]", {"bounds": [0, 0, 1, 1], "crs": "EPSG:32610"},
    ],
    "TARGET_CRS": ["EPSG:32610", "EPSG:32611", "EPSG:4326", "EPSG:3031", "+proj=longlat"],
    "EXTENT_MODE": ["union", "intersection"],
    "RESAMPLING": ["auto", "nearest", "bilinear", "cubic"],
    "SCALE": ["as_delivered", "power", "amplitude", "decibel"],
    "KEEP_BITS": ["corr=6", "unw_phase=12,corr=99", "amp=3", "corr=", "corr=6,corr=7"],
    "CHUNKING": ["spatial", "temporal", "both"],
    "CHUNK_SIZE": [0.01, 512, "0.1"],
    "ZARR_FORMAT": [2, "3"],
    "REFERENCE_POINT": ["auto", "34.725,-120.0", "34.725 -120.0", "0,0"],
    "STATIC_LAYERS": ["once", "per_pair"],
    "ON_BAD_PRODUCT": ["stop", "skip"],
    "START": ["2023-01-01", "2023-01-25", "2040-01-01"],
    "END": ["2023-01-20", "2000-01-01"],
    "LAYERS": ["corr", "corr,unw_phase", "dem", "corr,nothing"],
    "MEMORY": [450, 1000, 1e6],
    "PRODUCT_TYPE": ["INSAR_GAMMA", "RTC_GAMMA"],
    "DATA_ACCESS": ["https://example.org/x", "doi:10.1/2"],
    "FORMAT": ["mintpy", "insar_explorer", "geotiff", "series", "pyramid"],
    "STEPS_AS": ["files", "bands"],
    "POINTS": [{"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {"<b>": "=1+1", "x": 1e400}, "geometry": {
            "type": "Point", "coordinates": [-120.0, 34.725]}}]}],
    "REFERENCE_AREA": ["auto", "34.725,-120.0", "0,0", "773500,775500,3845500,3847500"],
    "WEIGHTS": ["none", "coherence", "variance"],
    "GAPS": ["minimum_norm", "linear"],
    "REPAIR": ["islands", "closure", "both"],
    "SEASONAL": ["annual"],
    "DERAMP": ["linear", "quadratic"],
    "STEPS": ["2023-01-20", "2023-01-20,2023-01-20", "1900-01-01"],
    "POLYNOMIAL": [0, 3],
    "TROPOSPHERE": ["none", "height"],
}  # fmt: skip
"""Values that lead deeper into the core than odd ones do."""

OF_VALUES = {"SCALE", "KEEP_BITS", "REFERENCE_POINT", "MASKS", "TARGET_CRS"}
"""Parameters that change pixels, as they are meant to."""


PLACES = {
    "buildstack": ("in", "NETCDF", "s.nc"),
    "harmonizeproducts": ("in", "OUTPUT", "out"),
    "assessstack": ("good.nc", "JSON", "a.json"),
    "invertstack": ("good.nc", "NETCDF", "s.nc"),
    "exportstack": ("inverted.nc", "OUTPUT", "out"),
}
"""By task: what it reads, and which parameter names what it writes."""


def inputs() -> st.SearchStrategy[Any]:
    flags = st.booleans() | st.sampled_from(["true", "no", 1, 0, "maybe"])

    def parameters(task: str) -> st.SearchStrategy[Any]:
        names = sorted(PARAMETERS[task] - {"ZARR_URL", "S3_ENDPOINT", "S3_PROFILE", "SCHEDULER"})
        names += ["input", "CHUNKSIZE", ""]
        value = st.sampled_from(names).flatmap(
            lambda name: st.tuples(
                st.just(name),
                (st.sampled_from(SENSIBLE[name]) if name in SENSIBLE else flags)
                | damage.odd_values,
            )
        )
        return st.fixed_dictionaries(
            {
                "task": st.just(task),
                "given": st.lists(value, max_size=3),
                "edits": damage.rarely(damage.json_edits),
                "bytes": damage.rarely(damage.byte_edits),
            }
        )

    tasks = ["buildstack"] * 3 + [*list(PLACES)[1:]]
    return st.sampled_from(tasks).flatmap(parameters)


def prepare(folder: Path, here: Path) -> None:
    make_products(folder / "in")
    running.build(folder / "in", NETCDF=folder / "good.nc")
    given = {"INPUT": str(folder / "good.nc"), "NETCDF": str(folder / "inverted.nc")}
    invert_stack.run(given, None, SilentReporter())


def run(folder: Path, here: Path, recipe: Any) -> Outcome:
    source, output, target = PLACES[recipe["task"]]
    given = {"INPUT": str(folder / source), output: str(here / target), **dict(recipe["given"])}
    job = {"protocol": 1, "task": recipe["task"], "parameters": given}
    job = _kept_here(damage.edit_json(job, recipe["edits"]), here, str(folder))
    document = damage.edit_bytes(json.dumps(job).encode(), recipe["bytes"])
    answer = run_document(here, document)
    refused = answer.refusal()
    if refused:
        return refused
    if len(products_in(folder / "in")) != 2 or len(list(folder.iterdir())) != 3:
        raise RuntimeError("inputs were touched")
    path = answer.outputs.get("NETCDF")
    for made in (path, *answer.outputs.get("FILES", ())):
        if made and not Path(made).exists():
            return WRONG, f"{made} is not there"
    if path is None or recipe["task"] != "buildstack":
        return RIGHT, ""
    # What was asked for is in the document, whatever became of the recipe.
    asked = json.loads(document.decode("utf-8-sig"))["parameters"]
    if OF_VALUES & {name for name in asked if asked[name] not in (None, "")}:
        return RIGHT, "with other values, as asked for"
    return judge(Path(path), truths_in(folder / "in"), answer.warnings, may_lack=True)


def _kept_here(value: Any, here: Path, folder: str) -> Any:
    """Return a document whose absolute paths lie in a folder, and without endless numbers."""
    if isinstance(value, dict):
        return {name: _kept_here(item, here, folder) for name, item in value.items()}
    if isinstance(value, list):
        return [_kept_here(item, here, folder) for item in value]
    if isinstance(value, str) and value.startswith("/") and value != "/dev/null":
        return value if value.startswith((str(here), folder)) else f"{here}{value}"
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else value
    return value
