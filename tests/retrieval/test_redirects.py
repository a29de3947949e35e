"""Credentials go to the host that they are for, whatever redirects, pages and files say."""

import pytest
import requests

from hyp3_stack.core.errors import RetrievalError, StackError
from hyp3_stack.core.retrieval.service.connection import GuardedAdapter, guarded_session
from hyp3_stack.core.retrieval.service.origins import is_loopback, origin
from hyp3_stack.core.run.worker import run_task
from hyp3_stack.core.tasks import download_products, find_jobs
from tests.hyp3_server import Fault
from tests.hyp3_server.faults import gateway, redirect
from tests.hyp3_server.secure import FOREIGN_HOSTS, LOGIN_HOST, RETURN_HOST

NETRC = """\
machine urs.earthdata.nasa.gov login sample_user password "sample password"
machine localhost login me password SECRET-OF-LOCALHOST
machine 127.0.0.1 login me password SECRET-OF-LOOPBACK
default login anybody password SECRET-OF-DEFAULT
"""


@pytest.fixture(autouse=True)
def netrc(service, tmp_path):
    """A file with entries for every host that the tests lead to."""
    path = tmp_path / "no-netrc"
    path.write_text(NETRC)
    path.chmod(0o600)


@pytest.fixture
def find(service, reporter, tmp_path):
    def run(given, proxies=None):
        parameters = {"API_URL": service.url, "WORK_FOLDER": str(tmp_path), "PROXIES": proxies}
        return run_task(find_jobs, parameters, given, reporter)

    return run


def addresses(service, path):
    """Return addresses elsewhere, of every kind."""
    port = service.url.rpartition(":")[2]
    elsewhere = service.elsewhere_url
    return {
        "another host": f"{elsewhere}{path}",
        "another port": f"{elsewhere.replace('localhost', '127.0.0.1')}{path}",
        "another name of the host": f"http://localhost:{port}{path}",
        "without a scheme": f"{elsewhere.removeprefix('http:')}{path}",
        "a user in the address": f"http://127.0.0.1@{elsewhere.removeprefix('http://')}{path}",
        "an escaped user": f"http://127.0.0.1%3A{port}@{elsewhere.removeprefix('http://')}{path}",
        "a backslash": f"{elsewhere}\\@127.0.0.1:{port}{path}",
    }


KINDS = list(
    addresses(type("S", (), {"url": "http://a:1", "elsewhere_url": "http://localhost:2"}), "")
)


@pytest.mark.parametrize("way", ["token", "password"])
@pytest.mark.parametrize("kind", KINDS)
def test_listing_that_is_led_elsewhere(service, credentials, find, login_proxy, kind, way):
    service.api_faults.add("jobs", redirect(addresses(service, "/jobs")[kind]))
    with pytest.raises(StackError):
        find(*((credentials,) if way == "token" else (None, login_proxy)))
    first, *others = service.log.of("api")
    known = ("Bearer", False) if way == "token" else ("", True)
    assert (first.authorization, first.has_cookie) == known
    others = [entry for entry in others if entry.host != first.host]
    assert not any(entry.has_cookie or entry.authorization for entry in others)
    assert service.log.secrets().get("elsewhere", set()) == set()


@pytest.mark.parametrize("status", [401, 403])
def test_listing_that_is_led_to_where_it_is_refused(service, credentials, find, status):
    """A new token would not help: none is sent there."""
    service.api_faults.add("jobs", redirect(f"{service.elsewhere_url}/jobs"))
    service.api_faults.add("elsewhere", gateway(status, "No token"))
    with pytest.raises(RetrievalError) as caught:
        find(credentials)
    assert str(caught.value) == (
        f"{service.url} leads on to {service.elsewhere_url}, which is sent no credentials and "
        f"refuses the request (HTTP {status}: No token); write that address as API_URL if it is "
        "the service's own."
    )


