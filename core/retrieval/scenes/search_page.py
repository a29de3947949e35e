"""What a search has found, for the log and as a page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from ...pages.html_page import bullets, fact, footer, html_page, percent, table
from ...pages.svg import label, line
from .search_area import SearchArea
from .track import Track

_WIDTH, _HEIGHT = 860, 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 16, 12, 28
_SHOWN = 8


def track_sentence(track: Track) -> str:
    """Return what a track offers, in a line."""
    usable = track.usable
    kind = "frame" if track.job_type == "INSAR_GAMMA" else "burst"
    count = f"{len(track.grounds)} {kind}{'' if len(track.grounds) == 1 else 's'}"
    if not usable:
        return f"{_name(track)}: {count}, no date has all of them"
    return (
        f"{_name(track)}: {count}, {len(usable)} dates from {usable[0].day} to {usable[-1].day}, "
        f"all of which cover {100 * track.common_cover:.0f} % of the area; longest gap "
        f"{track.longest_gap} days"
    )


def track_remarks(track: Track) -> list[str]:
    """Return what a user should know before pairs are planned."""
    remarks = []
    days = {item.day for item in track.usable}
    partial = [item for item in track.dates if item.day not in days]
    if partial:
        dates = [f"{item.day} ({percent(item.share)})" for item in partial]
        remarks.append(f"Dates that cover less and are not used: {_some(dates)}")
    rare = {
        name: sum(name in item.missing for item in track.dates)
        for name in track.grounds
        if track.job_type == "INSAR_ISCE_MULTI_BURST"
    }
    often = [
        f"{name} (on {count} date{'' if count == 1 else 's'})"
        for name, count in rare.items()
        if count
    ]
    if often:
        remarks.append(
            f"Missing bursts: {_some(often)}; delete all scenes of such a burst to use its dates"
        )
    if track.superseded:
        remarks.append(
            f"{len(track.superseded)} scenes were processed again; the newer ones are used: "
            f"{_some(track.superseded)}"
        )
    unknown = sum(scene.orbit is None for scene in track.scenes)
    if unknown:
        remarks.append(f"{unknown} scenes have no state vectors; their baselines are unknown")
    return remarks


def search_page(tracks: Sequence[Track], area: SearchArea) -> str:
    """Return the page as one HTML file: tracks by rank, with what each date covers."""
    size = f"{area.plane.area / 1e6:,.0f} square kilometers"
    longitude, latitude = area.center
    center = (
        f"{abs(latitude):.3f}° {'N' if latitude >= 0 else 'S'}, "
        f"{abs(longitude):.3f}° {'E' if longitude >= 0 else 'W'}"
    )
    sections = [
        "<h1>Scenes over the area</h1>",
        f'<p class="lead">{size} around {center}; the best track first.</p>',
    ]
    for number, track in enumerate(tracks, start=1):
        facts = [
            ("Job type", track.job_type),
            ("Polarization", track.polarization),
            ("Dates that can be used", f"{len(track.usable)} of {len(track.dates)}"),
            ("Area that all of them cover", f"{100 * track.common_cover:.1f} %"),
            ("Longest gap", f"{track.longest_gap} days"),
            ("Frames or bursts", ", ".join(track.grounds)),
        ]
        remarks = track_remarks(track)
        rows = (
            (str(item.day), f"{100 * item.share:.1f} %", ", ".join(item.missing))
            for item in track.dates
        )
        sections.append(
            f"<h2>{number}. {escape(_name(track))}</h2>"
            f'<div class="card"><dl class="facts">{"".join(map(fact, facts))}</dl>'
            f"{bullets(remarks) if remarks else ''}{_timeline(track)}</div>"
            "<details><summary class='plain fold'><span>Area that each date covers</span>"
            f'</summary><div class="inside wide">{table(("date", "cover", "missing"), rows)}</div>'
            "</details>"
        )
    sections.append(footer("Searched", "Scenes are those of the ASF catalog."))
    return html_page("Scenes over the area", sections)


def _name(track: Track) -> str:
    return f"Path {track.path}, {track.direction}"


def _some(items: Sequence[str]) -> str:
    more = f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
    return ", ".join(items[:_SHOWN]) + more


def _timeline(track: Track) -> str:
    """Return the share of the area that each date covers as SVG."""
    days = [item.day.toordinal() for item in track.dates]
    span = (days[-1] - days[0]) or 1
    bottom = _HEIGHT - _BOTTOM

    def x(day: int) -> float:
        return _LEFT + (0.01 + 0.98 * (day - days[0]) / span) * (_WIDTH - _LEFT - _RIGHT)

    def y(share: float) -> float:
        return bottom - share * (bottom - _TOP)

    parts = [
        f'<svg class="plot" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        'aria-label="Share of the area by date">'
    ]
    for share in (0.0, 0.5, 1.0):
        parts.append(line(_LEFT, y(share), _WIDTH - _RIGHT, y(share), "grid"))
        parts.append(label(_LEFT - 8, y(share) + 4, f"{100 * share:.0f} %", "end"))
    used = {item.day for item in track.usable}
    for day, item in zip(days, track.dates, strict=True):
        color = "" if item.day in used else ' style="stroke:#c8553d"'
        parts.append(
            f'<line x1="{x(day):.1f}" y1="{y(0):.1f}" x2="{x(day):.1f}" y2="{y(item.share):.1f}" '
            f'class="stem"{color}><title>{item.day}: {100 * item.share:.1f} %</title></line>'
        )
    for end, anchor in ((0, "start"), (-1, "end")):
        parts.append(label(x(days[end]), _HEIGHT - 8, f"{track.dates[end].day}", anchor))
    return "".join([*parts, "</svg>"])
