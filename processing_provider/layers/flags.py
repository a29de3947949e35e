"""Colors of masks, and the classes of bit fields: one for each combination of flags that occurs."""

from qgis.PyQt.QtGui import QColor

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
