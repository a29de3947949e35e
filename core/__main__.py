"""The only entry of the core process: ``python core JOB.json``, or the job on standard input.

Run by path, this file has no package; it registers the folder above it under the plugin's package
name, so that relative imports and pickled functions name the same modules everywhere.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

if not __package__:
    _root = Path(__file__).resolve().parents[1]
    # The folder that Python put first on the path would make its packages top-level names.
    sys.path.pop(0)
    _spec = importlib.util.spec_from_file_location(
        "hyp3_stack", _root / "__init__.py", submodule_search_locations=[str(_root)]
    )
    if _spec is None or _spec.loader is None:
        raise SystemExit(f"The folder {_root} does not hold the plugin HyP3 Stack.")
    _package = importlib.util.module_from_spec(_spec)
    sys.modules["hyp3_stack"] = _package
    _spec.loader.exec_module(_package)

from hyp3_stack.core.run.worker import main  # noqa: E402 - the package exists only from here on

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
