"""What HyP3 records of each interferogram, as numbers with units."""

from __future__ import annotations

import json
from collections.abc import Sequence

import xarray as xr

from ..pixels.geometry import incidence_angle
from ..products.product import Product
from . import variables

ORBIT_TYPES = ("predicted", "restituted", "precise")
_ORBIT_LETTERS = "ORP"

PARAMETER_FILES = "hyp3_parameters_json"
"""Attribute with the parameter files word for word."""

_ON = ("pair",)


def pair_variables(products: Sequence[Product]) -> dict[str, xr.Variable]:
    """Return the variables on ``pair`` that come from names, parameter files and READMEs.

    Returns
    -------
    dict of Variable
        Missing numbers are NaN. Height of the satellite and radius of the Earth are left out for
        ISCE products, which carry constants in their place.
    """

    def numbers(name: str, long_name: str, units: str) -> dict[str, xr.Variable]:
        return {name: variables.numbers(_ON, _each(products, name), long_name, units)}

    result = {
        "polarization": variables.texts(
            _ON, [product.name.polarization for product in products], "polarization of the pair"
        ),
        "heading": variables.numbers(
            _ON,
            [None if value is None else value % 360 for value in _each(products, "heading")],
            "heading of the satellite, clockwise from true north",
            "degree",
            standard_name="platform_course",
        ),
        **numbers("slant_range_near", "slant range at the near edge", "m"),
        **numbers("slant_range_center", "slant range in the center", "m"),
        **numbers("slant_range_far", "slant range at the far edge", "m"),
        **numbers("looks_range", "looks in range", "1"),
        **numbers("looks_azimuth", "looks in azimuth", "1"),
        **numbers(
            "phase_filter_parameter", "exponent of the adaptive phase filter, 0 for none", "1"
        ),
        **numbers("dem_spacing", "spacing of the elevation model in processing", "m"),
        **numbers(
            "hyp3_reference_longitude",
            "longitude of the point where HyP3 set the phase of the pair to 0",
            "degree",
        ),
        **numbers(
            "hyp3_reference_latitude",
            "latitude of the point where HyP3 set the phase of the pair to 0",
            "degree",
        ),
        **numbers("hyp3_reference_phase", "phase that HyP3 subtracted at that point", "radian"),
        "parallel_baseline": variables.numbers(
            _ON,
            [None] * len(products),
            "parallel baseline of the secondary against the reference orbit",
            "m",
            comment="NaN: in no file of HyP3; needs the state vectors of the orbits",
        ),
        "range_bandpass_filter": _yes_no(products, "Range bandpass filter", "filter in range"),
        "azimuth_bandpass_filter": _yes_no(
            products, "Azimuth bandpass filter", "filter in azimuth"
        ),
        "orbit_type": variables.flags(
            _ON,
            [_orbit_type(product) for product in products],
            ORBIT_TYPES,
            "least precise orbit of the pair",
        ),
        "dem_source": _texts(products, "DEM source", "elevation model"),
        "unwrapping_method": _texts(products, "Unwrapping type", "method of phase unwrapping"),
    }
    if all("spacecraft_height" in product.type.parameters for product in products):
        result |= {
            **numbers("spacecraft_height", "height of the satellite", "m"),
            **numbers("earth_radius", "radius of the Earth at nadir", "m"),
            "incidence_near": _incidence(products, "near"),
            "incidence_far": _incidence(products, "far"),
        }
    return result | processing_variables([(product,) for product in products], "pair")


def processing_variables(
    steps: Sequence[Sequence[Product]], dimension: str
) -> dict[str, xr.Variable]:
    """Return when and by what HyP3 made the products of each step."""
    on = (dimension,)
    readmes = [frames[-1].readme for frames in steps]
    return {
        "processing_time": variables.instants(
            on, [item.processed for item in readmes], "time of processing by HyP3"
        ),
        "hyp3_plugin_version": variables.texts(
            on, [item.plugin_version for item in readmes], "version of HyP3's processing plugin"
        ),
        "processor_version": variables.texts(
            on, [item.software_version for item in readmes], "version of the SAR processor"
        ),
    }


def orbit_types(steps: Sequence[Sequence[Product]], dimension: str) -> xr.Variable:
    """Return the least precise orbit of each step."""
    values = []
    for frames in steps:
        known = [value for frame in frames if (value := _orbit_type(frame)) is not None]
        values.append(min(known, default=None))
    return variables.flags((dimension,), values, ORBIT_TYPES, "source of the orbit")


def provenance(products: Sequence[Product]) -> str:
    """Return the parameter files word for word, by product name, as JSON."""
    files = {
        product.name.text: product.parameters.content
        for product in products
        if product.parameters is not None
    }
    return json.dumps(files, ensure_ascii=False)


def _each(products: Sequence[Product], name: str) -> list[float | None]:
    return [product.number(name) for product in products]


def _incidence(products: Sequence[Product], edge: str) -> xr.Variable:
    columns = zip(
        _each(products, "earth_radius"),
        _each(products, "spacecraft_height"),
        _each(products, f"slant_range_{edge}"),
        strict=True,
    )
    values = [
        incidence_angle(radius, height, distance)
        if radius is not None and height is not None and distance is not None
        else None
        for radius, height, distance in columns
    ]
    return variables.numbers(
        _ON,
        values,
        f"ellipsoidal incidence angle at the {edge} edge",
        "degree",
        standard_name="angle_of_incidence",
        comment="from slant range, height of the satellite and radius of the Earth",
    )


def _yes_no(products: Sequence[Product], key: str, long_name: str) -> xr.Variable:
    values = [
        None
        if product.parameters is None or (value := product.parameters.flag(key)) is None
        else int(value)
        for product in products
    ]
    return variables.flags(_ON, values, ("off", "on"), f"bandpass {long_name}")


def _texts(products: Sequence[Product], key: str, long_name: str) -> xr.Variable:
    return variables.texts(_ON, [product.entry(key) for product in products], long_name)


def _orbit_type(product: Product) -> int | None:
    letter = product.name.orbit_type
    return None if letter is None else _ORBIT_LETTERS.index(letter)
