"""Small interferograms in the form of HyP3's INSAR_GAMMA products, of ground that sinks.

The values come from formulas and random numbers that are always the same: a basin that sinks by
200 mm a year, an atmosphere of its own on each date, noise by coherence, and a lake without phase.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from pyproj import Transformer

from ..machine.atomic import complete_or_absent
from ..products.sentinel1 import PHASE_TO_DISPLACEMENT

EPSG = 32614
SPACING = 80.0
ROWS, COLUMNS = 300, 360
LEFT, TOP = 465960.0, 2167960.0
"""Upper left corner; the centers of pixels lie on multiples of the spacing."""

FIRST = datetime(2023, 1, 6, 0, 39, 12, tzinfo=timezone.utc)
FIRST_ORBIT = 46700
DATES = 9
REPEAT = timedelta(days=24)
ORBITS_IN_REPEAT = 350
NEIGHBORS = 2
"""Each date is paired with so many later ones."""

SINKING = 0.2
"""Meters a year in the middle of the basin, as in parts of Mexico City."""

HEADING = 347.6
INCIDENCE = math.radians(38.5)
LOOKS = 20 * 4 / 3.2
"""Independent ones: neighbors overlap."""

_TO_SENSOR = math.radians(90.0 - (HEADING - 90.0) % 360.0)
"""Direction in which the satellite stands, counterclockwise from east: it looks to its right."""

_SEED = 20230106
_REFERENCE = (40, 50)
_SLICE = timedelta(seconds=27)


@dataclass(frozen=True)
class _Scene:
    """The ground and what the radar sees of it; all arrays are (row, column)."""

    height: np.ndarray
    is_land: np.ndarray
    sinking: np.ndarray
    steadiness: np.ndarray
    delays: np.ndarray
    baselines: np.ndarray


def write_demo_products(folder: Path) -> Iterator[tuple[int, int]]:
    """Write the products that are not there yet; return how many there are, and how many are planned.

    Raises
    ------
    OSError
        If a file cannot be written.
    """
    scene = _scene()
    pairs = [
        (first, second)
        for first in range(DATES)
        for second in range(first + 1, min(first + NEIGHBORS, DATES - 1) + 1)
    ]
    for number, (first, second) in enumerate(pairs, start=1):
        name = _product_name(number, first, second)
        target = folder / name
        if not target.exists():
            with complete_or_absent(target) as partial:
                partial.mkdir()
                _write_product(partial, name, scene, first, second)
        yield number, len(pairs)


def _scene() -> _Scene:
    rng = np.random.default_rng(_SEED)
    rows, columns = np.mgrid[:ROWS, :COLUMNS]
    hills = _smooth(rng, 3.2)
    height = 2240.0 + 160.0 * hills + 900.0 * np.clip(columns / COLUMNS - 0.6, 0, None) ** 1.5
    lake = ((rows - 70) / 34.0) ** 2 + ((columns - 270) / 46.0) ** 2 < 1 + 0.35 * _smooth(rng, 2.6)
    basin = np.exp(-(((rows - 170) / 62.0) ** 2) - ((columns - 160) / 80.0) ** 2)
    second = 0.45 * np.exp(-(((rows - 235) / 28.0) ** 2) - ((columns - 265) / 40.0) ** 2)
    return _Scene(
        height=height,
        is_land=~lake,
        sinking=SINKING * (basin + second),
        steadiness=np.clip(0.88 - 0.16 * _smooth(rng, 2.4), 0.35, 0.97),
        # Turbulence of a few millimeters, and what goes with the height.
        delays=np.stack(
            [
                0.0016 * _smooth(rng, 2.9) + 4e-6 * rng.normal() * (height - 2240.0)
                for _ in range(DATES)
            ]
        ),
        baselines=rng.normal(0.0, 55.0, DATES),
    )


def _smooth(rng: np.random.Generator, exponent: float) -> np.ndarray:
    """Return noise of deviation 1 whose power falls with the frequency, as that of terrain does."""
    frequencies = np.hypot(np.fft.fftfreq(ROWS)[:, None], np.fft.rfftfreq(COLUMNS)[None])
    frequencies[0, 0] = np.inf
    spectrum = np.fft.rfft2(rng.normal(size=(ROWS, COLUMNS))) * frequencies ** (-exponent / 2)
    field = np.fft.irfft2(spectrum, s=(ROWS, COLUMNS))
    return np.asarray((field - field.mean()) / field.std())


def _write_product(folder: Path, name: str, scene: _Scene, first: int, second: int) -> None:
    rng = np.random.default_rng([_SEED, first, second])
    days = (second - first) * REPEAT / timedelta(days=1)
    coherence = np.clip(scene.steadiness * math.exp(-days / 150.0), 0.05, 0.99)
    coherence = np.where(scene.is_land, coherence, 0.08 + 0.04 * rng.random((ROWS, COLUMNS)))
    # Up as the ground is, toward the satellite: what sinks gets away from it.
    away = scene.sinking * math.cos(INCIDENCE) * days / 365.25
    delay = scene.delays[second] - scene.delays[first]
    noise = np.sqrt((1 - coherence**2) / (2 * LOOKS * coherence**2)) * rng.normal(
        size=(ROWS, COLUMNS)
    )
    phase = -(away + delay) / PHASE_TO_DISPLACEMENT + noise
    phase -= phase[_REFERENCE]
    # 0 stands for no data, except at the reference point.
    phase = np.where(scene.is_land, phase, 0.0)
    look = np.full((ROWS, COLUMNS), math.pi / 2 - INCIDENCE)
    look += (np.arange(COLUMNS) / COLUMNS - 0.5) * -0.05
    layers: dict[str, tuple[np.ndarray, float]] = {
        "unw_phase": (phase.astype(np.float32), 0.0),
        "corr": (coherence.astype(np.float32), 0.0),
        "dem": (scene.height.astype(np.float32), 0.0),
        "lv_theta": (look.astype(np.float32), 0.0),
        "lv_phi": (np.full((ROWS, COLUMNS), _TO_SENSOR, np.float32), 0.0),
        "water_mask": (scene.is_land.astype(np.uint8), 255.0),
    }
    for layer, (values, nodata) in layers.items():
        _write_geotiff(folder / f"{name}_{layer}.tif", values, nodata)
    entries = _parameters(scene, first, second)
    text = "".join(f"{key}: {value}\n" for key, value in entries.items())
    (folder / f"{name}.txt").write_text(text, encoding="utf-8")


def _write_geotiff(path: Path, values: np.ndarray, nodata: float) -> None:
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        count=1,
        height=ROWS,
        width=COLUMNS,
        dtype=values.dtype.name,
        crs=f"EPSG:{EPSG}",
        transform=_transform(),
        nodata=nodata,
    ) as target:
        target.update_tags(AREA_OR_POINT="Point")
        target.write(values, 1)


def _transform() -> Affine:
    return Affine(SPACING, 0.0, LEFT, 0.0, -SPACING, TOP)


def _parameters(scene: _Scene, first: int, second: int) -> dict[str, str]:
    """Return the entries of a parameter file."""
    row, column = _REFERENCE
    x, y = _transform() * (column + 0.5, row + 0.5)
    to_degrees = Transformer.from_crs(EPSG, 4326, always_xy=True)
    longitude, latitude = to_degrees.transform(x, y)
    midnight = FIRST.replace(hour=0, minute=0, second=0)
    orbits = [FIRST_ORBIT + ORBITS_IN_REPEAT * date for date in (first, second)]
    return {
        "Reference Granule": _granule(first),
        "Secondary Granule": _granule(second),
        "Reference Pass Direction": "ASCENDING",
        "Reference Orbit Number": f"{orbits[0]}",
        "Secondary Pass Direction": "ASCENDING",
        "Secondary Orbit Number": f"{orbits[1]}",
        "Baseline": f"{scene.baselines[second] - scene.baselines[first]:.4f}",
        "UTC time": f"{(FIRST - midnight).total_seconds() + 14.0:.6f}",
        "Heading": f"{HEADING - 360.0:.7f}",
        "Spacecraft height": "696200.0000000000",
        "Earth radius at nadir": "6375825.0000",
        "Slant range near": "842000.0000",
        "Slant range center": "868000.0000",
        "Slant range far": "895000.0000",
        "Range looks": "20",
        "Azimuth looks": "4",
        "INSAR phase filter": "adf",
        "Phase filter parameter": "0.6",
        "Resolution of output (m)": f"{SPACING:.0f}",
        "Range bandpass filter": "no",
        "Azimuth bandpass filter": "no",
        "DEM source": "GLO-30",
        "DEM resolution (m)": f"{2 * SPACING:.0f}",
        "Unwrapping type": "mcf",
        "Phase at reference point": "0.00000",
        "Azimuth line of the reference point in SAR space": f"{row}",
        "Range pixel of the reference point in SAR space": f"{column}",
        "Y coordinate of the reference point in the map projection": f"{y:.4f}",
        "X coordinate of the reference point in the map projection": f"{x:.4f}",
        "Latitude of the reference point (WGS84)": f"{latitude:.8f}",
        "Longitude of the reference point (WGS84)": f"{longitude:.8f}",
        "Unwrapping threshold": "none",
        "Speckle filter": "no",
    }


def _time(date: int) -> datetime:
    return FIRST + date * REPEAT


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y%m%dT%H%M%S")


def _product_name(number: int, first: int, second: int) -> str:
    days = (second - first) * REPEAT // timedelta(days=1)
    times = f"{_stamp(_time(first))}_{_stamp(_time(second))}"
    return f"S1AA_{times}_VVP{days:03d}_INT{SPACING:.0f}_G_ueF_{0xDE00 + number:04X}"


def _granule(date: int) -> str:
    begin, orbit = _time(date), FIRST_ORBIT + ORBITS_IN_REPEAT * date
    end = _stamp(begin + _SLICE)
    rest = f"{orbit:06d}_{0x59000 + date:06X}_{0xDE00 + date:04X}"
    return f"S1A_IW_SLC__1SDV_{_stamp(begin)}_{end}_{rest}"
