"""What is said of a place beneath the plot, in words."""

import math

from ...layers.displacement_layers import shown_units

_REASONS = {
    "no valid pair": "no pair has phase here",
    "low temporal coherence": "the pairs contradict each other (low temporal coherence)",
}


def describe_place(name, picked, variable, units):
    """Return sentences on a place; empty where nothing is known.

    ``variable`` and ``units`` are those of the values in the file.
    """
    facts = picked.facts
    parts = []
    if facts is not None and facts.reasons:
        why = " and ".join(_REASONS.get(word, word) for word in facts.reasons)
        return f"{name} is masked, because {why}. {_capitalized(', '.join(_quality(facts)))}."
    if facts is not None:
        parts = [_velocity(facts), *_other_motion(picked.fit, units), *_quality(facts)]
    if picked.place.is_area and picked.series is not None:
        parts += _pixels(picked.series, variable, units)
    text = ", ".join(part for part in parts if part)
    return f"{name}: {text}." if text else ""


def _capitalized(text):
    return text[:1].upper() + text[1:]


def _pixels(series, variable, units):
    """Return how many pixels an area has, how many of them count, and how much they differ."""
    total = series.size * len(series.counts)
    parts = [f"{series.size} pixels", f"{100 * sum(series.counts) / total:.0f} % of them with data"]
    known = [value for value in series.deviations if math.isfinite(value)]
    if known:
        factor, unit = shown_units(variable, units)
        spread = factor * math.fsum(known) / len(known)
        parts.append(f"standard deviation {spread:.3g} {unit} on average".replace("  ", " "))
    if series.stride > 1:
        parts.append(f"one of every {series.stride} rows and columns is read")
    return parts


def velocity_text(facts):
    """Return the velocity with its standard error; empty where it is not known."""
    if not math.isfinite(facts.velocity):
        return ""
    error = (
        f" ± {_millimeters(facts.velocity_error)}" if math.isfinite(facts.velocity_error) else ""
    )
    return f"{_millimeters(facts.velocity)}{error} mm/year"


def _velocity(facts):
    text = velocity_text(facts)
    sense = "toward" if facts.velocity > 0 else "away from"
    return f"velocity {text} ({sense} the satellite)" if text else ""


def _other_motion(fit, units):
    """Return what was fitted besides the velocity."""
    if fit is None:
        return []
    parts = []
    for name, value, per in zip(("acceleration", "jerk"), fit.derivatives, (2, 3)):  # noqa: B905
        factor, unit = shown_units(name, f"{units} year-{per}")
        parts.append(f"{name} {factor * value:.1f} {unit}")
    factor, unit = shown_units("displacement", units)
    for name, value in zip(("yearly", "half-yearly"), fit.amplitudes):  # noqa: B905
        parts.append(f"{name} amplitude {factor * value:.1f} {unit}")
    for day, height in fit.steps:
        parts.append(f"step of {factor * height:.1f} {unit} on {day:%Y-%m-%d}")
    return parts


def _quality(facts):
    parts = []
    if math.isfinite(facts.temporal_coherence):
        parts.append(f"temporal coherence {facts.temporal_coherence:.2f}")
    if math.isfinite(facts.valid_pairs):
        total = f" of {facts.pair_count:.0f}" if math.isfinite(facts.pair_count) else ""
        parts.append(f"{facts.valid_pairs:.0f}{total} pairs")
        if facts.redundancy == 0 and facts.valid_pairs:
            parts.append("none of which checks another")
    if facts.gap_count > 0:
        noun = "gap" if facts.gap_count == 1 else "gaps"
        parts.append(f"{facts.gap_count:.0f} {noun} in time that no pair bridges")
    return parts


def _millimeters(meters):
    return f"{1000.0 * meters:.1f}"
