"""Layers that a product surely has, so that a server without their file is at fault."""

from __future__ import annotations

from ...products.layers import Delivery
from ...products.product_types import PRODUCT_TYPES
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
    return frozenset(_layers(job, Delivery.MAIN, Delivery.ALWAYS))


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
    row = PRODUCT_TYPES.get(job.job_type)
    texts = [f"{product}.txt"] if row is not None and row.has_parameter_file else []
    return texts + [f"{product}_{layer}.tif" for layer in _layers(job, Delivery.MAIN)]


def _layers(job: JobRecord, *deliveries: Delivery) -> list[str]:
    """Return the layers that are delivered in one of some ways, and those that were ordered."""
    row, name = PRODUCT_TYPES.get(job.job_type), job.parsed_name
    if row is None:
        return []
    ordered = (
        layer.name
        for layer in row.layers.values()
        if any(job.options.get(option) is True for option in layer.order_options)
    )
    held = row.delivered("" if name is None else name.polarization, *deliveries)
    return list(dict.fromkeys([*held, *ordered]))
