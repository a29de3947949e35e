"""What a displacement stack says of its dates and pixels besides the displacement itself."""

import math
from dataclasses import dataclass
from struct import unpack

from osgeo import gdal

from ...layers.styles import flag_masks

_OF_PIXELS = (
    "velocity",
    "velocity_standard_error",
    "temporal_coherence",
    "valid_pairs",
    "redundancy",
    "gap_count",
    "mask",
)


@dataclass(frozen=True)
class PointFacts:
    """What is known of a point; NaN where something is not.

    Velocity and its standard error are in meters a year. ``reasons`` are the meanings of the flags
    that mask the pixel.
    """

    velocity: float = math.nan
    velocity_error: float = math.nan
    temporal_coherence: float = math.nan
    valid_pairs: float = math.nan
    redundancy: float = math.nan
    gap_count: float = math.nan
    pair_count: float = math.nan
    reasons: tuple = ()


class DisplacementFacts:
    """The quality layers of a displacement stack, kept open.

    ``date_errors`` are the root mean squares of the residuals of each date in meters, none where
    the file has none.
    """

    def __init__(self, stack):
        # The group is of use only as long as its dataset lives.
        self._dataset = gdal.OpenEx(str(stack.path), gdal.OF_MULTIDIM_RASTER)
        group = self._dataset.GetRootGroup()
        group = group.OpenGroup(stack.group) if stack.group else group
        self._arrays = {
            name: group.OpenMDArray(name)
            for name in _OF_PIXELS
            if name in stack.variables and not stack.variables[name].steps
        }
        mask = stack.variables.get("mask")
        self._flags = {} if mask is None else flag_masks(mask)
        names = group.GetMDArrayNames() or []
        self._pair_count = math.nan
        if "pair" in names:
            self._pair_count = group.OpenMDArray("pair").GetTotalElementsCount()
        self.date_errors = []
        if "residual_rms" in names:
            errors = _numbers(group.OpenMDArray("residual_rms"))
            self.date_errors = errors if len(errors) == len(stack.begins) else []

    def at(self, row, column):
        """Return what the file says of a pixel."""
        found = {}
        for name, array in self._arrays.items():
            (value,) = _numbers(array, [row, column], [1, 1])
            found[name] = math.nan if value == array.GetNoDataValueAsDouble() else value
        mask = found.pop("mask", math.nan)
        bits = int(mask) if math.isfinite(mask) else 0
        return PointFacts(
            found.pop("velocity", math.nan),
            found.pop("velocity_standard_error", math.nan),
            pair_count=self._pair_count,
            reasons=tuple(word for word, flag in self._flags.items() if bits & flag),
            **found,
        )


def _numbers(array, *place):
    kind = gdal.ExtendedDataType.Create(gdal.GDT_Float64)
    data = bytes(array.Read(*place, buffer_datatype=kind))
    return list(unpack(f"={len(data) // 8}d", data))
