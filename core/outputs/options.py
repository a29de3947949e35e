"""What the user decides about a stack."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..metadata.data_access import DataAccess
from ..object_store.location import RemoteLocation, parse_location
from ..pixels.values import ValueOptions
from ..run.parameters import Parameters
from ..work.scheduler_address import parse_scheduler
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


def read_outputs(given: Parameters, zarr_format: int = 2) -> OutputOptions:
    """Read what all tasks that write stacks ask for in the same words."""
    url, scheduler = given.text("ZARR_URL"), given.text("SCHEDULER")
    remote = None
    if url is not None:
        remote = parse_location(url, given.text("S3_ENDPOINT"), given.text("S3_PROFILE"))
    netcdf, zarr = given.output("NETCDF"), given.output("ZARR")
    groups = {"spatial": GROUPS[:1], "temporal": GROUPS[1:], "both": GROUPS}
    chosen = groups[given.choice("CHUNKING")]
    files: list[Output] = [] if netcdf is None else [NetcdfOutput(netcdf)]
    stores = [ZarrOutput(final, chosen, zarr_format) for final in (zarr, remote) if final]
    return OutputOptions(
        outputs=(*files, *stores),
        memory_megabytes=given.number("MEMORY"),
        scheduler=None if scheduler is None else parse_scheduler(scheduler),
        history=given.history(),
    )
