"""The core process from outside: jobs in, JSON lines and exit codes out."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORE = [sys.executable, str(ROOT / "core")]
SCRIPTED = [sys.executable, str(Path(__file__).with_name("scripted_core.py"))]
PHRASE = "pa ss/w%rd"
# Runs the core with a package that takes ten minutes to import.
SLOW_IMPORT = """
import importlib.abc, runpy, sys, time
class Slow(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "xarray":
            time.sleep(600)
sys.meta_path.insert(0, Slow())
sys.argv = [sys.argv[1]]
sys.path[0] = sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def job(behavior=None, credentials=None, **extra):
    parameters = extra.pop("parameters", {})
    if behavior:
        parameters = {"BEHAVIOR": behavior, **parameters}
    return {
        "protocol": 1,
        "task": "check",
        "parameters": parameters,
        "credentials": credentials,
        **extra,
    }


class Answer:
    """The lines and the exit code of one run."""

    def __init__(self, returncode, stdout, stderr):
        self.returncode = returncode
        self.messages = [json.loads(line) for line in stdout.splitlines()]
        self.raw = stdout
        self.stderr = stderr

    def of(self, kind):
        return [message for message in self.messages if message["type"] == kind]

    @property
    def error(self):
        (message,) = self.of("error")
        assert not self.of("result")
        return message

    @property
    def outputs(self):
        (message,) = self.of("result")
        assert not self.of("error")
        return message["outputs"]


def run(text, command=SCRIPTED):
    if not isinstance(text, (str, bytes)):
        text = json.dumps(text) + "\n"
    data = text if isinstance(text, bytes) else text.encode()
    done = subprocess.run(command, input=data, capture_output=True, timeout=120)
    return Answer(done.returncode, done.stdout.decode(), done.stderr.decode())


def start(document):
    process = subprocess.Popen(
        SCRIPTED,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdin.write(json.dumps(document).encode() + b"\n")
    process.stdin.flush()
    while json.loads(process.stdout.readline())["type"] != "info":
        continue
    return process


def finish(process):
    stdout, stderr = process.communicate(timeout=60)
    return Answer(process.returncode, stdout.decode(), stderr.decode())


def test_check_names_every_package_of_the_core_environment():
    answer = run({"protocol": 1, "task": "check"}, CORE)
    assert answer.returncode == 0
    packages = answer.outputs["PACKAGES"]
    assert {"numpy", "xarray", "zarr", "netCDF4", "rasterio", "hyp3_sdk"} <= set(packages)
    percents = [message["percent"] for message in answer.of("progress")]
    assert percents == sorted(percents)


def test_job_from_a_file(tmp_path):
    path = tmp_path / "job.json"
    path.write_text(json.dumps({"protocol": 1, "task": "listlayers"}, indent=4))
    done = subprocess.run([*CORE, path], capture_output=True, timeout=120, stdin=subprocess.DEVNULL)
    assert done.returncode == 0
    assert json.loads(done.stdout.splitlines()[-1])["type"] == "result"


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(job("echo")),
        json.dumps(job("echo")) + "\n",
        json.dumps(job("echo"), indent=2) + "\n\n",
        "\n" + json.dumps(job("echo"), indent=2),
        b"\xef\xbb\xbf" + json.dumps(job("echo"), indent=2).encode(),
    ],
    ids=["no end of line", "one line", "pretty", "blank first line", "byte order mark"],
)
def test_job_from_standard_input(text):
    answer = run(text)
    assert answer.returncode == 0
    assert answer.outputs == {"PARAMETERS": {"BEHAVIOR": "echo"}, "HAS_CREDENTIALS": False}


def test_a_one_line_job_does_not_wait_for_the_end_of_input():
    process = subprocess.Popen(SCRIPTED, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdin.write(json.dumps(job("echo")).encode() + b"\n")
    process.stdin.flush()
    assert process.wait(60) == 0
    process.communicate()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no job on standard input"),
        ("{not json", "not valid JSON"),
        (b"\xff\xfe{\x00}\x00", "not UTF-8"),
        ("[1, 2]", "not a JSON object"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a": ' * 100_000, "nested too deeply"),
        ('{"protocol": 1, "task": "check", "parameters": ' + "[" * 9_999, "not valid JSON"),
        ('{"protocol": 1' + "0" * 5000 + "}", "too many digits"),
        ('{"protocol": 1' + "0" * 400 + "}", "has the protocol 1000"),
        (b"\0" * 100, "not valid JSON"),
        ('{"protocol": 99, "task": "check"}', "protocol 99"),
        ('{"protocol": true, "task": "check"}', "protocol True"),
        ('{"protocol": NaN}', "protocol nan"),
        ('{"task": "check"}', "has no protocol"),
        ('{"protocol": 1, "task": "' + "x" * 10_000 + '"}', "asks for the task"),
        ('{"protocol": 1, "task": "\\ud800"}', "asks for the task"),
        ('{"protocol": 1, "task": "check", "credentials": {"token": [1]}}', "'token' is not text"),
        ('{"protocol": 1, "task": "check", "credentials": {"a": "\\ud800"}}', "'a' is not text"),
        ('{"protocol": 1, "task": "check", "credentials": {"password": 7}}', "is not text"),
        ('{"protocol": 1, "task": "dance"}', "task 'dance'"),
        ('{"protocol": 1, "task": ["check"]}', "asks for the task"),
        ('{"protocol": 1, "task": "check", "parameters": [1]}', "not JSON objects"),
        ('{"protocol": 1, "task": "check", "credentials": "me"}', "not JSON objects"),
    ],
)
def test_a_job_that_is_none_is_one_sentence(text, words):
    answer = run(text, CORE)
    assert answer.returncode == 1
    assert words in answer.error["text"]
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize(
    "device", ["/dev/zero", "/dev/full", "/proc/self/mem", "/proc", "/dev/fd/9"]
)
@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's files")
def test_a_job_file_that_is_none(device):
    done = subprocess.run([*CORE, device], capture_output=True, text=True, timeout=60)
    (message,) = map(json.loads, done.stdout.splitlines())
    assert done.returncode == 1 and message["text"].startswith(f"The job file {device} ")
    assert "Traceback" not in done.stderr


