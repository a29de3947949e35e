"""Writes the outputs of a run under hidden names; gives them their own when all are complete."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TypeVar

from ..errors import (
    Canceled,
    ClusterError,
    InvalidParameterError,
    OutputError,
    StackError,
    StoreError,
)
from ..files.written_stack import open_stack
from ..inputs.read_errors import limit_error
from ..machine import atomic
from ..object_store import publication
from ..object_store.late_metadata import LateMetadataStore
from ..object_store.location import RemoteLocation
from ..object_store.publication import RemoteWorkspace
from ..run.reporter import Reporter, complete
from ..work.execution import Executor, ExecutorFactory, threads
from .options import OutputOptions
from .output import Output
from .workspace import Workspace

Made = TypeVar("Made")


def check_places(options: OutputOptions, report: Path | None) -> None:
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
        publication.check_location_writable(options.remote)


def publish_outputs(
    options: OutputOptions,
    identity: str,
    reporter: Reporter,
    write: Callable[[Workspace, Path | None, Executor, LateMetadataStore | None], Made],
    afterward: Callable[[Made | None], None] | None = None,
    keep_for: tuple[type[BaseException], ...] = (),
) -> Made | None:
    """Write outputs and publish them; what a stopped run has left on disks is gone on with.

    A run that was stopped after its stack in an object store became visible has published all
    outputs: the same job then only does what comes afterward. What ``write`` returns is passed on;
    None where nothing was left to write.

    Parameters
    ----------
    options
        Which outputs; at least one.
    identity
        The same for runs that give the same outputs, fit for a file name.
    write
        Writes and checks the outputs, given where, the file in which to note what is done (None to
        note nothing), where pieces run, and the store in an object store, if there is one.
    afterward
        Called when all outputs have their names, with what ``write`` has returned. A run that is
        killed before it returns is ended by the same job.
    keep_for
        Errors after which another attempt follows, besides those that are no fault of inputs.

    Raises
    ------
    OutputError
        If an output cannot be written.
    ClusterError
        If the Dask cluster cannot do the work or is lost.
    """
    finals = list(options.files.values())
    workspace = Workspace(finals, identity, keep_for)
    location = options.remote
    remote = None if location is None else RemoteWorkspace(location, identity, reporter)
    made: Made | None = None
    try:
        # The mark in the object store goes last: it lets the same job end all else.
        with (
            _executor(options)(workspace.folders, reporter) as pieces,
            remote or nullcontext(),
            workspace,
        ):
            if remote is None:
                made = write(workspace, workspace.note, pieces, None)
                workspace.publish()
            elif remote.is_published:
                _check_published(options.outputs, remote.location)
                reporter.info(
                    "A run of this job was stopped when its outputs were complete; they stay as "
                    "they are."
                )
                complete(reporter)
            else:
                # Nothing is noted: a run that writes to an object store starts over.
                made = write(workspace, None, pieces, remote.store)
                # The same job replaces files and folders, but no stack that is visible there.
                workspace.publish()
                remote.publish()
            if afterward is not None:
                afterward(made)
        return made
    except (Canceled, ClusterError, StoreError) as error:
        if workspace.is_kept:
            raise _continuable(error, workspace.folders) from error
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


def _executor(options: OutputOptions) -> ExecutorFactory:
    """Return what makes the executor: threads, or the user's Dask cluster."""
    if options.scheduler is None:
        return threads
    # Takes a second, which most runs need not spend.
    from ..work.cluster.cluster import Cluster

    return partial(Cluster, options.scheduler)


def _check_published(outputs: Sequence[Output], location: RemoteLocation) -> None:
    """Check that all outputs are of the run that has published the stack in the object store."""

    def identifier(place: Path | RemoteLocation) -> str:
        try:
            with open_stack(place) as stack:
                return stack.text("id")
        except InvalidParameterError:
            return ""

    published = identifier(location)
    for output in outputs:
        if identifier(output.final) != published:
            raise OutputError(
                f"ZARR_URL is {location.url}, where a run of this job that was stopped has "
                f"published its stack, but {output.final} is not of that run any more; choose "
                "another key, or delete the stack there first."
            )


def _continuable(error: StackError, folders: Sequence[Path]) -> StackError:
    """Return the error of a run whose work was kept, with where it is and what to do."""
    if not isinstance(error, Canceled):
        text = str(error).rstrip(".")
        return type(error)(f"{text}; the same job then goes on where it stopped.")
    kept = " and ".join(map(str, folders))
    return Canceled(
        "The run was canceled; run the same job again to go on from where it stopped, or delete "
        f"what it has written so far: {kept}."
    )
