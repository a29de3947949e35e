"""A page in the style that all reports share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from html import escape

from ..version import plugin_version

_STYLE = """
:root{color-scheme:light dark;--ink:#1f2a37;--soft:#5b6875;--line:#dde3e9;--ground:#f6f8fa;
--card:#fff;--grid:#eef1f4;--met:#1b7f5c;--unmet:#b3261e;--user:#a15c00;--na:#6b7785;
--met-ground:#e5f4ee;--unmet-ground:#fbe9e7;--user-ground:#fdf1dd;--na-ground:#eceff2;
--stem:#98c1d9;--dot:#3d5a80;--check:#f1f3f5;--link:#2c5f9e;--land:#dfe4dc;--gap:#fdf1dd}
@media(prefers-color-scheme:dark){:root{--ink:#e4e9ee;--soft:#9aa7b4;--line:#344150;
--ground:#12181f;--card:#1b232c;--grid:#2a343f;--met:#58c99d;--unmet:#ff8a80;--user:#f0b860;
--na:#9aa7b4;--met-ground:#12352a;--unmet-ground:#43201d;--user-ground:#3c2d12;--na-ground:#2a343f;
--stem:#3f6d8b;--dot:#8fb8e0;--check:#26303a;--link:#8db9f0;--land:#33402f;--gap:#3c2d12}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
main{max-width:1000px;margin:0 auto;padding:32px 20px 64px}
h1{font-size:28px;line-height:1.25;margin:0 0 4px;overflow-wrap:anywhere}
h2{font-size:20px;margin:40px 0 12px}
h3{font-size:13px;letter-spacing:.06em;text-transform:uppercase;color:var(--soft);margin:24px 0 6px}
p{margin:8px 0}
.lead{color:var(--soft);overflow-wrap:anywhere}
.first{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr);gap:16px;align-items:start}
.verdict{display:flex;gap:24px;align-items:center;flex-wrap:wrap;background:var(--card);
border:1px solid var(--line);border-left:6px solid var(--met);border-radius:8px;padding:18px 22px;
margin:0 0 16px}
.verdict.red{border-left-color:var(--unmet)}
.big{font-size:44px;font-weight:650;line-height:1;white-space:nowrap}
.big small{font-size:20px;color:var(--soft);font-weight:400}
.bar{display:flex;height:10px;border-radius:5px;overflow:hidden;margin:8px 0;background:var(--line)}
.bar i{display:block}
.bar .met{background:var(--met)}.bar .unmet{background:var(--unmet)}
.bar .user{background:#e0a030}.bar .na{background:#b8c2cc}
.facts{display:grid;grid-template-columns:max-content 1fr;gap:4px 18px;margin:0}
.facts dt{color:var(--soft)}.facts dd{margin:0;overflow-wrap:anywhere}
.card{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:16px 20px}
.attention{border-left:6px solid var(--user)}.attention.fine{border-left-color:var(--met)}
.attention ul{margin:6px 0 0;padding-left:18px}.attention li{overflow-wrap:anywhere}
.first .card+.card{margin-top:16px}
.plot{width:100%;height:auto;font-size:12px;display:block}
.plot text{fill:var(--soft)}.plot .frame{fill:none;stroke:var(--line)}
.plot .grid{stroke:var(--grid)}.plot .stem{stroke:var(--stem);stroke-width:3}
.plot .dot{fill:var(--dot);stroke:var(--card);stroke-width:1.5}.plot .gap{fill:var(--gap)}
.map .land{fill:var(--land)}.map .grid{stroke:var(--line);stroke-width:.7}
.map .area{fill:var(--unmet);fill-opacity:.5;stroke:var(--unmet)}
.map .ring{fill:none;stroke:var(--unmet);stroke-width:2}
.pictures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(300px,100%),1fr));gap:16px}
.thumbs{display:grid;grid-template-columns:repeat(auto-fill,minmax(190px,1fr));gap:12px}
figure{margin:0}figure img{width:100%;max-height:420px;object-fit:contain;
image-rendering:pixelated;background:repeating-conic-gradient(var(--check) 0 25%,var(--card) 0 50%)
0/16px 16px}
figcaption{color:var(--soft);font-size:14px;margin-top:6px}
.thumbs figcaption{font-size:12px;margin-top:2px}
.scale{height:8px;border-radius:4px;margin-top:8px}
.ends{display:flex;justify-content:space-between;font-size:12px;color:var(--soft)}
details{background:var(--card);border:1px solid var(--line);border-top:0;padding:0}
details:first-of-type{border-top:1px solid var(--line);border-radius:8px 8px 0 0}
details:last-of-type{border-radius:0 0 8px 8px}
details:first-of-type:last-of-type{border-radius:8px}
summary{display:grid;grid-template-columns:56px 1fr max-content;gap:10px;padding:9px 14px;
cursor:pointer;list-style:none;align-items:baseline}
summary::-webkit-details-marker{display:none}
summary.plain{grid-template-columns:1fr max-content}
summary.plain+.inside{padding-left:14px}
summary.fold{font-weight:600;grid-template-columns:max-content 1fr}
summary.fold::before{content:"\\25B8";color:var(--soft)}
details[open]>summary.fold::before{content:"\\25BE"}
.folded{padding:0 14px 14px}.card+details{margin-top:16px}
summary .no{color:var(--soft);font-variant-numeric:tabular-nums}
summary .why{display:block;color:var(--soft);font-size:14px}
.inside{padding:0 14px 12px 80px;font-size:14px}
.inside ul{margin:6px 0;padding-left:18px}.inside li{overflow-wrap:anywhere}
.chip{font-size:13px;font-weight:600;border-radius:12px;padding:1px 10px;white-space:nowrap}
.chip.met{color:var(--met);background:var(--met-ground)}
.chip.unmet{color:var(--unmet);background:var(--unmet-ground)}
.chip.user{color:var(--user);background:var(--user-ground)}
.chip.na{color:var(--na);background:var(--na-ground)}
.wide{overflow-x:auto}.tall{max-height:520px;overflow-y:auto;padding-top:0}
.layout{border-collapse:collapse;font-size:14px;width:100%}
.layout th,.layout td{text-align:left;padding:5px 14px 5px 0;border-bottom:1px solid var(--line);
vertical-align:top}.layout th{color:var(--soft);font-weight:400}
.steps td{white-space:nowrap;font-variant-numeric:tabular-nums}
.steps th{position:sticky;top:0;padding-top:14px;background:var(--card);cursor:pointer;
white-space:nowrap}
.steps th::after{content:" \\2195"}.steps th[aria-sort=ascending]::after{content:" \\2191"}
.steps th[aria-sort=descending]::after{content:" \\2193"}
pre{white-space:pre-wrap;overflow-wrap:anywhere;font-size:13px;margin:0}
footer{margin-top:40px;color:var(--soft);font-size:13px;overflow-wrap:anywhere}
a{color:var(--link)}
@media(max-width:760px){.first{grid-template-columns:minmax(0,1fr)}
.wide .plot{font-size:15px}.layout{font-size:13px}.layout th,.layout td{padding-right:8px}
.thumbs{grid-template-columns:repeat(auto-fill,minmax(150px,1fr))}}
@media(max-width:560px){.inside{padding-left:14px}main{padding:20px 12px 48px}
.card{padding:12px 14px}.verdict{padding:14px 16px}
summary{grid-template-columns:44px 1fr max-content;padding:9px 10px}}
"""


def html_page(title: str, sections: Sequence[str]) -> str:
    """Return sections in HTML as one file that needs nothing else."""
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><main>{''.join(sections)}</main></body></html>\n"
    )


def fact(item: tuple[str, str]) -> str:
    """Return a row of a list of facts: what, and how much."""
    return f"<dt>{escape(item[0])}</dt><dd>{escape(item[1])}</dd>"


def footer(done: str, rest: str) -> str:
    """Return the end of a page: what was done when by which version, and a sentence in HTML."""
    now = datetime.now(timezone.utc)
    return (
        f"<footer>{done} by HyP3 Stack {escape(plugin_version())} on {now:%Y-%m-%d %H:%M} UTC. "
        f"{rest}</footer>"
    )


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of texts."""
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    return f'<table class="layout"><tr>{head}</tr>{body}</table>'


def percent(share: float) -> str:
    """Return a share in whole percent, which is 0 or 100 only for none and all."""
    if 0.0 < share < 0.005:
        return "less than 1 %"
    if 0.995 <= share < 1.0:
        return "more than 99 %"
    return f"{100 * share:.0f} %"


def bullets(sentences: Iterable[str]) -> str:
    """Return sentences as a list."""
    return f"<ul>{''.join(f'<li>{escape(sentence)}</li>' for sentence in sentences)}</ul>"
