"""Making the core environment: real virtual environments, and every way in which it fails."""

import hashlib
import io
import shutil
import subprocess
import sys
import tarfile
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pip
import pytest

from hyp3_stack.processing_provider.environment import environment
from hyp3_stack.processing_provider.environment.environment import EnvironmentBuilder, SetupError
from hyp3_stack.processing_provider.environment.interpreter import (
    Places,
    environment_python,
)
from hyp3_stack.processing_provider.process.core_process import CoreCanceledError
from tests.hyp3_server import Hyp3Service

from .recorder import Recorder

pytestmark = pytest.mark.slow

# Nothing listens there, so every look-up of a package fails at once.
OFFLINE = {
    "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
    "PIP_EXTRA_INDEX_URL": "",
    "PIP_FIND_LINKS": "",
    "PIP_CONFIG_FILE": "/dev/null",
    "PIP_RETRIES": "1",
    "PIP_NO_CACHE_DIR": "1",
}


@pytest.fixture
def places(tmp_path):
    lock = tmp_path / "requirements.lock"
    lock.write_text("nothing-of-this-name==1.0 \\\n    --hash=sha256:" + "0" * 64 + "\n")
    return Places(tmp_path / "a profile", lock)


@pytest.fixture
def offline(monkeypatch):
    for name, value in OFFLINE.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def empty_environment(tmp_path_factory):
    """A virtual environment with pip only, copied, which takes less long than to unpack it."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    packages = next(folder.glob("lib/*/site-packages"))
    for path in Path(pip.__path__[0]).parent.glob("pip*"):
        shutil.copytree(path, packages / path.name)
    return str(environment_python(folder, sys.platform))


@pytest.fixture
def quick_base(empty_environment, tmp_path):
    """A Python whose module venv copies an environment, which takes no three seconds."""
    return python(tmp_path, f"cp -a '{Path(empty_environment).parents[1]}' \"$3\"")


def python(folder, text):
    """Write what is started as the Python that the user has chosen."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def existing(places):
    """Put something where a working environment would be."""
    places.environment.mkdir(parents=True)
    (places.environment / "kept").write_text("as it was")


def assert_untouched(places):
    assert [path.name for path in places.environment.iterdir()] == ["kept"]
    assert [path.name for path in places.home.iterdir()] == ["environment"]


def fail(places, base=sys.executable, feedback=None):
    with pytest.raises(SetupError) as caught:
        EnvironmentBuilder(places, feedback or Recorder()).build(base)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_without_network(places, offline, quick_base):
    existing(places)
    feedback = Recorder()
    assert "package index cannot be reached" in fail(places, quick_base, feedback)
    assert_untouched(places)
    assert "127.0.0.1" in "\n".join(feedback.debug)


