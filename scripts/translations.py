"""Collect the texts of the QGIS side for translators.

``python3 scripts/translations.py de`` writes ``processing_provider/i18n/hyp3_stack_de.ts``; without
languages, those that are there are brought up to date. What was translated stays. Qt Linguist
edits the files, and its ``lrelease`` makes the ``.qm`` files that the plugin loads. Standard
library only.
"""

from __future__ import annotations

import ast
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SIDE = ROOT / "processing_provider"
FOLDER = SIDE / "i18n"
NAME = "hyp3_stack"
CONTEXT = "HyP3Stack"
# Constants of the algorithms' classes that their base class translates.
CONSTANTS = {"TITLE", "SUMMARY", "HELP"}


def texts(path: Path) -> list[str]:
    """Return the texts of one module in their order."""
    found: list[tuple[int, str]] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        value: ast.expr | None = None
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "tr" and node.args:
            value = node.args[0]
        elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in CONSTANTS:
            value = node.value
        if isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value:
            found.append((value.lineno, value.value))
    return [text for _, text in sorted(found)]


def all_texts(side: Path = SIDE) -> dict[str, str]:
    """Return every text once, with the module that has it first."""
    found: dict[str, str] = {}
    for path in sorted(side.rglob("*.py")):
        for text in texts(path):
            found.setdefault(text, path.relative_to(side.parent).as_posix())
    return found


def translated(path: Path) -> dict[str, str]:
    """Return the finished translations of a language."""
    if not path.is_file():
        return {}
    messages = ElementTree.parse(path).getroot().iter("message")
    pairs = ((item.findtext("source", ""), item.find("translation")) for item in messages)
    return {
        source: item.text
        for source, item in pairs
        if item is not None and item.text and item.get("type") is None
    }


def write(path: Path, language: str) -> None:
    """Write one file of texts, with the translations that it had."""
    known = translated(path)
    root = ElementTree.Element("TS", version="2.1", sourcelanguage="en_US", language=language)
    context = ElementTree.SubElement(root, "context")
    ElementTree.SubElement(context, "name").text = CONTEXT
    for text, module in all_texts().items():
        message = ElementTree.SubElement(context, "message")
        ElementTree.SubElement(message, "location", filename=f"../../{module}")
        ElementTree.SubElement(message, "source").text = text
        translation = ElementTree.SubElement(message, "translation")
        if text in known:
            translation.text = known[text]
        else:
            translation.set("type", "unfinished")
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="unicode")
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        f'<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE TS>\n{body}\n', encoding="utf-8"
    )


def main(languages: list[str]) -> int:
    """Write the given languages, or those that exist."""
    paths = [FOLDER / f"{NAME}_{language}.ts" for language in languages]
    for path in paths or sorted(FOLDER.glob(f"{NAME}_*.ts")):
        write(path, path.stem.removeprefix(f"{NAME}_"))
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
