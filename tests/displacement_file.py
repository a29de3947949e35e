"""Writes a small displacement stack of plain numbers: ``python -m tests.displacement_file F``."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import xarray as xr
from pyproj import CRS

DATES, PAIRS, ROWS, COLUMNS = 14, 26, 60, 70
YEAR = 365.25


def main(path: Path) -> None:
    """Write the file: subsidence in a bowl, one masked corner, one row without any pair."""
    rng = np.random.default_rng(5)
    times = np.datetime64("2023-01-06T14:05:00", "ns") + np.arange(DATES) * np.timedelta64(12, "D")
    years = (times - times[0]) / np.timedelta64(1, "D") / YEAR
    y, x = 4_200_000.0 - 80.0 * np.arange(ROWS), 500_000.0 + 80.0 * np.arange(COLUMNS)
    down, across = np.meshgrid(np.linspace(-1, 1, ROWS), np.linspace(-1, 1, COLUMNS), indexing="ij")
    velocity = 0.02 * across - 0.06 * np.exp(-6 * (down**2 + across**2))
    displacement = velocity * years[:, np.newaxis, np.newaxis]
    displacement += rng.normal(0, 0.002, displacement.shape)
    displacement -= displacement[0]
    centered = years - years.mean()
    slope = np.einsum("t,tyx->yx", centered, displacement) / (centered @ centered)
    fit = displacement.mean(axis=0) + slope * centered[:, np.newaxis, np.newaxis]
    residual = displacement - fit
    error = np.sqrt((residual**2).sum(axis=0) / (DATES - 2) / (centered @ centered))
    coherence = np.clip(0.95 - 0.2 * (down + 1) * (across + 1), 0.0, 1.0)
    mask = np.where(coherence < 0.7, 2, 0).astype("uint8")
    mask[-1] = 1
    pairs = np.where(mask == 1, 0, np.where(mask == 2, PAIRS // 2, PAIRS))
    values = {
        "displacement": (("time", "y", "x"), displacement, "m"),
        "velocity": (("y", "x"), slope, "m year-1"),
        "velocity_standard_error": (("y", "x"), error, "m year-1"),
        "temporal_coherence": (("y", "x"), coherence, "1"),
        "valid_pairs": (("y", "x"), pairs, "1"),
        "redundancy": (("y", "x"), np.maximum(pairs - DATES + 1, 0), "1"),
        "gap_count": (("y", "x"), np.where(mask == 2, 1, 0), "1"),
        "closure_error_share": (("y", "x"), 0.1 * (1 - coherence), "1"),
    }
    hidden = ("displacement", "velocity", "velocity_standard_error")
    dataset = xr.Dataset(coords={"time": times, "y": y, "x": x, "pair": np.arange(1, PAIRS + 1)})
    for name, (dimensions, array, units) in values.items():
        shown = np.where(mask == 0, array, np.nan) if name in hidden else array
        about = {"units": units, "long_name": name.replace("_", " "), "grid_mapping": "spatial_ref"}
        dataset[name] = xr.Variable(
            dimensions, shown.astype("float32"), about, {"_FillValue": np.float32(np.nan)}
        )
    dataset["mask"] = xr.Variable(
        ("y", "x"),
        mask,
        {
            "long_name": "reasons why a pixel has no displacement",
            "flag_masks": np.array([1, 2], "uint8"),
            "flag_meanings": "no_valid_pair low_temporal_coherence",
            "grid_mapping": "spatial_ref",
        },
        {"_FillValue": np.uint8(255)},
    )
    kept = mask == 0
    rms = np.sqrt((residual[:, kept] ** 2).mean(axis=1))
    dataset["residual_rms"] = xr.Variable("time", rms.astype("float32"), {"units": "m"})
    crs = CRS.from_epsg(32611)
    dataset["spatial_ref"] = xr.Variable(
        (), np.int32(0), {**crs.to_cf(), "GeoTransform": "499960 80 0 4200040 0 -80"}
    )
    for axis in ("x", "y"):
        dataset[axis].attrs = {"standard_name": f"projection_{axis}_coordinate", "units": "m"}
    dataset["time"].encoding = {"units": "seconds since 1970-01-01T00:00:00", "dtype": "int64"}
    dataset.attrs = {"title": "Displacement of plain numbers", "Conventions": "CF-1.11"}
    dataset.to_netcdf(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
