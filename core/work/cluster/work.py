"""What runs on a worker: what pieces share, loaded once, and piece after piece."""

from __future__ import annotations

from typing import Any

from distributed import get_worker
from distributed.protocol.pickle import loads

from ...errors import ClusterError, StoreError
from ...raster.layer_reader import gdal_environment
from ...run.reporter import SilentReporter
from ..pieces import Piece, PieceResult, Shared
from .shared_paths import SharedPaths, path_error


class Work:
    """Does pieces of one run in a worker; can be pickled."""

    def __init__(self, shared: Shared, paths: SharedPaths) -> None:
        self._shared = shared
        self._paths = paths
        self._is_checked = False

    def __call__(self, pickled: bytes) -> PieceResult:
        """Do a piece.

        Parameters
        ----------
        pickled
            The piece. It travels as bytes, because the scheduler, which would unpickle anything
            else, does not have this package.

        Raises
        ------
        ClusterError
            If this worker does not see products or outputs.
        StackError, OSError
            If the piece fails.
        """
        worker = get_worker()
        task = _Task(worker, self._paths)
        self._check(worker)
        piece: Piece[Shared] = loads(pickled)
        try:
            with gdal_environment():
                return piece.run(self._shared.with_threads(worker.state.nthreads), task)
        except StoreError as error:
            # It has its own credentials and its own way to the service.
            raise StoreError(f"On the Dask worker {worker.address}, {error}") from error

    def _check(self, worker: Any) -> None:
        """Look once, because a worker may have joined after all others were asked."""
        if not self._is_checked or self._paths.hidden_folder is not None:
            mark = f"seen-{worker.id}"
            obstacle = self._paths.obstacle(mark)
            for folder in self._paths.folders:
                (folder / mark).unlink(missing_ok=True)
            if obstacle:
                raise ClusterError(path_error(worker.address, obstacle))
            self._is_checked = True


class _Task(SilentReporter):
    """Stops a piece once nobody waits for it: not its client, or not the build."""

    def __init__(self, worker: Any, paths: SharedPaths) -> None:
        super().__init__()
        self.key: str = worker.get_current_task()
        self._tasks = worker.state.tasks
        self._paths = paths

    def canceled(self) -> bool:
        """Return whether the scheduler or the build has given the task up.

        Dask does not interrupt a task that runs. One that goes on in the folder of an output after
        its build has ended would leave files there that belong to nothing.
        """
        task = self._tasks.get(self.key)
        return task is None or task.state != "executing" or self._paths.hidden_folder is not None


def count_running(prefix: str, dask_worker: Any) -> int:
    """Return how many tasks a worker runs whose keys begin with a prefix.

    Parameters
    ----------
    prefix
        Begin of the keys.
    dask_worker
        Given by Dask, which does not count tasks as running that were canceled, but keeps their
        keys until they end.
    """
    return sum(key.startswith(prefix) for key in tuple(dask_worker.active_keys))