def test_another_job_behind_the_first_is_told_of():
    process = start(job("wait_for_cancel", interactive=True))
    process.stdin.write(json.dumps(job("echo")).encode() + b"\n" + b"[" * 100_000 + b"\n")
    process.stdin.write(b'{"type": "cancel"}\n')
    process.stdin.flush()
    answer = finish(process)
    assert answer.returncode == 130 and "Traceback" not in answer.stderr
    (warning,) = answer.of("warning")
    assert "another job behind the first" in warning["text"]


def test_a_job_file_that_does_not_exist():
    done = subprocess.run([*CORE, "no/such.json"], capture_output=True, timeout=60)
    assert done.returncode == 1
    assert "no/such.json cannot be read" in json.loads(done.stdout)["text"]


def test_unknown_options_show_the_usage():
    done = subprocess.run([*CORE, "--help"], capture_output=True, timeout=60)
    assert done.returncode == 1
    assert json.loads(done.stdout)["text"].startswith("Usage: python core JOB.json")


def test_messages_come_in_order_and_progress_never_goes_back():
    answer = run(job("messages"))
    assert answer.of("info") == [{"type": "info", "text": "an information"}]
    assert answer.of("warning") == [{"type": "warning", "text": r"a warning\nin two lines"}]
    percents = [message["percent"] for message in answer.of("progress")]
    assert percents == sorted(percents)
    assert percents[-1] == 100.0
    assert answer.messages[-1]["type"] == "result"


def test_lines_of_many_threads_stay_whole():
    answer = run(job("many_threads"))
    texts = [message["text"].split()[:2] for message in answer.of("info")]
    assert sorted(texts) == sorted([str(n), str(m)] for n in range(8) for m in range(200))


def test_what_others_print_does_not_reach_the_protocol():
    answer = run(job("noise"))
    assert answer.outputs == {"OK": True}
    assert len(answer.messages) == 1
    for words in ("printed by Python", "written below Python", "written by a child"):
        assert words in answer.stderr


def test_outputs_are_plain_json_without_nan():
    answer = run(job("odd_values"))
    assert "NaN" not in answer.raw
    assert "Infinity" not in answer.raw
    assert answer.outputs == {
        "NAN": None,
        "INF": None,
        "INTEGER": 7,
        "ARRAY": [1.5, None],
        "PATH": "/a/b",
        "TIME": "2021-02-03T04:05:06",
        "SET": ["one"],
    }


@pytest.mark.parametrize(
    ("behavior", "kind", "words"),
    [
        ("product_error", "ProductError", "The product X is damaged; download it again."),
        ("strange_text", "ProductError", r"The product a\nb\u202ec is damaged xxx"),
        ("memory", "MemoryError", "This computer ran out of memory"),
        ("disk_full", "OSError", "The disk is full at /data/stack.nc"),
        ("denied", "PermissionError", "Access to /data/stack.nc was denied"),
        ("broken_disk", "OSError", "failed at '/data/stack.nc' (Input/output error)"),
        ("missing_package", "ModuleNotFoundError", "lacks a working package a_pack"),
        ("defect", "KeyError", "This is a defect in HyP3 Stack"),
    ],
)
def test_every_failure_is_one_sentence(behavior, kind, words):
    answer = run(job(behavior))
    assert answer.returncode == 1
    assert answer.error["kind"] == kind
    assert words in answer.error["text"]
    assert "\n" not in answer.error["text"] and len(answer.error["text"]) < 11_000
    # Only what nobody foresaw has a traceback.
    assert (
        ("Traceback" in answer.stderr) == ("nothing here" in answer.stderr) == (kind == "KeyError")
    )
    # A missing package says what to run.
    assert ("hyp3:setupenvironment" in answer.error["text"]) == (kind == "ModuleNotFoundError")


