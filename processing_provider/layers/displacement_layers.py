"""How the layers of a displacement stack are shown, by their names: colors, limits and units."""

import re

from ...core.products.layers import Style
from ...core.products.product_types import find_layer

DISPLACEMENT = "displacement"
VELOCITY = "velocity"

_LOOKS = (
    (r"displacement|velocity|acceleration|jerk|step_\d{8}|\w+_correction", Style.TOWARD, None),
    (
        "velocity_standard_error|(semi)?annual_amplitude|closure_error_share",
        Style.FROM_ZERO,
        None,
    ),
    ("temporal_coherence", Style.FROM_ZERO, (0.0, 1.0)),
    ("annual_peak", Style.CYCLIC, (0.0, 365.25)),
    ("semiannual_peak", Style.CYCLIC, (0.0, 365.25 / 2)),
)
_IN_MILLIMETERS = (Style.TOWARD, Style.FROM_ZERO)
_SHORT_UNITS = {"1": "", "radian": "rad", "degree": "°"}
_UNITS = {"m": "mm", "m year-1": "mm/year", "m year-2": "mm/year²", "m year-3": "mm/year³"}


def look_of(name):
    """Return the style of a variable and, for styles that have them, its limits."""
    layer = find_layer(name)
    if layer is not None:
        return layer.style, layer.limits
    found = ((style, limits) for names, style, limits in _LOOKS if re.fullmatch(names, name))
    return next(found, (Style.SEQUENTIAL, None))


def is_toward(name):
    """Return whether a variable is a motion that is positive toward the satellite."""
    return look_of(name)[0] is Style.TOWARD


def is_relative(name):
    """Return whether values of a variable count from a reference area that may be another one."""
    return look_of(name)[0] in (Style.TOWARD, Style.AWAY)


def shown_units(name, units):
    """Return the factor that turns values of a variable into what is shown, and its unit."""
    if units in _UNITS and look_of(name)[0] in _IN_MILLIMETERS:
        return 1000.0, _UNITS[units]
    return 1.0, _SHORT_UNITS.get(units, units)
