"""The files of a product in a zip, however the zip was packed."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping

from ..errors import ProductError

MAC = "__MACOSX"
"""Folder that macOS adds to zips; it repeats the names of folders and files with other content."""

_UNREAD = {9: "deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "xz", 98: "PPMd"}
"""Methods of compression, by their numbers in zips, that GDAL or Python cannot read."""


def zipped_files(archive: zipfile.ZipFile, stem: str) -> tuple[str, Mapping[str, zipfile.ZipInfo]]:
    """Find the files of a product in a zip.

    Parameters
    ----------
    archive
        The open zip.
    stem
        Name of the product, with which the names of its GeoTIFFs begin.

    Returns
    -------
    folder : str
        Where the files are in the zip, as GDAL names it; empty for the top.
    files : Mapping
        The members by the names of the files: those of the outermost folder with a GeoTIFF of the
        product, which HyP3 names as the product; empty if there is none.

    Raises
    ------
    ProductError
        If the zip is compressed in a way that cannot be read.
    """
    folders: dict[str, dict[str, zipfile.ZipInfo]] = {}
    for member in archive.infolist():
        folder, _, name = _path(member).rpartition("/")
        if name and MAC not in folder.split("/"):
            folders.setdefault(folder, {})[name] = member
    holding = [
        folder
        for folder, files in folders.items()
        if any(name.startswith(f"{stem}_") and name.endswith(".tif") for name in files)
    ]
    if not holding:
        return "", {}
    found = min(holding, key=lambda folder: (len(folder.split("/")), folder != stem, folder))
    methods = {_UNREAD.get(member.compress_type) for member in folders[found].values()}
    unread = sorted(method for method in methods if method is not None)
    if unread:
        raise ProductError(
            f"The zip {archive.filename} is compressed with {', '.join(unread)}, which is not "
            "read; unpack it, and take the folder instead."
        )
    return found, folders[found]


def _path(member: zipfile.ZipInfo) -> str:
    """Return the path of a member as GDAL names it; some programs write backslashes."""
    return member.filename.removeprefix("./").replace("\\", "/")
