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


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("exec(input())", "B102"),
        ("TOKEN = 'TOKEN'", "B105"),
        ("import subprocess; subprocess.run('ls *', shell=True)", "B602"),
        ("assert input()", "B101"),
        # Put together here, so that no scan of this file takes it for a key.
        ("KEY = '-----BEGIN RSA " + "PRIVATE KEY-----'", "Private Key"),
    ],
)
def test_refused_line_is_found(tmp_path, line, rule):
    (tmp_path / "module.py").write_text(line + "\n", encoding="utf-8")
    done = scan(tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert rule in done.stdout
    assert "module.py:1" in done.stdout


def test_accepted_rule_is_counted_but_does_not_block(tmp_path):
    line = "import subprocess, sys\nsubprocess.run([sys.executable, '-V'], check=True)\n"
    (tmp_path / "module.py").write_text(line, encoding="utf-8")
    done = scan(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "B603 accepted 1 times" in done.stdout
