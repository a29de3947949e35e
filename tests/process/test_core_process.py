"""The QGIS side's end of the protocol, against real processes that behave and misbehave."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from hyp3_stack.core.run.ending import CANCEL_SECONDS
from hyp3_stack.core.run.surroundings import clean_environment
from hyp3_stack.processing_provider.process import core_process
from hyp3_stack.processing_provider.process.child_process import (
    ChildProcess,
    describe_exit,
)
from hyp3_stack.processing_provider.process.core_process import (
    CoreCanceledError,
    CoreError,
    run_core,
)

from .recorder import Recorder

SCRIPT = Path(__file__).with_name("scripted_core.py")
PHRASE = "wx-7281-secret"


def program(folder, text):
    """Write an executable that the core is started with."""
    path = folder / "python of a test"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def scripted(tmp_path):
    return program(tmp_path, f"exec '{sys.executable}' '{SCRIPT}'")


@pytest.fixture
def short_grace(monkeypatch):
    monkeypatch.setattr(core_process, "CANCEL_GRACE", 0.5)


def run(python, behavior, feedback=None, credentials=None, **parameters):
    return run_core(
        python,
        "check",
        {"BEHAVIOR": behavior, **parameters},
        feedback or Recorder(),
        credentials,
    )


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def is_zombie(pid):
    """Return whether a process has ended, but is still waited for by nobody."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z"


def test_the_real_core_answers_whatever_the_environment_of_qgis(monkeypatch, tmp_path):
    for name in ("PROJ_DATA", "PROJ_LIB", "GDAL_DATA", "PYTHONHOME", "PYTHONPATH"):
        monkeypatch.setenv(name, str(tmp_path))
    outputs = run_core(sys.executable, "check", {}, Recorder())
    assert outputs["PYTHON"] and "rasterio" in outputs["PACKAGES"]


def test_parameters_and_outputs_arrive_as_they_were(scripted):
    value = {"bounds": [1.5, -2, 3, 4], "crs": "EPSG:4326", "text": 'ä "quoted" \\ \n line'}
    outputs = run(scripted, "echo", VALUE=value)
    assert outputs["PARAMETERS"]["VALUE"] == value
    assert outputs["HAS_CREDENTIALS"] is False


def test_messages_reach_the_feedback_in_the_calling_thread(scripted):
    feedback = Recorder()
    run(scripted, "messages", feedback)
    assert feedback.infos == ["an information"]
    assert feedback.warnings == [r"a warning\nin two lines"]
    assert feedback.percents[-1] == 100
    assert feedback.threads == {threading.get_ident()}


def test_many_long_lines(scripted):
    feedback = Recorder()
    run(scripted, "many_threads", feedback)
    assert len(feedback.infos) == 1600


def test_much_text_on_standard_error_does_not_block(scripted):
    assert run(scripted, "chatter") == {"OK": True}


def test_credentials_go_through_standard_input_only(scripted, tmp_path):
    feedback = Recorder(cancel_after="pid")
    credentials = {"username": "jane.doe", "password": PHRASE}
    seen = {}

    def look(info):
        if "pid" in info:
            pid = info.split()[-1]
            for name in ("cmdline", "environ"):
                seen[name] = Path(f"/proc/{pid}/{name}").read_bytes()
            os.kill(int(pid), signal.SIGKILL)

    feedback.pushInfo = look
    with pytest.raises(CoreError):
        run(scripted, "deaf", feedback, credentials)
    assert set(seen) == {"cmdline", "environ"}
    assert all(PHRASE.encode() not in data for data in seen.values())
    assert run(scripted, "echo", None, credentials)["HAS_CREDENTIALS"] is True


def test_an_error_of_the_core_is_passed_on_as_it_is(scripted):
    with pytest.raises(CoreError, match=r"^The product X is damaged; download it again\.$"):
        run(scripted, "product_error")


def test_a_defect_leaves_its_traceback_in_the_log(scripted):
    feedback = Recorder()
    with pytest.raises(CoreError, match="This is a defect in HyP3 Stack"):
        run(scripted, "defect", feedback)
    assert "Traceback" in "\n".join(feedback.debug)


