"""Names that the QGIS side and the core process share.

This module depends on the standard library only, because both processes import it: the QGIS side
to declare parameters and to read messages, the core side to check a job and to write messages.

A job is one JSON object, ``{"protocol": 1, "task": TASK, "parameters": {...}, "credentials":
{...}}``. Keys of ``parameters`` are the upper-case parameter names of the Processing algorithm of
the same name. The answer is a stream of JSON objects, one a line, each with a ``type`` of
:class:`Message`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

PROTOCOL: Final = 1

PACKAGE: Final = "hyp3_stack"
"""The name under which the plugin folder is imported, in QGIS, in the core process and in tests."""

PRODUCTION_API: Final = "https://hyp3-api.asf.alaska.edu"
"""The HyP3 service of ASF; other deployments are given as ``API_URL``."""


PROXY_USERNAME: Final = "proxy_username"
PROXY_PASSWORD: Final = "proxy_password"  # noqa: S105 # nosec B105 - the name of an entry
"""Entries of a job's credentials with the login of the proxy in ``PROXIES``."""


_LOGIN = re.compile(r"""(?<=://)[^/?#\s@'"]+@""")


class Task:
    """What a job asks for: the id of the Processing algorithm without its provider.

    ``check`` and ``trystack`` have no algorithm: other processes ask for them.
    """

    CHECK: Final = "check"
    FIND_JOBS: Final = "findjobs"
    DOWNLOAD_PRODUCTS: Final = "downloadproducts"
    HARMONIZE_PRODUCTS: Final = "harmonizeproducts"
    BUILD_STACK: Final = "buildstack"
    PREPARE_STACK: Final = "preparestack"
    ASSESS_STACK: Final = "assessstack"
    TRY_STACK: Final = "trystack"


class Message:
    """Kinds of answer lines and their fields.

    ``progress``: ``percent`` (0..100). ``info``, ``warning``: ``text``. ``result``: ``outputs`` (a
    dictionary with the algorithm's output names). ``error``: ``text`` (one sentence for the user)
    and ``kind`` (class name of the error). ``completing``: the outputs come to stand, so that a
    cancel is too late. Exactly one ``result`` or ``error`` ends a run.
    """

    PROGRESS: Final = "progress"
    INFO: Final = "info"
    WARNING: Final = "warning"
    COMPLETING: Final = "completing"
    RESULT: Final = "result"
    ERROR: Final = "error"


CANCEL_LINE: Final = '{"type": "cancel"}'
"""A line on the core process's standard input, after the job, that asks it to stop cleanly."""

EXIT_OK: Final = 0
EXIT_FAILED: Final = 1
EXIT_CANCELED: Final = 130

JOB_TYPES: Final = ("INSAR_GAMMA", "INSAR_ISCE_BURST", "INSAR_ISCE_MULTI_BURST", "RTC_GAMMA")
PRODUCT_TYPES: Final = ("auto", *JOB_TYPES)
DATE_RULES: Final = ("all", "any")
DIRECTIONS: Final = ("any", "ascending", "descending")
EXTENT_MODES: Final = ("union", "intersection")
RESAMPLINGS: Final = ("auto", "nearest", "bilinear", "cubic")
STATIC_LAYER_MODES: Final = ("once", "per_pair")
BAD_PRODUCT_RULES: Final = ("stop", "skip")
CHUNKINGS: Final = ("spatial", "temporal", "both")
SCALES: Final = ("as_delivered", "power", "amplitude", "decibel")
ZARR_FORMATS: Final = ("2", "3")

DEFAULT_CHUNK_MEGABYTES: Final = 4.0
DEFAULT_MEMORY_MEGABYTES: Final = 1000
SMALLEST_MEMORY_MEGABYTES: Final = 450
"""Python with the core's packages and GDAL's cache take 320 MB."""

SPATIAL_GROUP: Final = "spatially_optimized"
TEMPORAL_GROUP: Final = "temporally_optimized"
RECORD: Final = "hyp3_stack_json"
"""Attribute of a stack: settings, layers and variables in order, and what products it holds."""
DECIBEL: Final = "0.1 lg(re 1)"
"""A decibel in UDUNITS, the language of units in CF."""


def with_login(address: str, credentials: Mapping[str, Any]) -> str:
    """Return the address of a proxy with the login of a job's credentials, unless it has one."""
    username, password = (
        str(credentials.get(key) or "") for key in (PROXY_USERNAME, PROXY_PASSWORD)
    )
    scheme, separator, rest = address.rpartition("://")
    if not username or "@" in rest:
        return address
    # requests and aiohttp unquote this and send it as Latin-1, where RFC 7617 wants UTF-8.
    login = ":".join(
        quote(text.encode("utf-8", "surrogatepass").decode("latin-1"), safe="")
        for text in (username, password)
    )
    return f"{scheme}{separator}{login}@{rest}"


def without_logins(text: str) -> str:
    """Return text in which no address has a login before its host any more."""
    return _LOGIN.sub("***@", text)


_FILTERS = (
    "API_URL AUTHCFG PROJECT JOB_TYPE START END DATE_RULE PATHS DIRECTION EXTENT JOBS ALL_STATES"
)
_GRID = "LAYERS TARGET_CRS EXTENT_MODE EXTENT RESAMPLING"
_REMOTE = "S3_ENDPOINT S3_PROFILE"
_STACK = (
    f"{_GRID} {_REMOTE} PRODUCT_TYPE STATIC_LAYERS ON_BAD_PRODUCT REFERENCE_POINT MERGE_PASSES "
    "SCALE KEEP_BITS MASKS SCHEDULER APPEND GROW LOOK_VECTORS ENRICH NETCDF ZARR ZARR_URL CHUNKING "
    "CHUNK_SIZE ZARR_FORMAT SHARDING MEMORY REPORT STAC DATA_ACCESS LOAD"
)

PARAMETERS: Final[Mapping[str, frozenset[str]]] = {
    task: frozenset(f"{names} PROXIES".split())
    for task, names in {
        Task.FIND_JOBS: f"{_FILTERS} OUTPUT WORK_FOLDER",
        Task.DOWNLOAD_PRODUCTS: f"{_FILTERS} LAYERS KEEP_ZIPS OUTPUT",
        Task.HARMONIZE_PRODUCTS: f"INPUT {_GRID} OUTPUT",
        Task.BUILD_STACK: f"INPUT START END {_STACK} PRODUCTS",
        Task.PREPARE_STACK: f"{_FILTERS} FOLDER KEEP_ZIPS {_STACK}",
        Task.ASSESS_STACK: f"INPUT OUTPUT JSON {_REMOTE}",
    }.items()
}
"""Names of the parameters of each task, with those that only its QGIS side reads (AUTHCFG, LOAD)
and those that only scripts and other tasks give (PRODUCTS, PROXIES, WORK_FOLDER)."""
