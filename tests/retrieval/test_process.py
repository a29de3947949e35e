"""Downloads in a process of their own: killed, watched for secrets, failing."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.hyp3_server import Fault

from .products import Stack
from .test_download import assert_complete

CORE = Path(__file__).resolve().parents[2] / "core"
PATIENCE = 60.0
"""Seconds after which a test gives up waiting; none of them measures time."""


class Core:
    """Starts the core process with a job on standard input."""

    def __init__(self, service, folder):
        self.service, self.folder = service, folder
        self.started = []

    def job(self, credentials, task="downloadproducts", **parameters):
        return {
            "protocol": 1,
            "task": task,
            "parameters": {
                "API_URL": self.service.url,
                "OUTPUT": str(self.folder / "products"),
                **parameters,
            },
            "credentials": credentials,
        }

    def start(self, job):
        process = subprocess.Popen(
            [sys.executable, str(CORE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        process.stdin.write(json.dumps(job) + "\n")
        process.stdin.close()
        process.stdin = None
        self.started.append(process)
        return process

    def run(self, job):
        process = self.start(job)
        out, err = process.communicate(timeout=PATIENCE)
        messages = [json.loads(line) for line in out.splitlines()]
        return process.returncode, messages, err


@pytest.fixture
def core(service, tmp_path):
    core = Core(service, tmp_path)
    yield core
    for process in core.started:
        process.kill()


def wait_until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail("what the test waits for did not happen")
        time.sleep(0.02)


def test_killed_in_the_middle_and_run_again(stack: Stack, core, credentials, tmp_path):
    jobs = stack.add(20, size=150_000)
    sizes = {job.archive.name: job.archive.stat().st_size for job in jobs}
    for number, name in enumerate(sizes):
        fault = Fault(rate=600_000) if number < 12 else Fault(hold_after=100_000)
        stack.service.faults.add(name, fault)
    folder = tmp_path / "products"
    partial = folder / ".hyp3_partial"

    def manifest():
        path = folder / "hyp3_manifest.json"
        return json.loads(path.read_text())["files"] if path.exists() else []

    def parts():
        found = {}
        for part in partial.glob("*.zip.part"):
            with contextlib.suppress(FileNotFoundError):
                found[part.name.removesuffix(".part")] = part.stat().st_size
        return found

    def half_done():
        return [name for name, size in parts().items() if 50_000 < size < 200_000]

    process = core.start(core.job(credentials))
    wait_until(lambda: manifest() and len(half_done()) >= 4)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL

    recorded = {entry["file"] for entry in manifest()}
    kept = {name: size for name, size in parts().items() if name not in recorded}
    finished = {name for name, size in kept.items() if size == sizes[name]}
    cut = {name: size for name, size in kept.items() if 0 < size < sizes[name]}
    assert recorded and cut and len(recorded | set(kept)) < 20
    for path in folder.iterdir():
        if path.is_dir() and path != partial:
            # Whatever has its final name is whole.
            assert_complete(folder, next(job for job in jobs if job.archive.stem == path.name))

    stack.service.faults.clear()
    stack.service.log.clear()
    code, messages, err = core.run(core.job(credentials))
    assert code == 0, (messages, err)
    outputs = messages[-1]["outputs"]
    for job in jobs:
        assert_complete(folder, job)
    asked = stack.service.log.files()
    assert len(asked) == len({entry.file for entry in asked})
    assert {entry.file for entry in asked} == set(sizes) - recorded - finished
    assert {entry.file: entry.start for entry in asked if entry.start} == cut
    assert outputs["SKIPPED"] == len(recorded)
    missing = sum(size for name, size in sizes.items() if name not in recorded)
    assert outputs["BYTES"] == missing - sum(kept.values())
    assert [path.name for path in partial.iterdir()] == ["lock"]


def test_one_file_that_always_fails(stack, core, credentials, tmp_path):
    jobs = stack.add(20)
    bad = jobs[7]
    stack.service.faults.add(bad.archive.name, Fault(times=-1, status=503, retry_after="0"))
    code, messages, _ = core.run(core.job(credentials))
    assert code == 1
    assert messages[-1]["type"] == "error" and messages[-1]["kind"] == "RetrievalError"
    assert "1 of 20 products did not arrive" in messages[-1]["text"]
    assert bad.archive.stem in messages[-1]["text"]
    for job in jobs:
        if job is not bad:
            assert_complete(tmp_path / "products", job)
    assert len(stack.service.log.files(bad.archive.name)) == 5


def test_cancel_line_ends_a_download(stack, core, credentials, tmp_path):
    for job in stack.add(4, size=300_000):
        stack.service.faults.add(job.archive.name, Fault(rate=50_000))
    process = subprocess.Popen(
        [sys.executable, str(CORE)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    core.started.append(process)
    process.stdin.write(json.dumps(core.job(credentials)) + "\n")
    process.stdin.flush()
    wait_until(lambda: any(entry.sent for entry in stack.service.log.files()))
    out, _ = process.communicate('{"type": "cancel"}\n', timeout=PATIENCE)
    assert process.returncode == 130
    assert "next run continues" in json.loads(out.splitlines()[-1])["text"]
    names = {path.name for path in (tmp_path / "products").iterdir()}
    assert names <= {".hyp3_partial", "hyp3_manifest.json"}


def process_texts():
    """Arguments and environments of all processes of this machine."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            for name in ("cmdline", "environ"):
                try:
                    yield folder / name, (folder / name).read_bytes()
                except OSError:
                    continue


