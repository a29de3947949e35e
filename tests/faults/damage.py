"""Strategies of what may be wrong with bytes, text and JSON, and how it is done."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

Edit = tuple[str, float, int]

ODD_NUMBERS = (
    0, -1, 1, 2, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1,
    2**53, 2**63, 10**30, 10**400, -(10**400),
)  # fmt: skip
ODD_TEXTS = (
    "", " ", "\0", "a\0b", "nan", "inf", "-inf", "NaN", "Infinity", "1e999", "-1e999", "0x10",
    "9" * 400, "9" * 5000, "1,5", "1_000", "\u0661\u0662", "--1", "1e5", "true", "null", "None",
    "../../x", "/dev/null", "~nobody/x", "%00", "$(x)", "<b>x</b>", "\u202e", "\ud800", "\ufeff",
    "a" * 300, "\u00e9" * 200, "2024-02-30", "0000-00-00", "9999-12-31T23:59:60Z", "EPSG:4326",
    "EPSG:0", "EPSG:99999999", "+proj=longlat", "VV", "auto", "1,2,3,4", "1,2,3,4 [EPSG:4326]", ",",
)  # fmt: skip

odd_numbers = st.sampled_from(ODD_NUMBERS) | st.integers() | st.floats()
odd_texts = st.sampled_from(ODD_TEXTS) | st.text(max_size=40) | odd_numbers.map(str)
_plain = st.none() | st.booleans() | odd_numbers | odd_texts
odd_values = _plain | st.recursive(
    _plain,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(odd_texts, inner, max_size=4),
    max_leaves=8,
)
"""Anything that JSON of Python can say."""

fractions = st.integers(0, 9999).map(lambda number: number / 10_000)
"""Places as shares of what there is; floats would prefer strange ones, near 0."""


def rarely(edits: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return edits that most inputs do not have, so that these lead deeper into the core."""
    return st.sampled_from([True, False, False, False]).flatmap(
        lambda is_there: edits if is_there else st.just([])
    )


byte_edits = st.lists(
    st.tuples(
        st.sampled_from(["bit", "byte", "zeros", "cut", "double", "insert", "move"]),
        fractions,
        st.integers(0, 1 << 16),
    ),
    min_size=1,
    max_size=4,
)
"""Edits for :func:`edit_bytes`."""


def edit_bytes(content: bytes, edits: list[Edit]) -> bytes:
    """Do edits to bytes, at places that are shares of their length."""
    data = bytearray(content)
    for kind, place, number in edits:
        if not data:
            break
        at = int(place * len(data))
        size = number % 64 + 1
        if kind == "bit":
            data[at] ^= 1 << number % 8
        elif kind == "byte":
            data[at] = number % 256
        elif kind == "zeros":
            data[at : at + size] = bytes(len(data[at : at + size]))
        elif kind == "cut":
            del data[at:]
        elif kind == "double":
            data[at:at] = data[at : at + size]
        elif kind == "insert":
            data[at:at] = number.to_bytes(3, "little")
        else:
            piece = data[at : at + size]
            del data[at : at + size]
            place = number % (len(data) + 1)
            data[place:place] = piece
    return bytes(data)


json_edits = st.lists(
    st.tuples(
        fractions, st.sampled_from(["set", "remove", "rename", "wrap", "repeat"]), odd_values
    ),
    min_size=1,
    max_size=3,
)
"""Edits for :func:`edit_json`."""


def edit_json(document: Any, edits: list[tuple[float, str, Any]]) -> Any:
    """Return a copy of a JSON document with edits, each at a place that is a share of all."""
    document = copy.deepcopy(document)
    for place, kind, value in edits:
        places = _places(document)
        if not places:
            break
        parent, key = places[int(place * len(places))]
        if kind == "set":
            parent[key] = value
        elif kind == "remove":
            del parent[key]
        elif kind == "wrap":
            parent[key] = [parent[key]]
        elif isinstance(parent, list):
            parent.append(parent[key] if kind == "repeat" else value)
        else:
            parent[str(value)[:60]] = parent.pop(key) if kind == "rename" else parent[key]
    return document


def _places(document: Any) -> list[tuple[Any, Any]]:
    found = []
    for key in list(document if isinstance(document, dict) else range(len(document))):
        value = document[key]
        found.append((document, key))
        if isinstance(value, (dict, list)):
            found += _places(value)
    return found
