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
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace
from difflib import get_close_matches
from typing import Any, Final
from urllib.parse import quote

from .parameters import analysis_parameters as analysis
from .parameters import environment_parameters as environment
from .parameters import export_parameters as exports
from .parameters import grid_parameters as grid
from .parameters import job_parameters as jobs
from .parameters import network_parameters as networks
from .parameters import order_parameters as orders
from .parameters import output_parameters as outputs
from .parameters import stack_parameters as stacks
from .parameters import value_parameters as values
from .parameters.parameter import Parameter, pick

PROTOCOL: Final = 1

PACKAGE: Final = "hyp3_stack"
"""The name under which the plugin folder is imported, in QGIS, in the core process and in tests."""

PROXY_USERNAME: Final = "proxy_username"
PROXY_PASSWORD: Final = "proxy_password"  # noqa: S105 # nosec B105 - the name of an entry
"""Entries of a job's credentials with the login of the proxy in ``PROXIES``."""


_LOGIN = re.compile(r"""(?<=://)[^/?#\s@'"]+@""")


class Task:
    """What a job asks for: the id of the Processing algorithm without its provider.

    ``check``, ``trystack`` and those that list something have no algorithm: dialogs and other
    processes ask for them.
    """

    CHECK: Final = "check"
    SEARCH_SCENES: Final = "searchscenes"
    PLAN_PAIRS: Final = "planpairs"
    FIND_JOBS: Final = "findjobs"
    DOWNLOAD_PRODUCTS: Final = "downloadproducts"
    HARMONIZE_PRODUCTS: Final = "harmonizeproducts"
    BUILD_STACK: Final = "buildstack"
    PREPARE_STACK: Final = "preparestack"
    ASSESS_STACK: Final = "assessstack"
    INVERT_STACK: Final = "invertstack"
    EXPORT_STACK: Final = "exportstack"
    ORDER_PAIRS: Final = "orderpairs"
    WATCH_JOBS: Final = "watchjobs"
    RESUBMIT_JOBS: Final = "resubmitjobs"
    TRY_STACK: Final = "trystack"
    DEMO_STACK: Final = "demostack"
    LIST_PROJECTS: Final = "listprojects"
    LIST_LAYERS: Final = "listlayers"


