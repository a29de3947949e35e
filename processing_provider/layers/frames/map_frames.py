"""What each band of a layer shows: its date or pair of dates, baselines and coherence.

It is kept with the layer, so that it is known in a project that is opened again, also where the
stack cannot be read.
"""

import math
from dataclasses import dataclass
from datetime import timedelta

_FRAMES = "hyp3_stack/frames"
_PAIRS = "hyp3_stack/is_pairs"
_SEPARATOR = "\n"


@dataclass(frozen=True)
class Frame:
    """A pair or a date in words; ``details`` may be empty."""

    dates: str
    details: str


def dates_of_bands(stack):
    """Return the date of each band, or both dates of a pair."""
    return [
        begin if begin == end else f"{begin} to {end}"
        for begin, end in zip(_days(stack.begins), _days(stack.ends))  # noqa: B905 - Python 3.9
    ]


def period_of(stack):
    """Return number and period of all bands in words."""
    steps = "pairs" if stack.is_pairs else "dates"
    period = f"{min(_days(stack.begins))} to {max(_days(stack.ends))}"
    return f"{len(stack.begins)} {steps}, {period}"


def note_frames(layer, stack):
    """Keep with a layer what its bands show."""
    details = _details(stack) if stack.is_pairs else [""] * len(stack.begins)
    frames = zip(dates_of_bands(stack), details)  # noqa: B905 - Python 3.9
    layer.setCustomProperty(_FRAMES, [_SEPARATOR.join(texts) for texts in frames])
    layer.setCustomProperty(_PAIRS, stack.is_pairs)


def frames_of(layer):
    """Return what each band of a layer shows, nothing for a layer without steps in time."""
    texts = layer.customProperty(_FRAMES) or []
    return [Frame(*text.partition(_SEPARATOR)[::2]) for text in texts]


def step_of(layer):
    """Return what a band of a layer is called."""
    return "pair" if layer.customProperty(_PAIRS) else "date"


def bands_in_time(layer):
    """Return the numbers of the bands in the order in which time shows them."""
    ranges = layer.temporalProperties().fixedRangePerBand()
    return sorted(ranges, key=lambda band: ranges[band].begin())


def shown_band(layer, settings):
    """Return the number of the band that a map with these settings shows, 0 where it shows none."""
    properties = layer.temporalProperties()
    if not (settings.isTemporal() and properties.isActive()):
        return layer.renderer().inputBand()
    return max(0, properties.bandForTemporalRange(layer, settings.temporalRange()))


def _details(stack):
    details = []
    for step, (begin, end) in enumerate(zip(stack.begins, stack.ends)):  # noqa: B905
        texts = [f"{(end - begin) / timedelta(days=1):.0f} days"]
        for values, text in (
            (stack.perpendicular_baselines, "perpendicular baseline {:.0f} m"),
            (stack.mean_coherences, "mean coherence {:.2f}"),
        ):
            if step < len(values) and math.isfinite(values[step]):
                texts.append(text.format(values[step]))
        details.append(", ".join(texts))
    return details


def _days(times):
    return [time.strftime("%Y-%m-%d") for time in times]
