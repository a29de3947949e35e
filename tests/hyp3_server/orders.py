"""Orders as HyP3 takes them: its schema, its rules, its prices; written from its documentation."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Set
from datetime import datetime, timedelta
from typing import Any

MOST_JOBS = 200
CATALOG_PAGE = 2000
"""Scenes that the service asks the catalog for at once; it takes those beyond for missing."""

_FRAME = r"S1[ABCD]_IW_SLC__1S[SD][VH].*"
_GRD = r"S1[ABCD]_IW_(GRDH|SLC_)_1S[SD][VH].*"
_BURST = r"S1_\d{6}_IW.*-BURST"
_LISTED_BURST = r"S1_\d{6}_IW\d_\d{8}T\d{6}_[VH]{2}_[\dA-F]{4}-BURST"

_LOOKS = ("20x4", "10x2", "5x1")

OPTIONS: dict[str, dict[str, tuple[Any, Any]]] = {
    "INSAR_GAMMA": {
        **{
            f"include_{what}": (False, bool)
            for what in (
                "look_vectors",
                "los_displacement",
                "displacement_maps",
                "inc_map",
                "dem",
                "wrapped_phase",
            )
        },
        "apply_water_mask": (False, bool),
        "looks": ("20x4", _LOOKS[:2]),
        "phase_filter_parameter": (0.6, (0.0, 1.0)),
    },
    "INSAR_ISCE_BURST": {"apply_water_mask": (False, bool), "looks": ("20x4", _LOOKS)},
    "INSAR_ISCE_MULTI_BURST": {"apply_water_mask": (False, bool), "looks": ("20x4", _LOOKS)},
    "RTC_GAMMA": {
        "resolution": (30.0, (10.0, 30.0)),
        "radiometry": ("gamma0", ("gamma0", "sigma0")),
        "scale": ("power", ("power", "decibel", "amplitude")),
        "dem_name": ("copernicus", ("copernicus",)),
        **{
            name: (False, bool)
            for name in (
                "speckle_filter",
                "dem_matching",
                "include_dem",
                "include_inc_map",
                "include_scattering_area",
                "include_rgb",
            )
        },
    },
}
"""By job type and parameter: the default, and what is allowed."""

# By parameter: form of a name, its length, fewest and most names.
_SCENES: dict[str, dict[str, tuple[str, int, int, int]]] = {
    "INSAR_GAMMA": {"granules": (_FRAME, 67, 2, 2)},
    "INSAR_ISCE_BURST": {"granules": (_BURST, 43, 2, 2)},
    "INSAR_ISCE_MULTI_BURST": {
        "reference": (_LISTED_BURST, 43, 0, 1000),
        "secondary": (_LISTED_BURST, 43, 0, 1000),
    },
    "RTC_GAMMA": {"granules": (_GRD, 67, 1, 1)},
}

# Types that make no pairs: what they require, and what they cost.
_OTHERS: dict[str, tuple[tuple[str, ...], float]] = {
    "AK_FIRE_SAFE": (("extent", "input_bucket", "input_prefix"), 1),
    "ARIA_RAIDER": (("gunw_job_id", "weather_model"), 1),
    "ARIA_S1_COSEIS": (("granules", "secondary_granules", "frame_id"), 1),
    "ARIA_S1_GUNW": (("reference_date", "secondary_date", "frame_id"), 60),
    "ARTRAFF_RTC": (("dem", "granule"), 1),
    "AUTORIFT": (("granules",), 25),
    "FIRE_TRACK": (("input_bucket", "input_prefix"), 1),
    "INSAR_ISCE": (("granules", "secondary_granules", "frame_id"), 1),
    "ITS_LIVE_CROP": (("granule_uri",), 1),
    "ITS_LIVE_CROP_BULK": (("granules_parquet",), 1),
    "ITS_LIVE_META_BULK": (("granules_parquet",), 1),
    "NISAR_GUNW": (("granules",), 1),
    "OPERA_DISP_TMS": (("frame_ids",), 10001),
    "OPERA_DIST_S1": (("mgrs_tile_id", "track_number", "post_date"), 1),
    "OPERA_DIST_S1_CONFIRMATION": (("dist_s1_data_bucket", "dist_s1_data_job_ids"), 1),
    "PISM_TERRA_EXECUTE": (("run_script",), 1),
    "PISM_TERRA_RUN_FORWARD": (("rgi_id",), 1),
    "PISM_TERRA_RUN_INVERSE": (("rgi_id",), 1),
    "SLIMSAR_TDBP": (("data_fp", "nav_fp", "dem_fp"), 1),
    "SRG_GSLC": (("granules", "bounds"), 1),
    "SRG_TIME_SERIES": (("granules", "bounds"), 1),
    "VOLCSARVATORY_MINTPY": ((), 1),
    "WATER_MAP": (("granules",), 1),
    "WATER_MAP_EQ": (("granules",), 1),
}

COSTS: dict[str, Any] = {
    **{name: {"cost": float(cost)} for name, (_, cost) in _OTHERS.items()},
    "INSAR_GAMMA": {"cost_parameters": ["looks"], "cost_table": {"20x4": 10, "10x2": 15}},
    "INSAR_ISCE_BURST": {"cost": 1},
    "INSAR_ISCE_MULTI_BURST": {
        "cost_parameters": ["looks", "reference"],
        "cost_table": {
            looks: {str(count): credits for count, credits in enumerate(row, start=1)}
            for looks, row in (
                ("20x4", [1] * 4 + [5] * 8 + [10] * 3),
                ("10x2", [1] * 3 + [5] * 6 + [10] * 6),
                ("5x1", [1, *range(5, 50, 5), *range(90, 115, 5)]),
            )
        },
    },
    "RTC_GAMMA": {"cost_parameters": ["resolution"], "cost_table": {"30": 5, "20": 15, "10": 60}},
}


class Refused(Exception):
    """The service refuses an order.

    Parameters
    ----------
    status
        Of the answer.
    detail
        Its words.
    """

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


def checked_order(body: Any) -> tuple[list[dict[str, Any]], bool]:
    """Return the jobs of an order with defaults filled in, and whether they are only checked."""
    if not isinstance(body, dict) or not body.keys() <= {"jobs", "validate_only"}:
        raise _bad_schema()
    jobs, is_trial = body.get("jobs"), body.get("validate_only", False)
    if not isinstance(jobs, list) or not 1 <= len(jobs) <= MOST_JOBS or type(is_trial) is not bool:
        raise _bad_schema()
    return [_checked_job(job) for job in jobs], is_trial


def check_scenes(jobs: list[dict[str, Any]], known: Set[str]) -> None:
    """Check jobs as the service does while the catalog answers it."""
    names = list(dict.fromkeys(name for job in jobs for name in scenes_of(job)))
    missing = [name for name in names if name not in known] + names[CATALOG_PAGE:]
    if missing:
        listed = ", ".join(missing)
        raise Refused(400, f"Some requested scenes could not be found: {listed}")
    for job in jobs:
        parameters = job["job_parameters"]
        if job["job_type"] == "INSAR_ISCE_BURST":
            first, second = parameters["granules"]
            _check_bursts([first], [second])
        elif job["job_type"] == "INSAR_ISCE_MULTI_BURST":
            _check_bursts(parameters["reference"], parameters["secondary"])


def scenes_of(job: Mapping[str, Any]) -> list[str]:
    """Return the names of a job's scenes."""
    lists = _SCENES.get(job["job_type"], ())
    return [name for key in lists for name in job["job_parameters"][key]]