def test_cancel_ends_the_core_cleanly(scripted, tmp_path):
    partial = tmp_path / "x.part"
    # The core's own words, which tell what becomes of what was done.
    with pytest.raises(CoreCanceledError, match="canceled; finished files are kept"):
        run(scripted, "wait_for_cancel", Recorder("waiting"), PARTIAL=str(partial))
    assert not partial.exists()


def test_cancel_before_the_start(scripted):
    feedback = Recorder()
    feedback.canceled = True
    with pytest.raises(CoreCanceledError):
        run(scripted, "wait_for_cancel", feedback)


def test_a_core_that_ignores_cancel_is_killed(scripted, short_grace):
    feedback = Recorder("pid")
    with pytest.raises(CoreCanceledError):
        run(scripted, "deaf", feedback)
    assert not alive(int(feedback.infos[0].split()[-1]))


@pytest.mark.parametrize("behavior", ["busy", "busy_threads"])
def test_a_canceled_core_ends_before_it_has_to_be_ended(scripted, behavior, monkeypatch):
    monkeypatch.setattr(ChildProcess, "terminate", None)
    monkeypatch.setattr(ChildProcess, "kill", None)
    monkeypatch.setattr(core_process, "CANCEL_GRACE", 60.0)
    with pytest.raises(CoreCanceledError):
        run(scripted, behavior, Recorder("waiting"))


def test_the_core_is_faster_than_the_one_who_ends_it():
    assert CANCEL_SECONDS < core_process.CANCEL_GRACE
    assert core_process.CANCEL_GRACE + core_process.KILL_GRACE <= 2.0


def test_what_a_child_has_started_ends_with_it():
    child = ChildProcess(["sh", "-c", "sleep 600 & echo $!; wait"], os.environ)
    pid = next(int(item[1]) for item in child.lines() if item is not None)
    assert alive(pid)
    child.stop()
    assert child.returncode == -signal.SIGTERM
    deadline = time.monotonic() + 30
    while alive(pid) and not is_zombie(pid):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_core_that_never_reads_is_canceled_too(tmp_path, short_grace):
    # More than fits into the pipe, so that writing the job does not come to an end.
    python = program(tmp_path, "exec sleep 600")
    feedback = Recorder()
    threading.Timer(0.5, lambda: setattr(feedback, "canceled", True)).start()
    with pytest.raises(CoreCanceledError):
        run(python, "echo", feedback, JOBS="x" * 10**6)


def test_a_core_that_closed_its_outputs_is_canceled_too(tmp_path, short_grace):
    python = program(tmp_path, "exec >&- 2>&-; exec sleep 600")
    feedback = Recorder()
    threading.Timer(0.5, lambda: setattr(feedback, "canceled", True)).start()
    begin = time.monotonic()
    with pytest.raises(CoreCanceledError):
        run(python, "echo", feedback)
    assert time.monotonic() - begin < core_process.EXIT_GRACE


def test_a_cancel_that_comes_too_late_gives_the_outputs(scripted):
    feedback = Recorder("waiting")
    assert run(scripted, "completing", feedback) == {"COMPLETE": True, "CANCELED": True}
    assert "The run was complete before it could be canceled." in feedback.infos


def test_a_core_that_only_hears_signals_cleans_up(scripted, short_grace, tmp_path):
    cleaned = tmp_path / "cleaned"
    with pytest.raises(CoreCanceledError):
        run(scripted, "stubborn", Recorder("waiting"), CLEANED=str(cleaned))
    assert cleaned.exists()


def test_a_killed_core_is_one_sentence_about_memory(scripted):
    feedback = Recorder()
    with pytest.raises(CoreError, match="was killed, most likely because the memory ran out"):
        run(scripted, "killed", feedback)
    assert "last words" in "\n".join(feedback.debug)


def test_a_killed_core_behind_a_shell(tmp_path):
    python = program(tmp_path, f"'{sys.executable}' '{SCRIPT}'\nexit $?")
    with pytest.raises(CoreError, match="memory ran out"):
        run(python, "killed")


