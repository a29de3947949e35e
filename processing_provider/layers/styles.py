"""Renderers that a SAR person expects; always of a single band, because only those play in time."""

import math

from qgis.core import (
    QgsColorRampLegendNodeSettings,
    QgsColorRampShader,
    QgsExpressionBasedNumericFormat,
    QgsGradientColorRamp,
    QgsGradientStop,
    QgsPalettedRasterRenderer,
    QgsRasterShader,
    QgsSingleBandPseudoColorRenderer,
)
from qgis.PyQt.QtGui import QColor

from ...core.products.layers import Style
from .displacement_layers import DISPLACEMENT, look_of, shown_units
from .sampling import distinct_values, percentile, sample

_COLORS = ("#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#76b7b2", "#edc948", "#b07aa1", "#9c755f")
_MEANINGS = {
    "no data": "#c9c5c0",
    "valid": "#59a14f",
    "invalid": "#e15759",
    "water": "#3a7ca5",
    "land": "#d8d2c4",
    "not unwrapped": "#edc948",
    "low coherence": "#b07aa1",
    "no valid pair": "#c9c5c0",
    "low temporal coherence": "#b07aa1",
    "in no component": "#9c755f",
    "layover": "#f28e2b",
    "shadow": "#4d4d4d",
    "tested": "#e3ded6",
}
NOTHING = QColor(0, 0, 0, 0)
_DARKER = 125
"""Percentage by which a combination is darker than the mean of its flags."""


def color_of(meaning, place):
    """Return the color of a meaning, by its place among others where it is not a known one."""
    return QColor(_MEANINGS.get(meaning, _COLORS[place % len(_COLORS)]))


def flag_masks(variable):
    """Return the values of the flags of a bit field by their meaning, or nothing if it is none."""
    masks = variable.attributes.get("flag_masks")
    words = str(variable.attributes.get("flag_meanings", "")).split()
    if not isinstance(masks, (list, tuple)) or len(masks) != len(words):
        return {}
    return {word.replace("_", " "): int(mask) for word, mask in zip(words, masks)}  # noqa: B905


def flag_classes(variable, numbers, complete):
    """Return (value, color, label) of each combination, those with fewer flags first.

    Where ``numbers`` may not be ``complete``, every single flag is among them. Pixels without any
    flag are transparent, so that the layers below show.
    """
    masks = flag_masks(variable)
    known = sum(set(masks.values()))
    found = {number for number in numbers if number & ~known == 0}
    found |= set() if complete else set(masks.values())
    classes = [(0, NOTHING, "none")]
    for number in sorted(found - {0}, key=lambda value: (bin(value).count("1"), value)):
        words = [word for word, mask in masks.items() if number & mask]
        colors = [
            color_of(word, place)
            for place, (word, mask) in enumerate(masks.items())
            if number & mask
        ]
        classes.append((number, _blend(colors), " + ".join(words)))
    strange = sorted(number for number in numbers if number & ~known)
    return classes + [(number, QColor("#000000"), f"{number:g}") for number in strange]


def _blend(colors):
    if len(colors) == 1:
        return colors[0]
    mean = [
        sum(getattr(color, part)() for color in colors) // len(colors)
        for part in ("red", "green", "blue")
    ]
    return QColor(*mean).darker(_DARKER)


_LOW, _HIGH = 2.0, 98.0

# Symmetric around white: red toward the sensor or up, blue away or down.
_DIVERGING = ("#2166ac", "#67a9cf", "#d1e5f0", "#f7f7f7", "#fddbc7", "#ef8a62", "#b2182b")
# First and last color are the same, so that the seam of the phase does not show.
_CYCLIC = ("#3a4cc0", "#2aa3b5", "#5cc863", "#e8c33b", "#e0693a", "#b03a8e", "#3a4cc0")
_SEQUENTIAL = ("#440154", "#3b528b", "#21918c", "#5ec962", "#fde725")
_TERRAIN = ("#2d6a4f", "#95b46a", "#e9d8a6", "#b08968", "#7f5539", "#ffffff")
_GRAY = ("#000000", "#ffffff")

_SYMMETRIC = {Style.TOWARD: _DIVERGING, Style.AWAY: _DIVERGING[::-1]}
_BY_LIMITS = {Style.CYCLIC: _CYCLIC, Style.GRAY: _GRAY}
_DECIBEL_STEPS = 24
DECIBELS = {"power": 10.0, "amplitude": 20.0}
"""Decibels of a factor of ten, by the scale of backscatter."""


def style(layer, variable):
    """Give ``layer`` the renderer that suits ``variable``, with its range from sampled data."""
    provider = layer.dataProvider()
    if flag_masks(variable):
        renderer = _flags(provider, variable, *distinct_values(layer.source()))
    elif variable.is_mask:
        renderer = _classes(provider, variable, layer.source())
    else:
        # The last date has moved farthest.
        values = sample(layer.source(), of_last=variable.name == DISPLACEMENT)
        renderer = _continuous(provider, variable, values)
    layer.setRenderer(renderer)


