"""Writes the part of MintPy's ifgramStack.h5 that its inversion reads, in a process of its own.

Coherence of the stack is rounded to the steps of MintPy's table of weights, and raised to its least
value of 0.05, so that both programs take the same weights.

Prints x, y and spacing of the reference pixel: that of the highest mean coherence among those with
phase in all pairs.
"""

from __future__ import annotations

import sys
from pathlib import Path

import h5py
import numpy as np
import xarray as xr
import zarr

INDEPENDENT_SHARE = 1 / 1.94
"""Of the looks, as MintPy counts them for Sentinel-1."""


STEP = 0.005
"""Of coherence, in MintPy's table."""


def round_coherence(store: Path) -> None:
    """Change the coherence of the series to values in the middle of a step, a little above."""
    array = zarr.open_array(store, path="temporally_optimized/corr", mode="r+")
    values = np.asarray(array[:])
    steps = np.clip(np.floor(values / STEP), 0.05 / STEP, 1 / STEP - 1)
    array[:] = (steps * STEP + STEP / 2 + 1e-5).astype("float32")


def reference_pixel(stack: xr.Dataset) -> tuple[int, int]:
    """Return row and column; MintPy takes a phase of 0 for missing."""
    phase = stack.unw_phase.values
    known = (np.isfinite(phase) & (phase != 0)).all(axis=0)
    score = np.where(known, np.nan_to_num(stack.corr.values).mean(axis=0), -1.0)
    row, column = np.unravel_index(score.argmax(), score.shape)
    return int(row), int(column)


def write(stack: xr.Dataset, reference: tuple[int, int], folder: Path) -> None:
    """Write ``inputs/ifgramStack.h5``."""
    (folder / "inputs").mkdir(parents=True)
    days = [
        np.datetime_as_string(stack[f"{side}_time"].values, "D")
        for side in ("reference", "secondary")
    ]
    dates = np.char.replace(np.stack(days, axis=1), "-", "").astype("S8")
    looks = [int(stack[f"looks_{side}"].values[0]) for side in ("azimuth", "range")]
    attributes = {
        "FILE_TYPE": "ifgramStack",
        "PROCESSOR": "hyp3",
        "LENGTH": stack.sizes["y"],
        "WIDTH": stack.sizes["x"],
        "WAVELENGTH": 0.055465763,
        "ALOOKS": looks[0],
        "RLOOKS": looks[1],
        "NCORRLOOKS": looks[0] * looks[1] * INDEPENDENT_SHARE,
        "REF_Y": reference[0],
        "REF_X": reference[1],
        "UNIT": "radian",
        "PLATFORM": "Sen",
        "START_DATE": min(dates.ravel()).decode(),
        "END_DATE": max(dates.ravel()).decode(),
    }
    with h5py.File(folder / "inputs" / "ifgramStack.h5", "w") as file:
        file.attrs.update({name: str(value) for name, value in attributes.items()})
        file["date"] = dates
        file["bperp"] = stack.perpendicular_baseline.values.astype("float32")
        file["dropIfgram"] = np.ones(len(dates), bool)
        for ours, theirs in (("unw_phase", "unwrapPhase"), ("corr", "coherence")):
            file.create_dataset(theirs, data=np.nan_to_num(stack[ours].values), chunks=True)
            file[theirs].attrs["MODIFICATION_TIME"] = "0"


def main() -> None:
    """Write the stack of a Zarr store into a folder."""
    store, folder = map(Path, sys.argv[1:])
    round_coherence(store)
    with xr.open_dataset(store, engine="zarr", group="temporally_optimized") as stack:
        row, column = reference_pixel(stack)
        write(stack, (row, column), folder)
        print(float(stack.x[column]), float(stack.y[row]), float(stack.x[1] - stack.x[0]))


if __name__ == "__main__":
    main()
