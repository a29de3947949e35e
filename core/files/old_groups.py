"""Attributes of Zarr groups on which GDAL 3.13 crashes, in stores of earlier versions.

The convention ``spatial`` names the dimensions ``y`` and ``x``. Version 0.1.0 wrote its attributes
on groups as well, which also hold 2-D arrays without these dimensions, such as ``time_bnds``; GDAL
3.13.3 crashes on those. On arrays the same attributes are harmless, and the arrays have them, too.

Needs the standard library only: the QGIS side reads and mends stores with it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ..contract import SPATIAL_GROUP, TEMPORAL_GROUP
from ..machine.atomic import complete_or_absent
from ..run.documents import read_document

_PREFIX = "spatial:"
_CONVENTIONS = "zarr_conventions"
_SPATIAL = "spatial"
_GROUPS = ("", f"{SPATIAL_GROUP}/", f"{TEMPORAL_GROUP}/")
_DOCUMENTS = (".zattrs", ".zmetadata", "zarr.json")


def has_old_groups(read: Callable[[str], bytes]) -> bool:
    """Return whether groups of a store have attributes of the convention ``spatial``.

    Parameters
    ----------
    read
        Returns the content of a document by its path inside the store; empty without one.
    """
    return any(
        _strip(document)
        for group in _GROUPS
        for name in _DOCUMENTS
        if (document := _parse(read(f"{group}{name}"))) is not None
    )


def mend_groups(store: Path) -> int:
    """Take the attributes of the convention ``spatial`` from the groups of a store on disk.

    Each document is replaced as a whole, and every state on the way is a valid store. Nothing but
    these attributes changes. The number of documents that were replaced is returned.

    Raises
    ------
    OutputError
        If a document cannot be written; those that were replaced stay so.
    OSError
        If a document cannot be read, or the disk is full.
    """
    changed = 0
    for group in _GROUPS:
        for name in _DOCUMENTS:
            path = store / f"{group}{name}"
            document = _read(path) if path.is_file() else None
            if document is not None and _strip(document):
                with complete_or_absent(path) as partial:
                    partial.write_text(json.dumps(document, indent=2), encoding="utf-8")
                changed += 1
    return changed


def _read(path: Path) -> dict[str, Any] | None:
    try:
        return _parse(read_document(path))
    except ValueError:
        return None


def _parse(content: bytes) -> dict[str, Any] | None:
    """Return a document; None for anything else, which whoever opens the store reports."""
    try:
        document = json.loads(content) if content else None
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _strip(document: dict[str, Any]) -> bool:
    """Remove the attributes of groups from a document and return whether there were any."""
    found = [_strip_attributes(attributes) for attributes in _attributes_of_groups(document)]
    return any(found)


def _attributes_of_groups(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the attributes of every group that a document describes, in either format."""
    if "zarr_format" not in document and "metadata" not in document:
        yield document  # .zattrs of a group
        return
    nodes = [document]
    consolidated = document.get("consolidated_metadata")
    if isinstance(consolidated, dict) and isinstance(consolidated.get("metadata"), dict):
        nodes += consolidated["metadata"].values()
    for node in nodes:
        if isinstance(node, dict) and node.get("node_type") == "group":
            attributes = node.get("attributes")
            if isinstance(attributes, dict):
                yield attributes
    entries = document.get("metadata")  # .zmetadata
    if isinstance(entries, dict):
        for name, entry in entries.items():
            is_of_group = name.endswith(".zattrs") and f"{name[:-7]}.zgroup" in entries
            if is_of_group and isinstance(entry, dict):
                yield entry


def _strip_attributes(attributes: dict[str, Any]) -> bool:
    names = [name for name in attributes if name.startswith(_PREFIX)]
    for name in names:
        del attributes[name]
    conventions = attributes.get(_CONVENTIONS)
    if names and isinstance(conventions, list):
        attributes[_CONVENTIONS] = [
            item
            for item in conventions
            if not (isinstance(item, dict) and item.get("name") == _SPATIAL)
        ]
    return bool(names)
