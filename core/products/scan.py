"""Finds HyP3 products in a folder: product folders and zips, there and one level down."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from ..errors import NoProductsError, ProductError
from ..stamps import Stamps, take_stamps
from .layers import LAYERS
from .names import ProductName, parse_name
from .packed import read_text
from .parameter_file import ParameterFile
from .product import Product, Readme, gdal_zip
from .zipped import MAC, check_names, open_zip, zipped_files

READERS = 4
"""Threads: on a quick disk one would be quicker, over a network eight."""

_ENDINGS = (".xml", ".png", ".kmz", ".log", ".shp", ".dbf", ".prj", ".shx")
"""Of files that say nothing that goes into a stack."""

_GRANULE = re.compile(r"S1[A-D]_(?:IW|EW|S[1-6])_(?:SLC_|GRD[FHM])_\w{55}\b")


@dataclass(frozen=True)
class Damaged:
    """A product that cannot be used, and why (one sentence)."""

    name: str
    reason: str


@dataclass(frozen=True)
class Scan:
    """What a folder holds.

    Parameters
    ----------
    products
        Usable products, sorted by time and name.
    damaged
        Products that cannot be read.
    notes
        Sentences on choices that the scan made.
    """

    products: tuple[Product, ...]
    damaged: tuple[Damaged, ...]
    notes: tuple[str, ...]


def scan_folder(folder: Path) -> Scan:
    """Find the products in a folder.

    Parameters
    ----------
    folder
        Holds product folders or zips named as HyP3 names them, or folders of such; it may be a
        product folder itself. Anything else in it is ignored, and so is its own path.

    Returns
    -------
    Scan
        The products, of whatever types.

    Raises
    ------
    NoProductsError
        If there is not one product, not even a damaged one.
    """
    notes = []
    chosen: dict[str, tuple[ProductName, Path]] = {}
    for name, path in _candidates(folder):
        other = chosen.get(name.text)
        if other is None:
            chosen[name.text] = (name, path)
            continue
        keep, leave = _better(name, other[1], path)
        chosen[name.text] = (name, keep)
        why = ", because it is incomplete" if leave.is_dir() and not keep.is_dir() else ""
        notes.append(f"{name.text} is there twice; {keep} is used and {leave} is not{why}.")
    if not chosen:
        raise NoProductsError(
            f"There are no HyP3 products in {folder}; choose the folder that holds the product "
            "folders or zips."
        )

    with ThreadPoolExecutor(READERS) as pool:
        found = list(pool.map(lambda pair: _open(*pair), chosen.values()))
    products = [item for item in found if isinstance(item, Product)]
    return Scan(
        products=tuple(sorted(products, key=lambda item: (item.name.times, item.name.text))),
        damaged=tuple(item for item in found if isinstance(item, Damaged)),
        notes=tuple(notes),
    )


def _better(name: ProductName, first: Path, second: Path) -> tuple[Path, Path]:
    """Return which of two places of a product to use, and the other one."""
    folder, other = (first, second) if first.is_dir() else (second, first)
    if not other.is_dir() and folder.is_dir() and _lacks_files_of(name, folder, other):
        # Unpacking was stopped, or went on until the disk was full.
        return other, folder
    # A folder is faster to read than a zip of the same product.
    return folder, other


def _lacks_files_of(name: ProductName, folder: Path, archive: Path) -> bool:
    """Tell whether a folder lacks something that a zip holds; not if either cannot be read."""
    try:
        with open_zip(archive) as file:
            packed = zipped_files(file, name.text)[1]
        unpacked = {
            path.name: path.stat().st_size
            for path in _inner_folder(name, folder).iterdir()
            if path.is_file()  # not a link to a file that is gone
        }
    except (zipfile.BadZipFile, ProductError, OSError):
        return False
    return any(unpacked.get(file, -1) < member.file_size for file, member in packed.items())


def _candidates(folder: Path) -> Iterator[tuple[ProductName, Path]]:
    own = parse_name(folder.name)
    if own is not None and any(folder.glob("*.tif")):
        yield own, folder
        return
    for path in _visible(folder):
        name = _product_name(path)
        if name is not None:
            yield name, path
        elif path.is_dir():
            try:
                inside = _visible(path)
            except OSError:
                continue  # such as lost+found, where the folder is that of a disk
            for inner in inside:
                name = _product_name(inner)
                if name is not None:
                    yield name, inner


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith((".", MAC)))


def _product_name(path: Path) -> ProductName | None:
    if path.is_dir():
        return parse_name(path.name)
    if path.suffix.lower() == ".zip" and path.is_file():
        return parse_name(path.stem)
    return None


def _open(name: ProductName, path: Path) -> Product | Damaged:
    try:
        return _open_folder(name, path) if path.is_dir() else _open_zip(name, path)
    except ProductError as error:
        return Damaged(name.text, str(error))
    except OSError as error:
        reason = f"{path} cannot be read ({error.strerror or error}); check its permissions."
        return Damaged(name.text, reason)


def _open_folder(name: ProductName, path: Path) -> Product:
    path = _inner_folder(name, path)
    files = {item.name: item for item in path.iterdir() if item.is_file()}
    stamps = take_stamps(files.values())
    return _product(
        name, path, str(path), set(files), lambda file: files[file].read_bytes(), stamps
    )


def _inner_folder(name: ProductName, path: Path) -> Path:
    """Return where the files are: many programs unpack a zip into a folder of its name, too."""
    inner = path / name.text
    return inner if inner.is_dir() and not any(path.glob("*.tif")) else path


def _open_zip(name: ProductName, path: Path) -> Product:
    stamps = take_stamps([path])
    try:
        with open_zip(path) as archive:
            inner, members = zipped_files(archive, name.text)
            check_names(archive, lambda folder, file: folder == inner and _is_known(name, file))
            prefix = gdal_zip(path) + (f"/{inner}" if inner else "")
            return _product(
                name,
                path,
                prefix,
                set(members),
                lambda file: read_text(archive, members[file]),
                stamps,
            )
    except (zipfile.BadZipFile, OSError) as error:
        raise ProductError(
            f"The zip {path} cannot be read ({error}); retrieve the product again."
        ) from error


def _is_known(name: ProductName, file: str) -> bool:
    """Return whether a product has such a file, as one bit cannot make it of another one."""
    stem, layer, ending = file[: len(name.text)], file[len(name.text) + 1 : -4], file[-4:]
    if stem != name.text or ending == ".txt":
        return file in _texts(name.text)
    return layer in LAYERS[name.product_type] if ending == ".tif" else ending in _ENDINGS


def _product(
    name: ProductName,
    path: Path,
    prefix: str,
    files: set[str],
    read: Callable[[str], bytes],
    stamps: Stamps,
) -> Product:
    stem = name.text
    if not any(file.startswith(f"{stem}_") and file.endswith(".tif") for file in files):
        raise ProductError(f"{path} holds no GeoTIFF of {stem}; retrieve the product again.")

    def text(*candidates: str) -> str | None:
        for candidate in candidates:
            if candidate in files:
                return read(candidate).decode("utf-8", errors="replace")
        return None

    parameter_file, *readmes = _texts(stem)
    parameters = text(parameter_file)
    return Product(
        name=name,
        location=path,
        prefix=prefix,
        files=tuple(sorted(files)),
        parameters=ParameterFile(parameters) if parameters is not None else None,
        readme=_readme(text(*readmes) or ""),
        stamps=stamps,
    )


def _texts(stem: str) -> tuple[str, str, str]:
    """Return the names of a parameter file, and of a README by GAMMA and by ISCE2."""
    return f"{stem}.txt", f"{stem}.README.md.txt", f"{stem}_README.md.txt"


def _readme(text: str) -> Readme:
    def first(pattern: str) -> str | None:
        match = re.search(pattern, text)
        return match.group(1) if match else None

    processed = None
    stamp = first(r"Processing Date/Time:\s*(\S+)")
    if stamp:
        try:
            processed = datetime.fromisoformat(stamp.rstrip(".,").replace("Z", "+00:00"))
        except ValueError:
            processed = None
        if processed is not None and processed.tzinfo is None:
            processed = processed.replace(tzinfo=timezone.utc)
    return Readme(
        processed=processed,
        plugin_version=first(r"plugin version (\S+) running"),
        granules=tuple(dict.fromkeys(_GRANULE.findall(text))),
        software_version=first(r"running (?:GAMMA|ISCE2?) (?:release|version) (\S+?)[.,]?\s"),
    )
