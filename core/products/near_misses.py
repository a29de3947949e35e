"""What looks like a product but is not taken: named, so that nobody misses it in silence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_SHOWN = 5

UNFINISHED = (".part", ".crdownload", ".download", ".partial", ".opdownload", ".aria2", ".tmp")
"""Endings that browsers and download managers give to what they have not finished."""


@dataclass(frozen=True)
class Reason:
    """Why something is not taken."""

    why: str  # a clause behind "because" that fits one and several
    remedy: str  # what to do; a clause


DOWNLOADING = Reason("the download has not ended", "wait for it, or retrieve the product again")
WITHOUT_RASTERS = Reason("there is no GeoTIFF of a product inside", "retrieve the product again")
PACKED_TWICE = Reason("the products inside are zips themselves", "unpack the outer zip")
ALONE = Reason(
    "no parameter file (.txt) of the product lies beside it",
    "put all files of a product into one folder",
)
RENAMED = Reason(
    "this is not a name that HyP3 gives to products of a type that can be stacked",
    "name its files as HyP3 did, or retrieve the product again",
)
OTHER_ARCHIVE = Reason("only zips and folders are read", "unpack it")
TOO_DEEP = Reason("it lies more than one folder deep", "choose the folder above it, or move it")


def unreadable(error: Exception) -> Reason:
    """Return why a zip is not taken of which nobody knows what it holds."""
    if isinstance(error, OSError):
        return Reason(f"the zip cannot be read ({error.strerror})", "check its permissions")
    return Reason(f"the zip cannot be read ({error})", "retrieve it again, or move it away")


@dataclass(frozen=True)
class NearMiss:
    """Something with the name or the files of a product, and why it is not taken."""

    path: Path
    reason: Reason


def near_miss_lines(near: Iterable[NearMiss], folder: Path) -> list[str]:
    """Return sentences that name all, those of one reason together."""
    groups: dict[Reason, list[str]] = {}
    for item in near:
        groups.setdefault(item.reason, []).append(shown_path(item.path, folder))
    sentences = []
    for reason, names in groups.items():
        looks = "looks like a product, but is" if len(names) == 1 else "look like products, but are"
        sentences.append(
            f"{_listed(names)} {looks} not taken, because {reason.why}; {reason.remedy}."
        )
    return sentences


def shown_path(path: Path, folder: Path) -> str:
    """Return a path for a sentence, short where it lies in a folder that the user named."""
    name = str(path.relative_to(folder)) if path != folder else str(path)
    return name if name.isprintable() else repr(name)


def _listed(names: Sequence[str]) -> str:
    if len(names) > _SHOWN:
        return f"{', '.join(names[:_SHOWN])} and {len(names) - _SHOWN} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
