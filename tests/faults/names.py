"""Names of folders, zips and layers that HyP3 does not give."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from tests.running import zip_product

from . import damage
from .core_runs import Outcome
from .pixels import LAYERS, build, copy_products, judge, layer_file, make_products, truths_in

SHARE = 12

_LONGEST = 255
_TRACE = re.compile(r"S1A|\d{8}T\d{6}|_INT80_", re.IGNORECASE)

_pieces = st.sampled_from(
    [
        " (1)", "-copy", "~", ".", "..", " ", "_", "__", "\n", "\udcff", "\u00e9", "\u202e",
        ".SAFE", ".zip", ".tif", "_corr", "_unw_phase", "_VV", "99999999", "00000000T000000", "S1",
        "\\", "*", "x" * 200, "\U0001f30b" * 40, "'", '"', "$HOME", "%2e", "{0}", "#", ";", "[",
        "?",
    ]
) | st.text(max_size=5)  # fmt: skip


def inputs() -> st.SearchStrategy[Any]:
    edit = st.tuples(
        st.sampled_from(["insert", "replace", "remove", "case", "digit", "cut"]),
        damage.fractions,
        _pieces,
        st.integers(0, 9),
    )
    return st.fixed_dictionaries(
        {
            "product": st.integers(0, 1),
            "place": st.sampled_from(["folder", "all", "layer", "text", "zip", "inner", "member"]),
            "edits": st.lists(edit, min_size=1, max_size=3),
            "skip": st.booleans(),
        }
    )


def edited(name: str, edits: list[Any]) -> str:
    """Return a name after edits, such that a file can have it."""
    for kind, place, piece, number in edits:
        at = int(place * (len(name) + 1))
        if kind == "insert":
            name = name[:at] + piece + name[at:]
        elif kind == "replace":
            name = name[:at] + piece + name[at + len(piece) :]
        elif kind == "remove":
            name = name[:at] + name[at + number :]
        elif kind == "case":
            name = name[:at] + name[at:].swapcase()
        elif kind == "cut":
            name = name[:at]
        else:
            digits = [place for place, sign in enumerate(name) if sign.isdigit()]
            if digits:
                at = digits[int(place * len(digits))]
                name = f"{name[:at]}{number}{name[at + 1 :]}"
    name = name.replace("/", "").replace("\0", "")
    while len(os.fsencode(name)) > _LONGEST:
        name = name[:-1]
    return "x" if name in ("", ".", "..") else name


def prepare(folder: Path, here: Path) -> None:
    make_products(folder / "in")


def run(folder: Path, here: Path, recipe: Any) -> Outcome:
    products = copy_products(folder / "in", here / "in")
    product, place = products[recipe["product"]], recipe["place"]
    if place in ("zip", "inner", "member"):
        _rename_in_zip(product, place, recipe["edits"])
    elif place in ("folder", "all"):
        name = edited(product.name, recipe["edits"])
        if place == "all":
            for path in list(product.iterdir()):
                rest = path.name.removeprefix(product.name)
                _rename(path, edited(product.name, recipe["edits"]) + rest)
        _rename(product, name)
    else:
        suffix = ".txt" if place == "text" else ".tif"
        path = product / f"{product.name}.txt"
        if place == "layer":
            path = layer_file(product, LAYERS[recipe["product"]])
        _rename(path, edited(path.stem, recipe["edits"]) + suffix)
    answer, refused = build(here, recipe["skip"])
    # Hidden folders, and files of which no name tells that they are HyP3's, are those of others.
    is_foreign = any(
        path.name.startswith(".") or (place == "all" and not _TRACE.search(path.name))
        for path in (here / "in").iterdir()
    )
    return refused or judge(
        here / "s.nc", truths_in(folder / "in"), answer.warnings, may_lack=is_foreign
    )


def _rename(path: Path, name: str) -> None:
    while len(os.fsencode(name)) > _LONGEST:
        name = name[1:]
    path.rename(path.with_name(name))


def _rename_in_zip(product: Path, place: str, edits: list[Any]) -> None:
    name = product.name
    inner = edited(name, edits) if place == "inner" else ""
    if place == "member":
        path = layer_file(product, LAYERS[0])
        _rename(path, edited(path.name, edits))
    outer = edited(name, edits) if place == "zip" else name
    while len(os.fsencode(f"{outer}.zip")) > _LONGEST:
        outer = outer[1:]
    target = product.with_name(f"{outer}.zip")
    inner = inner.encode("utf-8", "replace").decode()
    zip_product(product, target, inner=inner)
    for path in product.iterdir():
        path.unlink()
    product.rmdir()