def test_python_without_packages_names_them(tmp_path):
    # A fresh virtual environment has no package at all.
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True, timeout=120
    )
    answer = run({"protocol": 1, "task": "check"}, [tmp_path / "bare/bin/python3", ROOT / "core"])
    assert answer.returncode == 1
    assert "numpy, dask, xarray" in answer.error["text"]
    assert "hyp3:setupenvironment" in answer.error["text"]


@pytest.mark.parametrize("behavior", ["leak", "leak_in_traceback"])
def test_credentials_are_never_written(behavior):
    answer = run(job(behavior, {"username": "jane.doe", "password": PHRASE}))
    assert answer.returncode == 1
    everything = answer.raw + answer.stderr
    assert "***" in answer.error["text"]
    assert PHRASE not in everything
    assert "jane.doe" not in everything


def test_cancel_line_ends_the_run():
    process = start(job("wait_for_cancel", interactive=True))
    process.stdin.write(b'{"type": "something else"}\n not json \n{"type":"cancel"}\n')
    process.stdin.flush()
    answer = finish(process)
    assert answer.returncode == 130
    assert answer.error["kind"] == "Canceled"


@pytest.mark.parametrize("behavior", ["busy", "busy_threads"])
@pytest.mark.parametrize("number", [None, signal.SIGTERM, signal.SIGINT])
def test_a_canceled_run_ends_although_a_step_goes_on(behavior, number):
    process = start(job(behavior, interactive=True))
    if number is None:
        process.stdin.write(b'{"type":"cancel"}\n')
        process.stdin.flush()
    else:
        process.send_signal(number)
    answer = finish(process)  # the step takes ten times as long as this waits
    assert answer.returncode == 130
    assert answer.error["kind"] == "Canceled"


def test_a_cancel_after_the_outputs_stand_is_too_late():
    process = start(job("completing", interactive=True))
    process.stdin.write(b'{"type":"cancel"}\n')
    process.stdin.flush()
    answer = finish(process)
    assert answer.returncode == 0
    assert answer.outputs == {"COMPLETE": True, "CANCELED": True}


def test_signals_after_the_outputs_stand_are_too_late():
    process = start(job("completing"))
    for _ in range(3):
        process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
    answer = finish(process)
    assert answer.returncode == 0
    assert answer.outputs["COMPLETE"]


@pytest.mark.parametrize("delay", [0.0, 0.4, 0.8])
def test_a_cancel_while_packages_are_imported(delay, tmp_path):
    # A task that began would find that its input is missing, and say so.
    parameters = {"INPUT": str(tmp_path / "none"), "NETCDF": str(tmp_path / "s.nc")}
    document = {"protocol": 1, "task": "buildstack", "parameters": parameters, "interactive": True}
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW_IMPORT, str(ROOT / "core")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdin.write(json.dumps(document).encode() + b"\n")
    process.stdin.flush()
    time.sleep(delay)
    process.stdin.write(b'{"type":"cancel"}\n')
    process.stdin.flush()
    answer = finish(process)
    assert answer.returncode == 130
    assert answer.error["kind"] == "Canceled"


def test_the_end_of_the_parent_cancels_an_interactive_run():
    process = start(job("wait_for_cancel", interactive=True))
    answer = finish(process)  # closes its standard input
    assert answer.returncode == 130
    assert answer.error["kind"] == "Canceled"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_cancels_and_partial_files_go(number, tmp_path):
    partial = tmp_path / "x.part"
    process = start(job("wait_for_cancel", parameters={"PARTIAL": str(partial)}))
    os.kill(process.pid, number)
    answer = finish(process)
    assert answer.returncode == 130
    assert answer.error["kind"] == "Canceled"
    assert not partial.exists()


def test_a_second_signal_ends_a_task_that_does_not_listen(tmp_path):
    cleaned = tmp_path / "cleaned"
    process = start(job("stubborn", interactive=True, parameters={"CLEANED": str(cleaned)}))
    process.stdin.write(b'{"type": "cancel"}\n')
    process.stdin.flush()
    # A signal that overtakes the line would be the first to ask.
    assert json.loads(process.stdout.readline())["text"] == "asked to stop"
    process.send_signal(signal.SIGTERM)
    answer = finish(process)
    assert answer.returncode == 130
    assert cleaned.exists()


def test_a_reader_that_goes_away_cancels_the_run():
    process = start(job("wait_for_cancel", parameters={"TALK": True}))
    process.stdout.close()
    assert process.wait(60) == 130
    process.stdin.close()
    process.stderr.close()


def test_without_standard_error():
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" 2>&-', "sh", *SCRIPTED],
        input=json.dumps(job("noise")).encode(),
        stdout=subprocess.PIPE,
        timeout=60,
    )
    assert done.returncode == 0
    assert json.loads(done.stdout) == {"type": "result", "outputs": {"OK": True}}
