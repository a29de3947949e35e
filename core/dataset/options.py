"""What the user decides about a stack."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..contract import SPATIAL_GROUP, TEMPORAL_GROUP
from ..metadata.data_access import DataAccess
from ..object_store.location import RemoteLocation
from ..parameters.output_parameters import DEFAULT_MEMORY_MEGABYTES
from ..pixels.values import ValueOptions


@dataclass(frozen=True)
class BuildOptions:
    """What is written and how; see the parameters of ``hyp3:buildstack``."""

    netcdf: Path | None = None
    zarr: Path | None = None
    remote: RemoteLocation | None = None
    chunking: str = "both"
    chunk_megabytes: float = 4.0
    zarr_format: int = 2
    sharding: bool = False
    memory_megabytes: float = DEFAULT_MEMORY_MEGABYTES
    static_mode: str = "once"
    values: ValueOptions = field(default=ValueOptions())
    merge_passes: bool = False
    reference_point: str | None = None
    masks: bool = True
    look_vectors: bool = False
    data_access: DataAccess | None = None
    enrich: bool = False
    append: bool = False
    grow: bool = False
    scheduler: str | None = None
    history: str = ""

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

    @property
    def groups(self) -> tuple[str, ...]:
        """Groups of the Zarr store."""
        both = (SPATIAL_GROUP, TEMPORAL_GROUP)
        return {"spatial": both[:1], "temporal": both[1:], "both": both}[self.chunking]
