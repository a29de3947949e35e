"""Products of a few pixels with chosen names and granules, where pixels do not matter."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import from_origin

from .names import stamp

SIZE = 8
CALIFORNIA = (32611, 392_600.0, 3_962_360.0)
EQUATOR = (32737, 392_600.0, 9_999_960.0)
"""EPSG code, left and top edge; the latter lie where the paths of Africa cross the node."""

Place = tuple[int, float, float]


def burst(number: int, time: datetime, swath: int = 2) -> str:
    """Return the name of a burst granule."""
    return f"S1_{number:06d}_IW{swath}_{stamp(time)}_VV_67BC-BURST"


def slc(time: datetime, orbit: int, kind: str = "SLC_", dual: str = "DV") -> str:
    """Return the name of a frame of Sentinel-1A."""
    end = stamp(time + timedelta(seconds=27))
    return f"S1A_IW_{kind}_1S{dual}_{stamp(time)}_{end}_{orbit:06d}_0ABCDE_1234"


def single_name(number: int, first: datetime, last: datetime, product: str = "0001") -> str:
    """Return the name of a product of one burst, as hyp3-isce2 gave them before 4.0."""
    return f"S1_{number:06d}_IW2_{first:%Y%m%d}_{last:%Y%m%d}_VV_INT80_{product}"


def multi_name(
    number: int, count: int, path: int, first: datetime, last: datetime, product: str = "0001"
) -> str:
    """Return the name of a product of bursts of IW2, as hyp3-isce2 gives them since 4.0."""
    return (
        f"S1_{path:03d}_000000s1n00-{number:06d}s2n{count:02d}-000000s3n00_IW"
        f"_{first:%Y%m%d}_{last:%Y%m%d}_VV_INT80_{product}"
    )


def gamma_name(first: datetime, last: datetime, product: str = "0001") -> str:
    """Return the name of an INSAR_GAMMA product."""
    days = round((last - first) / timedelta(days=1))
    return f"S1AA_{stamp(first)}_{stamp(last)}_VVP{days:03d}_INT80_G_ueF_{product}"


def rtc_name(time: datetime, product: str = "0001") -> str:
    """Return the name of an RTC_GAMMA product."""
    return f"S1A_IW_{stamp(time)}_DVP_RTC30_G_gpuned_{product}"


def write_pair(
    folder: Path,
    name: str,
    reference: Sequence[str],
    secondary: Sequence[str],
    orbits: tuple[int, int] | None = None,
    place: Place = CALIFORNIA,
    direction: str = "ASCENDING",
    processed: str | None = None,
) -> Path:
    """Write an interferogram with the layers ``unw_phase`` and ``corr``."""
    target = folder / name
    target.mkdir(parents=True)
    for value, layer in enumerate(("unw_phase", "corr"), 1):
        _write(target / f"{name}_{layer}.tif", 0.25 * value, 80.0, place)
    lines = [
        f"Reference Granule: {', '.join(reference)}",
        f"Secondary Granule: {', '.join(secondary)}",
        f"Reference Pass Direction: {direction}",
        f"Secondary Pass Direction: {direction}",
        "Baseline: 48.0",
        "Heading: -12.0",
        "Range looks: 20",
        "Azimuth looks: 4",
    ]
    for side, orbit in zip(("Reference", "Secondary"), orbits or (), strict=False):
        lines.append(f"{side} Orbit Number: {orbit}")
    (target / f"{name}.txt").write_text("\n".join(lines) + "\n")
    if processed is not None:
        (target / f"{name}_README.md.txt").write_text(f"Processing Date/Time: {processed}\n")
    return target


def write_frame(folder: Path, name: str, granule: str, place: Place = CALIFORNIA) -> Path:
    """Write backscatter with the layers ``VV``, ``VH`` and ``ls_map``."""
    target = folder / name
    target.mkdir(parents=True)
    for layer in ("VV", "VH"):
        _write(target / f"{name}_{layer}.tif", 0.25, 30.0, place)
    _write(target / f"{name}_ls_map.tif", 1, 30.0, place, "uint8")
    (target / f"{name}.README.md.txt").write_text(
        "The source granule used to generate the products contained in this folder is:\n"
        f"{granule}\n"
    )
    return target


def _write(path: Path, value: float, spacing: float, place: Place, dtype: str = "float32") -> None:
    epsg, left, top = place
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=SIZE,
        height=SIZE,
        count=1,
        dtype=dtype,
        nodata=0,
        crs=f"EPSG:{epsg}",
        transform=from_origin(left, top, spacing, spacing),
    ) as file:
        file.write(np.full((SIZE, SIZE), value, dtype), 1)
