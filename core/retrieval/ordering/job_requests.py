"""Jobs that can be ordered: what HyP3 takes for each type, and when two are the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ...errors import InvalidParameterError
from ..jobs.jobs import SCENE_LISTS, JobRecord
from ..service.json_fields import strings

MOST_BURSTS: Final = 15
"""Of one side of a multi-burst job."""
LONGEST_NAME: Final = 100
"""Characters of the name of a job, which HyP3 also calls its project."""
SINGLE_BURST: Final = "INSAR_ISCE_BURST"
MULTI_BURST: Final = "INSAR_ISCE_MULTI_BURST"
"""With one burst on each side, the same as :data:`SINGLE_BURST`, which ASF is going to retire."""


@dataclass(frozen=True)
class JobForm:
    """What one job type takes."""

    frames: bool  # its scenes are whole frames, otherwise bursts
    most_scenes: int  # of each acquisition
    # What the service fills in, by option; the names are the service's.
    defaults: Mapping[str, str | float | bool]
    looks: tuple[str, ...]  # choices of the option ``looks``

    @property
    def lists(self) -> tuple[str, ...]:
        """Names of the job parameters that hold the scenes."""
        return ("granules",) if self.most_scenes == 1 else ("reference", "secondary")


_BURST_OPTIONS: Final[Mapping[str, str | float | bool]] = {
    "looks": "20x4",
    "apply_water_mask": False,
}
_BURST_LOOKS: Final = ("20x4", "10x2", "5x1")

JOB_FORMS: Final[Mapping[str, JobForm]] = {
    "INSAR_GAMMA": JobForm(
        frames=True,
        most_scenes=1,
        defaults={
            "looks": "20x4",
            "phase_filter_parameter": 0.6,
            "apply_water_mask": False,
            "include_look_vectors": False,
            "include_inc_map": False,
            "include_dem": False,
            "include_wrapped_phase": False,
            "include_displacement_maps": False,
        },
        looks=("20x4", "10x2"),
    ),
    SINGLE_BURST: JobForm(False, 1, _BURST_OPTIONS, _BURST_LOOKS),
    MULTI_BURST: JobForm(False, MOST_BURSTS, _BURST_OPTIONS, _BURST_LOOKS),
}
"""Types of jobs that make a pair (job specifications of HyP3 10.17)."""


@dataclass(frozen=True)
class JobRequest:
    """A job to be ordered."""

    job_type: str  # as the service calls it
    parameters: Mapping[str, Any]  # ``job_parameters`` as they are sent

    @classmethod
    def of(cls, job: JobRecord) -> JobRequest:
        """Return what was ordered with a job."""
        return cls(job.job_type, job.parameters)

    @property
    def granules(self) -> tuple[str, ...]:
        """Names of all scenes."""
        return tuple(name for key in SCENE_LISTS for name in strings(self.parameters, key))

    @property
    def scenes_key(self) -> str:
        """Equal for two jobs of the same scenes, whatever their options."""
        return _digest(self.job_type, self.parameters, {})

    @property
    def key(self) -> str:
        """Equal for two jobs that make the same product: of the same scenes and options.

        Options that are not given count as the default of the service, which is off for all flags.
        The order of scenes within a list does not matter: the older one of a pair becomes the
        reference. A burst is the same under both types of jobs that take one.
        """
        form = JOB_FORMS.get(self.job_type)
        options = dict(form.defaults) if form else {}
        for name, value in self.parameters.items():
            if name not in SCENE_LISTS and value is not None:
                options[name] = value
        return _digest(self.job_type, self.parameters, options)

    def body(self, name: str) -> dict[str, Any]:
        """Return the job as ``POST /jobs`` takes it.

        A bucket is never named: a stored record has that of its own product, into which another
        one must not go.
        """
        return {"job_type": self.job_type, "job_parameters": dict(self.parameters), "name": name}


def pair_request(
    job_type: str,
    reference: Sequence[str],
    secondary: Sequence[str],
    options: Mapping[str, str | float | bool],
) -> JobRequest:
    """Return the job that makes a pair.

    Parameters
    ----------
    job_type
        One of :data:`JOB_FORMS`.
    reference, secondary
        Names of the scenes of the earlier and of the later acquisition.
    options
        By the names of the service; those that the type does not have are left out, defaults
        filled in.

    Raises
    ------
    InvalidParameterError
        If the type is not known or has no such number of looks.
    """
    form = JOB_FORMS.get(job_type)
    if form is None:
        raise InvalidParameterError(
            f"job_type is {job_type!r}, but pairs can be ordered as: {', '.join(JOB_FORMS)}."
        )
    chosen = {name: options.get(name, default) for name, default in form.defaults.items()}
    if chosen["looks"] not in form.looks:
        raise InvalidParameterError(
            f"LOOKS is {chosen['looks']}, but {job_type} jobs have only: {', '.join(form.looks)}."
        )
    sides = (list(reference), list(secondary))
    lists = {"granules": [*sides[0], *sides[1]]} if len(form.lists) == 1 else {}
    return JobRequest(job_type, {**(lists or dict(zip(form.lists, sides, strict=True))), **chosen})


def types_of_content(job_types: Iterable[str]) -> set[str]:
    """Return the types of jobs that may hold the same content as jobs of some types."""
    bursts = {SINGLE_BURST, MULTI_BURST}
    return {name for kind in job_types for name in (bursts if kind in bursts else {kind})}


def jobs_text(count: int) -> str:
    """Return a number of jobs for a sentence: ``1 job``, ``12 jobs``."""
    return f"{count} job{'' if count == 1 else 's'}"


def _digest(job_type: str, parameters: Mapping[str, Any], options: Mapping[str, Any]) -> str:
    scenes = {name: sorted(strings(parameters, name)) for name in SCENE_LISTS}
    if job_type == SINGLE_BURST and [len(scenes[name]) for name in SCENE_LISTS] == [0, 0, 2]:
        # Names of one burst sort by their time.
        earlier, later = scenes["granules"]
        job_type, scenes = (
            MULTI_BURST,
            dict(zip(SCENE_LISTS, ([earlier], [later], []), strict=True)),
        )
    options = {
        name: float(value) if isinstance(value, int) and not isinstance(value, bool) else value
        for name, value in options.items()
        if value is not False
    }
    text = json.dumps([job_type, scenes, options], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
