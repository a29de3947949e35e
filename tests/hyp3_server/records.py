"""Job records in HyP3's schema, made from product archives or from nothing."""

from __future__ import annotations

import re
import uuid
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

JOB_TYPES = (
    "AUTORIFT",
    "INSAR_GAMMA",
    "RTC_GAMMA",
    "INSAR_ISCE_BURST",
    "INSAR_ISCE_MULTI_BURST",
    "ARIA_S1_GUNW",
    "OPERA_DISP_TMS",
)
STATUSES = ("PENDING", "RUNNING", "SUCCEEDED", "FAILED")

_NAMES = {
    "INSAR_GAMMA": r"S1[A-D]{2}_\d{8}T\d{6}_\d{8}T\d{6}_(VV|HH)[PRO]\d+_INT\d+_G_\w+",
    "INSAR_ISCE_BURST": r"S1_\d{6}_IW\d_\d{8}_\d{8}_(VV|HH)_INT\d+_\w+",
    "INSAR_ISCE_MULTI_BURST": r"S1_\d{3}_\d{6}s1n\d\d-\d{6}s2n\d\d-\d{6}s3n\d\d_IW_\w+",
    "RTC_GAMMA": r"S1[A-D]_IW_\d{8}T\d{6}_[SD][VH][PRO]_RTC\d+_G_\w+",
}
_LOOKS = {"80": "20x4", "40": "10x2", "20": "5x1"}
_PRICES = {"INSAR_GAMMA": 10, "RTC_GAMMA": 5}
_SCENE = re.compile(r"S1[A-D]_\w{2}_(?:SLC_|GRD[HMF])_\w{4}_[0-9T_]+_[0-9A-F]{6}_[0-9A-F]{4}")


@dataclass
class StoredJob:
    """A record, the archive behind it, and what the catalog knows of its ground.

    Parameters
    ----------
    record
        In the schema of the API, with ``files[].url`` still without a host.
    archive
        Served as the product; None for jobs without one.
    ascending, ring
        Facts of all scenes of the job, unless the catalog was told otherwise.
    """

    record: dict[str, Any]
    archive: Path | None = None
    ascending: bool | None = None
    ring: list[tuple[float, float]] = field(default_factory=list)

    @property
    def job_id(self) -> str:
        return str(self.record["job_id"])

    @property
    def scenes(self) -> list[str]:
        parameters = self.record["job_parameters"]
        names: list[str] = []
        for key in ("granules", "reference", "secondary"):
            names.extend(parameters.get(key, ()))
        return names


def make_job(
    product: str | None,
    job_type: str = "INSAR_GAMMA",
    granules: Sequence[str] = (),
    *,
    reference: Sequence[str] = (),
    secondary: Sequence[str] = (),
    project: str | None = None,
    status: str = "SUCCEEDED",
    size: int = 0,
    archive: Path | None = None,
    requested: datetime | None = None,
    expires: datetime | None = None,
    user: str = "sample_user",
    options: dict[str, Any] | None = None,
    ascending: bool | None = None,
    ring: Sequence[tuple[float, float]] = (),
) -> StoredJob:
    """Make a record; a job that has not succeeded has no files, as in HyP3."""
    now = datetime.now(timezone.utc)
    job_id = str(uuid.uuid4())
    requested = requested or now - timedelta(days=1)
    parameters: dict[str, Any] = dict(options or {})
    if granules:
        parameters["granules"] = list(granules)
    if reference:
        parameters["reference"], parameters["secondary"] = list(reference), list(secondary)
    record: dict[str, Any] = {
        "job_id": job_id,
        "user_id": user,
        "status_code": status,
        "execution_started": status != "PENDING",
        "request_time": requested.isoformat(timespec="seconds"),
        "priority": 8000,
        "job_parameters": parameters,
        "job_type": job_type,
        "credit_cost": _PRICES.get(job_type, 1),
    }
    if project is not None:
        record["name"] = project
    if status == "SUCCEEDED":
        name = f"{product}.zip"
        base = f"{{host}}/{job_id}/{product}"
        record["files"] = [
            {
                "filename": name,
                "size": archive.stat().st_size if archive else size,
                "url": f"{{host}}/{job_id}/{name}",
                "s3": {"bucket": "local-bucket", "key": f"{job_id}/{name}"},
            }
        ]
        record["browse_images"] = [f"{base}_unw_phase.png"]
        record["thumbnail_images"] = [f"{base}_unw_phase_thumb.png"]
        record["processing_times"] = [1234.5]
        expires = expires or now + timedelta(days=14)
    if status in ("SUCCEEDED", "FAILED"):
        record["logs"] = []
        if expires is not None:
            record["expiration_time"] = expires.isoformat(timespec="seconds")
    return StoredJob(record, archive, ascending, list(ring))


