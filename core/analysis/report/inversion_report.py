"""The report of an inversion: how good its network is and what came of it, read from the result."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timezone
from html import escape

import numpy as np
from numpy.typing import NDArray

from ...assessment.network import Network, draw_network
from ...assessment.page import Picture, figure
from ...assessment.pictures import RED_BLUE, picture
from ...files.written_stack import WrittenStack
from ...network.pair_network import PairNetwork, find_triangles
from ...pages.html_page import fact, html_page
from ...version import plugin_version
from ..date_corrections import best_reference_date, outlier_dates
from ..height_error import baseline_history
from ..unwrapping.repair import RepairPlan
from .report_charts import draw_date_noise, draw_histogram, draw_series

Numbers = NDArray[np.float64]

_MAP_SIDE = 800
"""Longest side of the maps in pixels."""

_BAND = 512
_SERIES = 6
_LISTED_PAIRS = 10
_BINS = 40
_BLUE_RED = tuple(reversed(RED_BLUE))
_UNBROKEN_HYPHEN = "\u2011"
"""Keeps dates of a heading whole."""


def inversion_page(stack: WrittenStack, repair: RepairPlan | None = None) -> str:
    """Return the report of a displacement stack as one HTML file that needs nothing else."""
    found = _Findings.read(stack)
    title = stack.text("title") or "Displacement"
    sections = [
        f"<h1>{escape(title).replace('-', _UNBROKEN_HYPHEN)}</h1>",
        f'<p class="lead">{escape(stack.label)}</p>',
        f'<div class="card"><dl class="facts">{"".join(map(fact, found.facts()))}</dl></div>',
        f'<h2>Velocity</h2><div class="pictures">{"".join(map(figure, found.pictures()))}</div>',
        f"<h2>Series</h2>{found.series()}",
        f"<h2>Pairs</h2>{found.network_card()}{found.pair_table()}",
    ]
    if repair is not None:
        sections.append(
            f'<h2>Unwrapping errors</h2><div class="card"><p>{escape(str(repair))}</p></div>'
        )
    sections += [
        f'<h2>Residuals of the dates</h2><div class="card">{found.dates_card()}</div>',
        f'<h2>Temporal coherence</h2><div class="card">{found.histogram()}</div>',
        f"<footer>Assessed by HyP3 Stack {escape(plugin_version())} on "
        f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC by reading the displacement again. "
        "Displacement and velocity are along the line of sight, positive toward the satellite, and "
        "relative to the reference area.</footer>",
    ]
    return html_page(title, sections)


@dataclass(frozen=True)
class _Findings:
    """What the report shows; maps are thinned by ``stride``."""

    stack: WrittenStack
    network: PairNetwork
    stride: int
    velocity: Numbers
    error: Numbers
    coherence: Numbers
    mask: Numbers

    @classmethod
    def read(cls, stack: WrittenStack) -> _Findings:
        height, width = stack.raw.sizes["y"], stack.raw.sizes["x"]
        stride = max(1, math.ceil(max(height, width) / _MAP_SIDE))
        names = ("velocity", "velocity_standard_error", "temporal_coherence", "mask")
        maps = [_thinned(stack, name, height, stride) for name in names]
        sides = [stack.instants(f"pair_{side}_time") for side in ("reference", "secondary")]
        if sides[0] is None or sides[1] is None:
            raise ValueError("a displacement stack holds the times of its pairs")
        return cls(stack, PairNetwork.of_pairs(sides[0], sides[1]), stride, *maps)

    @property
    def _times(self) -> NDArray[np.datetime64]:
        times = self.stack.instants("time")
        return self.network.times if times is None else times

    def facts(self) -> list[tuple[str, str]]:
        """Return what was done and how much came of it."""
        days = self._times.astype("datetime64[D]")
        text = self.stack.text
        kept = self.mask == 0
        parts = self.network.component_count
        facts = [
            ("Dates", f"{days.size}, {days[0]} to {days[-1]}"),
            ("Pairs", f"{self.network.pair_count}, in {parts} connected {_part(parts)}"),
            ("Reference area", text("reference_area") + f" (x, y, radius in m; {self._crs()})"),
            ("Weights", text("weights")),
            ("Gaps", text("gaps").replace("_", " ")),
            ("Pixels with displacement", f"{100 * kept.mean():.1f} %"),
        ]
        if kept.any():
            velocity, error = 1000 * self.velocity[kept], 1000 * self.error[kept]
            low, middle, high = np.percentile(velocity, [5, 50, 95])
            spread = f"{low:.1f} to {high:.1f} mm/year in 90 % of them, median {middle:.1f}"
            facts += [
                ("Velocity", spread),
                ("Standard error of the velocity", f"{np.nanmedian(error):.1f} mm/year (median)"),
            ]
        return facts

    def _crs(self) -> str:
        crs = self.stack.crs()
        return "unknown CRS" if crs is None else crs.name

    def pictures(self) -> list[Picture]:
        """Return maps of the velocity and of its standard error."""
        kept = self.mask == 0
        if not kept.any():
            return []
        most = 1000 * float(np.percentile(np.abs(self.velocity[kept]), 98)) or 1.0
        velocity = 1000 * np.where(kept, self.velocity, np.nan)
        pictures = [
            Picture(
                picture(velocity, -most, most, _BLUE_RED),
                "Velocity: red toward the satellite, blue away from it",
                f"{-most:.1f} mm/year",
                f"{most:.1f} mm/year",
                _BLUE_RED,
            )
        ]
        error = 1000 * np.where(kept, self.error, np.nan)
        if np.isfinite(error).any():
            largest = float(np.nanpercentile(error, 98)) or 1.0
            pictures.append(
                Picture(
                    picture(error, 0.0, largest),
                    "Standard error of the velocity",
                    "0",
                    f"{largest:.1f} mm/year",
                )
            )
        return pictures

    def series(self) -> str:
        """Return the series of pixels from the fastest away to the fastest toward."""
        rows, columns = np.nonzero(self.mask == 0)
        if not rows.size:
            return '<div class="card">No pixel has displacement.</div>'
        order = np.argsort(self.velocity[rows, columns], kind="stable")
        chosen = order[np.linspace(0, order.size - 1, min(_SERIES, order.size)).astype(int)]
        x, y = (self.stack.raw.variables[axis].values for axis in "xy")
        parts = []
        for number in chosen:
            row, column = rows[number] * self.stride, columns[number] * self.stride
            block = (slice(row, row + 1), slice(column, column + 1))
            series = 1000 * self.stack.read("displacement", slice(None), *block)[:, 0, 0]
            velocity = 1000 * float(self.velocity[rows[number], columns[number]])
            error = 1000 * float(self.error[rows[number], columns[number]])
            caption = f"x {x[column]:.0f}, y {y[row]:.0f}: {velocity:.1f} ± {error:.1f} mm/year"
            plot = draw_series(self._times, series.astype(float), velocity, caption)
            parts.append(
                f'<figure class="card">{plot}<figcaption>{escape(caption)}</figcaption></figure>'
            )
        return f'<div class="pictures">{"".join(parts)}</div>'

    def network_card(self) -> str:
        """Return the network with pairs colored by how many of their triangles close."""
        network = self.network
        baselines = self.stack.values("pair_perpendicular_baseline")
        heights = np.zeros(network.date_count)
        if baselines is not None and np.isfinite(baselines).all() and network.component_count == 1:
            heights = baseline_history(network, baselines)
        quality = 1.0 - self._pair_values("pair_closure_error_share")
        pairs = tuple(zip(network.reference.tolist(), network.secondary.tolist(), strict=True))
        times = tuple(datetime.fromisoformat(str(time)) for time in network.times)
        drawn = draw_network(Network(times, heights, pairs, quality, "share that closes"))
        return f'<div class="card">{drawn}{self._triangles_text()}</div>'

    def _triangles_text(self) -> str:
        network = self.network
        pairs = np.stack([network.reference, network.secondary], axis=1)
        triangles = find_triangles(pairs)
        lone = np.setdiff1d(np.arange(network.pair_count), triangles)
        text = f"{len(triangles)} triangles check the unwrapping of {network.pair_count} pairs. "
        if lone.size:
            labels = self._labels()
            shown = ", ".join(labels[pair] for pair in lone[:_LISTED_PAIRS])
            more = f" and {lone.size - _LISTED_PAIRS} more" if lone.size > _LISTED_PAIRS else ""
            text += f"Nothing checks {shown}{more}, which are in none."
        return f'<p class="lead">{escape(text)}</p>'

    def pair_table(self) -> str:
        """Return the pairs with errors, the one most to blame first."""
        share = self._pair_values("pair_closure_error_share")
        blame = self._pair_values("pair_closure_blame")
        residual = self._pair_values("pair_residual_rms")
        order = np.lexsort((-np.nan_to_num(share), -np.nan_to_num(blame)))
        listed = [int(pair) for pair in order if share[pair] > 0][:_LISTED_PAIRS]
        if not listed:
            return ""
        heads = ("", "in triangles that do not close", "itself to blame", "residual")
        rows = ["<tr>" + "".join(f"<th>{head}</th>" for head in heads) + "</tr>"]
        labels = self._labels()
        for pair in listed:
            cells = (
                labels[pair],
                f"{100 * share[pair]:.2f} % of its pixels",
                f"{100 * blame[pair]:.2f} %",
                f"{residual[pair]:.2f} rad",
            )
            rows.append("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>")
        return (
            f'<h3>Pairs with unwrapping errors</h3><div class="card wide"><table class="layout">'
            f"{''.join(rows)}</table></div>"
        )

    def dates_card(self) -> str:
        """Return the noise of the dates, which are outliers, and the quietest."""
        noise = self.stack.values("residual_rms")
        if noise is None or not np.isfinite(noise).all():
            return "Not known."
        outliers = outlier_dates(noise)
        days = self._times.astype("datetime64[D]")
        best = days[best_reference_date(noise)]
        text = f"Least noise: {best}. "
        text += (
            "Far above the others: " + ", ".join(map(str, days[outliers])) + "."
            if outliers.any()
            else "No date is far above the others."
        )
        plot = draw_date_noise(self._times, 1000 * noise, outliers)
        return f'{plot}<p class="lead">{escape(text)}</p>'

    def histogram(self) -> str:
        """Return the temporal coherence of all pixels with a pair."""
        known = self.coherence[np.isfinite(self.coherence)]
        counts, _ = np.histogram(np.clip(known, 0.0, 1.0), np.linspace(0.0, 1.0, _BINS + 1))
        masked = known.size and self.coherence[self.mask == 0]
        limit = float(np.min(masked)) if np.size(masked) else 0.0
        plot = draw_histogram(counts.astype(float), 0.0, 1.0, limit, "Temporal coherence")
        is_gray = known.size and known.min() < limit
        return plot + ('<p class="lead">Gray: masked pixels.</p>' if is_gray else "")

    def _pair_values(self, name: str) -> Numbers:
        values = self.stack.values(name)
        return np.full(self.network.pair_count, np.nan) if values is None else values

    def _labels(self) -> list[str]:
        labels = self.stack.values("pair_label")
        days = self.network.times.astype("datetime64[D]").astype(str)
        if labels is not None:
            return [str(text) for text in labels]
        sides = zip(self.network.reference, self.network.secondary, strict=True)
        return [f"{days[one]} to {days[other]}" for one, other in sides]


def _part(count: int) -> str:
    return "part" if count == 1 else "parts"


def _thinned(stack: WrittenStack, name: str, height: int, stride: int) -> Numbers:
    """Return every so many rows and columns of a layer, read in bands of rows."""
    bands = []
    for top in range(0, height, _BAND):
        band = stack.read(name, rows=slice(top, min(top + _BAND, height)))
        bands.append(band[-top % stride :: stride, ::stride])
    return np.concatenate(bands).astype(float)
