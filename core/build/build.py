"""Writes a stack under hidden names, and gives it its own when it is complete."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import xarray as xr

from ..append.base import Base
from ..dataset.options import BuildOptions
from ..errors import Canceled, ClusterError, StoreError
from ..files.workspace import Workspace
from ..grid.plan import Plan
from ..object_store.late_metadata import LateMetadataStore
from ..outputs.publishing import publish_outputs
from ..pixels.survey import Findings
from ..products.layers import Layer
from ..products.product import check_unchanged
from ..raster.layer_reader import gdal_environment
from ..run.reporter import Reporter
from ..work.execution import Executor, ExecutorFactory, threads
from .identity import build_identity
from .stages import Build


def build_stack(
    plan: Plan,
    layers: tuple[Layer, ...],
    options: BuildOptions,
    reporter: Reporter,
    base: Base | None = None,
    executor: ExecutorFactory = threads,
    afterward: Callable[[tuple[xr.Dataset, Findings]], None] | None = None,
) -> tuple[xr.Dataset, Findings]:
    """Write a stack to NetCDF and/or Zarr, on disk and/or in an object store.

    Parameters
    ----------
    plan
        Grid and placements, these in the order of the steps.
    layers
        Layers to stack.
    options
        Outputs and their layout; at least one output.
    reporter
        Told of progress and asked whether to stop.
    base
        The stack that holds the products that are stored already.
    executor
        Makes what runs the pieces, given the folders that it has to see.
    afterward
        Called when all outputs have their names. A build that is killed before it returns is ended
        by the same job.

    Returns
    -------
    dataset : Dataset
        The stack as described before writing (lazy).
    findings : Findings
        What was learned from the pixels on the way.

    Raises
    ------
    OutputError
        If an output cannot be written, does not fit on its disk, or does not read back right.
    ProductError
        If a product turns out to be damaged while it is read.
    InputChangedError
        If a product, or the stack that is appended to, is changed while it is read.
    ClusterError
        If the Dask cluster cannot do the work or is lost.
    Canceled
        If the user asked to stop.
    """
    identity = _identity(plan, layers, options, base)

    def write(
        workspace: Workspace, note: Path | None, pieces: Executor, remote: LateMetadataStore | None
    ) -> tuple[xr.Dataset, Findings]:
        if base is not None:
            # From here on no other run gives an output its name.
            base.check_unchanged()
        with unchanged_inputs(plan, base):
            build = Build(plan, layers, options, reporter, workspace, note, pieces, remote, base)
            return build.run()

    with gdal_environment():
        return publish_outputs(options, identity, executor, reporter, write, afterward)


@contextmanager
def unchanged_inputs(plan: Plan, base: Base | None) -> Iterator[None]:
    """Make sure that all that is read inside the block is of one time.

    Raises
    ------
    InputChangedError
        If an input is not what it was when it was found, also instead of an error inside the block
        that this may have caused.
    """

    def check() -> None:
        check_unchanged(placement.product for placement in plan.placements)
        if base is not None:
            base.check_unchanged()

    try:
        yield
    except (Canceled, ClusterError, StoreError):
        raise
    except Exception:
        check()
        raise
    check()


def _identity(
    plan: Plan, layers: tuple[Layer, ...], options: BuildOptions, base: Base | None
) -> str:
    """Return what builds of the same result share; where the work is done does not count."""
    facts = asdict(replace(options, history="", scheduler=None, remote=None))
    facts["base"] = None if base is None else base.identity
    return build_identity(plan, layers, facts)
