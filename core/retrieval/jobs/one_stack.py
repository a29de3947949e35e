"""Whether the products of jobs can be one stack, as far as that shows before they are fetched."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

from ...errors import InconsistentProductsError
from ...products.names import ProductName
from ...products.sentinel1 import POLARIZATIONS
from ...run.parameters import Parameters
from ...run.reporter import Reporter
from ...selection.consistency import shared_polarizations
from .job_selection import JobSelection
from .jobs import JobRecord

_KINDS_SHOWN = 5


_Read = Callable[[ProductName], str | None]

_FACTS: dict[str, _Read] = {
    "bursts": lambda name: name.ground,
    "polarization": lambda name: name.polarization if name.is_insar else None,
    "pixel spacing": lambda name: f"{name.spacing:g} m",
    "radiometry": lambda name: name.radiometry,
}
"""What the products of a stack have to agree in; None where a name does not say."""


def require_one_stack(selection: JobSelection, values: Parameters) -> None:
    """Refuse what can never be one stack before anything is fetched.

    Parameters
    ----------
    values
        ``LAYERS`` and ``SCALE`` allow several polarizations and scales of backscatter.

    Raises
    ------
    InconsistentProductsError
        If the jobs are not of one stack; the message lists the choices and how many jobs each has.
    """
    _require_one_geometry(selection)
    names = [name for job in selection.jobs if (name := job.parsed_name) is not None]
    for label, read in _FACTS.items():
        _require_one(label, read, names)
    backscatter = [name for name in names if not name.is_insar]
    if backscatter:
        _require_polarizations(backscatter, values.names("LAYERS"))
        if values.choice("SCALE") == "as_delivered":
            _require_one("scale", lambda name: name.scale, backscatter, "convert them with SCALE")


def _require_one(
    label: str, read: _Read, names: Sequence[ProductName], other_remedy: str = ""
) -> None:
    kinds = Counter(kind for name in names if (kind := read(name)) is not None)
    if len(kinds) > 1:
        remedy = f", or {other_remedy}" if other_remedy else ""
        raise InconsistentProductsError(
            f"The jobs differ in their {label} ({_choices(kinds)}), so their products do not "
            "belong in one stack; choose those of one kind with JOBS, PROJECT or the other "
            f"filters{remedy}."
        )


def _require_polarizations(names: Sequence[ProductName], layers: Sequence[str]) -> None:
    shared, suffice = shared_polarizations(names, layers)
    if suffice:
        return
    remedy = f"name in LAYERS only what all have ({', '.join(shared)})" if shared else ""

    def read(name: ProductName) -> str:
        return " and ".join(POLARIZATIONS[name.polarization])

    _require_one("polarization", read, names, remedy)


def _require_one_geometry(selection: JobSelection) -> None:
    types = Counter(job.product_type for job in selection.jobs)
    if len(types) > 1:
        raise InconsistentProductsError(
            f"The jobs are of several types ({_choices(types)}), which do not belong in one "
            "stack; name jobs of one type in JOBS."
        )
    views: Counter[str] = Counter()
    directions_of: dict[int | None, set[bool]] = defaultdict(set)
    for job in selection.jobs:
        known = selection.directions[job.job_id]
        if known is not None:
            directions_of[selection.tracks[job.job_id]].add(known)
    for job in selection.jobs:
        path, ascending = selection.tracks[job.job_id], selection.directions[job.job_id]
        # Where all known scenes of a path agree, an unknown one is no reason to stop.
        if ascending is None and len(directions_of[path]) == 1:
            ascending = next(iter(directions_of[path]))
        word = {True: " ascending", False: " descending", None: ""}[ascending]
        views[f"path {path if path is not None else 'unknown'}{word}"] += 1
    if len(views) > 1:
        raise InconsistentProductsError(
            "The jobs look at the ground from several directions, which do not belong in one "
            f"stack; choose one with PATHS and DIRECTION: {_choices(views)}."
        )


def newest_of_repeated(jobs: Sequence[JobRecord], reporter: Reporter) -> tuple[JobRecord, ...]:
    """Keep the newest of jobs that were ordered twice with the same scenes and options."""
    newest: dict[tuple[object, ...], JobRecord] = {}
    for job in sorted(jobs, key=lambda job: job.requested):
        key = (
            job.product_type,
            frozenset(scene.name for scene in job.scenes),
            tuple(sorted((name, repr(value)) for name, value in job.options.items())),
        )
        if key in newest:
            reporter.info(f"{newest[key].label} was ordered again; {job.label} is used instead.")
        newest[key] = job
    chosen = {job.job_id for job in newest.values()}
    return tuple(job for job in jobs if job.job_id in chosen)


def _choices(counts: Counter[str]) -> str:
    listed = [
        f"{name} ({count} job{'s' if count != 1 else ''})" for name, count in sorted(counts.items())
    ]
    more = f" and {len(listed) - _KINDS_SHOWN} more" if len(listed) > _KINDS_SHOWN else ""
    return ", ".join(listed[:_KINDS_SHOWN]) + more
