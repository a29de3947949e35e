"""The page on a plan: price, network, what is left out, and the pairs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape

from ...pages.html_page import bullets, fact, footer, html_page, percent, table
from ...parameters.network_parameters import RULE_COLORS
from ..ordering.plan_layer import PlannedPair
from .pair_plan import PairPlan
from .plan_chart import draw_plan

_HEADS = ("rank", "reference", "secondary", "days", "baseline (m)", "rule", "triangles", "credits")


def plan_page(plan: PairPlan, prices: Sequence[str], cheaper: Sequence[str]) -> str:
    """Return the page as one HTML file.

    Parameters
    ----------
    prices
        Sentences on what it costs.
    cheaper
        Sentences on what would cost less.
    """
    stack = plan.stacks[0].stack
    title = f"Plan of {len(plan.pairs)} pairs"
    total = "?" if plan.credits is None else f"{plan.credits:,.0f}"
    stacks = "; ".join(item.stack.label for item in plan.stacks)
    sections = [
        f"<h1>{title}</h1>",
        f'<p class="lead">{escape(stacks)}: {escape(stack.job_type)}</p>',
        f'<div class="verdict"><div class="big">{total}<small> credits</small></div>'
        f"<div style='flex:1;min-width:260px'>{'<br>'.join(map(escape, prices))}<br>"
        "<strong>Nothing has been ordered.</strong></div></div>",
    ]
    if cheaper:
        sections.append(f'<h2>What would cost less</h2><div class="card">{bullets(cheaper)}</div>')
    facts = "".join(map(fact, plan_facts(plan)))
    plots = "".join(f"<h3>{escape(item.stack.label)}</h3>{draw_plan(item)}" for item in plan.stacks)
    sections.append(
        f'<h2>Network</h2><div class="card"><dl class="facts">{facts}</dl>{plots}</div>'
    )
    if plan.left_out:
        sections.append(f'<h2>Left out</h2><div class="card">{bullets(plan.left_out)}</div>')
    if plan.open_pairs:
        sections.append(
            "<h2>Pairs without a triangle</h2>"
            f'<div class="card"><p>No other pairs check these.</p>'
            f"{table(_HEADS, map(_row, plan.open_pairs))}</div>"
        )
    sections += [
        "<h2>Pairs</h2><details><summary class='plain fold'><span>All pairs, as they would be "
        "ordered</span></summary>"
        f"<div class='inside wide'>{table(_HEADS, map(_row, plan.pairs))}</div></details>",
        footer(
            "Planned",
            "Perpendicular baselines are from the state vectors of the ASF catalog, at the center "
            "of the area; the network was planned from dates, baselines and footprints alone, not "
            "from the coherence on the ground.",
        ),
    ]
    return html_page(title, sections)


def plan_facts(plan: PairPlan) -> list[tuple[str, str]]:
    """Return what a network is like: what, and how much."""
    counts = Counter(pair.rule for pair in plan.pairs)
    known = [
        abs(pair.perpendicular_baseline)
        for pair in plan.pairs
        if pair.perpendicular_baseline is not None
    ]
    closed = len(plan.pairs) - len(plan.open_pairs)
    fewest = min(
        len(item.network.partners(position))
        for item in plan.stacks
        for position in range(len(item.network.days))
    )
    first = min(item.network.days[0] for item in plan.stacks)
    last = max(item.network.days[-1] for item in plan.stacks)
    unknown = sum(item.unknown for item in plan.stacks)
    return [
        ("Dates", f"{plan.date_count}, from {first} to {last}"),
        (
            "Pairs by rule",
            ", ".join(f"{rule} {counts[rule]}" for rule in RULE_COLORS if counts[rule]),
        ),
        ("In triangles", f"{closed} of {len(plan.pairs)} ({percent(closed / len(plan.pairs))})"),
        ("Pairs of each date", f"at least {fewest}"),
        ("Longest pair", f"{max(pair.days for pair in plan.pairs)} days"),
        ("Largest baseline", f"{max(known):.0f} m" if known else "unknown"),
        ("Dates without state vectors", str(unknown)),
    ]


def _row(pair: PlannedPair) -> tuple[str, ...]:
    baseline = pair.perpendicular_baseline
    return (
        str(pair.rank),
        str(pair.reference_date),
        str(pair.secondary_date),
        str(pair.days),
        "unknown" if baseline is None else f"{baseline:.0f}",
        pair.rule,
        str(pair.triangles),
        "unknown" if pair.credits is None else f"{pair.credits:g}",
    )