_MADE = ("files", "browse_images", "thumbnail_images", "processing_times", "expiration_time")


def as_ordered(job: StoredJob) -> StoredJob:
    """Return a job as it was before it ran."""
    record = {name: value for name, value in job.record.items() if name not in _MADE}
    return replace(job, record={**record, "status_code": "PENDING", "execution_started": False})


def job_from_archive(path: Path, **more: Any) -> StoredJob:
    """Make the record of the job whose product lies in ``path``."""
    name = path.stem
    job_type = next(kind for kind, form in _NAMES.items() if re.fullmatch(form, name))
    spacing = re.search(r"_(?:INT|RTC)(\d+)_", name)[1]
    values: dict[str, Any] = {}
    with zipfile.ZipFile(path) as archive:
        members = archive.namelist()
        keys = _parameter_file(archive, f"{name}/{name}.txt")
        readme = "".join(
            archive.read(member).decode("utf-8", "replace")
            for member in members
            if member.endswith("README.md.txt")
        )
    if job_type == "RTC_GAMMA":
        found = _SCENE.search(readme)
        granules = [found[0] if found else _invented_scene(name)]
        options: dict[str, Any] = {"resolution": int(spacing), "scale": "power"}
        values = {"granules": granules}
    else:
        first = _list(keys.get("Reference Granule", ""))
        second = _list(keys.get("Secondary Granule", ""))
        options = {"looks": _LOOKS[spacing], "apply_water_mask": False}
        if job_type == "INSAR_ISCE_MULTI_BURST":
            values = {"reference": first, "secondary": second}
        else:
            values = {"granules": [*first, *second]}
    if job_type == "INSAR_GAMMA":
        for option, suffix in (
            ("include_look_vectors", "_lv_phi.tif"),
            ("include_dem", "_dem.tif"),
            ("include_inc_map", "_inc_map.tif"),
            ("include_wrapped_phase", "_wrapped_phase.tif"),
            ("include_displacement_maps", "_los_disp.tif"),
        ):
            options[option] = f"{name}/{name}{suffix}" in members
    direction = keys.get("Reference Pass Direction", "").upper()
    values.setdefault("ascending", {"ASCENDING": True, "DESCENDING": False}.get(direction))
    values.setdefault("ring", _ring(path, members))
    return make_job(name, job_type, archive=path, options=options, **{**values, **more})


def _parameter_file(archive: zipfile.ZipFile, member: str) -> dict[str, str]:
    try:
        text = archive.read(member).decode()
    except KeyError:
        return {}
    pairs = (line.partition(": ") for line in text.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _invented_scene(name: str) -> str:
    time = re.search(r"\d{8}T\d{6}", name)[0]
    end = datetime.strptime(time, "%Y%m%dT%H%M%S") + timedelta(seconds=27)
    return f"{name[:3]}_IW_GRDH_1SDV_{time}_{end:%Y%m%dT%H%M%S}_054321_0ABCDE_1234"


def _ring(path: Path, members: Sequence[str]) -> list[tuple[float, float]]:
    """Outline of the product's ground, where it holds a readable raster."""
    import rasterio
    from rasterio.warp import transform_bounds

    for member in members:
        if member.endswith(".tif") and not member.endswith("_rdr.tif"):
            try:
                with rasterio.open(f"/vsizip/{path}/{member}") as raster:
                    west, south, east, north = transform_bounds(
                        raster.crs, "EPSG:4326", *raster.bounds
                    )
            except rasterio.errors.RasterioError:
                return []
            return [(west, south), (east, south), (east, north), (west, north), (west, south)]
    return []


def jobs_from_archives(archives: Iterable[Path], project: str | None = None) -> list[StoredJob]:
    """Return jobs of a project, by default that of their folder's name, a minute after another."""
    now = datetime.now(timezone.utc)
    return [
        job_from_archive(
            path,
            project=project or path.parent.name,
            requested=now - timedelta(hours=1, minutes=index),
        )
        for index, path in enumerate(sorted(archives))
    ]
