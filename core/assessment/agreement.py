"""Compares what a stack says of itself with what it holds: numbers, times, sources, places.

Most facts stand in a stack twice: as an attribute for catalogs and as a coordinate, as a number and
in the text of HyP3's own parameter file. A damaged or edited stack is noticed where the two differ.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer
from shapely.geometry.base import BaseGeometry

from ..contract import RECORD
from ..files.written_stack import WrittenStack
from ..grid.antimeridian import unwrap
from ..metadata.attributes import duration
from ..metadata.ceos_attributes import DOCUMENT, DOCUMENT_VERSION
from ..metadata.pairs import PARAMETER_FILES
from ..metadata.variables import NOT_PROVIDED
from ..products.granules import (
    ORBITS_PER_CYCLE,
    Granule,
    known_granules,
    relative_orbit,
)
from ..products.names import parse_name
from ..products.parameter_file import PARAMETER_KEYS, ParameterFile
from ..products.product_types import INSAR, RTC
from ..products.sentinel1 import MISSIONS, platform_name
from ..selection.paths import neighbors

_FIRST_DATA = np.datetime64("2014-04-03")
"""Launch of Sentinel-1A."""

_SECOND = np.timedelta64(1500, "ms")
"""Times are written in whole seconds; names of bursts and scenes are cut to them."""

_DAY = np.timedelta64(1, "D")

_LONGEST_PASS = np.timedelta64(30, "m")
"""No pass over a scene takes longer; a whole orbit takes 99 minutes."""

_DEGREES = 2e-3
"""Coordinates in degrees may differ by the rounding of outlines and their simplification."""


def counts(stack: WrittenStack) -> Iterator[str]:
    """Yield what is numbered or counted wrongly."""
    dimension = "acquisition" if stack.is_insar else "time"
    size = stack.raw.sizes.get(dimension)
    stated = stack.number("number_of_acquisitions")
    if stated is not None and size is not None and stated != size:
        yield f"number_of_acquisitions is {stated:g}, but there are {size}"
    for name in ("pair", "acquisition"):
        values = stack.values(name)
        if values is not None and values.dtype.kind == "f" and values.ndim == 1:
            if not np.array_equal(values, np.arange(1, values.size + 1)):
                yield f"{name} does not count 1, 2, ... {values.size}"
    names = stack.values("product_name")
    if names is not None and len(set(names.ravel().tolist())) < names.size:
        yield "product_name names a product twice"


def coverage(stack: WrittenStack) -> Iterator[str]:
    """Yield times that are impossible or differ from those in the attributes."""
    starts = stack.instants("acquisition_time" if stack.is_insar else "time")
    if starts is None or not starts.size or np.isnat(starts).any():
        return  # the checks of times report it
    latest = np.datetime64(datetime.now(timezone.utc).replace(tzinfo=None)) + _DAY
    if starts.min() < _FIRST_DATA or starts.max() > latest:
        yield (
            f"acquisitions from {_day(starts.min())} to {_day(starts.max())} are not of "
            "Sentinel-1, which began in 2014"
        )
    if (np.diff(starts) <= np.timedelta64(0)).any():
        yield "acquisitions are not in the order of time"
    ends = stack.instants("acquisition_end_time")
    if ends is not None and ends.shape == starts.shape:
        lasted = (ends - starts)[~np.isnat(ends)]
        if (lasted < np.timedelta64(0)).any() or (lasted > _LONGEST_PASS).any():
            yield "acquisition_end_time is not shortly after the start of each acquisition"
    last = starts.max() if ends is None or np.isnat(ends).all() else np.nanmax(ends)
    expected = {"start": starts.min(), "end": max(last, starts.max())}
    stated = {end: _instant(stack.text(f"time_coverage_{end}")) for end in expected}
    for end, time in expected.items():
        name, text = f"time_coverage_{end}", stack.text(f"time_coverage_{end}")
        found = stated[end]
        if text and (found is None or abs(found - time) > _SECOND):
            yield f"{name} is {text}, but the acquisitions {end} at {_iso(time)}"
    first, final = stated["start"], stated["end"]
    span = stack.text("time_coverage_duration")
    if span and first is not None and final is not None:
        if span != duration((final - first).astype("timedelta64[s]").item()):
            yield f"time_coverage_duration is {span}, which differs from the times of coverage"
    yield from _dates(stack, latest)


def _dates(stack: WrittenStack, latest: np.datetime64) -> Iterator[str]:
    """Yield dates of the file itself that cannot be."""
    for name in ("date_created", "date_issued", "date_modified", "date_metadata_modified"):
        text = stack.text(name)
        time = _instant(text)
        if text and (time is None or not _FIRST_DATA < time < latest):
            yield f"{name} is {text}, which is not a date since the first data of Sentinel-1"


def steps(stack: WrittenStack) -> Iterator[str]:
    """Yield pairs and dates whose times differ from those in the names of their products."""
    products = stack.values("product_name")
    if products is None:
        return
    sides = ("reference_time", "secondary_time") if stack.is_insar else ("time",)
    columns = [stack.instants(name) for name in sides]
    labels = stack.values("pair_label")
    for step, text in enumerate(products.ravel().tolist()):
        names = [parse_name(part) for part in text.split()]
        if not names or any(name is None for name in names):
            yield f"{text!r} in product_name is not the name of a HyP3 product"
            continue
        name = min((name for name in names if name is not None), key=lambda item: item.times)
        tolerance = _DAY if name.days_only else _SECOND
        for side, column, time in zip(sides, columns, name.times, strict=False):
            named = np.datetime64(time.replace(tzinfo=None))
            if column is None or step >= column.size or not abs(column[step] - named) <= tolerance:
                yield f"{side} of {name.text} differs from its name"
        if (
            labels is not None
            and step < labels.size
            and not _fits(labels[step], name.label_of(name.times))
        ):
            yield f"pair_label of {name.text} differs from its name"
    bounds = stack.instants(stack.text("bounds", "time"))
    if stack.is_insar and bounds is not None and bounds.ndim == 2:
        for side, values, edge in zip(sides, columns, bounds.T, strict=False):
            if values is None or values.shape != edge.shape or (abs(values - edge) > _SECOND).any():
                yield f"{side} differs from time_bnds"


def _fits(label: str, expected: str) -> bool:
    """Return whether a label holds the days of a name, give or take one across midnight."""
    days, others = label.split("_"), expected.split("_")
    return len(days) == len(others) and all(
        abs(_day_number(day) - _day_number(other)) <= 1
        for day, other in zip(days, others, strict=True)
    )


def _day_number(text: str) -> int:
    try:
        return datetime.strptime(text[:8], "%Y%m%d").toordinal()
    except ValueError:
        return 0


def sources(stack: WrittenStack) -> Iterator[str]:
    """Yield acquisitions that are not what the names of their granules say."""
    granules = stack.values("source_granules")
    if granules is None:
        return
    starts = stack.instants("acquisition_time" if stack.is_insar else "time")
    satellites, urls = stack.values("satellite"), stack.values("source_url")
    absolute, relative = stack.values("orbit_absolute"), stack.values("orbit_relative")
    polarizations = stack.values("source_polarizations")
    for step, text in enumerate(granules.ravel().tolist()):
        if text == NOT_PROVIDED:
            continue
        found = known_granules(text.split())
        if len(found) < len(text.split()):
            yield f"{text!r} in source_granules is not a list of Sentinel-1 granules"
            continue
        label = f"acquisition {step + 1}"
        if starts is not None:
            begun = [granule.start for granule in found if granule.start is not None]
            first = np.datetime64(min(begun).replace(tzinfo=None))
            if not abs(starts[step] - first) <= _DAY:
                yield f"{label} is not of the day of its source granules"
        platform = next((granule.platform for granule in found if granule.platform), None)
        if platform and satellites is not None and satellites[step] != platform_name(platform):
            yield f"satellite of {label} is {satellites[step]!r}, its granules are of {platform}"
        orbit = next((granule.orbit for granule in found if granule.orbit), None)
        if orbit and absolute is not None and absolute[step] == absolute[step]:
            # A frame behind the ascending node belongs to the next orbit.
            if abs(absolute[step] - orbit) > 1:
                yield f"orbit_absolute of {label} is {absolute[step]:g}, its granules say {orbit}"
        if polarizations is not None and not _are_those_of(polarizations[step], found):
            yield f"source_polarizations of {label} differ from its granules"
        if urls is not None and not all(granule.name in urls[step] for granule in found):
            if not urls[step].startswith("http"):
                yield f"source_url of {label} leads to no granule of it"
    yield from _orbits(satellites, absolute, relative)
    named = {name for name in stack.text("platform").split(", ") if name}
    if satellites is not None and named and named != set(satellites.ravel().tolist()):
        yield f"platform is {stack.text('platform')}, the satellites are others"


def _are_those_of(text: str, granules: list[Granule]) -> bool:
    return set(text.split()) == {part for item in granules for part in item.polarizations}


def _orbits(
    satellites: NDArray[Any] | None,
    absolute: NDArray[Any] | None,
    relative: NDArray[Any] | None,
) -> Iterator[str]:
    """Yield acquisitions whose path cannot be that of their orbit."""
    codes = {name: code for code, (name, _) in MISSIONS.items()}
    if relative is not None:
        known = relative[~np.isnan(relative)]
        if ((known < 1) | (known > ORBITS_PER_CYCLE)).any():
            yield f"orbit_relative is not from 1 to {ORBITS_PER_CYCLE}"
    if satellites is None or absolute is None or relative is None:
        return
    for step, (name, orbit, path) in enumerate(zip(satellites, absolute, relative, strict=False)):
        if np.isnan(orbit) or np.isnan(path):
            continue
        expected = relative_orbit(codes.get(name), int(orbit))
        # The path grows by one at the ascending node.
        if expected is not None and path not in (expected, *neighbors(expected)):
            yield f"orbit_relative of acquisition {step + 1} is not that of its absolute orbit"


def directions(stack: WrittenStack) -> Iterator[str]:
    """Yield passes whose direction differs from the heading of the satellite."""
    flags, headings = stack.values("pass_direction"), stack.values("heading")
    index = stack.values("reference_acquisition")
    if flags is None or headings is None or index is None:
        return
    for step, (heading, number) in enumerate(zip(headings, index, strict=False)):
        if np.isnan(heading) or not 1 <= number <= flags.size:
            continue
        flag = flags[int(number) - 1]
        if not np.isnan(flag) and bool(flag) != bool(np.cos(np.radians(heading)) > 0):
            yield f"pass_direction and heading of pair {step + 1} differ"


def places(stack: WrittenStack) -> Iterator[str]:
    """Yield extents in degrees that differ from the coordinates."""
    crs, x, y = stack.crs(), stack.values("x"), stack.values("y")
    if crs is None or x is None or y is None or min(x.size, y.size) < 2:
        return
    half = abs(float(x[1] - x[0])) / 2
    left, right = float(x.min()) - half, float(x.max()) + half
    bottom, top = float(y.min()) - half, float(y.max()) + half
    edge = shapely.box(left, bottom, right, top).segmentize(max(right - left, top - bottom) / 20)
    to_degrees = Transformer.from_crs(crs, "OGC:CRS84", always_xy=True)
    longitude, latitude = to_degrees.transform(*np.array(edge.exterior.coords).T)
    if not np.isfinite(longitude).all() or not np.isfinite(latitude).all():
        yield f"x and y lie outside of {crs.name}"
        return
    pixel = max(_DEGREES, 4 * half / 50_000.0)
    west, east = float(unwrap(longitude).min()), float(unwrap(longitude).max())
    south, north = float(latitude.min()), float(latitude.max())
    for name, expected in (
        ("geospatial_lat_min", south),
        ("geospatial_lat_max", north),
        ("geospatial_lon_min", west),
        ("geospatial_lon_max", east),
    ):
        stated = stack.number(name)
        if stack.attribute(name) is None:
            continue
        turn = 0.0 if stated is None or "lat" in name else 360.0 * round((expected - stated) / 360)
        if stated is None or not abs(stated + turn - expected) <= pixel:
            yield f"{name} is {stack.text(name)}, but the coordinates reach {expected:.4f}"
    box = shapely.box(west - pixel, south - pixel, east + pixel, north + pixel)
    yield from _outlines(stack, box)
    center = [stack.values(f"scene_center_{name}") for name in ("longitude", "latitude")]
    if all(value is not None and np.isfinite(value).all() for value in center):
        if not _within(shapely.Point(*(float(value) for value in center)), box):  # type: ignore[arg-type]
            yield "scene_center_longitude, scene_center_latitude lie outside of the grid"
    for axis, edges in (("x", (left, right)), ("y", (bottom, top))):
        point = stack.values(f"reference_point_{axis}")
        if point is not None and ((point < edges[0]) | (point > edges[1])).any():
            yield f"reference_point_{axis} lies outside of the grid"


def _outlines(stack: WrittenStack, box: BaseGeometry) -> Iterator[str]:
    """Yield outlines that cannot be read, lie elsewhere or differ from each other."""
    outlines = {}
    for name, is_swapped in (("footprint", False), ("geospatial_bounds", True)):
        text = stack.text(name)
        if not text:
            continue
        try:
            outline = shapely.from_wkt(text)
        except shapely.errors.GEOSException:
            yield f"{name} is not a shape in WKT"
            continue
        if is_swapped and stack.text(f"{name}_crs") == "EPSG:4326":
            outline = shapely.transform(outline, lambda points: points[:, ::-1])
        if outline.is_empty or not outline.area > 0:
            yield f"{name} has no area"
            continue
        if not _within(outline, box):
            yield f"{name} reaches beyond the grid"
        outlines[name] = outline
    if len(outlines) == 2:
        one, other = outlines.values()
        if one.symmetric_difference(other).area > 0.01 * one.area:
            yield "footprint and geospatial_bounds are different areas"


def _within(shape: BaseGeometry, box: BaseGeometry) -> bool:
    """Return whether a shape lies in a box, of which the east may lie beyond 180 degrees."""
    return all(
        any(
            box.covers(shapely.transform(part, lambda points, turn=turn: points + (turn, 0.0)))
            for turn in (-360.0, 0.0, 360.0)
        )
        for part in shapely.get_parts(shape)
    )


def baselines(stack: WrittenStack) -> Iterator[str]:
    """Yield ranges of baselines that differ from the baselines."""
    for name in ("perpendicular_baseline", "temporal_baseline"):
        values, stated = stack.values(name), stack.attribute(f"{name}_range")
        if values is None or stated is None or np.isnan(values).all():
            continue
        given = np.asarray(stated)
        expected = [np.nanmin(values), np.nanmax(values)]
        # Days are written as whole numbers.
        tolerance = 0.5 if name == "temporal_baseline" else 1e-3
        if given.dtype.kind not in "iuf" or given.shape != (2,) or not np.allclose(
            given, expected, rtol=0, atol=tolerance
        ):  # fmt: skip
            yield f"{name}_range differs from {name}"


def records(stack: WrittenStack) -> Iterator[str]:
    """Yield numbers that differ from HyP3's parameter files, and records of other products."""
    products = stack.values("product_name")
    texts, record = _json(stack, PARAMETER_FILES), _json(stack, RECORD)
    for name, content in ((PARAMETER_FILES, texts), (RECORD, record)):
        if stack.attribute(name) is not None and content is None:
            yield f"{name} cannot be read"
    if products is None:
        return
    names = [part for text in products.ravel().tolist() for part in text.split()]
    if record is not None:
        listed = record.get("products")
        if not isinstance(listed, dict) or not set(names) <= set(listed):
            yield f"{RECORD} is of other products than product_name"
        if record.get("maps") is not None and set(record["maps"]) != set(stack.layers):
            yield f"{RECORD} lists other layers than there are"
    if texts is None or not stack.is_insar:
        return
    if not set(texts) <= set(names):
        yield f"{PARAMETER_FILES} is of other products than product_name"
    files = {name: ParameterFile(text) for name, text in texts.items() if isinstance(text, str)}
    for variable, key in PARAMETER_KEYS.items():
        values = stack.values(variable)
        if values is None or values.shape != (len(names),):
            continue
        for product, value in zip(names, values, strict=True):
            said = files[product].number(key) if product in files else None
            if said is None:
                continue
            if variable == "heading":
                said %= 360
            if not np.isclose(value, said, rtol=1e-6, atol=1e-6):
                yield f"{variable} of {product} is {value:g}, its parameter file says {said:g}"


