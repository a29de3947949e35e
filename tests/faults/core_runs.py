"""Jobs of the core in this process, as the core process runs them: what it answers, and the rest.

Only for processes that end afterward: standard output and standard error are given away.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hyp3_stack.core.run.worker import main

from .outcomes import REFUSED, RIGHT, TRACEBACK, WRONG

Outcome = tuple[str, str]
"""What came of an input, and what was said or is wrong."""


@dataclass(frozen=True)
class Answer:
    """How a job ended.

    Parameters
    ----------
    code
        Exit code.
    outputs
        The result.
    text
        The sentence of the error.
    warnings
        What deserved attention.
    noise
        What was printed.
    """

    code: int
    outputs: dict[str, Any] = field(default_factory=dict)
    text: str = ""
    warnings: tuple[str, ...] = ()
    noise: str = ""

    def refusal(self, *absent: Path, named: Sequence[str] = ("",)) -> Outcome | None:
        """Return the outcome of a job that ended with an error; None for a result.

        Parameters
        ----------
        absent
            Outputs that must not be there then.
        named
            Of which the sentence has to hold one.
        """
        if "Traceback (most recent call last)" in self.noise:
            return TRACEBACK, self.noise[-1500:]
        if self.code == 0:
            return None
        is_sentence = self.text.endswith(".") and "\n" not in self.text
        if not is_sentence or "This is a defect" in self.text:
            return TRACEBACK, f"exit code {self.code}: {self.text}"
        if not any(name in self.text for name in named):
            return TRACEBACK, f"names none of {', '.join(named)}: {self.text}"
        for path in absent:
            if os.path.lexists(path):
                return WRONG, f"refused, but there is {path.name}: {self.text}"
        return REFUSED, self.text


def run_job(
    here: Path, task: str, credentials: dict[str, str] | None = None, **given: Any
) -> Answer:
    """Run a job with these parameters."""
    job = {"protocol": 1, "task": task, "parameters": given, "credentials": credentials}
    return run_document(here, json.dumps(job).encode())


def run_document(here: Path, document: bytes) -> Answer:
    """Run whatever job a file holds."""
    path, said, printed = here / "job.json", here / "said", here / "printed"
    path.write_bytes(document)
    for target, descriptor in ((said, 1), (printed, 2)):
        opened = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(opened, descriptor)
        os.close(opened)
    code = main([str(path)])
    noise = printed.read_text(errors="replace")
    lines = [json.loads(line) for line in said.read_bytes().splitlines()]
    last = lines[-1] if lines else {}
    if last.get("type") != ("result" if code == 0 else "error"):
        return Answer(code or 1, text=f"The answer is {last}", noise=noise)
    return Answer(
        code,
        last.get("outputs", {}),
        last.get("text", ""),
        tuple(line["text"] for line in lines if line["type"] == "warning"),
        noise,
    )


__all__ = ["REFUSED", "RIGHT", "TRACEBACK", "WRONG", "Answer", "Outcome", "run_document", "run_job"]
