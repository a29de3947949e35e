"""Checks a written stack against every requirement of its family."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ..errors import InvalidParameterError
from ..files.chunking import Layout
from ..files.stack_blocks import StackPlace
from ..files.written_stack import StackKind, WrittenStack, open_stack_groups
from ..metadata.ceos_attributes import DOCUMENT, DOCUMENT_VERSION
from ..object_store.late_metadata import LateMetadataStore
from ..object_store.location import RemoteLocation
from ..version import plugin_version
from .common_rules import COMMON
from .conventions import Check, check_conventions
from .family_rules import INSAR, NRB
from .network import Network, read_network
from .overview import Overview, read_overview
from .pictures import Thumbnails, read_thumbnails
from .pixel_checks import check_groups, check_pixels
from .verdict import MET, NEEDS_USER, NOT_APPLICABLE, NOT_MET, Rule, Verdict, stated

SELF_ASSESSMENT = "ceos_ard_self_assessment"
"""Attribute of a stack with the summary of its assessment."""

_REQUIREMENTS = Path(__file__).resolve().parent / "ceos"
_MACHINE_READABLE = "memare-sar"


_Checked = Mapping[str, Sequence[Check]]
"""Checks of each dataset by its label."""


@dataclass(frozen=True)
class Item:
    """A requirement and what is said of it; ``requirement`` as in the files of ``ceos/``."""

    requirement: dict[str, str]
    verdict: Verdict

    @property
    def is_threshold(self) -> bool:
        """Whether it belongs to the threshold level."""
        return self.requirement["level"] == "threshold"


@dataclass(frozen=True)
class Assessment:
    """The outcome for one stack."""

    path: Path | RemoteLocation  # file or store
    title: str  # title of the stack
    family: str  # title of the product family
    family_version: str  # version of its list of requirements
    attribution: str  # whose list it is, and under what license
    items: tuple[Item, ...]  # all requirements in the order of the list
    # Conventions, for each dataset: its label and the checks.
    checks: tuple[tuple[str, tuple[Check, ...]], ...]
    overview: Overview  # what describes the stack for a reader
    # Its acquisitions and what connects them, for the plot; None where that cannot be read.
    network: Network | None = None
    layouts: tuple[Layout, ...] = ()  # how each dataset is stored
    # Small maps of some steps; None where the pixels were not looked at.
    thumbnails: Thumbnails | None = None
    # Of which steps the pixels were looked at, in words; empty where they were not.
    extent: str = ""

    def count(self, status: str, threshold: bool = True) -> int:
        """Return the number of requirements of a level with a status."""
        return sum(
            item.verdict.status == status for item in self.items if item.is_threshold == threshold
        )

    def total(self, threshold: bool = True) -> int:
        """Return the number of requirements of a level."""
        return sum(item.is_threshold == threshold for item in self.items)

    @property
    def problems(self) -> tuple[str, ...]:
        """What the conventions' checks found wrong."""
        return tuple(
            f"{label}: {problem}"
            for label, checks in self.checks
            for check in checks
            for problem in check.problems
        )

    @property
    def summary(self) -> str:
        """The outcome in one clause."""
        return _summary(self.items)

    @property
    def name(self) -> str:
        """Name of the stack without its folders, which are nobody else's business, or its URL."""
        return self.path.name if isinstance(self.path, Path) else str(self.path)

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON knows it."""
        return {
            "stack": self.name,
            "title": self.title,
            "assessed": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "assessor": f"HyP3 Stack {plugin_version()}",
            "family": self.family,
            "document": DOCUMENT,
            "document_version": DOCUMENT_VERSION,
            "list_version": self.family_version,
            "attribution": self.attribution,
            "summary": self.summary,
            "peer_reviewed": False,
            "threshold": self._counts(True),
            "goal": self._counts(False),
            "convention_problems": list(self.problems),
            "conventions": [
                {"dataset": label, "check": check.name, "problems": list(check.problems)}
                for label, checks in self.checks
                for check in checks
            ],
            "requirements": [
                {
                    **item.requirement,
                    "status": item.verdict.status,
                    "evidence": list(item.verdict.evidence),
                    "explanation": item.verdict.explanation,
                }
                for item in self.items
            ],
        }

    def _counts(self, threshold: bool) -> dict[str, int]:
        counts = {
            status: self.count(status, threshold)
            for status in (MET, NOT_MET, NOT_APPLICABLE, NEEDS_USER)
        }
        return {**counts, "total": self.total(threshold)}


def assess_stack(path: StackPlace, with_pixels: bool = False) -> Assessment:
    """Re-read a stack and check it.

    Parameters
    ----------
    path
        NetCDF file or Zarr store, on disk or in an object store.
    with_pixels
        Whether to look at pixels as well, of as many steps as a bounded time allows.

    Returns
    -------
    Assessment
        A requirement is met only by what is found in the file. All groups of a store have to
        keep the conventions; the requirements are looked up in the first one.

    Raises
    ------
    InvalidParameterError
        If there is not a stack that can be read.
    """
    place = path.location if isinstance(path, LateMetadataStore) else path
    with open_stack_groups(path) as opened:
        stack = opened[0]
        if stack.kind is StackKind.DISPLACEMENT:
            raise InvalidParameterError(
                f"INPUT is {place}, which holds displacement: CEOS-ARD has requirements for "
                "interferograms and backscatter only; give the stack of pairs it was made from."
            )
        checked = {item.label: check_conventions(item) for item in opened}
        if len(opened) > 1:
            checked[stack.label].append(check_groups(opened))
        family = "insar" if stack.is_insar else "nrb"
        listed = _read_list(f"requirements_{family}")
        rules = COMMON | (INSAR if stack.is_insar else NRB) | _statements(family)

        def judge() -> tuple[Item, ...]:
            return tuple(_item(stack, row, rules, checked) for row in listed["requirements"])

        items, extent, thumbnails = judge(), "", None
        # The summary that a build notes is that without the pixels.
        noted = {item.label: _stated(item, _summary(items)) for item in opened}
        if with_pixels:
            is_remote = isinstance(place, RemoteLocation)
            pixels, extent = check_pixels(stack, is_remote)
            thumbnails = read_thumbnails(stack, is_remote)
            checked[stack.label].extend(pixels)
            if not all(check.passed for check in pixels):
                items = judge()
        for label, check in noted.items():
            checked[label].append(check)
        return Assessment(
            path=place,
            title=stack.text("title") or place.name,
            family=listed["title"],
            family_version=listed["version"],
            attribution=f"{listed['attribution']}, {listed['license']}, {listed['source']}",
            items=items,
            checks=tuple((label, tuple(group)) for label, group in checked.items()),
            overview=read_overview(stack),
            network=read_network(stack),
            layouts=tuple(filter(None, (item.layout() for item in opened))),
            thumbnails=thumbnails,
            extent=extent,
        )


def _item(
    stack: WrittenStack, requirement: dict[str, str], rules: Mapping[str, Rule], checked: _Checked
) -> Item:
    if requirement["id"] == _MACHINE_READABLE:
        verdict = _machine_readable(requirement, checked)
    else:
        verdict = rules[f"{requirement['id']}/{requirement['level']}"](stack)
    return Item(requirement, _unless_damaged(requirement, verdict, checked))


def _summary(items: Sequence[Item]) -> str:
    threshold = [item for item in items if item.is_threshold]
    met = sum(item.verdict.status == MET for item in threshold)
    return f"self-assessed, {met} of {len(threshold)} threshold items met, not peer reviewed"


def _stated(stack: WrittenStack, summary: str) -> Check:
    """Compare what the file says of itself with what was found, as files may be changed."""
    text = stack.text(SELF_ASSESSMENT)
    problem = f"{SELF_ASSESSMENT} reads {text!r}, but what is found now is {summary!r}"
    return Check(
        "The self-assessment that is noted is what is found now",
        () if text in ("", summary) else (problem,),
    )


def _read_list(name: str) -> dict[str, Any]:
    text = (_REQUIREMENTS / f"{name}.json").read_text(encoding="utf-8")
    listed: dict[str, Any] = json.loads(text)
    return listed


def _statements(family: str) -> dict[str, Rule]:
    """Return the answers to requirements that are the same for all stacks of a family."""
    listed = _read_list("statements")
    return {name: stated(**row) for name, row in (listed["common"] | listed[family]).items()}


def _machine_readable(requirement: dict[str, str], checked: _Checked) -> Verdict:
    of_layers = requirement["category"].startswith("per-pixel")
    about = [check for group in checked.values() for check in group if check.of_layers == of_layers]
    problems = [problem for check in about for problem in check.problems]
    evidence = (f"{sum(check.passed for check in about)} of {len(about)} checks passed",)
    return Verdict(NOT_MET if problems else MET, evidence, "; ".join(dict.fromkeys(problems)))


def _unless_damaged(requirement: dict[str, str], verdict: Verdict, checked: _Checked) -> Verdict:
    """Refuse a requirement of which what is there was found to be wrong."""
    problems = [
        problem
        for group in checked.values()
        for check in group
        if requirement["id"] in check.requirements
        for problem in check.problems
    ]
    if verdict.status != MET or not problems:
        return verdict
    return Verdict(NOT_MET, verdict.evidence, "; ".join(dict.fromkeys(problems)))
