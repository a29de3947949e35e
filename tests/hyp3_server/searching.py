"""What the catalog answers to a search by area, period and attributes, as CMR does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

Ring = Sequence[tuple[float, float]]
Form = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class CatalogScene:
    """A scene with all that the catalog tells.

    Parameters
    ----------
    name, path, ascending, ring
        As the plain scenes of the service.
    start
        UTC start.
    seconds
        Length.
    attributes
        Further ones: ``POLARIZATION``, ``BURST_ID_FULL``, ``FRAME_NUMBER``, ``SV_POSITION_PRE`` ...
    processed
        When it was made from the raw data.
    """

    name: str
    path: int
    ascending: bool
    ring: Ring
    start: datetime
    seconds: float
    attributes: dict[str, str] = field(default_factory=dict)
    processed: str = "2024-01-01T00:00:00Z"

    def complete(self, item: dict[str, Any]) -> dict[str, Any]:
        """Add to a plain entry of the catalog what only a search needs."""
        umm = item["umm"]
        named = {entry["Name"]: entry["Values"] for entry in umm["AdditionalAttributes"]}
        named |= {name: [value] for name, value in self.attributes.items()} | {"BEAM_MODE": ["IW"]}
        umm["AdditionalAttributes"] = [
            {"Name": name, "Values": values} for name, values in named.items()
        ]
        end = self.start + timedelta(seconds=self.seconds)
        umm["TemporalExtent"]["RangeDateTime"] = {
            "BeginningDateTime": f"{self.start:%Y-%m-%dT%H:%M:%S.%fZ}",
            "EndingDateTime": f"{end:%Y-%m-%dT%H:%M:%S.%fZ}",
        }
        umm["DataGranule"]["ProductionDateTime"] = self.processed
        return item


def matching(items: Iterable[dict[str, Any]], form: Form) -> list[dict[str, Any]]:
    """Return the entries that fit a search, the newest first."""
    wanted = {}
    for key, value in form:
        wanted.setdefault(key, []).append(value)
    found = [item for item in items if _fits(item["umm"], wanted)]
    return sorted(found, key=_newest_first)


def _newest_first(item: dict[str, Any]) -> tuple[float, str]:
    end = item["umm"]["TemporalExtent"]["RangeDateTime"]["EndingDateTime"]
    return -datetime.fromisoformat(end.replace("Z", "+00:00")).timestamp(), item["umm"]["GranuleUR"]


def _fits(umm: dict[str, Any], wanted: dict[str, list[str]]) -> bool:
    names = wanted.get("shortName")
    if names and umm["CollectionReference"]["ShortName"] not in names:
        return False
    attributes = {entry["Name"]: entry["Values"] for entry in umm["AdditionalAttributes"]}
    for condition in wanted.get("attribute[]", ()):
        _, name, value = condition.split(",", 2)
        if value not in attributes.get(name, ()):
            return False
    for period in wanted.get("temporal", ()):
        first, last = period.split(",")[:2]
        times = umm["TemporalExtent"]["RangeDateTime"]
        if times["EndingDateTime"] < first or times["BeginningDateTime"] > last:
            return False
    return _meets(umm, wanted)


def _meets(umm: dict[str, Any], wanted: dict[str, list[str]]) -> bool:
    import shapely

    polygon = umm["SpatialExtent"]["HorizontalSpatialDomain"]["Geometry"]["GPolygons"][0]
    points = [(point["Longitude"], point["Latitude"]) for point in polygon["Boundary"]["Points"]]
    longitudes = [longitude for longitude, _ in points]
    if max(longitudes) - min(longitudes) > 180:  # across the antimeridian
        points = [(lon + 360 if lon < 0 else lon, lat) for lon, lat in points]
    ground = shapely.union_all([_moved(points, 0), _moved(points, -360)])
    areas = [shapely.box(*map(float, box.split(","))) for box in wanted.get("bounding_box", ())]
    for text in wanted.get("polygon", ()):
        numbers = list(map(float, text.split(",")))
        areas.append(shapely.Polygon(list(zip(numbers[::2], numbers[1::2], strict=True))))
    return all(ground.intersects(area) for area in areas)


def _moved(points: Ring, degrees: float) -> Any:
    import shapely

    return shapely.Polygon([(longitude + degrees, latitude) for longitude, latitude in points])
