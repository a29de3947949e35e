"""Which Python a core environment is based on."""

import os
import sys
import time
from pathlib import Path

import pytest

from hyp3_stack.processing_provider.environment.base_python import (
    BasePythonError,
    Probe,
    candidates,
    choose,
    probe,
)

HERE = dict(os.environ)


def fake(path, version=(3, 12), has_venv=1):
    """Write a program that answers the probe like a Python of this version."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho hyp3 {version[0]} {version[1]} {has_venv}\n")
    path.chmod(0o755)
    return path


def test_the_python_of_the_tests_answers():
    assert probe(sys.executable, HERE) == Probe(sys.executable, sys.version_info[:2], True)


@pytest.mark.parametrize(
    ("version", "supported"),
    [((3, 9), False), ((3, 10), False), ((3, 11), True), ((3, 14), True), ((3, 15), False)],
)
def test_supported_versions(tmp_path, version, supported):
    assert probe(str(fake(tmp_path / "p", version)), HERE).supported is supported


def test_programs_that_are_no_python(tmp_path):
    silent = tmp_path / "silent"
    silent.write_text("#!/bin/sh\nexit 9\n")
    silent.chmod(0o755)
    assert probe(str(silent), HERE).version is None
    assert probe(str(tmp_path / "missing"), HERE).version is None
    assert probe("/bin/echo", HERE).version is None


def test_a_cancel_while_a_program_does_not_answer(tmp_path):
    endless = tmp_path / "endless"
    endless.write_text("#!/bin/sh\nexec sleep 600\n")
    endless.chmod(0o755)
    begin = time.monotonic()
    with pytest.raises(BasePythonError, match="canceled"):
        choose(str(endless), "linux", "/usr", HERE, lambda: time.monotonic() - begin > 0.5)
    assert time.monotonic() - begin < 30


def test_windows_takes_the_python_of_qgis(tmp_path):
    prefix = tmp_path / "apps" / "Python312"
    bundled = fake(prefix / "python.exe")
    other = fake(tmp_path / "path" / "python.exe")
    found = candidates("win32", str(prefix), str(other.parent))
    assert found[0] == bundled
    # qgis-bin.exe, which sys.executable names there, is never tried.
    assert {path.name for path in found} <= {"python.exe", "python3.exe"}


def test_macos_takes_the_python_in_the_bundle(tmp_path):
    prefix = tmp_path / "QGIS.app" / "Contents" / "MacOS"
    bundled = fake(prefix / "bin" / "python3.12")
    assert candidates("darwin", str(prefix), "")[0] == bundled


def test_linux_finds_what_is_on_the_path(tmp_path):
    only = fake(tmp_path / "bin" / "python3.13")
    assert only in candidates("linux", str(tmp_path / "none"), str(only.parent))


@pytest.mark.skipif(not Path("/usr/bin/python3").is_file(), reason="no system Python")
def test_linux_finds_the_system_python():
    assert Path("/usr/bin/python3") in candidates("linux", "/nowhere", "")


def test_the_first_suitable_one_is_chosen(tmp_path):
    # On win32 only the given folders are searched, so the test does not depend on this machine.
    fake(tmp_path / "python.exe", (3, 15))
    fake(tmp_path / "python3.exe", (3, 12), has_venv=0)
    good = fake(tmp_path / "Scripts" / "python.exe", (3, 11))
    assert choose(None, "win32", str(tmp_path), {"PATH": ""}) == str(good)


def test_the_choice_of_the_user_is_the_only_one_looked_at(tmp_path):
    chosen = fake(tmp_path / "mine", (3, 13))
    assert choose(str(chosen), "linux", "/usr", HERE) == str(chosen)


@pytest.mark.parametrize(
    ("version", "has_venv", "words"),
    [
        ((3, 9), 1, "a Python 3.9; HyP3 Stack needs 3.11 to 3.14"),
        ((3, 15), 1, "a Python 3.15; HyP3 Stack needs 3.11 to 3.14"),
        ((3, 12), 0, "sudo apt install python3.12-venv"),
    ],
)
def test_a_choice_that_does_not_suit(tmp_path, version, has_venv, words):
    chosen = fake(tmp_path / "mine", version, has_venv)
    with pytest.raises(BasePythonError) as caught:
        choose(str(chosen), "linux", "/usr", HERE)
    assert words in str(caught.value)


def test_a_choice_that_is_no_python(tmp_path):
    with pytest.raises(BasePythonError, match="cannot be started as a Python"):
        choose(str(tmp_path / "missing"), "linux", "/usr", HERE)


def test_nothing_found(tmp_path):
    with pytest.raises(BasePythonError, match=r"No Python 3\.11 to 3\.14 was found"):
        choose(None, "win32", str(tmp_path), {"PATH": ""})


def test_apt_is_named_on_linux_only(tmp_path):
    fake(tmp_path / "python.exe", (3, 12), has_venv=0)
    with pytest.raises(BasePythonError) as caught:
        choose(None, "win32", str(tmp_path), {"PATH": ""})
    assert "venv" in str(caught.value)
    assert "sudo" not in str(caught.value)
