"""Parameter files: values, lines, bytes and encodings that HyP3 does not write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from . import damage
from .core_runs import Outcome
from .pixels import build, copy_products, judge, make_products, truths_in

SHARE = 13

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "latin-1", "utf-32", "cp037")


def inputs() -> st.SearchStrategy[Any]:
    line = st.tuples(
        damage.fractions,
        st.sampled_from(["value", "value", "value", "remove", "key", "double", "line"]),
        damage.odd_texts,
    )
    return st.fixed_dictionaries(
        {
            "product": st.integers(0, 1),
            "lines": st.lists(line, max_size=4),
            "bytes": st.just([]) | damage.byte_edits,
            "encoding": st.just("utf-8") | st.sampled_from(ENCODINGS),
            "end": st.sampled_from(["\n", "\n", "\r\n", "\r", "\n\n", "\u2028"]),
            "skip": st.booleans(),
        }
    )


def prepare(folder: Path, here: Path) -> None:
    make_products(folder / "in")


def run(folder: Path, here: Path, recipe: Any) -> Outcome:
    product = copy_products(folder / "in", here / "in")[recipe["product"]]
    path = product / f"{product.name}.txt"
    lines = path.read_text().splitlines()
    for place, kind, text in recipe["lines"]:
        if lines:
            edit_line(lines, int(place * len(lines)), kind, text)
    content = recipe["end"].join(lines).encode(recipe["encoding"], "replace")
    path.write_bytes(damage.edit_bytes(content, recipe["bytes"]))
    answer, refused = build(here, recipe["skip"], *truths_in(folder / "in"))
    return refused or judge(here / "s.nc", truths_in(folder / "in"), answer.warnings)


def edit_line(lines: list[str], at: int, kind: str, text: str) -> None:
    """Do something to a line ``key: value``."""
    key, _, value = lines[at].partition(": ")
    if kind == "value":
        lines[at] = f"{key}: {text}"
    elif kind == "key":
        lines[at] = f"{text}: {value}"
    elif kind == "remove":
        del lines[at]
    elif kind == "double":
        lines.insert(at, f"{key}: {text}")
    else:
        lines[at] = text
