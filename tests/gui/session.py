"""What a user does in QGIS's window, run by ``qgis --code``; writes facts.json and screenshots.

It only acts and notes down what is there; the tests judge.
"""

import importlib
import json
import os
import sys
import traceback
from pathlib import Path

from qgis.PyQt.QtCore import QTimer

FOLDER = Path(os.environ["HYP3_STACK_GUI_FOLDER"])
sys.path.insert(0, os.environ["HYP3_STACK_GUI_ROOT"])


def main():
    """Do everything, note the facts, and end QGIS."""
    facts = {}
    try:
        steps = importlib.import_module(f"tests.gui.{os.environ['HYP3_STACK_GUI_STEPS']}")
        steps.run(FOLDER, facts)
    except BaseException:  # QGIS would show it in a dialog that nobody closes
        facts["failure"] = traceback.format_exc()
        importlib.import_module("tests.gui.acting").shoot(FOLDER, "failure")
    (FOLDER / "facts.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")
    if "failure" in facts:
        os._exit(1)
    steps.leave()


QTimer.singleShot(0, main)
