"""Layers that a product surely has, so that a server without their file is at fault."""

from __future__ import annotations

from ...parameters.job_parameters import JOB_TYPES
from ...products.names import INSAR_GAMMA, POLARIZATIONS, RTC_GAMMA
from ..jobs.jobs import JobRecord

# Water masks and ellipsoidal incidence angles came with later versions of the processors.
_INTERFEROGRAM = ("unw_phase", "corr")
_GAMMA = ("unw_phase", "corr", "amp")
_ISCE = ("unw_phase", "wrapped_phase", "corr", "conncomp", "dem", "lv_theta", "lv_phi")

_ORDERED = {
    "include_look_vectors": ("lv_theta", "lv_phi"),
    "include_inc_map": ("inc_map",),
    "include_dem": ("dem",),
    "include_wrapped_phase": ("wrapped_phase",),
    "include_displacement_maps": ("los_disp", "vert_disp"),
    "include_los_displacement": ("los_disp",),
    "include_scattering_area": ("area",),
}
"""Layers that an option of the order adds."""


def certain_layers(job: JobRecord) -> frozenset[str]:
    """Return the layers that the product of a job surely has.

    Parameters
    ----------
    job
        Its type, the options of its order and, for backscatter, the name of its product tell.

    Returns
    -------
    frozenset of str
        What every product of the type has and what was ordered; other layers may be there, too.
    """
    if job.job_type not in JOB_TYPES:
        return frozenset()
    if job.job_type == RTC_GAMMA:
        always = (*_polarizations(job), "ls_map")
    else:
        always = _GAMMA if job.job_type == INSAR_GAMMA else _ISCE
    return frozenset([*always, *_ordered(job)])


def certain_files(job: JobRecord, product: str) -> list[str]:
    """Return the names of files without which the archive of a job's product is not complete.

    Parameters
    ----------
    job
        Its type, the options of its order and, for backscatter, the name of its product tell.
    product
        Name of the product.

    Returns
    -------
    list of str
        The parameter file of an interferogram, the layers that make a product of that type, and
        what was ordered besides. Layers that only go along count where they are asked for.
    """
    if job.job_type not in JOB_TYPES:
        return []
    is_insar = job.job_type != RTC_GAMMA
    always = _INTERFEROGRAM if is_insar else _polarizations(job)
    layers = dict.fromkeys([*always, *_ordered(job)])
    files = [f"{product}_{layer}.tif" for layer in layers]
    return [f"{product}.txt", *files] if is_insar else files


def _polarizations(job: JobRecord) -> tuple[str, ...]:
    name = job.parsed_name
    return () if name is None else POLARIZATIONS[name.polarization]


def _ordered(job: JobRecord) -> list[str]:
    """Return the layers that the options of an order add."""
    return [
        layer
        for option, layers in _ORDERED.items()
        if job.options.get(option) is True
        for layer in layers
    ]
