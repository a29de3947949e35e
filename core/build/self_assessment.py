"""Notes in a stack what its assessment finds, before the stack gets its name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import netCDF4
import zarr

from ..assessment.assess import SELF_ASSESSMENT, assess_stack
from ..errors import StackError
from ..object_store.late_metadata import LateMetadataStore
from ..run.reporter import Reporter


def note_assessment(
    netcdf: Path | None,
    stores: Sequence[Path | LateMetadataStore],
    groups: Sequence[str],
    reporter: Reporter,
) -> dict[str, str]:
    """Assess the first output, and write the summary into all of them.

    Parameters
    ----------
    netcdf
        The NetCDF file, complete but for this.
    stores
        The Zarr stores, likewise.
    groups
        Their groups.
    reporter
        Told where the stack cannot be assessed.

    Returns
    -------
    dict
        The attribute; empty where the stack cannot be assessed.
    """
    try:
        attributes = {SELF_ASSESSMENT: assess_stack(netcdf or stores[0]).summary}
    except (StackError, ValueError, TypeError, LookupError, RuntimeError) as error:
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
    return attributes
