"""Writes the outputs of a run under hidden names; gives them their own when all are complete."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TypeVar

from ..errors import Canceled, ClusterError, OutputError, StackError, StoreError
from ..files.workspace import Workspace
from ..inputs.read_errors import limit_error
from ..machine import atomic
from ..object_store import publication
from ..object_store.late_metadata import LateMetadataStore
from ..object_store.publication import RemoteWorkspace
from ..run.reporter import Reporter
from ..work.execution import Executor, ExecutorFactory, threads
from .options import BuildOptions

Made = TypeVar("Made")


def check_places(options: BuildOptions, report: Path | None) -> None:
    """Check that all outputs can be written, before any work is done.

    Raises
    ------
    OutputError
        If one cannot, or there is something already in the object store.
    """
    for path in (*options.files.values(), report):
        if path is not None:
            atomic.check_writable(path)
    if options.remote is not None:
        publication.check_writable(options.remote)


def publish_outputs(
    options: BuildOptions,
    identity: str,
    reporter: Reporter,
    write: Callable[[Workspace, Path | None, Executor, LateMetadataStore | None], Made],
    afterward: Callable[[Made], None] | None = None,
    keep_for: tuple[type[BaseException], ...] = (),
) -> Made:
    """Write outputs and publish them; what a stopped run has left on disks is gone on with.

    Parameters
    ----------
    options
        Which outputs; at least one.
    identity
        The same for runs that give the same outputs, fit for a file name.
    reporter
        Takes progress; asked whether to stop.
    write
        Writes and checks the outputs, given where, the file in which to note what is done (None to
        note nothing), where pieces run, and the store in an object store, if there is one.
    afterward
        Called when all outputs have their names. A run with outputs on disks alone that is killed
        before it returns is ended by the same job.
    keep_for
        Errors after which another attempt follows, besides those that are no fault of inputs.

    Returns
    -------
    object
        What ``write`` has returned.

    Raises
    ------
    OutputError
        If an output cannot be written.
    ClusterError
        If the Dask cluster cannot do the work or is lost.
    Canceled
        If the user asked to stop.
    """
    finals = list(options.files.values())
    workspace = Workspace(finals, identity, keep_for)
    remote = None if options.remote is None else RemoteWorkspace(options.remote, reporter)
    # What was written to an object store is not looked for again: a run with one starts over.
    note = workspace.note if remote is None else None
    try:
        with _executor(options)(workspace.folders, reporter) as pieces, workspace:
            with nullcontext() if remote is None else remote as store:
                made = write(workspace, note, pieces, store)
                # Before the stack in the object store is visible, which the same job would refuse
                # to replace if it were killed here; it replaces files and folders.
                workspace.publish()
            if afterward is not None:
                afterward(made)
        return made
    except (Canceled, ClusterError, StoreError) as error:
        if workspace.is_kept:
            raise _continuable(error) from error
        raise
    except OSError as error:
        targets = " and ".join(map(str, finals)) or str(options.remote)
        fault = limit_error(targets, error)
        if fault is not None:
            raise fault from error
        what = "run the same job again to go on" if workspace.is_kept else "choose another folder"
        raise OutputError(
            f"{targets} cannot be written ({error.strerror or error}); free some space or {what}."
        ) from error


def _executor(options: BuildOptions) -> ExecutorFactory:
    """Return what makes the executor: threads, or the user's Dask cluster."""
    if options.scheduler is None:
        return threads
    # Takes a second, which most runs need not spend.
    from ..work.cluster.cluster import Cluster

    return partial(Cluster, options.scheduler)


def _continuable(error: StackError) -> StackError:
    """Return the error of a run whose work was kept, with what to do."""
    if not isinstance(error, Canceled):
        text = str(error).rstrip(".")
        return type(error)(f"{text}; the same job then goes on where it stopped.")
    return Canceled("The run was canceled; run the same job again to go on from where it stopped.")
