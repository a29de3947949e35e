"""One value for a window of pixels; how depends on what the numbers mean."""

import math
from collections import Counter

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


def average_for(name, units, is_class):
    """Return the function that averages a variable."""
    if is_class:
        return most_common
    layer = find_layer(name)
    if layer is not None and layer.kind is LayerKind.CYCLIC:
        return circular_mean
    if units == "dB":
        return decibel_mean
    return mean