def price(job: Mapping[str, Any]) -> float:
    """Return the credits that a job costs."""
    row = COSTS[job["job_type"]]
    found: Any = row.get("cost_table", row.get("cost"))
    for name in row.get("cost_parameters", ()):
        value = job["job_parameters"][name]
        if isinstance(value, list):
            value = len(value)
        found = found[value if isinstance(value, str) else str(int(value))]
    return float(found)


def stored_record(
    job: Mapping[str, Any], user: str, moment: datetime, credits_left: float
) -> dict[str, Any]:
    """Return the record of a job that was just ordered."""
    job_id = str(uuid.uuid4())
    return {
        "job_id": job_id,
        "user_id": user,
        "status_code": "PENDING",
        "execution_started": False,
        "request_time": moment.isoformat(timespec="seconds"),
        "priority": int(min(max(credits_left, 0.0), 9999.0)),
        "job_parameters": job["job_parameters"],
        "job_type": job["job_type"],
        **({"name": job["name"]} if "name" in job else {}),
        "bucket": "local-bucket",
        "bucket_prefix": job_id,
        "credit_cost": price(job),
    }


def _checked_job(job: Any) -> dict[str, Any]:
    if not isinstance(job, dict) or not {"job_type", "job_parameters"} <= job.keys():
        raise _bad_schema()
    kind, given = job["job_type"], job["job_parameters"]
    is_known = kind in COSTS and isinstance(given, dict)
    if not is_known or not job.keys() <= {
        "job_type",
        "job_parameters",
        "name",
        "bucket",
        "bucket_prefix",
    }:
        raise _bad_schema()
    if "name" in job and not (isinstance(job["name"], str) and 1 <= len(job["name"]) <= 100):
        raise _bad_schema()
    if kind in _OTHERS:
        if not given.keys() >= set(_OTHERS[kind][0]):
            raise _bad_schema()
        return job
    lists, options = _SCENES[kind], OPTIONS[kind]
    if not given.keys() <= lists.keys() | options.keys():
        raise _bad_schema()
    for name, (form, length, fewest, most) in lists.items():
        scenes = given.get(name)
        if not isinstance(scenes, list) or not fewest <= len(scenes) <= most:
            raise _bad_schema()
        if not all(
            isinstance(scene, str) and len(scene) == length and re.fullmatch(form, scene)
            for scene in scenes
        ):
            raise _bad_schema()
    for name, value in given.items():
        if name in options and not _allowed(value, options[name][1]):
            raise _bad_schema()
    defaults = {name: default for name, (default, _) in options.items()}
    return {**job, "job_parameters": {**defaults, **given}}


