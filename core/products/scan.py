"""Finds HyP3 products in a folder: product folders and zips, there and one level down."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ..errors import NoProductsError, ProductError
from ..inputs.zipped import open_zip, zipped_files
from .contents import Candidate, Damaged, look_into
from .names import ProductName, leading_name, parse_name
from .near_misses import NearMiss, near_miss_lines, shown_path
from .product import Product

READERS = 4
"""Threads: on a quick disk one would be quicker, over a network eight."""

_DEPTH = 2


@dataclass(frozen=True)
class Scan:
    """What a folder holds."""

    products: tuple[Product, ...]  # usable products, sorted by time and name
    damaged: tuple[Damaged, ...]  # products that cannot be read
    notes: tuple[str, ...]  # sentences on choices that the scan made
    # Files and folders that look like products that are not there otherwise.
    near: tuple[str, ...] = ()


def scan_folder(folder: Path) -> Scan:
    """Find the products in a folder, of whatever types.

    Parameters
    ----------
    folder
        Holds product folders or zips, or folders of such, or the files of products themselves.
        Products are recognized by the names of their GeoTIFFs, whatever their folders or zips are
        called. Anything else is ignored, but named where it looks like a product.

    Raises
    ------
    NoProductsError
        If there is not one product, not even a damaged one.
    """
    with ThreadPoolExecutor(READERS) as pool:
        found = look_into(folder, _DEPTH, pool)
    near = [item for item in found if isinstance(item, NearMiss)]
    said = near_miss_lines(near, folder)
    places: dict[str, list[Candidate]] = {}
    for item in found:
        if isinstance(item, Candidate):
            places.setdefault(item.name.text, []).append(item)
    if not places:
        instead = f" ({' '.join(said).rstrip('.')})" if said else ""
        raise NoProductsError(
            f"There are no HyP3 products in {folder}{instead}; choose the folder that holds the "
            "product folders or zips."
        )
    chosen: list[Product | Damaged] = []
    notes = []
    for candidates in places.values():
        used, *others = _ranked(candidates)
        chosen.append(used.result)
        notes += [_twice(used, other) for other in others]
        claimed = _named(used.path)
        if claimed is not None and claimed != used.name:
            notes.append(f"{used.path} holds {used.name.text}, as its files show.")
    products = [item for item in chosen if isinstance(item, Product)]
    return Scan(
        products=tuple(sorted(products, key=lambda item: (item.name.times, item.name.text))),
        damaged=tuple(item for item in chosen if isinstance(item, Damaged)),
        notes=(*notes, *said),
        near=tuple(shown_path(item.path, folder) for item in near if not _is_among(item, places)),
    )


def _named(path: Path) -> ProductName | None:
    """Return the product that a folder or zip has exactly the name of."""
    return parse_name(path.name if path.is_dir() else path.stem)


def _is_among(near: NearMiss, places: dict[str, list[Candidate]]) -> bool:
    name = leading_name(near.path.name)
    return name is not None and name.text in places


def _ranked(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the places of a product, the one to use first."""
    parents = {parent for item in candidates for parent in item.path.parents}
    # A folder that holds nothing of the product but another folder or zip.
    places = [
        item for item in candidates if item.path not in parents or isinstance(item.result, Product)
    ]
    # A folder is faster to read than a zip of the same product.
    places.sort(
        key=lambda item: (
            isinstance(item.result, Damaged),
            not item.path.is_dir(),
            _named(item.path) is None,
        )
    )
    first = places[0].result
    if isinstance(first, Product) and not first.is_zipped:
        for item in places[1:]:
            if isinstance(item.result, Product) and _lacks_files_of(first, item.result):
                # Unpacking was stopped, or went on until the disk was full.
                return [item, *(other for other in places if other is not item)]
    return places


def _twice(used: Candidate, other: Candidate) -> str:
    """Return the sentence on a place of a product that is not used."""
    why = ""
    if other.path.is_dir() and not used.path.is_dir():
        why = ", because it is incomplete"
    elif isinstance(other.result, Damaged) and isinstance(used.result, Product):
        why = ", because it is damaged"
    return f"{used.name.text} is there twice; {used.path} is used and {other.path} is not{why}."


def _lacks_files_of(folder: Product, archive: Product) -> bool:
    """Return whether a folder lacks something that a zip holds; not if either cannot be read."""
    if not archive.is_zipped:
        return False
    try:
        with open_zip(archive.location) as file:
            packed = zipped_files(file, archive.name.text)[1]
            sizes = {name: packed[name].file_size for name in archive.files}
        unpacked = {name: (folder.location / name).stat().st_size for name in folder.files}
    except (zipfile.BadZipFile, ProductError, OSError):
        return False
    return any(unpacked.get(name, -1) < size for name, size in sizes.items())
