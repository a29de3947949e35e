"""Zips of products: bits in each of their parts, generic damage, and what attackers make of it."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from tests import running
from tests.damages import damaged_copy
from tests.running import zip_product
from tests.spoiled_zips import BAD, HOSTILE, spoil

from . import damage
from .core_runs import RIGHT, WRONG, Outcome
from .pixels import build, facts, judge, make_products, truths_in

SHARE = 12

METHODS = {"stored": zipfile.ZIP_STORED, "deflated": zipfile.ZIP_DEFLATED}
PARTS = ("data", "headers", "text", "directory")


def inputs() -> st.SearchStrategy[Any]:
    how = (
        st.tuples(st.just("bit"), st.sampled_from(PARTS), damage.fractions, st.integers(0, 7))
        | st.tuples(st.just("spoiled"), st.sampled_from([*BAD, *HOSTILE]))
        | st.tuples(st.just("seed"), st.integers(0, 1 << 32))
        | st.tuples(st.just("edits"), damage.byte_edits)
    )
    return st.fixed_dictionaries(
        {
            "method": st.sampled_from(sorted(METHODS)),
            "product": st.integers(0, 1),
            "how": how,
            "skip": st.booleans(),
        }
    )


def prepare(folder: Path, here: Path) -> None:
    for product in make_products(folder / "in"):
        (product / f"{product.name}.README.md.txt").write_text("About this product\n" * 20)
        for name, method in METHODS.items():
            (folder / name).mkdir(exist_ok=True)
            zip_product(product, folder / name / f"{product.name}.zip", method)
    for name in METHODS:
        running.build(folder / name, NETCDF=folder / f"{name}.nc")


def parts(archive: Path) -> dict[str, list[int]]:
    """Return the places of bytes of a zip by what they are."""
    found: dict[str, list[int]] = {part: [] for part in PARTS}
    content = archive.read_bytes()
    with zipfile.ZipFile(archive) as file:
        for member in file.infolist():
            lengths = struct.unpack_from("<HH", content, member.header_offset + 26)
            begin = member.header_offset + 30 + sum(lengths)
            kind = "data" if member.filename.endswith(".tif") else "text"
            found[kind] += range(begin, begin + member.compress_size)
            found["headers"] += range(member.header_offset, begin)
        found["directory"] += range(file.start_dir, len(content))
    return found


def run(folder: Path, here: Path, recipe: Any) -> Outcome:
    (here / "in").mkdir()
    whole = sorted((folder / recipe["method"]).iterdir())
    for path in whole:
        (here / "in" / path.name).write_bytes(path.read_bytes())
    path = here / "in" / whole[recipe["product"]].name
    kind, *how = recipe["how"]
    if kind == "bit":
        part, place, bit = how
        content = bytearray(path.read_bytes())
        places = parts(path)[part]
        content[places[int(place * len(places))]] ^= 1 << bit
        path.write_bytes(content)
    elif kind == "seed":
        path.unlink()
        damaged_copy(whole[recipe["product"]], path, how[0])
    elif kind == "edits":
        path.write_bytes(damage.edit_bytes(path.read_bytes(), how[0]))
    else:
        spoil(path, how[0])
    answer, refused = build(here, recipe["skip"], *truths_in(folder / "in"))
    if refused:
        return refused
    outcome = judge(here / "s.nc", truths_in(folder / "in"), answer.warnings)
    if outcome == (RIGHT, ""):
        # Not only pixels: every fact of both products.
        if not facts(here / "s.nc").identical(facts(folder / f"{recipe['method']}.nc")):
            return WRONG, "other facts"
    return outcome
