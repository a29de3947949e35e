"""Weights of the pairs of a point, as ``hyp3:invertstack`` gives them to those of all pixels."""

import math

from ....core.network.phase_variance import independent_looks, phase_weight


def known_looks(looks_range, looks_azimuth):
    """Return the independent looks of each pair; none where those of any pair are not known."""
    both = list(zip(looks_range, looks_azimuth))  # noqa: B905 - Python 3.9
    if not all(math.isfinite(number) for looks in both for number in looks):
        return []
    return [independent_looks(*looks) for looks in both]


def weigh(coherences, looks):
    """Return the weights of pairs and the value of ``WEIGHTS`` that stands for them.

    They are the inverse of the variance of the phase where there are ``looks``, else the coherences
    themselves, and None where these are not known either.
    """
    if coherences is None:
        return None, "none"
    if len(looks) != len(coherences):
        return coherences, "coherence"
    pairs = zip(coherences, looks)  # noqa: B905 - Python 3.9
    return [phase_weight(*pair) for pair in pairs], "variance"
