"""The page that a person reads: the stack, its network, and every requirement with evidence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from html import escape

from ..files.chunking import Layout, amount, product
from ..metadata.ceos_attributes import DOCUMENT, DOCUMENT_VERSION
from ..pages.html_page import fact, html_page
from ..version import plugin_version
from .area_map import draw_area
from .assess import Assessment, Item
from .network import draw_network
from .overview import StepFacts
from .pictures import VIRIDIS, Colors, Thumbnails, color_bar, picture
from .verdict import MET, NEEDS_USER, NOT_APPLICABLE, NOT_MET

_CLASSES = {MET: "met", NOT_MET: "unmet", NOT_APPLICABLE: "na", NEEDS_USER: "user"}

_LISTED_PROBLEMS = 8

_CATEGORIES = {
    "general-metadata": "General metadata",
    "source-metadata": "Sources",
    "product-metadata": "Product",
    "per-pixel-metadata": "Pixels",
    "radiometrically-corrected-measurements": "Measurements",
    "geometric-corrections": "Geometry",
}


@dataclass(frozen=True)
class Picture:
    """An image with caption and the values of its first and last color."""

    address: str
    caption: str
    low: str
    high: str
    colors: Colors = VIRIDIS


def assessment_page(
    assessment: Assessment, plan: Sequence[str] = (), pictures: Sequence[Picture] = ()
) -> str:
    """Return the page as one HTML file that needs nothing else.

    Parameters
    ----------
    assessment
        Of the written stack.
    plan
        What was done with which product, line by line, where the stack has just been built.
    pictures
        Of the pixels, likewise.
    """
    red = bool(assessment.problems)
    overview, network = assessment.overview, assessment.network
    is_insar = network is not None and bool(network.pairs)
    sections = [
        f"<h1>{escape(assessment.title)}</h1>",
        f'<p class="lead">{escape(assessment.name)}</p>',
        _first_screen(assessment),
    ]
    if network is not None:
        sections.append(
            f"<h2>{'Network' if is_insar else 'Dates'}</h2>"
            f'<div class="card wide">{draw_network(network)}</div>'
        )
    if pictures:
        shown = "".join(map(figure, pictures))
        sections.append(f'<h2>Pixels</h2><div class="pictures">{shown}</div>')
    if assessment.thumbnails is not None:
        sections.append(_thumbnails(assessment.thumbnails, overview.steps))
    if overview.steps:
        sections.append(f"<h2>{'Pairs' if is_insar else 'Table of dates'}</h2>")
        sections.append(step_table(overview.steps, is_insar))
    if assessment.layouts:
        sections.append(
            f'<h2>Layout</h2><div class="card wide">{_layouts(assessment.layouts)}</div>'
        )
    sections.append("<h2>Checks</h2>")
    sections.append(_verdict(assessment, red))
    sections.append("<div>")
    if plan:
        lines = escape("\n".join(plan))
        sections.append(_fold("What was done with which product", f"<pre>{lines}</pre>"))
    passed = [check.passed for _, checks in assessment.checks for check in checks]
    sections.append(
        _fold(
            f"Conventions: {sum(passed)} of {len(passed)} checks passed",
            _conventions(assessment),
            is_open=red,
        )
    )
    for threshold, name in ((True, "Threshold"), (False, "Goal")):
        counts = _counts(assessment, threshold)
        sections.append(
            _fold(f"CEOS-ARD, {name.lower()} requirements: {counts}", _level(assessment, threshold))
        )
    sections.append("</div>")
    now = datetime.now(timezone.utc)
    sections.append(
        f"<footer>Assessed by HyP3 Stack {escape(plugin_version())} on {now:%Y-%m-%d %H:%M} UTC by "
        "reading the stack again; a requirement is met only by what is in the file. Whether a "
        "product is CEOS Analysis Ready Data is decided by CEOS in a peer review, which this is "
        f'not. Specification: <a href="{DOCUMENT}">SAR {DOCUMENT_VERSION}</a>, family '
        f"{escape(assessment.family)}, list {escape(assessment.family_version)}. Numbers and "
        f"titles: {escape(assessment.attribution)}; summaries in our own words.</footer>"
    )
    return html_page(assessment.title, sections)


def _first_screen(assessment: Assessment) -> str:
    """Return what a reader wants to know first: facts, the area on a map, and what is wrong."""
    facts = [*assessment.overview.facts]
    if assessment.extent:
        facts.append(("Pixels checked", assessment.extent))
    shown = f'<div class="card"><dl class="facts">{"".join(map(fact, facts))}</dl></div>'
    footprint = assessment.overview.footprint
    place = f'<div class="card">{draw_area(footprint)}</div>' if footprint else ""
    return f'<div class="first">{shown}<div>{place}{_attention(assessment)}</div></div>'


def _attention(assessment: Assessment) -> str:
    """Return what a user should look at, from the checks and from the stack itself."""
    problems = [f"{problem}." for problem in assessment.problems[:_LISTED_PROBLEMS]]
    more = len(assessment.problems) - len(problems)
    if more > 0:
        problems.append(f"{more} more problems are listed under Checks.")
    found = [*problems, *assessment.overview.attention]
    kind = "attention" if found else "attention fine"
    found = found or ["Nothing was found that needs attention."]
    listed = "".join(f"<li>{escape(text)}</li>" for text in found)
    return f'<div class="card {kind}"><strong>What needs attention</strong><ul>{listed}</ul></div>'


def _thumbnails(thumbnails: Thumbnails, steps: Sequence[StepFacts]) -> str:
    """Return small maps with the dates below, and one scale for all."""
    figures = []
    for number, values in zip(thumbnails.steps, thumbnails.maps, strict=True):
        name = steps[number].label if number < len(steps) else f"step {number + 1}"
        address = picture(values, thumbnails.low, thumbnails.high, thumbnails.colors)
        figures.append(
            f'<figure><img src="{address}" alt="{escape(name)}">'
            f"<figcaption>{escape(name)}</figcaption></figure>"
        )
    units = f" {thumbnails.units}" if thumbnails.units not in ("", "1") else ""
    ends = [f"{value:.3g}{units}" for value in (thumbnails.low, thumbnails.high)]
    total = len(steps)
    some = f", {len(figures)} of {total} steps" if total > len(figures) else ""
    return (
        f"<h2>Maps of {escape(thumbnails.layer)}{some}</h2>"
        f'<div class="card"><div class="thumbs">{"".join(figures)}</div>'
        f"{scale(thumbnails.colors, *ends)}</div>"
    )


def _fold(title: str, inside: str, is_open: bool = False) -> str:
    """Return something that a click on its title unfolds."""
    return (
        f"<details{' open' if is_open else ''}><summary class='plain fold'><span>{escape(title)}"
        f'</span></summary><div class="folded">{inside}</div></details>'
    )


def _verdict(assessment: Assessment, red: bool) -> str:
    problems = len(assessment.problems)
    conventions = (
        f"{problems} {'problem' if problems == 1 else 'problems'} with CF, ACDD or the layout"
        if red
        else "No problem with CF, ACDD and the layout"
    )
    summary = assessment.summary
    return (
        f'<div class="verdict{" red" if red else ""}"><div class="big">{assessment.count(MET)}'
        f"<small> of {assessment.total()}</small></div><div style='flex:1;min-width:260px'>"
        f"<strong>CEOS-ARD, {escape(assessment.family)}: {escape(summary)}.</strong>"
        f"{_bar(assessment)}<span class='lead'>{_counts(assessment, True)}<br>"
        f"{conventions}.</span></div></div>"
    )


def _bar(assessment: Assessment) -> str:
    whole = assessment.total()
    parts = "".join(
        f'<i class="{kind}" style="width:{100 * assessment.count(status) / whole:.2f}%"></i>'
        for status, kind in _CLASSES.items()
    )
    return f'<div class="bar">{parts}</div>'


def _counts(assessment: Assessment, threshold: bool) -> str:
    counts = ((status, assessment.count(status, threshold)) for status in _CLASSES)
    return ", ".join(f"{number} {status}" for status, number in counts if number)


def figure(item: Picture) -> str:
    """Return a picture with its caption."""
    return (
        f'<figure class="card"><img src="{item.address}" alt="{escape(item.caption)}">'
        f"{scale(item.colors, item.low, item.high)}"
        f"<figcaption>{escape(item.caption)}</figcaption></figure>"
    )


def scale(colors: Colors, low: str, high: str) -> str:
    """Return the colors from low to high, and the values of both ends."""
    return (
        f'<div class="scale" style="background:{color_bar(colors)}"></div><div class="ends">'
        f"<span>{escape(low)}</span><span>{escape(high)}</span></div>"
    )


def _layouts(layouts: Sequence[Layout]) -> str:
    heads = ("", "serves", "chunk", "size", "chunks", "a map reads", "a series reads")
    head = "".join(f"<th>{name}</th>" for name in heads)
    rows = []
    for layout in layouts:
        shape = product(layout.chunks)
        if layout.shards is not None:
            shape += f", in shards of {product(layout.shards)}"
        cells = (
            layout.label,
            layout.purpose,
            shape,
            amount(layout.megabytes),
            str(layout.count),
            layout.reads(layout.for_map),
            layout.reads(layout.for_series),
        )
        rows.append("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>")
    return (
        f'<table class="layout"><tr>{head}</tr>{"".join(rows)}</table><p class="lead">A chunk is '
        "the smallest part that is read: steps x rows x columns. Numbers are for one layer, sizes "
        "before compression. Chunks without data take no space.</p>"
    )


def _conventions(assessment: Assessment) -> str:
    parts = ['<p class="lead">CF 1.11, ACDD 1.3 and the layout of the stack.</p>']
    for label, checks in assessment.checks:
        passed = sum(check.passed for check in checks)
        parts.append(f"<h3>{escape(label)}: {passed} of {len(checks)} checks passed</h3><div>")
        for check in checks:
            chip = ("met", "passed") if check.passed else ("unmet", "failed")
            listed = "".join(f"<li>{escape(problem)}</li>" for problem in check.problems)
            inside = f'<div class="inside"><ul>{listed}</ul></div>' if listed else ""
            parts.append(
                f"<details{'' if check.passed else ' open'}><summary class='plain'>"
                f"<span>{escape(check.name)}</span><span class='chip {chip[0]}'>{chip[1]}</span>"
                f"</summary>{inside}</details>"
            )
        parts.append("</div>")
    return "".join(parts)


def _level(assessment: Assessment, threshold: bool) -> str:
    parts = []
    for category, title in _CATEGORIES.items():
        items = [
            item
            for item in assessment.items
            if item.is_threshold == threshold and item.requirement["category"] == category
        ]
        if items:
            parts.append(f"<h3>{title}</h3><div>{''.join(map(_item, items))}</div>")
    return "".join(parts)


def _item(item: Item) -> str:
    requirement, verdict = item.requirement, item.verdict
    evidence = "".join(f"<li>{escape(text)}</li>" for text in verdict.evidence)
    found = f"<ul>{evidence}</ul>" if evidence else "<p>Nothing on it is in the file.</p>"
    why = f'<span class="why">{escape(verdict.explanation)}</span>' if verdict.explanation else ""
    return (
        f"<details><summary><span class='no'>{escape(requirement['number'])}</span>"
        f"<span>{escape(requirement['title'])}{why}</span>"
        f"<span class='chip {_CLASSES[verdict.status]}'>{verdict.status}</span></summary>"
        f'<div class="inside"><p>{escape(requirement["summary"])}</p>{found}</div></details>'
    )


_SORT = """
document.querySelectorAll('table.steps th').forEach(head=>head.addEventListener('click',()=>{
const table=head.closest('table'),body=table.tBodies[0],column=head.cellIndex,
down=head.getAttribute('aria-sort')==='ascending',sign=down?-1:1,
value=row=>row.cells[column].dataset.value??'';
table.querySelectorAll('th').forEach(other=>other.removeAttribute('aria-sort'));
head.setAttribute('aria-sort',down?'descending':'ascending');
[...body.rows].sort((a,b)=>{const x=value(a),y=value(b);
if(x===''||y==='')return (x==='')-(y==='');
return sign*(isNaN(x)||isNaN(y)?x.localeCompare(y):x-y)}).forEach(row=>body.append(row));
}));
"""


def step_table(steps: Sequence[StepFacts], is_insar: bool) -> str:
    """Return the table, with the few lines of JavaScript that sort it."""
    heads = ["no.", "date", "data"]
    if is_insar:
        heads = ["no.", "reference", "secondary", "days", "baseline", "coherence", "data"]
    head = "".join(f'<th title="Sort">{name}</th>' for name in heads)
    rows = []
    for number, step in enumerate(steps, start=1):
        cells = [_cell(number, f"{number}"), _day(step.reference)]
        if is_insar:
            cells += [
                _day(step.secondary),
                _cell(step.days, f"{step.days:.0f}"),
                _cell(step.baseline, f"{step.baseline:.0f} m"),
                _cell(step.coherence, f"{step.coherence:.2f}"),
            ]
        cells.append(_cell(step.valid, f"{100 * step.valid:.0f} %"))
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return (
        f'<div class="card wide tall"><table class="layout steps"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div><script>{_SORT}</script>"
    )


def _day(text: str) -> str:
    return f'<td data-value="{escape(text)}">{escape(text)}</td>'


def _cell(value: float, text: str) -> str:
    if not math.isfinite(value):
        return '<td data-value=""></td>'
    return f'<td data-value="{value:.6g}">{text}</td>'
