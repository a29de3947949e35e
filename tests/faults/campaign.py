"""Gives the inputs of a group to the process that handles them, one after the other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase, given, settings

from tests.checkout import ROOT

from .groups import GROUPS
from .outcomes import Tally

NOWHERE = "http://127.0.0.1:9"
"""No input may reach the network."""


class Handler:
    """The process of :mod:`.child`, as a context manager.

    Parameters
    ----------
    folder
        Where inputs are made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._prepared: set[str] = set()

    def __enter__(self) -> Handler:
        (self.folder / "home").mkdir()
        environment = {
            **os.environ,
            "HOME": str(self.folder / "home"),
            "HYP3_STACK_CACHE": str(self.folder / "cache"),
            "HYP3_STACK_CMR_URL": NOWHERE,
            "OPENBLAS_NUM_THREADS": "1",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.child", str(self.folder)],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def prepare(self, group: str) -> None:
        """Make what the inputs of a group are made of, once."""
        if group not in self._prepared:
            (self.folder / group).mkdir()
            GROUPS[group].prepare(self.folder / group, self.folder / "here")
            self._prepared.add(group)

    def __call__(self, group: str, recipe: Any) -> dict[str, Any]:
        """Return what came of an input."""
        assert self._process.stdin and self._process.stdout
        line = json.dumps([group, recipe])
        (self.folder / "in_hand.json").write_text(line)
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, f"nothing can be said of {line}"
        return json.loads(answer)


def try_inputs(handler: Handler, group: str, number: int, seed: int) -> Tally:
    """Try so many inputs of a group."""
    handler.prepare(group)
    tally = Tally(group, seed)

    @hypothesis.seed(seed)
    @settings(
        max_examples=number,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(GROUPS[group].inputs())
    def attempt(recipe: Any) -> None:
        tally.add(recipe=recipe, **handler(group, recipe))

    attempt()
    return tally
