"""One value for several pixels, and their spread; how depends on what the numbers mean."""

import math
from collections import Counter
from dataclasses import dataclass

from ....core.products.layers import LayerKind
from ....core.products.product_types import find_layer


def mean(values):
    """Return the arithmetic mean."""
    return math.fsum(values) / len(values)


def circular_mean(values):
    """Return the mean direction of angles in radians, in (-pi, pi].

    Around the seam of wrapped phase the arithmetic mean would be near zero.
    """
    sine = math.fsum(map(math.sin, values))
    cosine = math.fsum(map(math.cos, values))
    return math.atan2(sine, cosine)


def decibel_mean(values):
    """Return the mean power of values in decibel, in decibel."""
    return 10.0 * math.log10(mean([10.0 ** (value / 10.0) for value in values]))


def most_common(values):
    """Return the value of most pixels, the smallest one if there are several."""
    counts = Counter(values)
    return min(counts, key=lambda value: (-counts[value], value))


def deviation(values):
    """Return the standard deviation around the mean of all ``values``."""
    middle = mean(values)
    return math.sqrt(math.fsum([(value - middle) ** 2 for value in values]) / len(values))


def circular_deviation(values):
    """Return the standard deviation of angles in radians around their mean direction.

    ``sqrt(-2 ln R)`` with the length R of the mean vector (Mardia and Jupp 2000, section 2.3.4).
    """
    vector = mean(list(map(math.cos, values))), mean(list(map(math.sin, values)))
    length = min(1.0, math.hypot(*vector))
    return math.sqrt(-2.0 * math.log(length)) if length else math.inf


def no_deviation(values):
    """Return NaN: between classes there is no distance."""
    return math.nan


@dataclass(frozen=True)
class Average:
    """How several values become one, and how far they are from it."""

    of: object
    deviation: object


MEAN = Average(mean, deviation)
CIRCULAR = Average(circular_mean, circular_deviation)
DECIBEL = Average(decibel_mean, deviation)
CLASSES = Average(most_common, no_deviation)


def average_for(name, units, is_class):
    """Return how a variable is averaged."""
    if is_class:
        return CLASSES
    layer = find_layer(name)
    if layer is not None and layer.kind is LayerKind.CYCLIC:
        return CIRCULAR
    if units == "dB":
        return DECIBEL
    return MEAN
