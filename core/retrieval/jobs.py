"""HyP3 jobs as the rest of the retrieval sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

from hyp3_sdk import HyP3, Job

from ..products.names import ProductName, parse_name
from ..products.scenes import Scene, parse_scene
from ..reporter import Reporter
from .credentials import Credentials
from .patience import wait_for
from .session import NotFoundError, service_errors

LISTING_SECONDS = 600.0
_ID_SHOWN = 80
_SPACING_OF_LOOKS = {"20x4": 80.0, "10x2": 40.0, "5x1": 20.0}


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A product file on the server; ``size`` in bytes."""

    name: str
    url: str
    size: int


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job without what the retrieval never needs.

    Parameters
    ----------
    job_id, job_type, project, status
        As the service says; ``project`` is empty for a job without a name.
    requested, expires
        UTC; ``expires`` is None for products that are kept.
    credits
        Price of the job.
    reference, secondary
        Scenes of the earlier and the later acquisition; ``secondary`` is empty for RTC.
    files
        Empty as long as the job has not succeeded.
    options
        The other parameters of the order.
    """

    job_id: str
    job_type: str
    project: str
    status: str
    requested: datetime
    expires: datetime | None
    credits: float | None
    reference: tuple[Scene, ...]
    secondary: tuple[Scene, ...]
    files: tuple[RemoteFile, ...]
    options: Mapping[str, Any]

    @property
    def scenes(self) -> tuple[Scene, ...]:
        """All scenes of the job."""
        return self.reference + self.secondary

    @property
    def product(self) -> str:
        """Product name, empty as long as there is none."""
        return self.files[0].name.rpartition(".")[0] if self.files else ""

    @property
    def parsed_name(self) -> ProductName | None:
        """Facts of the product name."""
        return parse_name(self.product)

    @property
    def label(self) -> str:
        """Name for messages: the product, else the job id."""
        return self.product or f"job {self.job_id}"

    @property
    def days(self) -> tuple[date, ...]:
        """Distinct UTC days of acquisition, sorted."""
        return tuple(sorted({scene.start.date() for scene in self.scenes if scene.start}))

    @property
    def path(self) -> int | None:
        """Relative orbit as far as names tell."""
        name = self.parsed_name
        if name is not None and name.relative_orbit is not None:
            return name.relative_orbit
        return next((scene.path for scene in self.reference if scene.path is not None), None)

    @property
    def ascending(self) -> bool | None:
        """Direction as far as names tell."""
        known = (scene.ascending for scene in self.reference if scene.ascending is not None)
        return next(known, None)

    @property
    def polarization(self) -> str:
        """Polarization of the product: the co-polarized one of an interferogram."""
        scenes = {scene.polarization for scene in self.reference if scene.polarization}
        text = sorted(scenes)[0] if scenes else ""
        return text if self.job_type == "RTC_GAMMA" else text[:2]

    @property
    def spacing(self) -> float | None:
        """Pixel spacing in meters."""
        name = self.parsed_name
        if name is not None:
            return name.spacing
        if "resolution" in self.options:
            return float(self.options["resolution"])
        return _SPACING_OF_LOOKS.get(str(self.options.get("looks")))

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    def expired(self, now: datetime | None = None) -> bool:
        """Tell whether the products are gone."""
        return self.expires is not None and self.expires <= (now or datetime.now(UTC))


def list_jobs(
    service: HyP3, job_type: str, credentials: Credentials, reporter: Reporter
) -> list[JobRecord]:
    """List every job of one type that the account has, in one paged request, newest first."""
    reporter.info(f"Listing your {job_type} jobs at {service.url}.")
    with service_errors(service.url, credentials):
        batch = wait_for(
            lambda: service.find_jobs(job_type=job_type), reporter, LISTING_SECONDS, service.url
        )
        return [_record(job) for job in batch]


def get_jobs(
    service: HyP3, job_ids: Sequence[str], credentials: Credentials, reporter: Reporter
) -> list[JobRecord]:
    """Get single jobs by id, of any account and type.

    Raises
    ------
    NotFoundError
        The service does not know one of them.
    """
    records = []
    for job_id in job_ids:
        try:
            remedy = f"check JOBS, which names {job_id[:_ID_SHOWN]!r}"
            with service_errors(service.url, credentials, remedy):
                ask = partial(service.get_job_by_id, job_id)
                records.append(_record(wait_for(ask, reporter, LISTING_SECONDS, service.url)))
        except NotFoundError:
            raise NotFoundError(
                f"{service.url} has no job {job_id}; check JOBS and API_URL."
            ) from None
    return records


def _record(job: Job) -> JobRecord:
    parameters = dict(job.job_parameters or {})
    first = _scenes(parameters.pop("reference", None))
    second = _scenes(parameters.pop("secondary", None))
    granules = _scenes(parameters.pop("granules", None))
    if len(granules) > 1:
        granules = sorted(granules, key=_moment)
        first, second = granules[:1], granules[1:]
    elif granules:
        first = granules
    if first and second and _moment(second[0]) < _moment(first[0]):
        first, second = second, first
    return JobRecord(
        job_id=job.job_id,
        job_type=job.job_type,
        project=job.name or "",
        status=job.status_code,
        requested=_aware(job.request_time),
        expires=None if job.expiration_time is None else _aware(job.expiration_time),
        credits=None if job.credit_cost is None else float(job.credit_cost),
        reference=tuple(first),
        secondary=tuple(second),
        files=tuple(
            RemoteFile(str(file["filename"]), str(file["url"]), int(file.get("size") or 0))
            for file in job.files or ()
        ),
        options=parameters,
    )


def _scenes(names: Sequence[str] | str | None) -> list[Scene]:
    names = [names] if isinstance(names, str) else names or []
    return [parse_scene(str(name)) for name in names]


def _moment(scene: Scene) -> datetime:
    return scene.start or datetime.max.replace(tzinfo=UTC)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
