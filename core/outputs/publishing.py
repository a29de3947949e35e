"""Writes the outputs of a run under hidden names; gives them their own when all are complete."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import TypeVar

from ..dataset.options import BuildOptions
from ..errors import Canceled, ClusterError, OutputError, StackError, StoreError
from ..files.workspace import Workspace
from ..inputs.read_errors import limit_error
from ..machine.notes import Note
from ..object_store.late_metadata import LateMetadataStore
from ..object_store.location import RemoteLocation
from ..object_store.publication import RemoteWorkspace
from ..run.reporter import Reporter
from ..work.execution import Executor, ExecutorFactory

Made = TypeVar("Made")


def publish_outputs(
    options: BuildOptions,
    identity: str,
    executor: ExecutorFactory,
    reporter: Reporter,
    write: Callable[[Workspace, Note, Executor, LateMetadataStore | None], Made],
    afterward: Callable[[Made], None] | None = None,
) -> Made:
    """Write outputs and publish them; what a stopped run has left is gone on with.

    Parameters
    ----------
    options
        Which outputs; at least one.
    identity
        The same for runs that give the same outputs, fit for a file name.
    executor
        Makes what runs the pieces, given the folders that it has to see.
    reporter
        Told of progress and asked whether to stop.
    write
        Writes and checks the outputs, given where, where to note what is done, where pieces run,
        and the store in an object store, if there is one.
    afterward
        Called when all outputs have their names. A run that is killed before it returns is ended
        by the same job.

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
    finals = [path for path in (options.netcdf, options.zarr) if path is not None]
    workspace = Workspace(finals, identity)
    remote = None
    if options.remote is not None:
        known = workspace.root
        remote = RemoteWorkspace(options.remote, identity, workspace.note, reporter, known)
    note = workspace.note if remote is None else remote.note
    if note is None:
        raise ValueError("a run needs an output")

    def is_kept() -> bool:
        return workspace.is_kept or (remote is not None and remote.is_kept)

    try:
        with executor(workspace.folders, reporter) as pieces, workspace:
            with nullcontext() if remote is None else remote as store:
                made = write(workspace, note, pieces, store)
                if remote is not None:
                    workspace.keep_root(remote.publish())
                workspace.publish()
                if afterward is not None:
                    afterward(made)
        return made
    except (Canceled, ClusterError, StoreError) as error:
        if is_kept():
            raise _continuable(error, options.remote) from error
        raise
    except OSError as error:
        targets = " and ".join(map(str, finals)) or str(options.remote)
        fault = limit_error(targets, error)
        if fault is not None:
            raise fault from error
        what = "run the same job again to go on" if is_kept() else "choose another folder"
        raise OutputError(
            f"{targets} cannot be written ({error.strerror or error}); free some space or {what}."
        ) from error


def _continuable(error: StackError, remote: RemoteLocation | None) -> StackError:
    """Return the error of a build whose work was kept, with what to do."""
    if not isinstance(error, Canceled):
        text = str(error).rstrip(".")
        return type(error)(f"{text}; the same job then goes on where it stopped.")
    text = "The run was canceled; run the same job again to go on from where it stopped"
    if remote is not None:
        text += (
            f" (no reader sees what {remote.url} holds of it, and the next run uses or removes it)"
        )
    return Canceled(f"{text}.")