def test_chain_of_redirects_back_to_the_service(stack, credentials, find):
    service = stack.service
    stack.add(1)
    service.api_faults.add("jobs", redirect(f"{service.elsewhere_url}/there"))
    service.api_faults.add("elsewhere", redirect(f"{service.url}/jobs?job_type=INSAR_GAMMA"))
    assert find(credentials)["COUNT"] == 1
    assert [entry.authorization for entry in service.log.of("api")] == ["Bearer", "Bearer"]
    assert service.log.secrets()["elsewhere"] == set()


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_login_that_is_led_elsewhere(service, find, login_proxy, host):
    service.api_faults.add(LOGIN_HOST, redirect(f"https://{host}/oauth/authorize?x=1"))
    with pytest.raises(RetrievalError, match="Earthdata Login did not answer as usual"):
        find(None, login_proxy)
    secrets = service.log.secrets()
    assert secrets[LOGIN_HOST] == {"Basic"} and secrets[host] == set()


@pytest.mark.parametrize("host", [*FOREIGN_HOSTS, LOGIN_HOST, RETURN_HOST])
def test_login_that_is_led_to_a_host_without_encryption(service, find, login_proxy, host):
    service.api_faults.add(LOGIN_HOST, redirect(f"http://{host}/oauth/authorize"))
    with pytest.raises(RetrievalError):
        find(None, {**login_proxy, "http": service.proxy_url})
    assert any(entry.path.startswith(f"http://{host}/") for entry in service.log.of("proxy"))
    assert service.log.secrets()["proxy"] == set()


def test_cookie_of_the_login_stays_at_its_hosts(service, find, login_proxy):
    """The page behind the login sends the user on, with the cookie in hand."""
    leading = redirect(f"https://{FOREIGN_HOSTS[1]}/x")
    leading.headers["Set-Cookie"] = "asf-urs=abc; Domain=.asf.alaska.edu; Path=/"
    service.api_faults.add(RETURN_HOST, leading)
    service.api_faults.add(FOREIGN_HOSTS[1], redirect(f"http://{RETURN_HOST}/y"))
    with pytest.raises(RetrievalError):
        find(None, {**login_proxy, "http": service.proxy_url})
    assert service.log.secrets()[FOREIGN_HOSTS[1]] == set()
    assert service.log.secrets()["proxy"] == set()


@pytest.mark.parametrize("kind", KINDS)
def test_product_that_is_led_elsewhere(stack, credentials, parameters, reporter, kind):
    service = stack.service
    job = stack.add_one(0)
    target = addresses(service, f"/{job.job_id}/{job.archive.name}")[kind]
    service.faults.add(job.archive.name, redirect(target))
    try:
        outcome = download_products.run(parameters, credentials, reporter)["DOWNLOADED"]
    except RetrievalError:
        outcome = 0
    # How a library reads two backslashes is its own affair.
    assert outcome == 1 or kind == "a backslash"
    secrets = service.log.secrets()
    assert secrets["files"] == set() and secrets.get("elsewhere", set()) == set()


def test_rest_of_a_product_that_is_led_elsewhere(stack, credentials, parameters, reporter):
    service = stack.service
    job = stack.add_one(0, size=200_000)
    name = job.archive.name
    target = f"{service.elsewhere_url}/{job.job_id}/{name}"
    service.faults.add(name, Fault(cut_after=150_000), redirect(target))
    assert download_products.run(parameters, credentials, reporter)["DOWNLOADED"] == 1
    (there,) = service.log.of("elsewhere")
    assert there.start == 150_000
    assert service.log.secrets()["elsewhere"] == set()


def test_layers_that_are_led_elsewhere(stack, credentials, parameters, reporter):
    service = stack.service
    job = stack.add_one(0)
    name = f"{job.archive.stem}_corr.tif"
    service.faults.add(name, redirect(f"{service.elsewhere_url}/{job.job_id}/{name}"))
    parameters["LAYERS"] = "corr"
    assert download_products.run(parameters, credentials, reporter)["DOWNLOADED"] == 1
    assert service.log.secrets() == {"api": {"Bearer"}, "files": set(), "elsewhere": set()}


