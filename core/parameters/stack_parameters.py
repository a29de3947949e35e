"""Parameters of the algorithms that read a written stack."""

from __future__ import annotations

from typing import Final

from .parameter import Chooser, Group, Kind, Parameter

STACK: Final = Parameter(
    "INPUT",
    Kind.FILE,
    "Stack",
    "NetCDF file or Zarr store that HyP3 Stack has written. A Zarr store is a folder, or an "
    "address in an object store: s3://bucket/stack.zarr.",
    required=True,
    file_filter="Stacks (*.nc *.zarr);;All files (*)",
    chooser=Chooser.STORE,
)

VARIABLES: Final = Parameter(
    "VARIABLES",
    Kind.LIST,
    "Variables",
    "Which variables to load, separated by commas: unw_phase,corr. Empty: all.",
    empty="all variables",
    chooser=Chooser.VARIABLES,
)

MEND: Final = Parameter(
    "MEND",
    Kind.FLAG,
    "Mend the metadata",
    "Yes: take those entries out of the metadata of a Zarr store of HyP3 Stack 0.1.0 on "
    "which GDAL 3.13 crashes, then load it. They are repeated in every layer, and no value "
    "changes. The store has to be on a disk that can be written to. Of no effect on other "
    "stacks.",
    group=Group.METADATA,
    default=False,
)

ASSESSMENT: Final = Parameter(
    "OUTPUT",
    Kind.NEW_FILE,
    "Assessment",
    "Web page with every requirement and what was found, for example /data/stack.html.",
    required=True,
    file_filter="HTML (*.html)",
    suffix=".html",
)

ASSESSMENT_JSON: Final = Parameter(
    "JSON",
    Kind.NEW_FILE,
    "Assessment as JSON",
    "The same for programs, for example /data/stack_ceos_ard.json.",
    group=Group.METADATA,
    file_filter="JSON (*.json)",
    suffix=".json",
)