def _continuous(provider, variable, values):
    low = percentile(values, _LOW) if values else 0.0
    high = percentile(values, _HIGH) if values else 1.0
    hint, limits = look_of(variable.name)
    if hint is Style.BACKSCATTER and variable.units != "dB":
        stops = _decibel_stops(low, high)
    elif hint in _SYMMETRIC:
        largest = _round_up(max(abs(low), abs(high))) or 1.0
        stops = _stops(-largest, largest, _SYMMETRIC[hint])
    elif hint in _BY_LIMITS:
        stops = _stops(*limits, _BY_LIMITS[hint])
    elif hint is Style.FROM_ZERO:
        stops = _stops(0.0, limits[1] if limits else _round_up(high), _SEQUENTIAL)
    else:
        colors = _GRAY if variable.units == "dB" else _SEQUENTIAL
        stops = _stops(*_round_outward(low, high), _TERRAIN if hint is Style.TERRAIN else colors)
    shader = QgsRasterShader()
    shader.setRasterShaderFunction(_ramp_function(variable, stops))
    # Nothing has moved on the first date: without time, the last one shows.
    band = variable.steps if variable.name == DISPLACEMENT else 1
    renderer = QgsSingleBandPseudoColorRenderer(provider, band, shader)
    renderer.setClassificationMin(stops[0][0])
    renderer.setClassificationMax(stops[-1][0])
    return renderer


def _ramp_function(variable, stops):
    """Return what gives values their colors, with a legend in the unit that is shown."""
    expression, show, units = _shown_numbers(variable)
    suffix = f" {units}" if units else ""
    (low, first), *inner, (high, last) = stops
    gradient = [QgsGradientStop((value - low) / (high - low), color) for value, color in inner]
    # The symbology page of the layer divides this ramp anew when somebody chooses other limits.
    ramp = QgsGradientColorRamp(first, last, False, gradient)
    function = QgsColorRampShader(low, high, ramp)
    function.setColorRampType(QgsColorRampShader.Type.Interpolated)
    function.setColorRampItemList(
        [
            QgsColorRampShader.ColorRampItem(value, color, f"{show(value):.4g}{suffix}")
            for value, color in stops
        ]
    )
    legend = QgsColorRampLegendNodeSettings()
    legend.setSuffix(suffix)
    largest = max(abs(show(low)), abs(show(high)))
    decimals = max(2, 2 - math.floor(math.log10(largest))) if largest > 0 else 2
    number = QgsExpressionBasedNumericFormat()
    # It stays true when a user chooses another range.
    number.setExpression(
        f"format_number({expression}, {decimals}, trim_trailing_zeroes := true, "
        "omit_group_separators := true)"
    )
    legend.setNumericFormat(number)
    function.setLegendSettings(legend)
    return function


def _shown_numbers(variable):
    """Return how a value is shown: an expression of QGIS, the same in Python, and the unit."""
    decibels = DECIBELS.get(variable.attributes.get("scale"))
    if decibels:
        return f"{decibels:g} * log10(@value)", lambda value: decibels * math.log10(value), "dB"
    factor, units = shown_units(variable.name, variable.units)
    return f"@value * {factor:g}", lambda value: value * factor, units


def _round_outward(low, high):
    """Return limits of few digits around two numbers."""
    if not high > low:
        return low, high
    step = 10.0 ** (math.floor(math.log10(high - low)) - 1)
    return math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step


def _round_up(value):
    """Return the next number of two digits that is not less than a positive one."""
    if not value > 0.0:
        return 0.0
    step = 10.0 ** (math.floor(math.log10(value)) - 1)
    return math.ceil(value / step - 1e-9) * step


def _stops(low, high, colors):
    if not high > low:
        low, high = low - 0.5, low + 0.5
    shares = [number / (len(colors) - 1) for number in range(len(colors))]
    # In this form the middle of -high and high is 0, and the last stop is high.
    return [
        (low * (1.0 - share) + high * share, QColor(color))
        for share, color in zip(shares, colors)  # noqa: B905 - Python 3.9
    ]


def _decibel_stops(low, high):
    """Return gray levels that are even in decibel for values of linear power."""
    high = high if high > 0 else 1.0
    low = max(low, high * 1e-4)
    if not high > low:
        low = high / 10.0
    bottom, top = math.floor(10.0 * math.log10(low)), math.ceil(10.0 * math.log10(high))
    stops = []
    for number in range(_DECIBEL_STEPS + 1):
        share = number / _DECIBEL_STEPS
        gray = round(255 * share)
        value = 10.0 ** ((bottom + (top - bottom) * share) / 10.0)
        stops.append((value, QColor(gray, gray, gray)))
    return stops


def _flags(provider, variable, numbers, complete):
    """Return a renderer of a bit field: one class for each combination of flags that occurs."""
    classes = [
        QgsPalettedRasterRenderer.Class(number, color, label)
        for number, color, label in flag_classes(variable, numbers, complete)
    ]
    return QgsPalettedRasterRenderer(provider, 1, classes)


def _classes(provider, variable, source):
    flags = variable.attributes.get("flag_values")
    is_listed = isinstance(flags, (list, tuple))
    numbers = list(flags) if is_listed else sorted(distinct_values(source)[0])
    words = str(variable.attributes.get("flag_meanings", "")).split()
    labels = words if len(words) == len(numbers) else [f"{number:g}" for number in numbers]
    labels = [label.replace("_", " ") for label in labels]
    classes = [
        QgsPalettedRasterRenderer.Class(number, color_of(label, place), label)
        for place, (number, label) in enumerate(zip(numbers, labels))  # noqa: B905 - Python 3.9
    ]
    if look_of(variable.name)[0] is Style.COMPONENTS:
        # Transparent, so that the layers below show where nothing was connected.
        classes = [item for item in classes if item.value != 0]
        classes.insert(0, QgsPalettedRasterRenderer.Class(0, NOTHING, "in no component"))
    return QgsPalettedRasterRenderer(provider, 1, classes)
