"""The source acquisitions of a stack: granules, satellite, orbit and times of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import xarray as xr

from ..products.granules import Granule, known_granules, relative_orbit
from ..products.parameter_file import SIDES
from ..products.product import Product
from ..products.sentinel1 import BURST_SECONDS, MISSION_PAGE, MISSIONS, platform_name
from ..retrieval.catalog.enrichment import Details, GranuleDetails
from ..selection.paths import burst_numbers, is_at_node, neighbors, product_path
from . import variables


@dataclass(frozen=True)
class Acquisition:
    """One pass over the scene."""

    start: datetime  # UTC start
    names: tuple[str, ...]  # names of its granules, sorted
    platform: str | None  # ``S1A`` ...; None where unknown
    # Absolute and relative orbit number; None where unknown.
    orbit: int | None
    path: int | None
    ascending: bool | None  # whether the satellite flew north; None where unknown
    # What the catalog knows of its granules, where it was asked.
    details: tuple[GranuleDetails, ...] = ()

    @property
    def granules(self) -> list[Granule]:
        """The granules whose names can be read."""
        return known_granules(self.names)

    @property
    def stop(self) -> datetime | None:
        """UTC end; of bursts, the start of the last one and the nominal length of a burst."""
        stops = [item.stop for item in self.details if item.stop is not None]
        if stops and len(stops) == len(self.names):
            return max(stops)
        ends = [granule.end for granule in self.granules]
        return max(filter(None, ends), default=None)


def with_details(acquisition: Acquisition, details: Details) -> Acquisition:
    """Add what the catalog knows; facts of the products stay."""
    found = tuple(details[name] for name in acquisition.names if name in details)
    platform = next((item.platform for item in found if item.platform is not None), None)
    ascending = next((item.ascending for item in found if item.ascending is not None), None)
    return replace(
        acquisition,
        details=found,
        platform=acquisition.platform or platform,
        ascending=ascending if acquisition.ascending is None else acquisition.ascending,
    )


def pair_acquisition(product: Product, side: int, start: datetime) -> Acquisition:
    """Describe one side of an interferogram."""
    parameters, name = product.parameters, product.name
    names = product.granules(side)
    granules = known_granules(names)
    orbit = parameters.integer(f"{SIDES[side]} Orbit Number") if parameters else None
    if orbit is None:
        orbit = next((granule.orbit for granule in granules if granule.orbit), None)
    platform = name.platforms[side] or next((item.platform for item in granules), None)
    path = product_path(product, side)
    if platform is None and path is not None and orbit is not None:
        # Satellites differ in the constant between absolute and relative orbit. What lies around
        # the ascending node may have either from the granule that began in the orbit before.
        at_node = is_at_node(burst_numbers(product, side), None, product.is_ascending(side))
        fitting = [
            (code, number)
            for number in (path, *(neighbors(path) if at_node else ()))
            for code in MISSIONS
            if relative_orbit(code, orbit) == number
        ]
        if len(fitting) == 1:
            platform, path = fitting[0]
    ascending = product.is_ascending(side)
    return Acquisition(start, tuple(sorted(names)), platform, orbit, path, ascending)


def merge(parts: Sequence[Acquisition]) -> Acquisition:
    """Combine what several products say of one acquisition."""
    names = sorted({name for part in parts for name in part.names})

    def first(attribute: str) -> object:
        values = (getattr(part, attribute) for part in parts)
        return next((value for value in values if value is not None), None)

    return Acquisition(
        parts[0].start,
        tuple(names),
        first("platform"),  # type: ignore[arg-type]
        first("orbit"),  # type: ignore[arg-type]
        first("path"),  # type: ignore[arg-type]
        first("ascending"),  # type: ignore[arg-type]
    )


def backscatter_acquisition(frames: Sequence[Product], ascending: bool | None) -> Acquisition:
    """Describe the pass behind one step of a backscatter stack."""
    names = sorted({name for frame in frames for name in frame.readme.granules})
    granules = known_granules(names)
    platform = frames[0].name.platforms[0]
    orbit = next((granule.orbit for granule in granules if granule.orbit), None)
    return Acquisition(
        frames[0].name.times[0],
        tuple(names),
        platform,
        orbit,
        relative_orbit(platform, orbit),
        ascending,
    )


def acquisition_variables(
    acquisitions: Sequence[Acquisition], dimension: str
) -> dict[str, xr.Variable]:
    """Return the acquisitions as variables on one dimension.

    Parameters
    ----------
    acquisitions
        In the order of time.
    dimension
        ``acquisition`` of interferogram stacks, ``time`` of backscatter stacks.
    """
    on = (dimension,)
    granules = [item.granules for item in acquisitions]
    bursts = any(granule.burst is not None for group in granules for granule in group)
    any_details = any(item.details for item in acquisitions)
    end_comment = "from the names of the granules"
    if any_details:
        end_comment = "from the ASF catalog, where it knows all granules, else from their names"
    elif bursts:
        end_comment = (
            f"start of the last burst and {BURST_SECONDS} s, the nominal length of a burst"
        )
    url_comment = "a download of an SLC or GRD needs a free Earthdata login"
    if bursts and not any_details:
        url_comment = "search of the ASF catalog that returns the location of each burst"
    result = {
        "acquisition_end_time": variables.instants(
            on, [item.stop for item in acquisitions], "end of the acquisition", comment=end_comment
        ),
        "source_granules": variables.texts(
            on,
            [" ".join(item.names) for item in acquisitions],
            "names of the source granules, separated by spaces",
        ),
        "source_url": variables.texts(
            on,
            [_urls(item) for item in acquisitions],
            "where the source granules can be retrieved, separated by spaces",
            comment=url_comment,
        ),
        "satellite": variables.texts(
            on,
            [platform_name(item.platform) for item in acquisitions],
            "name of the satellite",
            standard_name="platform_name",
        ),
        "satellite_url": variables.texts(
            on,
            [
                f"{MISSION_PAGE}{MISSIONS[item.platform][1]}" if item.platform in MISSIONS else None
                for item in acquisitions
            ],
            "page of the satellite in the CEOS database of missions",
        ),
        "observation_mode": variables.texts(
            on, [_joined(g.mode for g in group) for group in granules], "observation mode"
        ),
        "beam": variables.texts(
            on,
            [_joined(g.swath or g.mode for g in group) for group in granules],
            "mnemonic of the beams that were used",
        ),
        "source_polarizations": variables.texts(
            on,
            [_joined(" ".join(g.polarizations) for g in group) for group in granules],
            "polarizations of the source granules",
        ),
        "source_product_level": variables.texts(
            on,
            [_joined(f"L1 {g.kind}" for g in group) for group in granules],
            "processing level of the source granules",
        ),
        "orbit_absolute": variables.integers(
            on, [item.orbit for item in acquisitions], "absolute orbit number"
        ),
        "orbit_relative": variables.integers(
            on, [item.path for item in acquisitions], "relative orbit number (path)"
        ),
        "pass_direction": variables.flags(
            on,
            [None if item.ascending is None else int(item.ascending) for item in acquisitions],
            ("descending", "ascending"),
            "direction of the pass",
        ),
    }
    return result | (_catalog_variables(acquisitions, on) if any_details else {})


def _catalog_variables(
    acquisitions: Sequence[Acquisition], on: tuple[str, ...]
) -> dict[str, xr.Variable]:
    source = "from the ASF catalog"
    return {
        "source_processing_time": variables.instants(
            on,
            [
                max((part.processed for part in item.details if part.processed), default=None)
                for item in acquisitions
            ],
            "time of processing of the source granules",
            comment=source,
        ),
        "source_software_version": variables.texts(
            on,
            [
                _joined(part.version for part in item.details if part.version)
                for item in acquisitions
            ],
            "version of the processor of the source granules",
            comment=source,
        ),
        "source_footprint": variables.texts(
            on,
            [
                " ".join(part.footprint for part in item.details if part.footprint)
                for item in acquisitions
            ],
            "outlines of the source granules as WKT, longitude latitude (WGS 84)",
            comment=source,
        ),
    }


def _urls(acquisition: Acquisition) -> str:
    urls = [item.url for item in acquisition.details if item.url]
    if len(urls) == len(acquisition.names):
        return " ".join(urls)
    return " ".join(granule.url for granule in acquisition.granules)


def _joined(values: object) -> str:
    return " ".join(dict.fromkeys(values))  # type: ignore[call-overload]
