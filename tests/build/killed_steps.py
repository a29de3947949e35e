"""Runs the core and ends it without warning before the n-th change of files in publication.

``python killed_steps.py 3 JOB.json``
"""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

_CORE = Path(__file__).resolve().parents[2] / "core"
_CHANGES = ("os.rename", "os.remove", "os.rmdir", "shutil.rmtree")


def run(number: int, job: Path, **parameters: Any) -> int:
    """Run a build that is ended before so many changes; return its exit code."""
    job.write_text(json.dumps({"protocol": 1, "task": "buildstack", "parameters": parameters}))
    command = [sys.executable, __file__, str(number), str(job)]
    return subprocess.run(command, capture_output=True, timeout=300, check=False).returncode


def _watch(number: int) -> None:
    seen = -1

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal seen
        if seen < 0 and event == "os.rename" and Path(arguments[1]).name in ("s.nc", "s.zarr"):
            # The outputs have these names before as well, in hidden folders.
            seen += ".hyp3-partial-" not in str(arguments[1])
        is_written = event == "open" and isinstance(arguments[1], str) and "w" in arguments[1]
        if seen >= 0 and (event in _CHANGES or is_written):
            seen += 1
            if seen == number:
                os._exit(9)

    sys.addaudithook(hook)


if __name__ == "__main__":
    _watch(int(sys.argv[1]))
    sys.argv = [str(_CORE), sys.argv[2]]
    sys.path.insert(0, str(_CORE))
    runpy.run_path(str(_CORE / "__main__.py"), run_name="__main__")
