"""HyP3 jobs as the rest of the retrieval sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Final

from ...products.granules import Granule, parse_granule
from ...products.layers import Delivery
from ...products.names import ProductName, parse_name
from ...products.product_types import PRODUCT_TYPES, RTC, ProductType
from ..service.json_fields import (
    FieldError,
    mapping,
    moment,
    number,
    objects,
    one_line,
    strings,
    text,
    whole,
)

SCENE_LISTS = ("reference", "secondary", "granules")
"""Parameters of jobs that hold names of scenes."""
_SPACING_OF_LOOKS = {"20x4": 80.0, "10x2": 40.0, "5x1": 20.0}


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A product file on the server; ``size`` in bytes, 0 where the service does not say."""

    name: str
    url: str
    size: int


PENDING: Final = "PENDING"
RUNNING: Final = "RUNNING"
SUCCEEDED: Final = "SUCCEEDED"
FAILED: Final = "FAILED"
"""What the ``status`` of a job is; the service may add others."""


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job without what the retrieval never needs."""

    # As the service says; ``project`` is empty for a job without a name, and one line with single
    # spaces, as the parameter that is compared with it.
    job_id: str
    job_type: str
    project: str
    status: str
    # UTC; ``expires`` is None for products that are kept.
    requested: datetime
    expires: datetime | None
    credits: float | None  # price of the job
    # Scenes of the earlier and the later acquisition; ``secondary`` is empty for RTC.
    reference: tuple[Granule, ...]
    secondary: tuple[Granule, ...]
    files: tuple[RemoteFile, ...]  # empty as long as the job has not succeeded
    parameters: Mapping[str, Any]  # of the order, as the service says them
    logs: tuple[str, ...] = ()  # addresses of the texts that the job wrote; there may be none

    @property
    def options(self) -> dict[str, Any]:
        """Parameters of the order other than its scenes."""
        return {name: value for name, value in self.parameters.items() if name not in SCENE_LISTS}

    @property
    def scenes(self) -> tuple[Granule, ...]:
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
    def starts(self) -> tuple[datetime | None, ...]:
        """When the acquisitions began, which may go on after midnight, reference first.

        UTC start of the earliest scene of each side; None where no name says.
        """
        sides = filter(None, (self.reference, self.secondary))
        return tuple(min((s.start for s in side if s.start), default=None) for side in sides)

    @property
    def product_type(self) -> str:
        """Type of the product: single bursts of either type of jobs are the same."""
        name = self.parsed_name
        return self.job_type if name is None else name.product_type

    @property
    def row(self) -> ProductType | None:
        """The type that the job makes; None for one that cannot be stacked."""
        return PRODUCT_TYPES.get(self.job_type)

    @property
    def certain_layers(self) -> list[str]:
        """What the product surely has: what all of the type have, and what was ordered.

        Other layers may be there, too.
        """
        return self._layers(Delivery.MAIN, Delivery.ALWAYS)

    def certain_files(self, product: str) -> list[str]:
        """Return the names of files without which the archive of a product is not complete.

        The parameter file of an interferogram, the layers that make a product of that type, and
        what was ordered besides. Layers that only go along count where they are asked for.
        """
        texts = [f"{product}.txt"] if self.row is not None and self.row.has_parameter_file else []
        return texts + [f"{product}_{layer}.tif" for layer in self._layers(Delivery.MAIN)]

    def _layers(self, *deliveries: Delivery) -> list[str]:
        """Return the layers that are delivered in one of some ways, and those that were ordered."""
        if self.row is None:
            return []
        name = self.parsed_name
        held = self.row.delivered("" if name is None else name.polarization, *deliveries)
        ordered = (
            layer.name
            for layer in self.row.layers.values()
            if any(self.options.get(option) is True for option in layer.order_options)
        )
        return list(dict.fromkeys([*held, *ordered]))

    @property
    def path(self) -> int | None:
        """Relative orbit as far as names show it."""
        name = self.parsed_name
        if name is not None and name.relative_orbit is not None:
            return name.relative_orbit
        return next((scene.path for scene in self.reference if scene.path is not None), None)

    @property
    def ascending(self) -> bool | None:
        """Direction as far as names show it."""
        known = (scene.ascending for scene in self.reference if scene.ascending is not None)
        return next(known, None)

    @property
    def polarization(self) -> str:
        """Polarization of the product: the co-polarized one of an interferogram."""
        texts = {"+".join(scene.polarizations) for scene in self.reference if scene.polarizations}
        text = min(texts, default="")
        return text if self.row is not None and self.row.family is RTC else text[:2]

    @property
    def spacing(self) -> float | None:
        """Pixel spacing in meters."""
        name = self.parsed_name
        if name is not None:
            return name.spacing
        try:
            ordered = number(self.options, "resolution")
        except FieldError:
            ordered = None
        if ordered is not None:
            return ordered
        return _SPACING_OF_LOOKS.get(str(self.options.get("looks")))

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    def expired(self, now: datetime | None = None) -> bool:
        """Return whether the products are gone."""
        return self.expires is not None and self.expires <= (now or datetime.now(timezone.utc))


def job_record(values: Any) -> JobRecord:
    """Read the record of a job.

    Raises
    ------
    FieldError
        If a field is missing or is not what HyP3 writes there.
    """
    if not isinstance(values, dict):
        raise FieldError("record is not an object")
    parameters = mapping(values, "job_parameters")
    first = _scenes(parameters, "reference")
    second = _scenes(parameters, "secondary")
    granules = _scenes(parameters, "granules")
    if len(granules) > 1:
        granules = sorted(granules, key=_moment)
        first, second = granules[:1], granules[1:]
    elif granules:
        first = granules
    if first and second and min(map(_moment, second)) < min(map(_moment, first)):
        first, second = second, first
    requested = moment(values, "request_time")
    if requested is None:
        raise FieldError("request_time is missing")
    return JobRecord(
        job_id=text(values, "job_id"),
        job_type=text(values, "job_type"),
        project=text({"name": one_line(values.get("name"))}, "name", ""),
        status=text(values, "status_code"),
        requested=requested,
        expires=moment(values, "expiration_time"),
        credits=number(values, "credit_cost"),
        reference=tuple(first),
        secondary=tuple(second),
        files=tuple(
            RemoteFile(text(file, "filename"), text(file, "url"), whole(file, "size", 0))
            for file in objects(values, "files")
        ),
        parameters=parameters,
        logs=_logs(values),
    )


def _logs(values: Mapping[str, Any]) -> tuple[str, ...]:
    # A job counts, whatever is wrong with the addresses of its texts.
    try:
        return tuple(strings(values, "logs"))
    except FieldError:
        return ()


def _scenes(parameters: Mapping[str, Any], name: str) -> list[Granule]:
    return [parse_granule(scene) for scene in strings(parameters, name)]


def _moment(scene: Granule) -> datetime:
    return scene.start or datetime.max.replace(tzinfo=timezone.utc)
