"""The page that a person reads: the stack, its network, and every requirement with evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from html import escape

from ..files.chunking import Layout, amount, product
from ..metadata.ceos_attributes import DOCUMENT, DOCUMENT_VERSION
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

_STYLE = """
:root{--ink:#1f2a37;--soft:#5b6875;--line:#dde3e9;--ground:#f6f8fa;--met:#1b7f5c;--unmet:#b3261e;
--user:#a15c00;--na:#6b7785}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
main{max-width:1000px;margin:0 auto;padding:32px 20px 64px}
h1{font-size:28px;line-height:1.25;margin:0 0 4px}
h2{font-size:20px;margin:40px 0 12px}
h3{font-size:13px;letter-spacing:.06em;text-transform:uppercase;color:var(--soft);margin:24px 0 6px}
p{margin:8px 0}
.lead{color:var(--soft)}
.verdict{display:flex;gap:24px;align-items:center;flex-wrap:wrap;background:#fff;
border:1px solid var(--line);border-left:6px solid var(--met);border-radius:8px;padding:18px 22px;
margin:22px 0}
.verdict.red{border-left-color:var(--unmet)}
.big{font-size:44px;font-weight:650;line-height:1;white-space:nowrap}
.big small{font-size:20px;color:var(--soft);font-weight:400}
.bar{display:flex;height:10px;border-radius:5px;overflow:hidden;margin:8px 0;background:var(--line)}
.bar i{display:block}
.bar .met{background:var(--met)}.bar .unmet{background:var(--unmet)}
.bar .user{background:#e0a030}.bar .na{background:#b8c2cc}
.facts{display:grid;grid-template-columns:max-content 1fr;gap:4px 18px;margin:0}
.facts dt{color:var(--soft)}.facts dd{margin:0;overflow-wrap:anywhere}
.card{background:#fff;border:1px solid var(--line);border-radius:8px;padding:16px 20px}
.plot{width:100%;height:auto;font-size:12px}
.plot text{fill:var(--soft)}.plot .frame{fill:none;stroke:var(--line)}
.plot .grid{stroke:#eef1f4}.plot .stem{stroke:#98c1d9;stroke-width:3}
.plot .dot{fill:#3d5a80;stroke:#fff;stroke-width:1.5}
.pictures{display:grid;grid-template-columns:repeat(auto-fit,minmax(300px,1fr));gap:16px}
figure{margin:0}figure img{width:100%;max-height:420px;object-fit:contain;
image-rendering:pixelated;background:repeating-conic-gradient(#f1f3f5 0 25%,#fff 0 50%) 0/16px 16px}
figcaption{color:var(--soft);font-size:14px;margin-top:6px}
.scale{height:8px;border-radius:4px;margin-top:8px}
.ends{display:flex;justify-content:space-between;font-size:12px;color:var(--soft)}
details{background:#fff;border:1px solid var(--line);border-top:0;padding:0}
details:first-of-type{border-top:1px solid var(--line);border-radius:8px 8px 0 0}
details:last-of-type{border-radius:0 0 8px 8px}
summary{display:grid;grid-template-columns:56px 1fr max-content;gap:10px;padding:9px 14px;
cursor:pointer;list-style:none;align-items:baseline}
summary::-webkit-details-marker{display:none}
summary.plain{grid-template-columns:1fr max-content}
summary.plain+.inside{padding-left:14px}
summary .no{color:var(--soft);font-variant-numeric:tabular-nums}
summary .why{display:block;color:var(--soft);font-size:14px}
.inside{padding:0 14px 12px 80px;font-size:14px}
.inside ul{margin:6px 0;padding-left:18px}.inside li{overflow-wrap:anywhere}
.chip{font-size:13px;font-weight:600;border-radius:12px;padding:1px 10px;white-space:nowrap}
.chip.met{color:var(--met);background:#e5f4ee}.chip.unmet{color:var(--unmet);background:#fbe9e7}
.chip.user{color:var(--user);background:#fdf1dd}.chip.na{color:var(--na);background:#eceff2}
.wide{overflow-x:auto}.layout{border-collapse:collapse;font-size:14px;width:100%}
.layout th,.layout td{text-align:left;padding:5px 14px 5px 0;border-bottom:1px solid var(--line);
vertical-align:top}.layout th{color:var(--soft);font-weight:400}
pre{white-space:pre-wrap;overflow-wrap:anywhere;font-size:13px;margin:0}
footer{margin-top:40px;color:var(--soft);font-size:13px}
a{color:#2c5f9e}
@media(max-width:560px){.inside{padding-left:14px}}
"""


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


def html_page(title: str, sections: Sequence[str]) -> str:
    """Return sections in HTML as one file that needs nothing else."""
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><main>{''.join(sections)}</main></body></html>\n"
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


def fact(item: tuple[str, str]) -> str:
    """Return a row of a list of facts: what, and how much."""
    return f"<dt>{escape(item[0])}</dt><dd>{escape(item[1])}</dd>"


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