@pytest.mark.parametrize(
    ("behavior", "words"),
    [("crash", r"crashed \(signal 11\)"), ("leave", "exit code 3: about to leave")],
)
def test_a_core_that_ends_without_an_answer(scripted, behavior, words):
    with pytest.raises(CoreError, match=words):
        run(scripted, behavior)


def test_a_grandchild_that_keeps_the_pipes_open_does_not_hold_the_run(scripted):
    assert run(scripted, "linger") == {"OK": True}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("exit 0", "ended without a result (exit code 0: no message)"),
        ("echo 'not a Python' >&2; exit 2", "exit code 2: not a Python"),
        ("echo '{\"type\": \"progress\"}'; echo '[]'; echo garbage", "without a result"),
        ("head -c 300000 /dev/urandom", "without a result"),
        ("exec 1>&- 2>&-; exit 4", "exit code 4"),
        ('echo \'{"type": "result"}\'', "without a result"),
        ('echo \'{"type": "result", "outputs": 5}\'', "without a result"),
    ],
)
def test_programs_that_are_no_core(tmp_path, text, words):
    with pytest.raises(CoreError) as caught:
        run(program(tmp_path, text), "echo")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "hyp3:setupenvironment" in str(caught.value)


def test_garbage_between_messages_is_only_logged(tmp_path):
    answer = '{"type": "result", "outputs": {"A": 1}}'
    feedback = Recorder()
    python = program(tmp_path, f"echo garbage; echo '{answer}'")
    assert run(python, "echo", feedback) == {"A": 1}
    assert feedback.debug == ["garbage"]


def test_a_program_that_cannot_be_started(tmp_path):
    path = tmp_path / "no program"
    path.write_bytes(b"\x00\x01")
    path.chmod(0o755)
    with pytest.raises(CoreError, match="cannot be started"):
        run(str(path), "echo")


def test_a_core_that_does_not_end_after_its_answer_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(core_process, "EXIT_GRACE", 0.5)
    pid = tmp_path / "pid"
    python = program(
        tmp_path, f'echo $$ > \'{pid}\'; echo \'{{"type": "result", "outputs": {{}}}}\'; sleep 600'
    )
    assert run(python, "echo") == {}
    assert not alive(int(pid.read_text()))


def test_the_environment_is_cleaned_of_what_qgis_sets():
    environ = {
        "PATH": "/usr/bin",
        "HOME": "/home/me",
        "LD_LIBRARY_PATH": "/opt/lib",
        "EARTHDATA_TOKEN": "kept",
        "PYTHONHOME": "/qgis",
        "PYTHONPATH": "/qgis/python",
        "pythonexecutable": "/qgis/python",
        "PROJ_LIB": "/qgis/proj",
        "PROJ_DATA": "/qgis/proj",
        "GDAL_DATA": "/qgis/gdal",
        "GDAL_DRIVER_PATH": "/qgis/gdalplugins",
        "__PYVENV_LAUNCHER__": "/qgis/python",
    }
    kept = {"PATH", "HOME", "LD_LIBRARY_PATH", "EARTHDATA_TOKEN"}
    assert set(clean_environment(environ)) == kept


@pytest.mark.parametrize(
    ("platform", "code", "words"),
    [
        ("linux", -9, "memory"),
        ("linux", 137, "memory"),
        ("darwin", -11, "signal 11"),
        ("linux", 139, "signal 11"),
        ("linux", -15, "another program"),
        ("win32", 0xC0000005, "0xC0000005"),
        ("win32", 0xC0000005 - 2**32, "0xC0000005"),
        ("win32", 0xC0000017, "memory"),
    ],
)
def test_exit_codes_from_outside(platform, code, words):
    assert words in describe_exit(code, platform)


@pytest.mark.parametrize(
    ("platform", "code"),
    [("linux", 0), ("linux", 1), ("win32", 1), ("win32", 130), ("linux", None)],
)
def test_exit_codes_of_its_own(platform, code):
    assert describe_exit(code, platform) is None
