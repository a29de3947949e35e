"""Writes a stack under hidden names, and gives it its own when it is complete."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

from ..append.base import Base
from ..errors import Canceled, ClusterError, ProductError, StoreError
from ..grid.plan import Plan
from ..object_store.late_metadata import LateMetadataStore
from ..outputs.options import BuildOptions
from ..outputs.output import OutputPlaces
from ..outputs.publishing import publish_outputs
from ..outputs.unfinished_outputs import UnfinishedOutputs
from ..outputs.workspace import Workspace
from ..products.layers import Layer
from ..products.product import check_unchanged
from ..raster.layer_reader import gdal_environment
from ..run.reporter import Reporter
from ..work.execution import Executor
from .design import design_stack
from .identity import build_identity
from .stages import Built, write_stack


def build_stack(
    plan: Plan,
    layers: tuple[Layer, ...],
    options: BuildOptions,
    reporter: Reporter,
    base: Base | None = None,
    goes_on_without: bool = False,
    afterward: Callable[[Built | None], None] | None = None,
) -> Built | None:
    """Write a stack to all its outputs.

    Parameters
    ----------
    plan
        Grid and placements, these in the order of the steps.
    options
        Outputs and their layout; at least one output.
    base
        The stack that holds the products that are stored already.
    goes_on_without
        Whether what is done is kept for a build without a product that turns out to be damaged.
    afterward
        Called when all outputs have their names, with what is returned. A build that is killed
        before it returns is ended by the same job.

    Returns
    -------
    Built
        The stack, what was learned from its pixels, and its assessment; None where a build of the
        same job has published all outputs and was stopped afterward.

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
    """
    identity = _identity(plan, layers, options, base)

    def write(
        workspace: Workspace, note: Path | None, pieces: Executor, remote: LateMetadataStore | None
    ) -> Built:
        if base is not None:
            # From here on no other run gives an output its name.
            base.check_unchanged()
        with unchanged_inputs(plan, base):
            design = design_stack(plan, layers, options, base, workspace, reporter)
            outputs = UnfinishedOutputs(
                options.outputs,
                design.layers,
                design.layouts,
                OutputPlaces(workspace, remote),
                reporter,
            )
            return write_stack(design, outputs, note, pieces, reporter)

    keep_for = (ProductError,) if goes_on_without else ()
    with gdal_environment():
        return publish_outputs(options, identity, reporter, write, afterward, keep_for)


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
    """Return what builds share that can use each other's work, wherever the work is done."""
    facts = asdict(replace(options, history="", scheduler=None, outputs=()))
    facts["outputs"] = [output.identity for output in options.outputs]
    facts["base"] = None if base is None else base.identity
    return build_identity(plan, layers, facts)
