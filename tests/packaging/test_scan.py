"""The upload scan of `make lint`: it has to find what the repository would refuse."""

import subprocess
import sys

import pytest

from .conftest import ROOT

pytest.importorskip("bandit", reason="the scan needs the tools of requirements-dev.lock")


def scan(folder):
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "scan_upload.py"), str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )


REFUSED = {
    "B102": "exec(input())",
    "B105": "TOKEN = 'TOKEN'",
    "B602": "import subprocess; subprocess.run('ls *', shell=True)",
    "B101": "assert input()",
    # Put together here, so that no scan of this file takes it for a key.
    "Private Key": "KEY = '-----BEGIN RSA " + "PRIVATE KEY-----'",
}
"""Lines by the rule that refuses them."""


@pytest.fixture(scope="module")
def refused(tmp_path_factory):
    """The scan of a module for each line."""
    folder = tmp_path_factory.mktemp("refused")
    for number, line in enumerate(REFUSED.values()):
        (folder / f"module_{number}.py").write_text(line + "\n", encoding="utf-8")
    return scan(folder)


@pytest.mark.parametrize("rule", REFUSED)
def test_refused_line_is_found(refused, rule):
    assert refused.returncode == 1, refused.stdout + refused.stderr
    place = f"module_{list(REFUSED).index(rule)}.py:1"
    found = [line for line in refused.stdout.splitlines() if place in line]
    assert any(rule in line for line in found), refused.stdout


def test_accepted_rule_is_counted_but_does_not_block(tmp_path):
    line = "import subprocess, sys\nsubprocess.run([sys.executable, '-V'], check=True)\n"
    (tmp_path / "module.py").write_text(line, encoding="utf-8")
    done = scan(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "B603 accepted 1 times" in done.stdout
