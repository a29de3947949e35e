"""Messages of the core in the words of a dialog, which shows labels and no names of parameters."""

import re

from ...core.contract import DIALOGS

_NOUNS = ("STAC", "JSON")
"""Names of parameters that sentences use as words."""


def with_labels(text, algorithm):
    """Return a message with labels in place of the names of an algorithm's parameters."""
    labels = {row.name: row.label for row in DIALOGS[algorithm] if row.name not in _NOUNS}
    names = "|".join(sorted(labels, key=len, reverse=True))
    # Not in paths, and without the value that a switch gets on a command line.
    pattern = rf"(?<![\w/\\.])({names})(?:=true)?(?![\w/\\])"
    return re.sub(pattern, lambda match: f'"{labels[match[1]]}"', text)