def _allowed(value: Any, allowed: Any) -> bool:
    if allowed is bool:
        return type(value) is bool
    if isinstance(allowed[0], float):
        is_number = isinstance(value, int | float) and type(value) is not bool
        return is_number and allowed[0] <= value <= allowed[1]
    return value in allowed


def _check_bursts(reference: list[str], secondary: list[str]) -> None:
    if len(reference) > 15 or len(secondary) > 15 or not reference or not secondary:
        raise Refused(400, "Must provide between 1 and 15 scenes as reference and as secondary")
    sides = [[name.split("_") for name in names] for names in (reference, secondary)]
    grounds = [sorted((part[1], part[2], part[4]) for part in side) for side in sides]
    if grounds[0] != grounds[1]:
        raise Refused(400, "Burst numbers, swaths or polarizations do not match")
    if len(set(map(tuple, grounds[0]))) != len(grounds[0]):
        raise Refused(400, "The same burst is given twice")
    polarizations = {ground[2] for ground in grounds[0]}
    if len(polarizations) != 1 or polarizations > {"VV", "HH"} or not polarizations <= {"VV", "HH"}:
        raise Refused(400, f"Only VV and HH can be processed, not {sorted(polarizations)}")
    times = [[datetime.strptime(part[3], "%Y%m%dT%H%M%S") for part in side] for side in sides]
    for side in times:
        if max(side) - min(side) > timedelta(minutes=2):
            raise Refused(400, "Scenes of one side must be acquired within 2 minutes")
    if max(times[0]) >= min(times[1]):
        raise Refused(400, "Reference scenes must be older than secondary scenes")


def _bad_schema() -> Refused:
    return Refused(400, "Bad Request")
