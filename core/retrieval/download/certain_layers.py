"""Layers that a product surely has, so that a server without their file is at fault."""

from __future__ import annotations

from collections.abc import Collection

from ...products.layers import LAYERS, Delivery
from ...products.names import POLARIZATIONS, RTC_GAMMA
from ..jobs.jobs import JobRecord


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
    return frozenset(_layers(job, {Delivery.MAIN, Delivery.ALWAYS}))


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
    files = [f"{product}_{layer}.tif" for layer in _layers(job, {Delivery.MAIN})]
    is_insar = job.job_type in LAYERS and job.job_type != RTC_GAMMA
    return [f"{product}.txt", *files] if is_insar else files


def _layers(job: JobRecord, deliveries: Collection[Delivery]) -> list[str]:
    """Return the layers that are delivered in one of some ways, or were ordered."""
    name = job.parsed_name
    polarizations = () if name is None else POLARIZATIONS.get(name.polarization, ())
    return [
        layer.name
        for layer in LAYERS.get(job.job_type, {}).values()
        if any(job.options.get(option) is True for option in layer.order_options)
        or (
            layer.delivery in deliveries
            and (not layer.is_backscatter or layer.name in polarizations)
        )
    ]
