"""Dates, pairs and footprints of a stack."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta, timezone

import numpy as np
from affine import Affine
from pyproj import Transformer

from .orbit import GROUND_SPEED
from .scene import Footprint, Scene
from .spec import SampleSpec

REPEAT_DAYS = 12
PASS_TIMES = {"ascending": time(1, 51, 36), "descending": time(14, 8, 12)}


def acquisition(spec: SampleSpec, index: int) -> datetime:
    """Return the start of an acquisition; it varies by a second, as real frames do."""
    first = datetime.combine(spec.start, PASS_TIMES[spec.direction], timezone.utc)
    return first + timedelta(days=REPEAT_DAYS * index, seconds=index % 2)


def pairs(count: int) -> list[tuple[int, int]]:
    """Return a small-baseline network of acquisition indices.

    Each acquisition is paired with the next two and, every other one, with the third as well, which
    gives pairs with a common middle time.
    """
    result: list[tuple[int, int]] = []
    index = 0
    while len(result) < count:
        result.append((index, index + 1))
        result.append((index, index + 2))
        if index % 2 == 0:
            result.append((index, index + 3))
        index += 1
    return result[:count]


def passes(count: int, frames: int) -> list[tuple[int, int]]:
    """Return acquisition index and frame number of single-scene products."""
    return [divmod(index, frames) for index in range(count)]


def in_neighbor_zone(spec: SampleSpec, index: int) -> bool:
    """Return whether a product lies in the neighboring zone; they are spread over the stack."""
    share = spec.neighbor_zone_share
    return int((index + 1) * share + 1e-9) > int(index * share + 1e-9)


@dataclass(frozen=True)
class Placement:
    """Grid and footprint of one product."""

    epsg: int
    transform: Affine
    shape: tuple[int, int]
    footprint: Footprint

    @property
    def box(self) -> tuple[float, float, float, float]:
        """West, south, east and north edge in degrees."""
        rows, columns = self.shape
        corners = [self.transform * (c, r) for c in (0, columns) for r in (0, rows)]
        to_geographic = Transformer.from_crs(self.epsg, 4326, always_xy=True)
        longitude, latitude = to_geographic.transform(*zip(*corners, strict=True))
        return min(longitude), min(latitude), max(longitude), max(latitude)


def place(
    scene: Scene,
    index: int,
    residual: float,
    stagger: bool = True,
    shift: float = 0.0,
    group: int | None = None,
) -> Placement:
    """Lay out a product: its size and position differ from its neighbors' by tens of pixels.

    Parameters
    ----------
    index
        Number of the product in the stack.
    residual
        Distance (m) of GDAL's origin from multiples of the spacing.
    shift
        Moves the product along the track, in shares of its length.
    group
        Number that decides about the zone, where several products share it.
    """
    spec = scene.spec
    rng = np.random.default_rng([spec.seed, 3, index])
    spacing = spec.pixel
    epsg = (
        spec.zones[1]
        if in_neighbor_zone(spec, index if group is None else group)
        else spec.zones[0]
    )
    most = np.minimum([0.07 * spec.rows, 0.07 * spec.columns], 45)
    grow_r, grow_c, move_r, move_c = (
        int(round(part)) for part in rng.uniform(-1, 1, 4) * np.tile(most, 2)
    )
    rows, columns = spec.rows + grow_r, spec.columns + grow_c
    to_map = Transformer.from_crs(4326, epsg, always_xy=True)
    moved = shift * spec.rows * spacing
    center = scene.track.ground(moved, scene.track.reach)
    x, y = to_map.transform(*center)
    left = round((x - columns * spacing / 2 - residual) / spacing) + move_c
    top = round((y + rows * spacing / 2 - residual) / spacing) + move_r
    transform = Affine(
        spacing, 0.0, left * spacing + residual, 0.0, -spacing, top * spacing + residual
    )
    middle = (
        transform.c + columns * spacing / 2,
        transform.f - rows * spacing / 2,
    )
    to_geographic = Transformer.from_crs(epsg, 4326, always_xy=True)
    along, reach = scene.track.swath(*to_geographic.transform(*middle))
    footprint = _inscribe(scene, float(along), float(reach), to_map, middle, rows, columns, stagger)
    return Placement(epsg, transform, (rows, columns), footprint)


def _inscribe(
    scene: Scene,
    along: float,
    reach: float,
    to_map: Transformer,
    middle: tuple[float, float],
    rows: int,
    columns: int,
    stagger: bool,
) -> Footprint:
    """Return the swath rectangle whose bounding box nearly fills a raster."""
    track, spacing = scene.track, scene.spec.pixel
    step = 1000.0
    ends = track.ground(
        np.array([along + step, along]), np.array([reach, reach + step / track.radius])
    )
    x, y = to_map.transform(*ends)
    flight = np.array([x[0] - middle[0], y[0] - middle[1]]) / step
    across = np.array([x[1] - middle[0], y[1] - middle[1]]) / step
    shares = np.abs(np.array([[flight[0], across[0]], [flight[1], across[1]]]))
    margin = max(3, 0.008 * max(rows, columns))
    box = np.array([columns / 2 - margin, rows / 2 - margin]) * spacing
    length, width = np.linalg.solve(shares, box)
    if min(length, width) < 0.2 * min(box):
        length = width = 0.75 * min(box)
    slack = 0.025 * length if stagger else 0.0
    length -= slack
    return Footprint(
        (along - length, along + length),
        (reach - width / track.radius, reach + width / track.radius),
        slack,
    )


def seconds_of(along: float) -> float:
    """Return the time (s) in which the sensor's footprint moves by some meters."""
    return along / GROUND_SPEED
