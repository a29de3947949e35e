"""Registers the checkout as the package ``hyp3_stack``, whatever its folder is called."""

import importlib.util
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def _register_package() -> None:
    if "hyp3_stack" in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(
        "hyp3_stack", ROOT / "__init__.py", submodule_search_locations=[str(ROOT)]
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules["hyp3_stack"] = module
    spec.loader.exec_module(module)


_register_package()
