"""The table of pairs or dates: a click on a heading sorts it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from .overview import Step

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


def step_table(steps: Sequence[Step], is_insar: bool) -> str:
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
