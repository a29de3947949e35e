"""Runs the core on a disk that somebody else fills before the NetCDF file is put together.

``python full_disk.py DISK SPARE JOB.json``, with the bytes that stay free
"""

from __future__ import annotations

import json
import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

_CORE = Path(__file__).resolve().parents[2] / "core"


def run(disk: Path, spare: int, job: Path, **parameters: Any) -> subprocess.CompletedProcess[str]:
    """Run a build with so little room for its file."""
    job.write_text(json.dumps({"protocol": 1, "task": "buildstack", "parameters": parameters}))
    command = [sys.executable, __file__, str(disk), str(spare), str(job)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def _watch(disk: Path, spare: int) -> None:
    asked = 0

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal asked
        # Before chunks go into the file, their size is asked for, once with those of all outputs.
        if event == "os.scandir" and str(arguments[0]).endswith("chunks"):
            asked += 1
            if asked == 2:
                with open(disk / "grown", "wb") as file:
                    free = shutil.disk_usage(disk).free
                    os.posix_fallocate(file.fileno(), 0, free - spare)

    sys.addaudithook(hook)


if __name__ == "__main__":
    _watch(Path(sys.argv[1]), int(sys.argv[2]))
    sys.argv = [str(_CORE), sys.argv[3]]
    sys.path.insert(0, str(_CORE))
    runpy.run_path(str(_CORE / "__main__.py"), run_name="__main__")
