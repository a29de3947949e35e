"""Which Python the core runs in, by the rules of every platform."""

import shutil
import sys
from pathlib import Path

import pytest

from hyp3_stack.processing_provider.environment.interpreter import (
    LOCK_FILE,
    MARKER,
    InterpreterError,
    Places,
    environment_python,
    lock_digest,
    resolve,
)

PLATFORMS = ("linux", "darwin", "win32")


@pytest.fixture
def places(tmp_path):
    lock = tmp_path / "requirements.lock"
    lock.write_text("affine==2.4.0\n")
    profile = tmp_path / "profiles" / "my profile"
    profile.mkdir(parents=True)
    return Places(profile, lock)


def executable(path, platform="linux"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o644 if platform == "win32" else 0o755)
    return path


def environment(places, platform, digest=None):
    """Lay out a complete managed environment."""
    python = executable(environment_python(places.environment, platform), platform)
    marker = places.environment / MARKER
    marker.write_text((digest or lock_digest(places.lock)) + "\n")
    return python


@pytest.mark.parametrize(
    ("platform", "tail"),
    [
        ("linux", ("bin", "python3")),
        ("darwin", ("bin", "python3")),
        ("win32", ("Scripts", "python.exe")),
    ],
)
def test_place_of_the_interpreter(platform, tail):
    assert environment_python(Path("/e"), platform) == Path("/e", *tail)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_managed_environment(places, platform):
    python = environment(places, platform)
    assert resolve({}, None, places, platform) == str(python)
    assert python.is_relative_to(places.profile / "hyp3_stack" / "environment")


@pytest.mark.parametrize("platform", PLATFORMS)
def test_order_is_variable_then_setting_then_managed(places, tmp_path, platform):
    environment(places, platform)
    of_variable = executable(tmp_path / "a" / "python.exe", platform)
    of_setting = executable(tmp_path / "b" / "python.exe", platform)
    variables = {"HYP3_STACK_PYTHON": f" {of_variable} "}
    assert resolve(variables, str(of_setting), places, platform) == str(of_variable)
    assert resolve({}, str(of_setting), places, platform) == str(of_setting)
    blank = {"HYP3_STACK_PYTHON": "  "}
    assert resolve(blank, " ", places, platform) == resolve({}, None, places, platform)


def test_home_folder_is_expanded(places, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    python = executable(tmp_path / "env" / "python")
    assert resolve({"HYP3_STACK_PYTHON": "~/env/python"}, None, places, "linux") == str(python)


@pytest.mark.parametrize(
    ("variables", "setting", "words"),
    [
        ({"HYP3_STACK_PYTHON": "/no/such"}, None, "environment variable HYP3_STACK_PYTHON"),
        ({}, "/no/such", "setting hyp3_stack/python"),
    ],
)
def test_a_chosen_interpreter_that_does_not_exist_is_not_passed_over(
    places, variables, setting, words
):
    environment(places, "linux")
    with pytest.raises(InterpreterError, match="/no/such.*does not exist") as caught:
        resolve(variables, setting, places, "linux")
    assert words in str(caught.value)


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_a_file_without_permission_to_run(places, tmp_path, platform):
    path = tmp_path / "python"
    path.write_text("text")
    path.chmod(0o644)
    with pytest.raises(InterpreterError, match="not an executable program"):
        resolve({}, str(path), places, platform)


def test_a_file_that_windows_does_not_start(places, tmp_path):
    path = executable(tmp_path / "python3.dll", "win32")
    with pytest.raises(InterpreterError, match="not an executable program"):
        resolve({}, str(path), places, "win32")


def test_a_folder_is_no_interpreter(places, tmp_path):
    with pytest.raises(InterpreterError, match="does not exist"):
        resolve({}, str(tmp_path), places, "linux")


def sentence(places, platform):
    with pytest.raises(InterpreterError) as caught:
        resolve({}, None, places, platform)
    text = str(caught.value)
    assert "\n" not in text
    assert "hyp3:setupenvironment" in text
    return text


@pytest.mark.parametrize("platform", PLATFORMS)
def test_nothing_is_set_up(places, platform):
    assert "not set up yet" in sentence(places, platform)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_an_interrupted_set_up(places, platform):
    executable(environment_python(places.unfinished, platform), platform)
    assert "interrupted or is still running" in sentence(places, platform)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_an_environment_without_marker(places, platform):
    environment(places, platform)
    (places.environment / MARKER).unlink()
    assert "incomplete" in sentence(places, platform)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_an_environment_without_interpreter(places, platform):
    # So it looks after the Python that it was based on has been uninstalled.
    environment(places, platform).unlink()
    assert "incomplete" in sentence(places, platform)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_an_environment_of_another_version(places, platform):
    environment(places, platform)
    places.lock.write_text("affine==2.4.1\n")
    assert "made for another version" in sentence(places, platform)


def test_line_ends_of_the_lock_file_do_not_matter(places, tmp_path):
    other = tmp_path / "other.lock"
    other.write_bytes(b"affine==2.4.0\r\n")
    assert lock_digest(other) == lock_digest(places.lock)


def test_the_lock_file_is_in_the_plugin():
    assert LOCK_FILE.name == "requirements.lock"
    assert LOCK_FILE.is_file()


def test_an_environment_made_for_real_is_found(places):
    import subprocess

    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", places.environment], check=True, timeout=120
    )
    (places.environment / MARKER).write_text(lock_digest(places.lock))
    python = resolve({}, None, places, sys.platform)
    answer = subprocess.run(
        [python, "-c", "import sys; print(sys.prefix)"], capture_output=True, text=True, timeout=60
    )
    assert Path(answer.stdout.strip()) == places.environment
    shutil.rmtree(places.environment)
    assert "not set up yet" in sentence(places, sys.platform)
