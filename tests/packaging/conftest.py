"""The zip that `make package` writes, built once."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.checkout import ROOT
from tests.once import once


def package(*arguments):
    """Run scripts/package.py and return the path that it prints."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "package.py"), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


@pytest.fixture(scope="session")
def plugin_zip(tmp_path_factory):
    def make(folder):
        return package("--build", folder / "build", "--dist", folder / "dist")

    return once(tmp_path_factory, "package", make)
