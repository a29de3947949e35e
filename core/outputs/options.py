"""What the user decides about a stack."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..metadata.data_access import DataAccess
from ..object_store.location import RemoteLocation
from ..pixels.values import ValueOptions
from .netcdf_output import NetcdfOutput
from .output import Output
from .zarr_output import GROUPS, ZarrOutput


@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    """What is written, within how much memory, and where the work is done."""

    outputs: tuple[Output, ...]
    memory_megabytes: float
    scheduler: str | None
    history: str

    @property
    def files(self) -> dict[str, Path]:
        """Outputs on a disk by their parameters."""
        return {item.parameter: item.final for item in self.outputs if isinstance(item.final, Path)}

    @property
    def groups(self) -> tuple[str, ...]:
        """Groups of Zarr stores, which are those of all of them; empty without one."""
        return next((item.groups for item in self.outputs if item.groups), ())

    @property
    def remote(self) -> RemoteLocation | None:
        """The place in an object store, if an output goes there."""
        finals = (item.final for item in self.outputs)
        return next((final for final in finals if isinstance(final, RemoteLocation)), None)


@dataclass(frozen=True, kw_only=True)
class BuildOptions(OutputOptions):
    """What is built and how; see the parameters of ``hyp3:buildstack``."""

    chunk_megabytes: float
    sharding: bool
    static_mode: str
    values: ValueOptions
    merge_passes: bool
    reference_point: str | None
    masks: bool
    look_vectors: bool
    data_access: DataAccess | None
    enrich: bool
    append: bool
    grow: bool

    @property
    def settings(self) -> dict[str, Any]:
        """Parameters that decide on values, by name, as JSON knows them."""
        bits = asdict(self.values.precision)
        return {
            "SCALE": self.values.scale or "",
            "RESAMPLING": self.values.resampling,
            "KEEP_BITS": json.loads(json.dumps(bits)),
            "STATIC_LAYERS": self.static_mode,
            "MERGE_PASSES": self.merge_passes,
            "REFERENCE_POINT": self.reference_point or "",
            "MASKS": self.masks,
            "LOOK_VECTORS": self.look_vectors,
        }


def chosen_outputs(
    netcdf: Path | None,
    zarr: Path | None,
    remote: RemoteLocation | None,
    chunking: str,
    zarr_format: int = 2,
) -> tuple[Output, ...]:
    """Return the outputs that are asked for.

    Parameters
    ----------
    netcdf, zarr
        File and store on a disk, if any.
    remote
        Place of a store in an object store, if any.
    chunking
        Which groups stores have: ``spatial``, ``temporal`` or ``both``.
    zarr_format
        2 or 3.
    """
    groups = {"spatial": GROUPS[:1], "temporal": GROUPS[1:], "both": GROUPS}[chunking]
    files: list[Output] = [] if netcdf is None else [NetcdfOutput(netcdf)]
    stores = [ZarrOutput(final, groups, zarr_format) for final in (zarr, remote) if final]
    return (*files, *stores)