class Message:
    """Kinds of answer lines and their fields.

    ``progress``: ``percent`` (0..100). ``info``, ``warning``: ``text``. ``result``: ``outputs`` (a
    dictionary with the algorithm's output names). ``error``: ``text`` (one sentence for the user)
    and ``kind`` (class name of the error). ``completing``: outputs are being moved to their final
    names; too late to cancel. Exactly one ``result`` or ``error`` ends a run.
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


DIALOGS: Final[Mapping[str, tuple[Parameter, ...]]] = {
    "setupenvironment": (environment.PYTHON,),
    Task.SEARCH_SCENES: networks.SEARCH,
    Task.PLAN_PAIRS: networks.PLAN,
    Task.ORDER_PAIRS: (
        *orders.SERVICE,
        orders.PLAN,
        orders.NAME,
        *orders.JOB_OPTIONS,
        *orders.LIMITS,
        orders.RETRY_FAILED,
        orders.PRODUCTS_ON_DISK,
        orders.JOURNAL,
    ),
    Task.WATCH_JOBS: orders.WATCHED,
    Task.RESUBMIT_JOBS: (
        *orders.SERVICE,
        orders.FAILED_PROJECT,
        *orders.LIMITS,
        orders.JOURNAL,
    ),
    Task.DEMO_STACK: (environment.DEMO_FOLDER, *pick(outputs.OUTPUTS, "LOAD")),
    Task.FIND_JOBS: (*jobs.FILTERS_OF_ANY_TYPE, jobs.EXTENT, jobs.ALL_STATES, jobs.FOUND_JOBS),
    Task.DOWNLOAD_PRODUCTS: (
        jobs.CHOSEN_JOBS,
        *jobs.FILTERS_OF_ANY_TYPE,
        jobs.EXTENT,
        jobs.JOBS,
        jobs.LAYERS,
        jobs.KEEP_ZIPS,
        jobs.DOWNLOAD_FOLDER,
    ),
    Task.HARMONIZE_PRODUCTS: (
        grid.PRODUCT_FOLDER,
        grid.LAYERS,
        grid.EXTENT,
        *grid.GRID,
        grid.GEOTIFF_FOLDER,
    ),
    Task.BUILD_STACK: (
        grid.PRODUCT_FOLDER,
        grid.PRODUCT_TYPE,
        grid.LAYERS,
        *jobs.PERIOD,
        grid.EXTENT,
        *grid.GRID,
        *values.VALUES,
        *outputs.OUTPUTS,
    ),
    Task.PREPARE_STACK: (
        jobs.CHOSEN_JOBS,
        *jobs.FILTERS,
        jobs.EXTENT_OF_STACK,
        jobs.FOLDER,
        jobs.PRODUCT_TYPE,
        grid.LAYERS,
        *grid.GRID,
        *values.VALUES,
        *outputs.OUTPUTS,
    ),
    "loadstack": (stacks.STACK, stacks.VARIABLES, stacks.MEND, *outputs.OBJECT_STORE),
    Task.INVERT_STACK: (
        *analysis.PAIRS,
        *analysis.INVERSION,
        *analysis.CORRECTIONS,
        *analysis.DISPLACEMENT_OUTPUTS,
    ),
    Task.EXPORT_STACK: exports.EXPORT,
    Task.ASSESS_STACK: (
        stacks.STACK,
        stacks.ASSESSMENT,
        stacks.ASSESSMENT_JSON,
        *outputs.OBJECT_STORE,
    ),
}
"""Parameters of each algorithm, in the order of its dialog."""

_WITHOUT_DIALOG: Final[Mapping[str, tuple[Parameter, ...]]] = {
    Task.SEARCH_SCENES: (jobs.WORK_FOLDER,),
    Task.PLAN_PAIRS: (jobs.WORK_FOLDER,),
    Task.ORDER_PAIRS: (orders.JOURNAL_FOLDER,),
    Task.RESUBMIT_JOBS: (orders.JOURNAL_FOLDER,),
    Task.FIND_JOBS: (jobs.JOBS, jobs.CHOSEN_JOBS, jobs.WORK_FOLDER),
    Task.DOWNLOAD_PRODUCTS: (jobs.ALL_STATES,),
    Task.BUILD_STACK: (grid.PRODUCTS,),
    Task.PREPARE_STACK: (jobs.JOBS, jobs.ALL_STATES, jobs.KEEP_ZIPS),
    Task.TRY_STACK: (stacks.STACK,),
    Task.LIST_PROJECTS: pick(jobs.FILTERS, "API_URL"),
    Task.LIST_LAYERS: (replace(grid.PRODUCT_FOLDER, required=False), grid.PRODUCT_TYPE),
}
"""Parameters that only scripts and other tasks give."""

ROWS: Final[Mapping[str, Mapping[str, Parameter]]] = {
    task: {
        row.name: row
        for row in (
            *DIALOGS.get(task, ()),
            *_WITHOUT_DIALOG.get(task, ()),
            environment.PROXIES,
        )
    }
    for task in {**DIALOGS, **_WITHOUT_DIALOG}
}
"""Parameters that a job may hold, by task and by name."""

PARAMETERS: Final[Mapping[str, Set[str]]] = {name: ROWS[name].keys() for name in DIALOGS}
"""Names of the parameters that a job of an algorithm may hold."""

_NAME_SHOWN, _NAMES_SHOWN = 60, 5
"""Characters of an unknown name that a message shows, and how many names."""


def unknown_names(unknown: Sequence[str], known: Iterable[str], task: str) -> str:
    """Return a sentence that names unknown parameters and the ones that may be meant."""
    said, names = [], sorted(known)
    for name in (ascii(name[:_NAME_SHOWN])[1:-1] for name in unknown[:_NAMES_SHOWN]):
        near = get_close_matches(name.upper(), names, 1)
        said.append(f"{name} (write {near[0]}, if that is meant)" if near else name)
    if len(unknown) > len(said):
        said.append(f"and {len(unknown) - len(said)} more")
    verb = "is not a parameter" if len(unknown) == 1 else "are not parameters"
    return f"{', '.join(said)} {verb} of {task}; correct or remove what is not known."
