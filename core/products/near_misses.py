"""What looks like a product but is not taken: named, so that nobody misses it in silence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_SHOWN = 5

UNFINISHED = (".part", ".crdownload", ".download", ".partial", ".opdownload", ".aria2", ".tmp")
"""Endings that browsers and download managers give to what they have not finished."""


@dataclass(frozen=True)
class NearMiss:
    """Something with the name or the files of a product.

    Parameters
    ----------
    path
        The file or folder.
    why
        Why it is not taken; a clause behind "because" that fits one and several.
    remedy
        What to do; a clause.
    """

    path: Path
    why: str
    remedy: str


def unfinished(path: Path) -> NearMiss:
    """Return a download that was not finished."""
    return NearMiss(
        path, "the download has not ended", "wait for it, or retrieve the product again"
    )


def without_rasters(path: Path) -> NearMiss:
    """Return a folder or zip with the name of a product and none of its GeoTIFFs."""
    return NearMiss(path, "there is no GeoTIFF of a product inside", "retrieve the product again")


def packed_twice(path: Path) -> NearMiss:
    """Return a zip of zips."""
    return NearMiss(path, "the products inside are zips themselves", "unpack the outer zip")


def alone(path: Path) -> NearMiss:
    """Return GeoTIFFs of a product that lie somewhere without their parameter file."""
    return NearMiss(
        path,
        "no parameter file (.txt) of the product lies beside it",
        "put all files of a product into one folder",
    )


def renamed(path: Path) -> NearMiss:
    """Return what has not the name that HyP3 gave it, nor files that tell it."""
    return NearMiss(
        path,
        "this is not a name that HyP3 gives to products of a type that can be stacked",
        "name its files as HyP3 did, or retrieve the product again",
    )


def other_archive(path: Path) -> NearMiss:
    """Return an archive that is not a zip."""
    return NearMiss(path, "only zips and folders are read", "unpack it")


def too_deep(path: Path) -> NearMiss:
    """Return a product folder or zip deep in other folders."""
    return NearMiss(
        path,
        "it lies more than one folder deep",
        "choose the folder above it, or move it",
    )


def unreadable(path: Path, error: Exception) -> NearMiss:
    """Return a zip of which nobody knows what it holds."""
    return NearMiss(path, f"the zip cannot be read ({error})", "retrieve it again, or move it away")


def denied(path: Path, error: OSError) -> NearMiss:
    """Return a zip that the system does not let be read."""
    return NearMiss(path, f"the zip cannot be read ({error.strerror})", "check its permissions")


def describe(near: Iterable[NearMiss], folder: Path) -> list[str]:
    """Return sentences that name all, those of one reason together."""
    groups: dict[tuple[str, str], list[str]] = {}
    for item in near:
        groups.setdefault((item.why, item.remedy), []).append(shown(item.path, folder))
    sentences = []
    for (why, remedy), names in groups.items():
        looks = "looks like a product, but is" if len(names) == 1 else "look like products, but are"
        sentences.append(f"{_listed(names)} {looks} not taken, because {why}; {remedy}.")
    return sentences


def shown(path: Path, folder: Path) -> str:
    """Return a path for a sentence, short where it lies in a folder that the user named."""
    name = str(path.relative_to(folder)) if path != folder else str(path)
    return name if name.isprintable() else repr(name)


def _listed(names: Sequence[str]) -> str:
    if len(names) > _SHOWN:
        return f"{', '.join(names[:_SHOWN])} and {len(names) - _SHOWN} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
