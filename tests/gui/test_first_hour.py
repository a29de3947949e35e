"""A stranger's way from the plugin's zip to a first map, in a fresh profile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hyp3_stack.processing_provider.environment.interpreter import MARKER

pytestmark = pytest.mark.slow  # it sets up the core environment


def test_the_first_map_is_few_clicks_away(first_hour: dict[str, Any]) -> None:
    assert first_hour["clicks"] == [
        "Plugins",
        "Manage and Install Plugins…",
        "Install from ZIP",
        "Install Plugin",
        "Yes",
        "Close",
        "Set up now",
        "Demo stack",
    ]
    assert len(first_hour["clicks"]) <= 8


def test_it_is_the_plugin_of_the_zip(first_hour: dict[str, Any]) -> None:
    folder = Path(first_hour["folder"])
    assert Path(first_hour["file"]).is_relative_to(folder / "profiles")
    assert first_hour["message"] == "The core environment is ready."


def test_the_environment_is_complete_and_nothing_else_is_left(first_hour: dict[str, Any]) -> None:
    assert first_hour["percents"] == sorted(first_hour["percents"])
    assert first_hour["percents"][-1] > 80
    (environment,) = Path(first_hour["folder"]).rglob("pyvenv.cfg")
    assert [path.name for path in environment.parent.parent.iterdir()] == [environment.parent.name]
    assert (environment.parent / MARKER).is_file()
    modules, compiled = (len(list(environment.parent.rglob(f"*.{kind}"))) for kind in ("py", "pyc"))
    assert 0 < compiled < modules / 2, "only what is imported is compiled"


def test_the_demo_is_on_the_map(first_hour: dict[str, Any]) -> None:
    assert {"unw_phase", "corr", "dem"} <= set(first_hour["demo"]["layers"])
    assert first_hour["end"].startswith("The demo stack is on the map.")
    assert first_hour["demo"]["colors"] > 100
    assert first_hour["demo"]["room"] >= 0, "names of layers are cut off"
    assert first_hour["exit"] == 0
    assert "Traceback" not in first_hour["said"]
