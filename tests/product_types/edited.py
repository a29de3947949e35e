"""Copies sample products under other names, with other texts and pixels, as other orders are."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import rasterio

from tests.sample_products import SampleProduct


def copy_as(
    product: SampleProduct,
    folder: Path,
    name: str | None = None,
    parameters: Mapping[str, str | None] | None = None,
    readme: tuple[str, str] | None = None,
) -> Path:
    """Copy a product folder.

    Parameters
    ----------
    product
        A sample in a folder.
    folder
        Where the copy goes.
    name
        Its name; None keeps that of the product.
    parameters
        Entries of the parameter file to replace; None as value takes one away.
    readme
        A text of the README and what takes its place.
    """
    name = name or product.name
    target = folder / name
    target.mkdir(parents=True)
    for path in product.path.iterdir():
        shutil.copy(path, target / path.name.replace(product.name, name))
    for key, value in (parameters or {}).items():
        replace_entry(target, key, value)
    if readme is not None:
        [path] = [path for path in target.iterdir() if path.name.endswith("README.md.txt")]
        text = path.read_text(encoding="utf-8")
        assert readme[0] in text
        path.write_text(text.replace(*readme), encoding="utf-8")
    return target


def replace_entry(folder: Path, key: str, value: str | None) -> None:
    """Replace one line of a parameter file, or take it away."""
    path = folder / f"{folder.name}.txt"
    lines = path.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if not line.startswith(f"{key}:")]
    assert len(kept) == len(lines) - 1, f"there is no {key}"
    if value is not None:
        kept.append(f"{key}: {value}")
    path.write_text("\n".join(kept) + "\n", encoding="utf-8")


def rewrite(path: Path, change: Callable[[np.ndarray], np.ndarray] = np.copy, **facts: Any) -> None:
    """Write the pixels of a raster anew, changed, and with other facts about it."""
    with rasterio.open(path) as file:
        values, profile = file.read(1), file.profile | facts
    with rasterio.open(path, "w", **profile) as file:
        file.write(change(values).astype(profile["dtype"]), 1)
