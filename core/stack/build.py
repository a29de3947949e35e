"""Writes a stack under hidden names, and gives it its own when it is complete."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import asdict, replace

import xarray as xr

from ..errors import Canceled, ClusterError, OutputError
from ..grid.plan import Plan
from ..grid.reading import gdal_environment
from ..object_store.publication import complete_or_invisible
from ..products.layers import Layer
from ..reporter import Reporter
from .base import Base
from .execution import Executor, Threads
from .identity import build_identity
from .options import BuildOptions
from .stages import Build
from .survey import Findings
from .workspace import Workspace


def build_stack(
    plan: Plan,
    layers: tuple[Layer, ...],
    options: BuildOptions,
    reporter: Reporter,
    base: Base | None = None,
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
    ClusterError
        If the Dask cluster cannot do the work or is lost.
    Canceled
        If the user asked to stop.
    """
    finals = [path for path in (options.netcdf, options.zarr) if path is not None]
    # What a stopped build left in an object store is removed, so that nothing can go on there.
    identity = _identity(plan, layers, options, base)
    workspace = Workspace(finals, identity, resumable=options.remote is None)
    try:
        with (
            gdal_environment(),
            _executor(options, workspace, reporter) as executor,
            workspace,
        ):
            with ExitStack() as services:
                remote = None
                if options.remote is not None:
                    remote = services.enter_context(complete_or_invisible(options.remote))
                build = Build(plan, layers, options, reporter, workspace, executor, remote, base)
                made = build.run()
            workspace.publish()
            return made
    except Canceled:
        if workspace.is_kept:
            raise Canceled(
                "The run was canceled; run the same job again to go on from where it stopped."
            ) from None
        raise
    except ClusterError as error:
        if workspace.is_kept:
            raise ClusterError(
                f"{str(error).rstrip('.')}; the same job then goes on where it stopped."
            ) from error
        raise
    except OSError as error:
        targets = " and ".join(map(str, finals)) or str(options.remote)
        what = "run the same job again to go on" if workspace.is_kept else "choose another folder"
        raise OutputError(
            f"{targets} cannot be written ({error.strerror or error}); free some space or {what}."
        ) from error


def _executor(
    options: BuildOptions, workspace: Workspace, reporter: Reporter
) -> AbstractContextManager[Executor]:
    """Return where the pieces run."""
    if options.scheduler is None:
        return nullcontext(Threads())
    # Takes a second, which most builds need not spend.
    from .cluster.cluster import Cluster

    return Cluster(options.scheduler, workspace.folders, reporter)


def _identity(
    plan: Plan, layers: tuple[Layer, ...], options: BuildOptions, base: Base | None
) -> str:
    facts = asdict(replace(options, history="", scheduler=None))
    return build_identity(plan, layers, facts | {"base": None if base is None else base.identity})
