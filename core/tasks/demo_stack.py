"""Task ``demostack``: sample products and the stack of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..contract import Task
from ..demo.demo_products import write_demo_products
from ..errors import InvalidParameterError
from ..machine.atomic import not_writable
from ..run.parameters import Parameters
from ..run.reporter import Reporter, step, stop_if_canceled
from . import build_stack

PRODUCTS, STACK, REPORT = "products", "demo_stack.nc", "demo_stack.html"
"""Names in the folder."""


def run(
    parameters: Mapping[str, Any], credentials: Mapping[str, str] | None, reporter: Reporter
) -> dict[str, Any]:
    """Make sample products and build a stack with a report.

    Parameters
    ----------
    parameters
        ``OUTPUT``, a folder.

    Returns
    -------
    dict
        ``OUTPUT``, and what ``buildstack`` returns.

    Raises
    ------
    OutputError
        If the folder cannot be written to.
    """
    values = Parameters(parameters, Task.DEMO_STACK)
    folder = values.path("OUTPUT", required=True)
    if folder is None or (folder.exists() and not folder.is_dir()):
        raise InvalidParameterError(f"OUTPUT is {folder}, but it has to be a folder.")
    products = folder / PRODUCTS
    reporter.info(f"Making sample products in {products}; their values are made from formulas.")
    with step(reporter, 0.0, 40.0) as inner:
        _write(products, inner)
    options = {
        "INPUT": str(products),
        "NETCDF": str(folder / STACK),
        "REPORT": str(folder / REPORT),
        "REFERENCE_POINT": "auto",
    }
    with step(reporter, 40.0, 100.0) as inner:
        return {"OUTPUT": str(folder), **build_stack.run(options, None, inner)}


def _write(products: Path, reporter: Reporter) -> None:
    try:
        products.mkdir(parents=True, exist_ok=True)
        for done, total in write_demo_products(products):
            stop_if_canceled(reporter)
            reporter.progress(100.0 * done / total)
    except OSError as error:
        raise not_writable(products, error) from error