@pytest.mark.parametrize("kind", ["another host", "another port", "without encryption"])
def test_catalog_that_is_led_elsewhere(stack, credentials, find, kind):
    service = stack.service
    stack.add(1)
    target = service.elsewhere_url
    if kind == "another port":
        target = target.replace("localhost", "127.0.0.1")
    service.api_faults.add("catalog", redirect(f"{target}/search"))
    assert find(credentials)["COUNT"] == 1
    assert service.log.secrets()["catalog"] == set()
    assert service.log.secrets()["elsewhere"] == set()


def test_file_of_passwords_in_another_encoding_is_not_looked_at(
    stack, credentials, parameters, reporter, tmp_path
):
    """The HTTP library would read it at every redirect, and fail."""
    (tmp_path / "no-netrc").write_bytes(NETRC.encode("utf-16"))
    job = stack.add_one(0)
    name = job.archive.name
    stack.service.faults.add(name, redirect(f"{stack.service.elsewhere_url}/{job.job_id}/{name}"))
    assert download_products.run(parameters, credentials, reporter)["DOWNLOADED"] == 1


def test_a_proxy_elsewhere_does_not_see_what_is_for_this_computer(
    stack, credentials, find, monkeypatch
):
    stack.add(1)
    # Nobody answers there; the way to this computer itself needs no proxy.
    assert find(credentials, {"http": "http://192.0.2.1:9", "no_proxy": ""})["COUNT"] == 1
    assert stack.service.log.secrets()["api"] == {"Bearer"}


class Recording(GuardedAdapter):
    """Notes what it would send to hosts that are not there."""

    def get_connection_with_tls_context(self, request, *args, **kwargs):
        self.sent = dict(request.headers)
        raise requests.ConnectionError


@pytest.mark.parametrize(
    ("meant_for", "asked", "is_sent"),
    [
        ("https://Example.org", "https://example.org/jobs", True),
        ("https://example.org:443/api", "https://example.org/jobs", True),
        ("https://example.org", "https://EXAMPLE.org:443/jobs", True),
        ("https://example.org", "https://someone@example.org/jobs", True),
        ("http://127.0.0.7:80", "http://127.0.0.7/jobs", True),
        ("http://[::1]:8080", "http://[::1]:8080/jobs", True),
        ("http://localhost:80", "http://LOCALHOST/jobs", True),
        ("https://example.org", "http://example.org/jobs", False),
        ("http://example.org", "http://example.org/jobs", False),
        ("http://127.0.0.1.example.org", "http://127.0.0.1.example.org/jobs", False),
        ("http://localhost.example.org", "http://localhost.example.org/jobs", False),
        ("https://example.org", "https://example.org:8443/jobs", False),
        ("https://example.org", "https://example.com/jobs", False),
        ("https://example.org", "https://example.org.evil.example/jobs", False),
        ("https://example.org", "https://example.org@evil.example/jobs", False),
        ("https://example.org", "https://evil.example/?https://example.org", False),
        ("https://example.org", "https://evil.example#@example.org", False),
        ("https://example.org", "https://evil.example\\@example.org/", False),
    ],
)
def test_one_origin(meant_for, asked, is_sent):
    secrets = {origin(meant_for): {"Authorization": "Bearer word", "Cookie": "asf-urs=word"}}
    adapter = Recording(secrets)
    session = requests.Session()
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    with pytest.raises(requests.ConnectionError):
        session.get(asked, headers={"Authorization": "Basic of-somebody"})
    assert adapter.sent.get("Authorization") == ("Bearer word" if is_sent else None)
    assert ("Cookie" in adapter.sent) is is_sent


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.255.0.3", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("128.0.0.1", False),
        ("localhost.example", False),
        ("127.0.0.1.example", False),
        ("127.1", False),
        ("", False),
    ],
)
def test_this_computer(host, expected):
    assert is_loopback(host) is expected


def test_session_that_has_ended(service):
    session = guarded_session()
    assert session.get(f"{service.url}/costs").status_code == 200
    session.close()
    with pytest.raises(requests.ConnectionError, match="has ended"):
        session.get(f"{service.url}/costs")
