"""Headers of GeoTIFFs: tags, counts, offsets and bytes that are not what was written.

A header that says something else, without a contradiction, is believed: then the stack has to hold
what another reader finds in the file.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from rasterio.errors import RasterioError

from . import damage
from .core_runs import RIGHT, WRONG, Outcome
from .pixels import (
    LAYERS,
    build,
    copy_products,
    judge,
    layer_file,
    make_products,
    read_truth,
    truths_in,
)

SHARE = 12

FIELDS = {"tag": (0, "<H"), "type": (2, "<H"), "count": (4, "<I"), "value": (8, "<I")}
TAGS = (256, 257, 258, 259, 262, 273, 277, 278, 279, 284, 317, 322, 323, 324, 325, 339, 33550,
        33922, 34264, 34735, 34736, 34737, 42112, 42113, 530, 347, 700)  # fmt: skip


def inputs() -> st.SearchStrategy[Any]:
    number = st.sampled_from([n for n in damage.ODD_NUMBERS if 0 <= n < 1 << 32]) | st.integers(
        0, (1 << 32) - 1
    )
    tag = st.tuples(
        st.sampled_from([*FIELDS, "value"]),
        damage.fractions,
        st.sampled_from(TAGS) | st.integers(0, 20) | number,
    )
    return st.fixed_dictionaries(
        {
            "product": st.integers(0, 1),
            "layer": st.sampled_from(LAYERS),
            "tags": st.lists(tag, max_size=3),
            "head": st.just([]) | damage.byte_edits,
            "skip": st.booleans(),
        }
    )


def entries(content: bytes) -> tuple[int, int]:
    """Return where the entries of the first directory of a TIFF begin, and how many there are."""
    begin = struct.unpack_from("<I", content, 4)[0]
    return begin + 2, struct.unpack_from("<H", content, begin)[0]


def header_end(content: bytes) -> int:
    """Return where the first pixels stand, before which everything is header."""
    begin, count = entries(content)
    for at in range(begin, begin + 12 * count, 12):
        tag, kind, number, value = struct.unpack_from("<HHII", content, at)
        if tag in (273, 324):
            form = {3: "<H", 4: "<I"}[kind]
            where = at + 8 if number * struct.calcsize(form) <= 4 else value
            return struct.unpack_from(form, content, where)[0]
    raise ValueError("no pixels")


def prepare(folder: Path, here: Path) -> None:
    make_products(folder / "in")


def run(folder: Path, here: Path, recipe: Any) -> Outcome:
    products = copy_products(folder / "in", here / "in")
    product = products[recipe["product"]]
    path = layer_file(product, recipe["layer"])
    content = bytearray(path.read_bytes())
    begin, count = entries(content)
    head = header_end(content)
    for field, place, number in recipe["tags"]:
        offset, form = FIELDS[field]
        number %= 1 << 8 * struct.calcsize(form)
        struct.pack_into(form, content, begin + 12 * int(place * count) + offset, number)
    path.write_bytes(damage.edit_bytes(bytes(content[:head]), recipe["head"]) + content[head:])
    answer, refused = build(here, recipe["skip"], *truths_in(folder / "in"))
    if refused:
        return refused
    outcome = judge(here / "s.nc", truths_in(folder / "in"), answer.warnings)
    if outcome[0] != WRONG:
        return outcome
    try:
        truths = {**truths_in(folder / "in"), product.name: read_truth(product)}
    except RasterioError as error:
        return WRONG, f"{outcome[1]}; another reader finds nothing in the file ({error})"
    if judge(here / "s.nc", truths, answer.warnings)[0] == RIGHT:
        return RIGHT, "as the file says"
    return outcome