def test_a_package_that_differs_from_its_checksum(
    places, offline, empty_environment, tmp_path, monkeypatch
):
    import zipfile

    wheel = tmp_path / "nothing_of_this_name-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr(
            "nothing_of_this_name-1.0.dist-info/METADATA",
            "Metadata-Version: 2.1\nName: nothing-of-this-name\nVersion: 1.0\n",
        )
        file.writestr("nothing_of_this_name-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\n")
        file.writestr("nothing_of_this_name-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(SetupError, match="differs from what the lock file says"):
        EnvironmentBuilder(places, Recorder())._install(empty_environment)


def test_a_lock_that_lacks_packages_is_noticed_by_the_check(places):
    places.lock.write_text("# nothing\n")
    existing(places)
    with pytest.raises(Exception, match="lacks: numpy"):
        EnvironmentBuilder(places, Recorder()).build(sys.executable)
    assert_untouched(places)


def test_cancel_while_packages_are_installed(places, offline, quick_base):
    existing(places)
    with pytest.raises(CoreCanceledError, match="canceled"):
        EnvironmentBuilder(places, Recorder("Installing")).build(quick_base)
    deadline = time.monotonic() + 60
    while len(list(places.home.iterdir())) > 1 and time.monotonic() < deadline:
        time.sleep(0.1)  # what was begun is removed beside the run
    assert_untouched(places)


def test_a_python_without_venv(places, tmp_path):
    base = python(tmp_path, "echo 'No module named venv' >&2\nexit 1")
    assert "apt install python3-venv" in fail(places, base)


def test_a_base_that_cannot_be_started(places, tmp_path):
    assert "cannot be started" in fail(places, str(tmp_path / "missing"))


def test_a_profile_that_cannot_be_written(places):
    places.profile.parent.mkdir(exist_ok=True)
    places.profile.write_text("a file where the profile should be")
    assert "cannot be written" in fail(places)


def test_a_missing_lock_file(places):
    places.lock.unlink()
    assert "install the plugin again" in fail(places)


def test_too_little_space(places, monkeypatch):
    monkeypatch.setattr(environment, "NEEDED_BYTES", 10**18)
    assert "free some space" in fail(places)


def test_what_an_interrupted_set_up_left_is_removed(places, tmp_path):
    places.unfinished.mkdir(parents=True)
    (places.unfinished / "rest").write_text("")
    feedback = Recorder()
    fail(places, str(tmp_path / "missing"), feedback)
    assert "Removing what an interrupted set-up left." in feedback.infos
    assert not places.unfinished.exists()


def test_removing_tens_of_thousands_of_files_does_not_hold_a_run(places, tmp_path, monkeypatch):
    removed, slow = [], threading.Event()

    def remove(path, ignore_errors):
        slow.wait(60)
        removed.append(path)

    monkeypatch.setattr(environment.shutil, "rmtree", remove)
    places.unfinished.mkdir(parents=True)
    feedback = Recorder()
    feedback.canceled = True
    begin = time.monotonic()
    fail(places, str(tmp_path / "missing"), feedback)
    assert time.monotonic() - begin < 30
    assert not places.unfinished.exists()
    assert not removed
    slow.set()


def test_what_was_not_removed_in_time_is_removed_later(places, tmp_path):
    left = places.home / f"environment.0{environment._DISCARDED}"
    left.mkdir(parents=True)
    fail(places, str(tmp_path / "missing"))
    assert not left.exists()


LOGIN = {"proxy_username": "jdoe", "proxy_password": "a p@ss/word"}


@pytest.fixture
def company(offline, monkeypatch):
    """A package index behind a proxy; it has no packages."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    with Hyp3Service() as service:
        service.proxy_login = "jdoe:a p@ss/word"
        monkeypatch.setenv("PIP_INDEX_URL", "https://packages.example.org/simple")
        yield service


@pytest.fixture
def fail_behind(places, empty_environment):
    """Install behind a proxy and return why that fails."""

    def run(proxy, login, feedback=None):
        proxies = {"http": proxy, "https": proxy}
        builder = EnvironmentBuilder(places, feedback or Recorder(), proxies, login)
        with pytest.raises(SetupError) as caught:
            builder._install(empty_environment)
        return str(caught.value)

    return run


def test_a_proxy_that_asks_for_a_login(fail_behind, company):
    text = fail_behind(company.proxy_url, LOGIN)
    assert f"The proxy {company.proxy_url} does not connect to the package index" in text
    assert {entry.status for entry in company.log.of("proxy")} == {502}


@pytest.mark.parametrize("login", [{}, {**LOGIN, "proxy_password": "another"}])
def test_a_proxy_that_does_not_let_in(fail_behind, company, login):
    feedback = Recorder()
    text = fail_behind(company.proxy_url, login, feedback)
    assert text.startswith(f"The proxy {company.proxy_url} does not accept the user name")
    assert "Settings > Options > Network" in text
    assert "another" not in text + str(vars(feedback))


@pytest.mark.parametrize(
    ("proxy", "words"),
    [
        ("http://127.0.0.1:9", "The proxy http://127.0.0.1:9 cannot be reached"),
        ("socks5h://127.0.0.1:9", "through the proxy socks5h://127.0.0.1:9"),
    ],
)
def test_a_proxy_that_does_not_serve(fail_behind, company, proxy, words):
    text = fail_behind(proxy, LOGIN)
    assert words in text and "jdoe" not in text


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://jdoe:a%20p%40ss%2Fword@{host}", "does not connect"),
        ("{host}", "does not accept the user name and password for it, or got none"),
        ("jdoe:a%20p%40ss%2Fword@{host}", "has an address that pip cannot read"),
    ],
)
def test_variables_that_the_user_has_set_count(fail_behind, company, monkeypatch, address, words):
    host = company.proxy_url.partition("//")[2]
    monkeypatch.setenv("https_proxy", address.format(host=host))
    feedback = Recorder()
    text = fail_behind("http://127.0.0.1:9", {}, feedback)
    assert text.startswith(f"The proxy {company.proxy_url} {words}")
    assert "p%40ss" not in text + str(vars(feedback))


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
def test_the_login_of_a_proxy_is_seen_nowhere(fail_behind, company):
    seen, asked = [], []

    class Proxy(BaseHTTPRequestHandler):
        def do_CONNECT(self):
            asked.append(self.headers["Proxy-Authorization"])
            for path in Path("/proc").glob("[0-9]*/*"):
                if path.name in ("cmdline", "environ"):
                    with suppress(OSError):
                        seen.extend(
                            path for word in (b"p@ss", b"p%40ss") if word in path.read_bytes()
                        )
            self.send_error(404)

    with HTTPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        feedback = Recorder()
        fail_behind(f"http://127.0.0.1:{server.server_port}", LOGIN, feedback)
        server.shutdown()
    assert asked[0].startswith("Basic ")
    assert seen == []
    assert "p@ss" not in str(vars(feedback))


def test_no_program_of_the_set_up_gets_credentials(places, tmp_path, monkeypatch):
    hidden = (
        "EARTHDATA_USERNAME EARTHDATA_PASSWORD AWS_SECRET_ACCESS_KEY AWS_PROFILE GITHUB_TOKEN "
        "QGIS_AUTH_PASSWORD_FILE PGPASSWORD my_api_key CLIENT_SECRET SSH_PASSPHRASE"
    ).split()
    shown = ["PIP_INDEX_URL", "PIP_CERT", "HTTPS_PROXY", "NETRC", "LANG_OF_THE_TEST"]
    for name in (*hidden, *shown):
        monkeypatch.setenv(name, "value")
    noted = tmp_path / "environment"
    fail(places, python(tmp_path, f"env > '{noted}'\nexit 1"))
    names = {line.partition("=")[0] for line in noted.read_text().splitlines()}
    assert not names & set(hidden)
    assert names > {"PATH", *shown}


def test_no_package_is_built(places, offline, empty_environment, tmp_path, monkeypatch):
    ran = tmp_path / "ran"
    source = f"open({str(ran)!r}, 'w').close()\n".encode()
    archive = tmp_path / "nothing_of_this_name-1.0.tar.gz"
    with tarfile.open(archive, "w:gz") as file:
        entry = tarfile.TarInfo("nothing_of_this_name-1.0/setup.py")
        entry.size = len(source)
        file.addfile(entry, io.BytesIO(source))
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    places.lock.write_text(f"nothing-of-this-name==1.0 --hash=sha256:{digest}\n")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_NO_BINARY", ":all:")
    with pytest.raises(SetupError, match="not available for this Python and platform"):
        EnvironmentBuilder(places, Recorder())._install(empty_environment)
    assert not ran.exists()
