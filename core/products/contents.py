"""What a folder or zip holds: products, recognized by the names of their files, and near misses."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

from ..errors import ProductError
from ..inputs.packed import LARGEST_TEXT, read_text
from ..inputs.read_errors import machine_error
from ..inputs.zipped import MAC, check_names, folders_of, open_zip, zipped_files
from ..machine.stamps import Stamps, take_stamps
from . import near_misses
from .granules import granules_in
from .layers import Delivery
from .names import ProductName, leading_name, parse_name, resembles_name
from .near_misses import NearMiss
from .nodata import read_note
from .parameter_file import ParameterFile, decoded
from .product import Product, Readme, gdal_zip
from .product_types import PRODUCT_TYPES

_ENDINGS = (".xml", ".png", ".kmz", ".log", ".shp", ".dbf", ".prj", ".shx")
"""Of files of products that say nothing that goes into a stack."""

_OTHER_ARCHIVES = (".7z", ".rar", ".tar", ".gz", ".tgz")

_SURE = {
    name
    for row in PRODUCT_TYPES.values()
    for name, layer in row.layers.items()
    if layer.delivery is not Delivery.SOMETIMES and not layer.static
}
_ONE_OF = re.compile(rf"_({'|'.join(_SURE)})\.tiff?$", re.IGNORECASE)
"""End of the name of a GeoTIFF as all products have at least one."""

_READMES = dict.fromkeys(row.processor.readme for row in PRODUCT_TYPES.values())
"""Ends of the names of READMEs; what HyP3 documents is not always what it delivers."""

_TRACE = re.compile(r"^S1|S1[A-D_]|\d{8}T\d{6}|_(INT|RTC)\d\d_", re.IGNORECASE)
"""What is left of the name of a product where something was put before it, or its begin is lost."""


@dataclass(frozen=True)
class Damaged:
    """A product that cannot be used, and why (one sentence)."""

    name: str
    reason: str


@dataclass(frozen=True)
class Candidate:
    """A product where it was found."""

    name: ProductName  # its name, as its files show it
    path: Path  # the folder or zip
    result: Product | Damaged  # the product, or why it cannot be used


Found = Candidate | NearMiss


def look_into(path: Path, depth: int, pool: Executor | None = None) -> list[Found]:
    """Find products, usable or not, and what looks like one, by the names of GeoTIFFs.

    What the folder or zip itself is called does not count where its files show it: browsers, file
    managers and unpacking programs add numbers and words.

    Parameters
    ----------
    path
        A folder that holds files of products, or folders and zips; or a zip.
    depth
        How many folders deep to look for other folders and zips.
    pool
        Looks into what is directly inside; by default one after the other.
    """
    if not path.is_dir():
        return _look_into_zip(path)
    if _is_unfinished(path):
        return [NearMiss(path, near_misses.DOWNLOADING)]
    claimed = parse_name(path.name) or leading_name(path.name)
    try:
        files, folders = _inside(path)
        found, is_own = _in_folder(path, files, claimed)
    except OSError as error:
        if claimed is None:
            return []  # such as lost+found, where the folder is that of a disk
        return [Candidate(claimed, path, Damaged(claimed.text, _denied(path, error)))]
    if is_own:
        return found
    inner = [*folders, *filter(_is_zip, files.values())]
    # Many programs unpack a zip into a folder of its name, too.
    depth = max(depth, 0 if claimed is None else 1)
    if depth:
        look = partial(look_into, depth=depth - 1)
        for items in map(look, inner) if pool is None else pool.map(look, inner):
            found += items
    else:
        found += [
            NearMiss(item, near_misses.TOO_DEEP) for item in inner if resembles_name(item.name)
        ]
    if claimed is not None and not any(isinstance(item, Candidate) for item in found):
        is_exact = claimed.text == path.name
        empty = Candidate(claimed, path, _no_rasters(claimed, path, files))
        found.append(empty if is_exact else NearMiss(path, near_misses.WITHOUT_RASTERS))
    return found


def _inside(folder: Path) -> tuple[dict[str, Path], list[Path]]:
    """Return the files in a folder by name, and its folders, but for what systems hide there."""
    with os.scandir(folder) as entries:
        shown = sorted(
            (entry for entry in entries if not entry.name.startswith((".", MAC))),
            key=lambda entry: entry.name,
        )
    files = {entry.name: folder / entry.name for entry in shown if entry.is_file()}
    return files, [folder / entry.name for entry in shown if entry.is_dir()]


def _is_zip(path: Path) -> bool:
    """Return whether to look into a file as a zip.

    By its ending; and by its content, where the ending of a product's zip was lost or changed.
    """
    suffix = path.suffix.lower()
    if suffix in (".tif", ".txt", *_ENDINGS, *near_misses.UNFINISHED):
        return False
    return suffix == ".zip" or (resembles_name(path.name) and _begins_as_zip(path))


def _begins_as_zip(path: Path) -> bool:
    """Return whether a file looks like a zip inside, or cannot be read, which reading it shows."""
    try:
        with path.open("rb") as file:
            return file.read(4) == b"PK\3\4"
    except OSError:
        return True


def _is_unfinished(path: Path) -> bool:
    return path.suffix.lower() in near_misses.UNFINISHED and resembles_name(path.name)


def _in_folder(
    path: Path, files: Mapping[str, Path], claimed: ProductName | None
) -> tuple[list[Found], bool]:
    """Return what the files of a folder are, and whether it is the folder of one product."""
    names = _named_by(files)
    is_own = claimed is not None and claimed.text in names
    found: list[Found] = []
    for stem, name in names.items():
        own = _own_files(stem, files, [*names] if is_own and name == claimed else None)
        if (is_own and name == claimed) or _is_complete(name, own):
            found.append(_open(name, path, partial(_open_folder, name, path, own)))
        else:
            found += [NearMiss(files[file], near_misses.ALONE) for file in sorted(own)[:1]]
    if not is_own:
        found += _leftovers(files, names)
    return found, is_own


def _named_by(files: Iterable[str]) -> dict[str, ProductName]:
    """Return the products of which GeoTIFFs are, by their names."""
    names: dict[str, ProductName] = {}
    last = None
    for file in files:
        if not file.endswith(".tif") or (last is not None and file.startswith(last)):
            continue
        name = leading_name(file)
        if name is not None and file[len(name.text) :].startswith("_"):
            names.setdefault(name.text, name)
            last = f"{name.text}_"
    return names


def _own_files(stem: str, files: Iterable[str], among: Sequence[str] | None) -> set[str]:
    """Return the files of a product; of those in its own folder all that are not of others."""
    if among is None:
        return {file for file in files if file.startswith((f"{stem}_", f"{stem}."))}
    others = tuple(f"{other}{mark}" for other in among if other != stem for mark in "._")
    return {file for file in files if not file.startswith(others)}


def _is_complete(name: ProductName, files: set[str]) -> bool:
    """Return whether files are enough to be a product, though no folder says so."""
    held = {f"{name.text}_{layer}.tif" for layer in name.type.layers} & files
    return bool(held) and (not name.type.has_parameter_file or f"{name.text}.txt" in files)


def _leftovers(files: Mapping[str, Path], names: Mapping[str, ProductName]) -> list[Found]:
    """Return files that look like products, or like theirs, and belong to none."""
    found: list[Found] = []
    for file, path in files.items():
        known = leading_name(file)
        if _is_unfinished(path):
            found.append(NearMiss(path, near_misses.DOWNLOADING))
        elif (known is not None and known.text in names) or _is_zip(path):
            continue
        elif _is_raster_of_other_name(file):
            found.append(NearMiss(path, near_misses.RENAMED))
        elif path.suffix.lower() in _OTHER_ARCHIVES and resembles_name(file):
            found.append(NearMiss(path, near_misses.OTHER_ARCHIVE))
    return found


def _is_raster_of_other_name(file: str) -> bool:
    return bool(_ONE_OF.search(file) and _TRACE.search(file))


def _look_into_zip(path: Path) -> list[Found]:
    claimed = parse_name(path.stem) or leading_name(path.name)
    names = {} if claimed is None else {claimed.text: claimed}
    try:
        stamps = take_stamps([path])
        with open_zip(path) as archive:
            folders = folders_of(archive)
            named = _named_by(name for files in folders.values() for name in files)
            if not named:
                return _without_products(claimed, path, folders)
            names = named
            homes = {stem: zipped_files(archive, stem)[0] for stem in named}
            check_names(archive, partial(_is_known, named, homes))
            return [
                _open(name, path, partial(_open_zip, name, path, archive, named, stamps))
                for name in named.values()
            ]
    except ProductError as error:
        reason = str(error)
    except zipfile.BadZipFile as error:
        if not names and (resembles_name(path.name) or _begins_as_zip(path)):
            return [NearMiss(path, near_misses.unreadable(error))]
        reason = _unreadable(path, error)
    except OSError as error:
        reason = _denied(path, error)
        if not names:
            return [NearMiss(path, near_misses.unreadable(error))]
    return [Candidate(name, path, Damaged(stem, reason)) for stem, name in names.items()]


def _is_known(
    names: Mapping[str, ProductName], homes: Mapping[str, str], folder: str, file: str
) -> bool:
    """Return whether a zip may have such a file, as one bit cannot make it of another one."""
    # Two names in a folder may differ in one bit.
    here = [name for stem, name in names.items() if homes[stem] == folder]
    if len(here) != 1:
        return False
    stem = here[0].text
    layer, ending = file[len(stem) + 1 : -4], file[-4:]
    if not file.startswith((f"{stem}_", f"{stem}.")) or ending == ".txt":
        return file in _texts(stem)
    return layer in here[0].type.layers if ending == ".tif" else ending in _ENDINGS


def _without_products(
    claimed: ProductName | None, path: Path, folders: Mapping[str, Mapping[str, zipfile.ZipInfo]]
) -> list[Found]:
    """Return what to say of a zip without a GeoTIFF of a product."""
    files = [file for members in folders.values() for file in members]
    has_zips = any(file.lower().endswith(".zip") and resembles_name(file) for file in files)
    if claimed is not None and has_zips:
        reason = f"{path} holds only a zip of {claimed.text}; unpack it once."
        return [Candidate(claimed, path, Damaged(claimed.text, reason))]
    if has_zips:
        return [NearMiss(path, near_misses.PACKED_TWICE)]
    if claimed is not None:
        return [Candidate(claimed, path, _no_rasters(claimed, path, files))]
    if any(map(_is_raster_of_other_name, files)):
        return [NearMiss(path, near_misses.RENAMED)]
    return [NearMiss(path, near_misses.WITHOUT_RASTERS)] if resembles_name(path.name) else []


def _open(name: ProductName, path: Path, read: Callable[[], Product]) -> Candidate:
    try:
        return Candidate(name, path, read())
    except ProductError as error:
        reason = str(error)
    except zipfile.BadZipFile as error:
        reason = _unreadable(path, error)
    except OSError as error:
        reason = _denied(path, error)
    return Candidate(name, path, Damaged(name.text, reason))


def _no_rasters(name: ProductName, path: Path, files: Iterable[str]) -> Damaged:
    reason = f"{path} holds no GeoTIFF of {name.text}; retrieve the product again."
    other = next(filter(_is_raster_of_other_name, files), None)
    if other is not None:
        reason = (
            f"{path} holds GeoTIFFs of a product under other names than those of HyP3, such as "
            f"{other}; name them as HyP3 did, or retrieve the product again."
        )
    return Damaged(name.text, reason)


def _unreadable(path: Path, error: zipfile.BadZipFile) -> str:
    return f"The zip {path} cannot be read ({error}); retrieve the product again."


def _denied(path: Path, error: OSError) -> str:
    fault = machine_error(str(path), error)
    if fault is not None:
        raise fault from error
    return f"{path} cannot be read ({error.strerror or error}); check its permissions."


def _open_folder(name: ProductName, path: Path, files: set[str]) -> Product:
    stamps = take_stamps(path / file for file in files)

    def read(file: str) -> bytes:
        with (path / file).open("rb") as opened:
            content = opened.read(LARGEST_TEXT + 1)
        if len(content) > LARGEST_TEXT:
            raise ProductError(
                f"{path / file} has more than {LARGEST_TEXT} bytes, too many for such a text; "
                "retrieve the product again."
            )
        return content

    return _product(name, path, str(path), files, read, stamps)


def _open_zip(
    name: ProductName,
    path: Path,
    archive: zipfile.ZipFile,
    names: Iterable[str],
    stamps: Stamps,
) -> Product:
    inner, members = zipped_files(archive, name.text)
    files = _own_files(name.text, members, [*names])
    prefix = gdal_zip(path) + (f"/{inner}" if inner else "")
    return _product(
        name, path, prefix, files, lambda file: read_text(archive, members[file]), stamps
    )


def _product(
    name: ProductName,
    path: Path,
    prefix: str,
    files: set[str],
    read: Callable[[str], bytes],
    stamps: Stamps,
) -> Product:
    def text(*candidates: str) -> str | None:
        for candidate in candidates:
            if candidate in files:
                return decoded(read(candidate))
        return None

    parameter_file, *readmes = _texts(name.text)
    parameters = text(parameter_file)
    beside = {layer: f"{name.text}_{layer}.tif.aux.xml" for layer in name.type.layers}
    return Product(
        name=name,
        location=path,
        prefix=prefix,
        files=tuple(sorted(files)),
        parameters=ParameterFile(parameters) if parameters is not None else None,
        readme=_readme(text(*readmes) or ""),
        notes={
            layer: read_note(decoded(read(file)), file)
            for layer, file in beside.items()
            if file in files
        },
        stamps=stamps,
    )


def _texts(stem: str) -> tuple[str, ...]:
    """Return the names of a parameter file, and of a README by any processor."""
    return (f"{stem}.txt", *(stem + end for end in _READMES))


def _readme(text: str) -> Readme:
    def first(pattern: str) -> str | None:
        match = re.search(pattern, text)
        return match.group(1) if match else None

    processed = None
    stamp = first(r"Processing Date/Time:\s*(\S+)")
    if stamp:
        try:
            processed = datetime.fromisoformat(stamp.rstrip(".,"))
        except ValueError:
            processed = None
        if processed is not None and processed.tzinfo is None:
            processed = processed.replace(tzinfo=timezone.utc)
    return Readme(
        processed=processed,
        plugin_version=first(r"plugin version (\S+) running"),
        granules=granules_in(text),
        software_version=first(r"running (?:GAMMA|ISCE2?) (?:release|version) (\S+?)[.,]?\s"),
    )
