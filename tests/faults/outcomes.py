"""What came of inputs, and the table of it; written by QGIS's Python as well."""

import json
from pathlib import Path

PLACE = Path(__file__).resolve().parents[2] / "build" / "faults"
"""Where counts and found inputs are kept for the table."""

REFUSED = "refused"
RIGHT = "right"
TRACEBACK = "traceback"
CRASH = "crash"
HANG = "hang"
WRONG = "wrong"
MEMORY = "memory"
BROKEN = "broken"

FAILURES = (TRACEBACK, CRASH, HANG, WRONG, MEMORY, BROKEN)

COLUMNS = {
    REFUSED: "refused with a sentence",
    RIGHT: "right result",
    TRACEBACK: "tracebacks",
    CRASH: "crashes",
    HANG: "hangs",
    WRONG: "silently wrong",
    MEMORY: "too much memory",
    BROKEN: "not judged",
}


class Tally:
    """Counts of the outcomes of one group.

    Parameters
    ----------
    group
        Name of the group.
    seed
        From which its inputs come.
    """

    def __init__(self, group, seed):
        self.group, self.seed = group, seed
        self.counts = dict.fromkeys(COLUMNS, 0)
        self.megabytes = 0
        self.seconds, self.slowest = 0.0, None
        self.found = []

    def add(self, kind, text, recipe, megabytes=0, seconds=0.0):
        """Count an input; failures are kept as they can be tried again."""
        self.counts[kind] += 1
        self.megabytes = max(self.megabytes, megabytes)
        if seconds > self.seconds:
            self.seconds, self.slowest = seconds, recipe
        if kind in FAILURES:
            self.found.append({"kind": kind, "text": text, "input": recipe})

    def write(self):
        """Keep the counts for the table; those of runs of the same group before are replaced."""
        PLACE.mkdir(parents=True, exist_ok=True)
        (PLACE / f"{self.group}.json").write_text(json.dumps(vars(self), indent=1))

    def check(self):
        """Fail where there is anything that must not be."""
        lines = [json.dumps(found)[:2000] for found in self.found]
        assert not lines, f"{self.group}, seed {self.seed}:\n" + "\n".join(lines)


def table():
    """Return all counts that were written as a table in Markdown."""
    heads = ["group", "inputs", *COLUMNS.values(), "highest memory (MB)", "longest (s)", "seed"]
    rows, total = [], dict.fromkeys(COLUMNS, 0)
    tallies = [json.loads(path.read_text()) for path in sorted(PLACE.glob("*.json"))]
    for tally in tallies:
        counts = tally["counts"]
        for kind in total:
            total[kind] += counts[kind]
        rows.append(
            [
                tally["group"],
                sum(counts.values()),
                *counts.values(),
                tally["megabytes"],
                f"{tally['seconds']:.1f}",
                tally["seed"],
            ]
        )
    highest = max((tally["megabytes"] for tally in tallies), default=0)
    rows.append(["all", sum(total.values()), *total.values(), highest, "", ""])
    cells = [heads, ["---"] * len(heads), *rows]
    widths = [max(len(str(row[column])) for row in cells) for column in range(len(heads))]
    return "\n".join(
        "| " + " | ".join(str(cell).ljust(width) for cell, width in zip(row, widths)) + " |"  # noqa: B905 - Python 3.9
        for row in cells
    )
