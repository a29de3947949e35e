"""How many inputs are tried, and from which seed; read by QGIS's Python as well."""

import os

COUNT = int(os.environ.get("HYP3_STACK_FAULTS", "30"))
"""Inputs of all groups together."""

SEED = int(os.environ.get("HYP3_STACK_SEED", "17"))
"""The first seed; where there are several, they follow."""


def share(percent, least=1):
    """Return how many inputs a group gets of all."""
    return max(least, round(COUNT * percent / 100))
