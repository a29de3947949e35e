"""The proxy of a run, with and without a login, against real sockets."""

import os

import pytest

from hyp3_stack.core.contract import PROXY_PASSWORD, PROXY_USERNAME
from hyp3_stack.core.errors import InvalidParameterError, RetrievalError
from hyp3_stack.core.run.proxies import proxy_environment
from hyp3_stack.core.run.worker import run_task
from hyp3_stack.core.tasks import find_jobs

LOGIN = {PROXY_USERNAME: "jdoe", PROXY_PASSWORD: "a secret word"}


@pytest.fixture
def find(service, reporter, credentials, tmp_path):
    """Find jobs through the proxy of the service, or another one."""

    def run(login=None, proxy=None, given=credentials):
        address = proxy or service.proxy_url
        proxies = {"http": address, "https": address}
        if "token" not in given:  # Earthdata Login only
            proxies["no_proxy"] = "127.0.0.1"
        parameters = {"API_URL": service.url, "WORK_FOLDER": str(tmp_path), "PROXIES": proxies}
        return run_task(find_jobs, parameters, {**given, **(login or {})}, reporter)["COUNT"]

    return run


@pytest.mark.parametrize(
    ("user", "password"),
    [
        ("jdoe", "a secret word"),
        ("jdoe", "p@ss:w/rd?#%41+&"),
        ("COMPANY\\jdoe", "100%"),
        ("jürgen", "straße"),
        ("jdoe", "š €"),
        ("jdoe", ""),
    ],
)
def test_a_login_with_any_characters(stack, find, user, password):
    stack.add(1)
    stack.service.proxy_login = f"{user}:{password}"
    assert find({PROXY_USERNAME: user, PROXY_PASSWORD: password}) == 1
    assert 407 not in {entry.status for entry in stack.service.log.of("proxy")}


def test_a_login_that_is_part_of_the_address(stack, find):
    stack.add(1)
    stack.service.proxy_login = "me:hidden"
    address = stack.service.proxy_url.replace("//", "//me:hidden@")
    assert find(LOGIN, address) == 1


PASSWORD = {"username": "sample_user", "password": "sample password"}


@pytest.mark.parametrize("given", [None, PASSWORD], ids=["plain", "tunnel"])
@pytest.mark.parametrize(
    ("login", "words"),
    [
        (LOGIN, "does not accept its user name and password"),
        ({PROXY_USERNAME: "jdoe", PROXY_PASSWORD: ""}, "does not accept its user name"),
        (None, "asks for a user name and password"),
    ],
)
def test_a_proxy_that_does_not_let_in(service, find, credentials, given, login, words):
    service.proxy_login = "jdoe:another word"
    with pytest.raises(RetrievalError, match=words) as caught:
        find(login, given=given or credentials)
    text = str(caught.value)
    assert text.startswith(f"The proxy {service.proxy_url} ") and text.endswith(".")
    assert "Settings > Options > Network" in text
    assert "secret" not in text and "jdoe" not in text


def test_a_proxy_that_is_not_there(find):
    with pytest.raises(RetrievalError, match="The proxy http://127.0.0.1:9 cannot be reached"):
        find(LOGIN, "http://127.0.0.1:9")


def test_a_proxy_that_does_not_connect(service, find, monkeypatch):
    monkeypatch.setattr("tests.hyp3_server.proxy.HOSTS", ())
    with pytest.raises(RetrievalError, match=r"does not connect to urs\S+ \(HTTP 502\)"):
        find(given=PASSWORD)


@pytest.mark.parametrize(
    "proxies",
    [
        "http://me:secret@proxy:1",
        ["http://me:secret@proxy:1"],
        {"https": ["http://me:secret@proxy:1"]},
        {"http": 8080},
        {"http": "http://secret\0:1"},
        {"https": "http://secret\ud800:1"},
    ],
)
def test_proxies_that_are_no_object_of_addresses(proxies):
    with pytest.raises(InvalidParameterError, match="PROXIES has to be an object") as caught:
        proxy_environment(proxies).__enter__()
    assert "secret" not in str(caught.value)


def test_a_socks_proxy():
    with pytest.raises(InvalidParameterError, match="SOCKS proxy, which HyP3 Stack does not"):
        proxy_environment({"https": "socks5h://127.0.0.1:1080"}).__enter__()


@pytest.mark.parametrize("address", ["127.0.0.1:9", "localhost:9", "me:hidden@127.0.0.1:9"])
@pytest.mark.parametrize("name", ["http_proxy", "ALL_PROXY"])
def test_a_proxy_of_the_environment_without_a_scheme(
    service, credentials, reporter, tmp_path, monkeypatch, name, address
):
    monkeypatch.setenv(name, address)
    parameters = {"API_URL": service.url, "WORK_FOLDER": str(tmp_path)}
    with pytest.raises(RetrievalError) as caught:
        run_task(find_jobs, parameters, credentials, reporter)
    host = address.rpartition("@")[2]
    assert str(caught.value).startswith(f"The proxy http://{host} cannot be reached; correct")


@pytest.mark.parametrize(
    "address",
    [
        "socks5h://me:hidden@127.0.0.1:9",
        "socks4://127.0.0.1:9",
        "ftp://127.0.0.1:9",
        "http://:8080",
        "http://me:hidden@[::1",
        "127.0.0.1:99999",
    ],
)
def test_a_proxy_of_the_environment_of_another_kind(stack, download, monkeypatch, address):
    job = stack.add_one(0)
    job.record["files"][0]["url"] = f"http://192.0.2.1:9/{job.archive.name}"
    monkeypatch.setenv("http_proxy", address)
    with pytest.raises(RetrievalError) as caught:
        download()
    host = address.rpartition("//")[2].rpartition("@")[2]
    assert f"{host} cannot be used, because only HTTP proxies" in str(caught.value)
    assert "hidden" not in str(caught.value)


def test_proxies_are_taken_back(monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://before:1")
    with proxy_environment({"http": "http://a:2", "https": "http://b:3"}, LOGIN):
        assert os.environ["HTTPS_PROXY"] == os.environ["https_proxy"]
        assert os.environ["https_proxy"] == "http://jdoe:a%20secret%20word@b:3"
    assert os.environ["HTTPS_PROXY"] == "http://before:1"
    assert "HTTP_PROXY" not in os.environ and "http_proxy" not in os.environ
