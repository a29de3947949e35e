"""Jobs that a run names, by ids or in a layer of found jobs, and the types it is about."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import InvalidParameterError
from ...parameters.job_parameters import ANY_TYPE, JOB_TYPES
from ...run.parameters import Parameters
from ...run.vector_layer import layer_features


@dataclass(frozen=True)
class ChosenJobs:
    """Which jobs a run names."""

    ids: tuple[str, ...]  # only these jobs; empty where the run names none
    types: tuple[str, ...]  # types of jobs that the run is about; at least one

    @property
    def listed_type(self) -> str | None:
        """The type of jobs to ask the service for; None for jobs of all types."""
        return self.types[0] if len(self.types) == 1 else None


def read_chosen_jobs(parameters: Parameters) -> ChosenJobs:
    """Read which jobs are named.

    Parameters
    ----------
    parameters
        ``JOBS``, ``FOUND_JOBS`` and ``JOB_TYPE`` of a task that chooses jobs. A layer has the
        types itself.

    Raises
    ------
    InvalidParameterError
        If the layer is not one of found jobs, or holds jobs that cannot be stacked.
    """
    ids = parameters.names("JOBS")
    job_type = parameters.choice("JOB_TYPE")
    types: tuple[str, ...] = JOB_TYPES if job_type == ANY_TYPE else (job_type,)
    features = layer_features(parameters, "FOUND_JOBS", ("job_id", "job_type"), "Find jobs")
    if features is not None:
        found = [feature.text("job_id") for feature in features]
        ids = tuple(dict.fromkeys((*ids, *filter(None, found))))
        held = {feature.text("job_type") for feature in features}
        strange = sorted(held - set(JOB_TYPES))
        if strange or not all(found):
            what = f"jobs of type {strange[0]!r}" if strange else "features without a job_id"
            raise InvalidParameterError(
                f"FOUND_JOBS holds {what}; choose the layer that Find jobs has made."
            )
        types = tuple(name for name in JOB_TYPES if name in held)
    return ChosenJobs(ids, types)
