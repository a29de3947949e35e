"""The types of HyP3 products that can be stacked: one row each.

This module depends on the standard library only, so that QGIS can style layers by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from .layers import GAMMA_LAYERS, ISCE_LAYERS, RTC_LAYERS, Delivery, Layer
from .parameter_file import PARAMETER_KEYS
from .sentinel1 import POLARIZATIONS


@dataclass(frozen=True)
class Family:
    """What products of several types have in common."""

    dimension: str  # dimension of the steps in a stack
    image: str  # what one product is
    ceos_type: str  # name of the family in CEOS-ARD
    keyword: str  # GCMD science keyword, besides that of radar imagery


INSAR = Family(
    "pair",
    "interferogram",
    "Interferometric SAR (InSAR)",
    "EARTH SCIENCE > SOLID EARTH > TECTONICS",
)
RTC = Family(
    "time",
    "RTC backscatter image",
    "Normalised Radar Backscatter (NRB)",
    "EARTH SCIENCE > SPECTRAL/ENGINEERING > RADAR > RADAR BACKSCATTER",
)


@dataclass(frozen=True)
class Processor:
    """A SAR processor behind HyP3."""

    name: str  # as ASF asks to credit it
    plugin: str  # DOI of HyP3's plugin for it
    readme: str  # end of the name of a product's README
    # How interferograms are made, in words.
    coregistration: str
    phase_quality: str
    unwrapping: str
    # Coherence below which pixels are not unwrapped; None where unknown.
    unwrapping_threshold: float | None = None


GAMMA = Processor(
    name="GAMMA",
    plugin="https://doi.org/10.5281/zenodo.3962936",
    readme=".README.md.txt",
    coregistration="to the reference by intensity matching and enhanced spectral diversity; HyP3 "
    "packages no standard deviations, its guide says that the azimuth offset is below 0.02 "
    "pixels before the last step",
    phase_quality="coherence estimated by cc_wave on the unfiltered interferogram; shape and "
    "weights of its window are not delivered; unwrapping left out pixels whose filtered coherence "
    "was below 0.1",
    unwrapping="minimum cost flow, https://doi.org/10.1109/36.673674",
    unwrapping_threshold=0.1,
)
ISCE2 = Processor(
    name="ISCE2",
    plugin="https://doi.org/10.5281/zenodo.8007397",
    readme="_README.md.txt",
    coregistration="to the reference by orbits and the elevation model; HyP3 packages no standard "
    "deviations",
    phase_quality="coherence estimated from the standard deviation of the filtered phase; size of "
    "its window and threshold are not delivered",
    unwrapping="SNAPHU with minimum cost flow initialization, "
    "https://doi.org/10.1364/JOSAA.18.000338",
)


@dataclass(frozen=True)
class ProductType:
    """A type of products."""

    name: str  # HyP3 job type that makes them
    family: Family  # interferograms or backscatter
    processor: Processor  # what made them
    # Patterns of their names. Groups: ``first`` and ``second`` day or time, ``first_platform`` and
    # ``second_platform`` (last letters), ``path``, ``footprint``, ``polarization``, ``orbit``,
    # ``spacing``, ``options``, ``id``; those that a name lacks are left out.
    names: tuple[re.Pattern[str], ...]
    # Stackable layers by name, in the order in which they are stacked and listed.
    layers: Mapping[str, Layer]
    # What the letters of processing options in the name stand for, in order.
    options: tuple[str, ...] = ()
    # Keys of numbers in the parameter file by the variable that holds them; empty where products
    # have no such file.
    parameters: Mapping[str, str] = field(default_factory=dict)
    # Whether centers of pixels, not their edges, lie on multiples of the spacing.
    is_centered: bool = False
    has_log: bool = False  # whether a log comes with the products
    # Type of the products whose names say that they are of one burst only.
    of_one_burst: str | None = None

    @property
    def is_insar(self) -> bool:
        """Whether products are interferograms."""
        return self.family is INSAR

    @property
    def has_parameter_file(self) -> bool:
        """Whether a parameter file comes with each product."""
        return bool(self.parameters)

    @cached_property
    def by_name(self) -> dict[str, Layer]:
        """The layers by their names and by the variables that hold them."""
        return {layer.variable: layer for layer in self.layers.values()} | dict(self.layers)

    def delivered(self, polarization: str, *deliveries: Delivery) -> tuple[str, ...]:
        """Return the layers that products have by one of some kinds of delivery.

        Parameters
        ----------
        polarization
            Letters in the name of a product, which say of what backscatter is.
        deliveries
            Kinds of delivery.
        """
        return tuple(
            layer.name
            for layer in self.layers.values()
            if layer.delivery in deliveries
            and (not layer.is_backscatter or layer.name in POLARIZATIONS.get(polarization, ()))
        )


_PAIR_OF_DAYS = (
    r"_(?P<first>\d{8})_(?P<second>\d{8})"
    r"_(?P<polarization>VV|HH)_INT(?P<spacing>\d{2})_(?P<id>[0-9A-F]{4})"
)

_ISCE_KEYS = {
    variable: key
    for variable, key in PARAMETER_KEYS.items()
    if variable not in ("spacecraft_height", "earth_radius")
}
"""Height of the satellite and radius of the Earth are constants in files of ISCE2."""

INSAR_GAMMA = ProductType(
    name="INSAR_GAMMA",
    family=INSAR,
    processor=GAMMA,
    names=(
        re.compile(
            r"S1(?P<first_platform>[A-D])(?P<second_platform>[A-D])"
            r"_(?P<first>\d{8}T\d{6})_(?P<second>\d{8}T\d{6})"
            r"_(?P<polarization>VV|HH)(?P<orbit>[PRO])\d{3,}_INT(?P<spacing>\d+)_G"
            r"_(?P<options>[uw][ec][123F])_(?P<id>[0-9A-F]{4})"
        ),
    ),
    layers=GAMMA_LAYERS,
    options=("water_masking", "area", "swaths"),
    parameters=PARAMETER_KEYS,
    is_centered=True,
)
INSAR_ISCE_BURST = ProductType(
    name="INSAR_ISCE_BURST",
    family=INSAR,
    processor=ISCE2,
    names=(re.compile(r"S1_(?P<footprint>\d{6}_IW[123])" + _PAIR_OF_DAYS),),
    layers=ISCE_LAYERS,
    parameters=_ISCE_KEYS,
)
INSAR_ISCE_MULTI_BURST = ProductType(
    name="INSAR_ISCE_MULTI_BURST",
    family=INSAR,
    processor=ISCE2,
    names=(
        re.compile(
            r"S1_(?P<path>\d{3})_(?P<footprint>\d{6}s1n\d{2}-\d{6}s2n\d{2}-\d{6}s3n\d{2})_IW"
            + _PAIR_OF_DAYS
        ),
        # The merged bursts of hyp3-isce2 before 4.0 name a southwest and a northeast corner.
        re.compile(
            r"S1(?P<first_platform>[A-D])_(?P<path>\d{3})"
            r"_(?P<footprint>[EW]\d{3}_\d_[NS]\d{2}_\d_[EW]\d{3}_\d_[NS]\d{2}_\d)" + _PAIR_OF_DAYS
        ),
    ),
    layers=ISCE_LAYERS,
    parameters=_ISCE_KEYS,
    of_one_burst=INSAR_ISCE_BURST.name,
)
RTC_GAMMA = ProductType(
    name="RTC_GAMMA",
    family=RTC,
    processor=GAMMA,
    names=(
        re.compile(
            r"S1(?P<first_platform>[A-D])_(?:IW|EW|S[1-6])_(?P<first>\d{8}T\d{6})"
            r"_(?P<polarization>[SD][VH])(?P<orbit>[PRO])_RTC(?P<spacing>\d{2})_G"
            r"_(?P<options>[gs][pda][uw][nf][ec][dm])_(?P<id>[0-9A-F]{4})"
        ),
    ),
    layers=RTC_LAYERS,
    options=("radiometry", "scale", "water_masking", "speckle_filter", "area", "dem_matching"),
    has_log=True,
)

PRODUCT_TYPES = {
    row.name: row for row in (INSAR_GAMMA, INSAR_ISCE_BURST, INSAR_ISCE_MULTI_BURST, RTC_GAMMA)
}


def find_layer(variable: str) -> Layer | None:
    """Return the layer that a stack variable holds, None where it holds none of a product.

    Product types differ in what they say of a layer in words, not in kind, limits or style.
    """
    tables = [row.by_name for row in PRODUCT_TYPES.values()]
    return next((table[variable] for table in tables if variable in table), None)


def backscatter_in(variables: Iterable[str]) -> dict[str, str]:
    """Return the variables of a stack that hold backscatter, each with its polarization."""
    layers = {variable: find_layer(variable) for variable in variables}
    return {
        variable: layer.name
        for variable, layer in layers.items()
        if layer is not None and layer.is_backscatter
    }


def origin_of(name: str) -> str | None:
    """Return the layer that one is computed from where a product lacks it."""
    layer = find_layer(name)
    return None if layer is None else layer.computed_from
