"""What a plan costs against what an account has, and what would cost less."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import shapely

from ...pages.html_page import percent
from ..ordering.job_requests import JOB_FORMS
from ..ordering.prices import Prices, credits_text
from ..scenes.burst_sets import are_contiguous
from ..scenes.scene_layer import Scene
from .pair_plan import PairPlan, PlanOptions, Stack, job_price, plan_pairs, stack_area
from .pair_rules import GAPS, NO_BRIDGES

MONTHLY_CREDITS = 8000
"""What HyP3 Basic gives each account at the begin of a month, UTC; unused ones lapse
(https://hyp3-docs.asf.alaska.edu/using/credits, 2026)."""

DOLLARS_PER_CREDIT = 0.05
"""Price of further credits with HyP3+ (its terms of 2026, paragraph 6)."""


@dataclass(frozen=True)
class Budget:
    """Prices and an account."""

    prices: Prices | None = None  # of the service; None where they are not known
    # Credits of the account; None where they are not known or not limited.
    left: float | None = None


def price_sentences(plan: PairPlan, budget: Budget) -> list[str]:
    """Return what the plan costs now, what is left then, and how it stands to a month."""
    total = plan.credits
    if total is None:
        return ["The price is not known, because the service did not give it."]
    sentences = [
        f"The {len(plan.pairs)} jobs cost {credits_text(total)} with the default options of their "
        "type."
    ]
    if budget.left is not None:
        rest = budget.left - total
        sentences.append(
            f"The account has {credits_text(budget.left)} now; {credits_text(rest)} would be left."
            if rest >= 0
            else f"The account has {credits_text(budget.left)} now, {credits_text(-rest)} less "
            "than that."
        )
    months = math.ceil(total / MONTHLY_CREDITS)
    share = percent(total / MONTHLY_CREDITS)
    sentences.append(
        f"HyP3 Basic gives {credits_text(MONTHLY_CREDITS)} a month: this is {share} of them"
        + (f", so it takes {months} months" if months > 1 else "")
        + f". With HyP3+ it is about US${DOLLARS_PER_CREDIT * total:,.2f}."
    )
    return sentences


def cheaper_variants(
    plan: PairPlan, scenes: Sequence[Scene], options: PlanOptions, prices: Prices
) -> list[str]:
    """Return sentences on what would cost less, the largest saving last."""
    total = plan.credits
    if total is None:
        return []
    found = []
    if options.rules.neighbors > 2:
        rules = replace(options.rules, neighbors=options.rules.neighbors - 1)
        if rules.bridges == NO_BRIDGES:  # fewer neighbors may leave gaps
            rules = replace(rules, bridges=GAPS)
        fewer = plan_pairs(scenes, replace(options, rules=rules), prices)
        if fewer.credits is not None and fewer.credits < total:
            found.append(
                (
                    total - fewer.credits,
                    f"NEIGHBORS={rules.neighbors}: {len(fewer.pairs)} jobs for "
                    f"{credits_text(fewer.credits)}, with fewer triangles to reveal errors.",
                )
            )
    if len(plan.stacks) == 1:
        found += _fewer_bursts(plan, prices)
    return [sentence for _, sentence in sorted(found)]


def _fewer_bursts(plan: PairPlan, prices: Prices) -> list[tuple[float, str]]:
    """Return saving and sentence of the largest set of bursts that has a lower price a job."""
    stack = plan.stacks[0].stack
    newest = list(stack.passes[max(stack.passes)])
    if JOB_FORMS[stack.job_type].most_scenes == 1 or len(newest) == 1:
        return []

    def price(scenes: Sequence[Scene]) -> float:
        names = [scene.granule for scene in scenes]
        return job_price(prices, stack.job_type, names) or 0.0

    kept = newest
    while len(kept) > 1 and price(kept) >= price(newest):
        smaller = [
            [scene for scene in kept if scene is not left]
            for left in sorted(kept, key=lambda scene: (scene.cover or 0.0, scene.ground))
            if are_contiguous(scene.ground for scene in kept if scene is not left)
        ]
        if not smaller:
            return []
        kept = smaller[0]
    saving = len(plan.pairs) * (price(newest) - price(kept))
    if saving <= 0:
        return []
    left = ", ".join(scene.ground for scene in newest if scene not in kept)
    cover = _cover(stack, kept)
    return [
        (
            saving,
            f"{len(kept)} bursts instead of {len(newest)}, without {left}: "
            f"{credits_text(len(plan.pairs) * price(kept))}{cover}. Delete the scenes of these "
            "bursts from the layer and plan again.",
        )
    ]


def _cover(stack: Stack, kept: Sequence[Scene]) -> str:
    area = stack_area(stack)
    prints = [scene.footprint for scene in kept if scene.footprint is not None]
    if area is None or len(prints) < len(kept):
        return ""
    share = area.share(area.project(shapely.union_all(prints)))
    return f", and {percent(share)} of the area that all of them cover"
