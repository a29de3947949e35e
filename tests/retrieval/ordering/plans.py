"""Plans of pairs of bursts and frames, and orders of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

FIRST = date(2020, 6, 4)


def burst(number: int, day: date, swath: int = 2, polarization: str = "VV") -> str:
    """Return the name of a burst; its time follows from its number."""
    name = f"S1_{136231 + number:06d}_IW{swath}_{day:%Y%m%d}T0223{10 + 3 * number:02d}"
    return f"{name}_{polarization}_{day:%m%d}-BURST"


def frame(day: date, orbit: int = 20000) -> str:
    """Return the name of a frame of S1A, whose orbit grows by 175 in 12 days."""
    absolute = orbit + 175 * ((day - FIRST).days // 12)
    times = f"{day:%Y%m%d}T135156_{day:%Y%m%d}T135223"
    return f"S1A_IW_SLC__1SDV_{times}_{absolute:06d}_031DEB_{day:%m%d}"


def plan(features: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return a plan layer as QGIS hands it over."""
    return {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "properties": properties, "geometry": None}
            for properties in features
        ],
    }


def days(count: int) -> list[date]:
    return [FIRST + timedelta(days=12 * number) for number in range(count)]


def burst_pairs(dates: int, bursts: int = 2, neighbors: int = 2) -> list[dict[str, Any]]:
    """Return pairs of each date with the next ones, the last pairs first in rank."""
    listed = days(dates)
    pairs = [
        (first, second)
        for index, first in enumerate(listed)
        for second in listed[index + 1 : index + 1 + neighbors]
    ]
    return [
        {
            "job_type": "INSAR_ISCE_MULTI_BURST",
            "reference": ",".join(burst(number, first) for number in range(bursts)),
            "secondary": ",".join(burst(number, second) for number in range(bursts)),
            "rank": len(pairs) - number,
        }
        for number, (first, second) in enumerate(pairs)
    ]


def frame_pairs(dates: int) -> list[dict[str, Any]]:
    listed = days(dates)
    return [
        {
            "job_type": "INSAR_GAMMA",
            "reference": frame(first),
            "secondary": frame(second),
            "rank": None,
        }
        for first, second in zip(listed, listed[1:], strict=False)
    ]


def scenes(features: Sequence[dict[str, Any]]) -> list[str]:
    """Return the names of all scenes of a plan."""
    return [
        name
        for feature in features
        for side in ("reference", "secondary")
        for name in feature[side].split(",")
    ]
