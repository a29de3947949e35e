"""The page that a person reads: the stack, its network, and every requirement with evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from html import escape

from ..files.chunking import Layout, amount, product
from ..metadata.ceos_attributes import DOCUMENT, DOCUMENT_VERSION
from ..pages.html_page import fact, html_page
from ..version import plugin_version
from .assess import Assessment, Item
from .network import draw_network
from .picture import VIRIDIS, Colors, color_bar
from .verdict import MET, NEEDS_USER, NOT_APPLICABLE, NOT_MET

_CLASSES = {MET: "met", NOT_MET: "unmet", NOT_APPLICABLE: "na", NEEDS_USER: "user"}

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
    sections = [
        f"<h1>{escape(assessment.title)}</h1>",
        f'<p class="lead">{escape(assessment.name)}</p>',
        _verdict(assessment, red),
        f'<div class="card"><dl class="facts">{"".join(map(fact, assessment.facts))}</dl></div>',
    ]
    if assessment.network is not None:
        title = "Pairs" if assessment.network.pairs else "Dates"
        plot = draw_network(assessment.network)
        sections.append(f'<h2>{title}</h2><div class="card">{plot}</div>')
    if pictures:
        shown = "".join(map(figure, pictures))
        sections.append(f'<h2>Pixels</h2><div class="pictures">{shown}</div>')
    if assessment.layouts:
        sections.append(
            f'<h2>Layout</h2><div class="card wide">{_layouts(assessment.layouts)}</div>'
        )
    if plan:
        lines = escape("\n".join(plan))
        sections.append(f'<h2>Plan</h2><div class="card"><pre>{lines}</pre></div>')
    sections.append(_conventions(assessment))
    sections.append(_level(assessment, threshold=True))
    sections.append(_level(assessment, threshold=False))
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
        f'<div class="scale" style="background:{color_bar(item.colors)}"></div><div class="ends">'
        f"<span>{escape(item.low)}</span><span>{escape(item.high)}</span></div>"
        f"<figcaption>{escape(item.caption)}</figcaption></figure>"
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
    parts = ["<h2>Conventions: CF 1.11, ACDD 1.3 and the layout of the stack</h2>"]
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
    name = "Threshold" if threshold else "Goal"
    parts = [f"<h2>{name} requirements: {_counts(assessment, threshold)}</h2>"]
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
