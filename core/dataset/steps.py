"""The steps of an interferogram stack: what each pair of a network is, as numbers with units."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import datetime, timezone

import numpy as np
import xarray as xr

from ..errors import InconsistentProductsError
from ..metadata.variables import TIME_ENCODING as TIME_UNITS
from ..pixels.reference_point import ReferencePoint
from ..products.granules import parse_granule
from ..products.product import Product
from ..selection.acquisition_times import shared_times

TIME_ENCODING = {**TIME_UNITS, "_FillValue": None}


def pair_coordinates(products: Sequence[Product]) -> dict[str, xr.Variable]:
    """Describe the pairs of a network; interferograms are in the order of their steps.

    Returns
    -------
    dict of Variable
        ``pair`` (1..N), ``pair_label``, ``product_name``, UTC ``reference_time``,
        ``secondary_time`` and middle ``time`` with ``time_bnds`` (pair, nv), ``temporal_baseline``
        in days, ``perpendicular_baseline`` in meters (NaN where the parameter file lacks it), and
        ``acquisition`` (1..M) with ``acquisition_time`` and its number for either side of a pair.
    """
    starts = shared_times(products)
    times = np.array([[instant(time) for time in both] for both in starts], dtype="datetime64[ns]")
    acquisitions = np.unique(times)
    reference, secondary = times[:, 0], times[:, 1]
    baselines = [product.number("perpendicular_baseline") for product in products]

    def on_pair(values: object, long_name: str, **attributes: object) -> xr.Variable:
        return xr.Variable("pair", values, {"long_name": long_name, **attributes})

    variables = {
        # Without units QGIS shows plain numbers, "pair=2".
        "pair": on_pair(np.arange(1, len(products) + 1, dtype="int32"), "number of the pair"),
        "pair_label": on_pair(
            np.array(
                [item.name.label_of(both) for item, both in zip(products, starts, strict=True)]
            ),
            "reference and secondary start time in the form of the product name",
        ),
        "product_name": on_pair(
            np.array([product.name.text for product in products]), "name of the HyP3 product"
        ),
        "time": on_pair(
            reference + (secondary - reference) // 2,
            "middle of the pair",
            standard_name="time",
            axis="T",
            bounds="time_bnds",
        ),
        "time_bnds": xr.Variable(("pair", "nv"), times),
        "reference_time": on_pair(
            reference, "start of the reference acquisition", standard_name="time"
        ),
        "secondary_time": on_pair(
            secondary, "start of the secondary acquisition", standard_name="time"
        ),
        "temporal_baseline": on_pair(
            (secondary - reference) / np.timedelta64(1, "D"),
            "time from reference to secondary acquisition",
            units="day",
        ),
        "perpendicular_baseline": on_pair(
            np.array([np.nan if value is None else value for value in baselines], dtype="float64"),
            "perpendicular baseline of the secondary against the reference orbit",
            units="m",
        ),
        "reference_acquisition": on_pair(
            (np.searchsorted(acquisitions, reference) + 1).astype("int32"),
            "number of the reference acquisition",
        ),
        "secondary_acquisition": on_pair(
            (np.searchsorted(acquisitions, secondary) + 1).astype("int32"),
            "number of the secondary acquisition",
        ),
        "acquisition": xr.Variable(
            "acquisition",
            np.arange(1, acquisitions.size + 1, dtype="int32"),
            {"long_name": "number of the acquisition"},
        ),
        "acquisition_time": xr.Variable(
            "acquisition",
            acquisitions,
            {"long_name": "start of the acquisition", "standard_name": "time"},
        ),
    }
    return with_encoding(variables, may_be_missing=("perpendicular_baseline",))


def reference_coordinates(point: ReferencePoint) -> dict[str, xr.Variable]:
    """Describe the point to which all pairs are referenced, and what was subtracted from each."""
    variables = {
        "reference_phase": xr.Variable(
            "pair",
            np.array(point.phases, dtype="float64"),
            {
                "long_name": "unwrapped phase at the reference point before it was subtracted",
                "units": "radian",
            },
        ),
        "reference_point_x": xr.Variable(
            (), point.x, {"long_name": "x coordinate of the reference point", "units": "m"}
        ),
        "reference_point_y": xr.Variable(
            (), point.y, {"long_name": "y coordinate of the reference point", "units": "m"}
        ),
    }
    return with_encoding(variables)


def time_coordinates(passes: Sequence[Sequence[Product]]) -> dict[str, xr.Variable]:
    """Describe the dates of a backscatter stack: for each its product, or the frames of its pass.

    Returns
    -------
    dict of Variable
        UTC ``time`` (start of the acquisition) with ``time_bnds`` (time, nv; start and stop, which
        comes from the granule's name), ``product_name`` and ``platform``.

    Raises
    ------
    InconsistentProductsError
        If two steps have the same time.
    """
    starts = np.array([instant(frames[0].name.times[0]) for frames in passes])
    for first, second in itertools.pairwise(range(len(passes))):
        if starts[first] == starts[second]:
            raise InconsistentProductsError(
                f"{passes[first][0]} and {passes[second][0]} hold the same acquisition, processed "
                "in two ways; put one of them into another folder."
            )
    stops = np.array([instant(_stop_time(frames[-1])) for frames in passes])

    def on_time(values: object, long_name: str, **attributes: object) -> xr.Variable:
        return xr.Variable("time", values, {"long_name": long_name, **attributes})

    variables = {
        "time": on_time(
            starts,
            "start of the acquisition",
            standard_name="time",
            axis="T",
            bounds="time_bnds",
        ),
        "time_bnds": xr.Variable(("time", "nv"), np.stack([starts, stops], axis=1)),
        "product_name": on_time(
            np.array([" ".join(frame.name.text for frame in frames) for frames in passes]),
            "name of the HyP3 product",
        ),
        "platform": on_time(
            np.array([frames[0].name.platforms[0] or "" for frames in passes]), "platform"
        ),
    }
    return with_encoding(variables)


def _stop_time(product: Product) -> datetime:
    """Return the end of an acquisition, its start where no granule has it."""
    stops = (granule.stop for granule in map(parse_granule, product.source_granules))
    return next(filter(None, stops), product.name.times[0])


def with_encoding(
    variables: dict[str, xr.Variable], may_be_missing: Sequence[str] = ()
) -> dict[str, xr.Variable]:
    """Set how coordinates are stored: times as fixed numbers, fill values only where needed."""
    for name, variable in variables.items():
        if np.issubdtype(variable.dtype, np.datetime64):
            variable.encoding = dict(TIME_ENCODING)
        elif name in may_be_missing:
            variable.encoding = {"_FillValue": np.nan}
        elif variable.dtype.kind == "f":
            variable.encoding = {"_FillValue": None}
    return variables


def instant(time: datetime) -> np.datetime64:
    """Return an aware time as UTC without zone."""
    return np.datetime64(time.astimezone(timezone.utc).replace(tzinfo=None), "ns")