def assert_nowhere(secrets, texts):
    for place, text in texts:
        for secret in secrets:
            assert secret not in text, place


def file_texts(folder):
    return ((path, path.read_bytes()) for path in folder.rglob("*") if path.is_file())


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc")
@pytest.mark.parametrize("kind", ["token", "password"])
def test_secrets_are_nowhere(stack, core, tmp_path, kind):
    service = stack.service
    jobs = stack.add(2, size=100_000)
    for job in jobs:
        service.faults.add(job.archive.name, Fault(hold_after=50_000))
    proxies = {}
    if kind == "token":
        given = {"token": service.accounts.token("sample_user")}
        secrets = [given["token"].encode()]
    else:
        service.proxy_login = "jdoe:a hidden word"
        given = {"username": "sample_user", "password": service.user.password}
        given |= {"proxy_username": "jdoe", "proxy_password": "a hidden word"}
        # As written, and as HTTP sends it.
        secrets = [b"sample password", b"c2FtcGxlX3VzZXI6c2FtcGxlIHBhc3N3b3Jk"]
        secrets += [b"a hidden word", b"a%20hidden%20word", b"amRvZTphIGhpZGRlbiB3b3Jk"]
        proxies = {"https": service.proxy_url, "no_proxy": "127.0.0.1"}
    process = core.start(core.job(given, PROXIES=proxies, KEEP_ZIPS=True))
    wait_until(lambda: any(entry.sent for entry in service.log.files()))
    assert process.poll() is None
    assert_nowhere(secrets, process_texts())
    service.faults.clear()
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, out
    assert_nowhere(secrets, [("stdout", out.encode()), ("stderr", err.encode())])
    assert (tmp_path / "products" / "hyp3_manifest.json").exists()
    assert_nowhere(secrets, file_texts(tmp_path / "products"))
    assert_nowhere(secrets, file_texts(tmp_path / "cache"))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"token": "not.accepted.abcdef0123"}, "did not accept the credentials"),
        ({"token": "not accepted abcdef0123"}, "is not a token"),
        ({"username": "sample_user", "password": "wrong abcdef0123"}, "did not accept the user"),
    ],
)
def test_secrets_are_in_no_error(core, service, tmp_path, given, words):
    proxies = {"https": service.proxy_url, "no_proxy": "127.0.0.1"}
    code, messages, err = core.run(core.job(given, PROXIES=proxies))
    assert code == 1 and messages[-1]["kind"] == "AuthenticationError"
    assert words in messages[-1]["text"]
    assert "abcdef0123" not in json.dumps(messages) + err


def test_found_jobs_go_through_the_process(core, stack, credentials, tmp_path):
    stack.add(3, project="ridge")
    job = core.job(credentials, "findjobs", WORK_FOLDER=str(tmp_path))
    code, messages, err = core.run(job)
    assert code == 0, (messages, err)
    outputs = messages[-1]["outputs"]
    assert outputs["COUNT"] == 3 and outputs["PROJECTS"] == ["ridge"]
    assert len(json.loads(Path(outputs["FEATURES_FILE"]).read_text())["features"]) == 3
