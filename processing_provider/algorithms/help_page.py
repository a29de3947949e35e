"""Where the Help button of an algorithm's dialog leads."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def help_url(name, root=ROOT):
    """Return the address of an algorithm's page in the documents that came with the plugin."""
    return page_url(f"algorithms/{name}.html", root)


def page_url(name, root=ROOT):
    """Return the address of a page of the documents, such as ``index.html``.

    A checkout whose documents were not made yet has its README; nothing is empty.
    """
    for page in (root / "help" / name, root / "README.md"):
        if page.is_file():
            return page.as_uri()
    return ""
