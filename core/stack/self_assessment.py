"""Notes in a stack what its assessment finds, before the stack gets its name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import netCDF4
import zarr

from ..errors import StackError
from ..metadata.assessment.assess import SELF_ASSESSMENT, assess_stack
from ..reporter import Reporter
from .zarr_store import StorePlace, consolidate


def note_assessment(
    netcdf: Path | None,
    stores: Sequence[StorePlace],
    groups: Sequence[str],
    zarr_format: int,
    reporter: Reporter,
) -> dict[str, str]:
    """Assess the first output that lies on disk, and write the summary into all outputs.

    Parameters
    ----------
    netcdf
        The NetCDF file, complete but for this.
    stores
        The Zarr stores, likewise.
    groups
        Their groups.
    zarr_format
        Their format.
    reporter
        Told where the stack cannot be assessed.

    Returns
    -------
    dict
        The attribute; empty where no output lies on disk, because others cannot be read before they
        are published.
    """
    on_disk = [place for place in (netcdf, *stores) if isinstance(place, Path)]
    if not on_disk:
        return {}
    try:
        attributes = {SELF_ASSESSMENT: assess_stack(on_disk[0]).summary}
    except (StackError, ValueError, TypeError, LookupError) as error:
        # Hours of work must not be lost because a description of them fails.
        reporter.warning(
            f"The stack is made without {SELF_ASSESSMENT}, because it cannot be assessed "
            f"({type(error).__name__}: {error})."
        )
        return {}
    if netcdf is not None:
        with netCDF4.Dataset(netcdf, "a") as file:
            file.setncatts(attributes)
    for store in stores:
        for name in groups:
            group = zarr.open_group(store, path=name, mode="r+", use_consolidated=False)
            group.attrs.update(dict(attributes))
        consolidate(store, groups, zarr_format)
    return attributes
