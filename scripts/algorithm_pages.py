"""Write a page of the documents for each algorithm: ``-m scripts.algorithm_pages FOLDER``.

Runs in the Python that QGIS uses, without a display. The pages say what the declarations say, which
the dialogs and ``qgis_process help`` show as well.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from qgis.core import QgsApplication

from tests import checkout  # noqa: F401 - registers the package hyp3_stack

from hyp3_stack.core.contract import DIALOGS  # isort: skip
from hyp3_stack.core.parameters.parameter import Kind, Parameter  # isort: skip
from hyp3_stack.processing_provider.provider import Provider  # isort: skip


def page(algorithm) -> str:
    """Return the page of an algorithm in Markdown."""
    rows = DIALOGS[algorithm.name()]
    parts = [
        f"# {algorithm.displayName()}",
        f"`hyp3:{algorithm.name()}`: {algorithm.shortDescription()}",
        *(_text(paragraph) for paragraph in algorithm.HELP.split("\n")),
        f"```bash\n{algorithm.EXAMPLE.strip()}\n```",
        "## Parameters",
        _parameters(row for row in rows if not row.group),
    ]
    for group in dict.fromkeys(row.group for row in rows if row.group):
        parts += [f"### {group}", _parameters(row for row in rows if row.group == group)]
    parts += ["## Outputs", _outputs(algorithm)]
    return "\n\n".join(parts) + "\n"


def _parameters(rows) -> str:
    lines = ["| parameter | in the dialog | takes | |", "|---|---|---|---|"]
    lines += [
        f"| `{row.name}`{' **required**' if row.required else ''} | {_cell(row.label)} "
        f"| {_takes(row)} | {_cell(row.help)} |"
        for row in rows
    ]
    return "\n".join(lines)


def _takes(row: Parameter) -> str:
    """Return the values that a parameter takes, and its default."""
    values = row.kind.value
    if row.kind is Kind.CHOICE:
        values = ", ".join(f"`{choice}`" for choice in row.choices)
    elif row.minimum is not None and row.maximum is not None:
        values = f"{values}, {row.minimum:g} to {row.maximum:g}"
    elif row.minimum is not None:
        values = f"{values} from {row.minimum:g}"
    default = row.default
    if default is None:
        return values
    return f"{values}; default `{str(default).lower() if isinstance(default, bool) else default}`"


def _outputs(algorithm) -> str:
    lines = ["| output | |", "|---|---|"]
    lines += [
        f"| `{output.name()}` | {_cell(output.description())} |"
        for output in algorithm.outputDefinitions()
    ]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return _text(text).replace("|", "\\|").replace("\n", "<br>")


def _text(text: str) -> str:
    """Return plain text as Markdown that shows it."""
    for sign in "*<[":
        text = text.replace(sign, f"\\{sign}")
    return text


def index(algorithms) -> str:
    """Return the page that lists the algorithms by their groups in the toolbox."""
    lines = ["# Algorithms", "", "All are in the Processing Toolbox under *HyP3*."]
    for group in dict.fromkeys(algorithm.group() for algorithm in algorithms):
        lines += ["", f"## {group}", "", "| algorithm | id | |", "|---|---|---|"]
        lines += [
            f"| [{algorithm.displayName()}]({algorithm.name()}.md) | `hyp3:{algorithm.name()}` "
            f"| {_cell(algorithm.shortDescription())} |"
            for algorithm in algorithms
            if algorithm.group() == group
        ]
    return "\n".join(lines) + "\n"


def pages(provider: Provider) -> dict[str, str]:
    """Return the texts of all pages by name of the file."""
    algorithms = sorted(
        provider.algorithms(), key=lambda one: (one.group(), list(DIALOGS).index(one.name()))
    )
    texts = {f"{algorithm.name()}.md": page(algorithm) for algorithm in algorithms}
    return texts | {"index.md": index(algorithms)}


def main(folder: Path) -> None:
    """Write the pages of all algorithms and the one that lists them."""
    application = QgsApplication([], False)
    application.initQgis()
    provider = Provider()
    provider.refreshAlgorithms()
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages(provider).items():
        (folder / name).write_text(text, encoding="utf-8")
    application.exitQgis()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
