"""Errors that end a run with one sentence for the user.

Every message names the thing (product, file, job, parameter) and the remedy. Anything that is not
a :class:`StackError` is a defect of ours and keeps its traceback.
"""

from __future__ import annotations


class StackError(Exception):
    """Base of all errors whose message is meant for the user."""


class InvalidParameterError(StackError):
    """A parameter of the job is missing, misspelled or outside its range."""


class NoProductsError(StackError):
    """A folder or a filter leaves nothing to work on."""


class ProductError(StackError):
    """A product is damaged or lacks something that was asked for.

    Parameters
    ----------
    product
        Name of the product, where the run can go on without it.
    """

    def __init__(self, message: str, product: str | None = None) -> None:
        super().__init__(message)
        self.product = product


class InputChangedError(StackError):
    """An input is no longer what it was when the run began to read it."""


class MachineError(StackError):
    """The machine ends the run: a limit of open files, its memory, a disk; no input is at fault."""


class InconsistentProductsError(StackError):
    """Products do not belong in one stack."""


class GridError(StackError):
    """No common grid can be laid over the products."""


class OutputError(StackError):
    """An output cannot be written, or what was written does not read back right."""


class BusyOutputError(OutputError):
    """An output is complete, but another program keeps it from its name."""


class StoreError(OutputError):
    """An object store cannot be reached or does not do what it is asked, which may pass."""


class ClusterError(StackError):
    """A Dask cluster cannot be reached, cannot do the work, or was lost on the way."""


class RetrievalError(StackError):
    """A service cannot be reached, refuses a request or delivers damaged files."""


class AuthenticationError(RetrievalError):
    """Credentials are missing, wrong, expired or lack an approval."""


class Canceled(StackError):
    """The user canceled the run."""


UNREADABLE = (
    OSError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    RuntimeError,
    ArithmeticError,
)
"""What the readers of files raise where a file is damaged: hardly anything is out of question."""

_RESUMABLE = (
    BusyOutputError,
    Canceled,
    ClusterError,
    MachineError,
    StoreError,
    OSError,
    MemoryError,
    KeyboardInterrupt,
    SystemExit,
)


def keeps_partial_output(error: BaseException | None) -> bool:
    """Return whether what a run wrote is worth keeping: its inputs are not at fault."""
    return isinstance(error, _RESUMABLE)


def in_brief(error: BaseException) -> str:
    """Return what an error says in one line of at most 200 characters, for use in parentheses."""
    return (" ".join(str(error).split()) or type(error).__name__)[:200].rstrip(".")