def _json(stack: WrittenStack, name: str) -> dict[str, Any] | None:
    try:
        content = json.loads(stack.text(name))
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def documents(stack: WrittenStack) -> Iterator[str]:
    """Yield statements on specification and product family that cannot be."""
    for name, expected in (
        ("ceos_ard_document_identifier", DOCUMENT),
        ("ceos_ard_document_version", DOCUMENT_VERSION),
    ):
        text = stack.text(name)
        if text and text != expected:
            yield f"{name} is {text}, but the stack is made by {expected}"
    family = stack.text("ceos_ard_product_type")
    if family and family != (INSAR if stack.is_insar else RTC).ceos_type:
        yield f"ceos_ard_product_type is {family}, which is not the family of this stack"
    kind = stack.text("product_type")
    names = stack.values("product_name")
    parsed = (
        [] if names is None else [parse_name(text.split()[0]) for text in names.ravel() if text]
    )
    types = {name.product_type for name in parsed if name is not None}
    if kind and types and kind not in types:
        yield f"product_type is {kind}, but the products are {', '.join(sorted(types))}"


def _instant(text: str) -> np.datetime64 | None:
    """Read a time as ISO 8601 writes it, in UTC."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    if time.tzinfo is not None:
        time = time.astimezone(timezone.utc).replace(tzinfo=None)
    return np.datetime64(time)


def _iso(time: np.datetime64) -> str:
    return f"{np.datetime_as_string(time, unit='s')}Z"


def _day(time: np.datetime64) -> str:
    return str(np.datetime_as_string(time, unit="D"))
