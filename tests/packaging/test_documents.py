"""What the documents say about the code is so."""

import ast
import re

import pytest

from tests.checkout import ROOT

DOCS = ROOT / "docs"
GAP = "…"


@pytest.fixture(scope="module")
def sentences() -> list[str]:
    """All texts in the code, with a gap in place of each value."""
    return [
        _text(node)
        for folder in ("core", "processing_provider")
        for file in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, (ast.JoinedStr, ast.Constant))
    ]


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(
            _text(part) if isinstance(part, ast.Constant) else GAP for part in node.values
        )
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _messages() -> list[str]:
    lines = (DOCS / "troubleshooting.md").read_text(encoding="utf-8").splitlines()
    rows = [line.split("|")[1].strip() for line in lines if line.startswith("|")]
    return [row for row in rows if row != "message" and not row.startswith("---")]


@pytest.mark.parametrize("message", _messages())
def test_messages_of_troubleshooting_are_those_of_the_code(message, sentences):
    parts = [re.escape(part.strip()) for part in message.split(GAP) if part.strip()]
    pattern = re.compile(rf".*?{GAP}.*?".join(parts), re.DOTALL)
    assert any(pattern.search(sentence) for sentence in sentences)


def test_pictures_are_there():
    """Links to pages are checked where the pages are made; pictures are not."""
    for page in [ROOT / "README.md", *DOCS.rglob("*.md")]:
        for address in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / address).is_file(), f"{page}: {address}"
