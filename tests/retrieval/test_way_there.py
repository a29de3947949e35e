"""What stands between a run and the services: certificates, proxies, firewalls, odd catalogs."""

import json

import pytest

from hyp3_stack.core.errors import RetrievalError
from hyp3_stack.core.retrieval.service.credentials import resolve_credentials
from hyp3_stack.core.retrieval.service.service_failures import unreachable
from hyp3_stack.core.retrieval.service.session import open_service
from hyp3_stack.core.run.proxies import proxy_environment
from hyp3_stack.core.run.worker import run_task
from hyp3_stack.core.tasks import find_jobs
from tests.hyp3_server import Fault
from tests.hyp3_server.faults import gateway, packed, page, redirect, said
from tests.hyp3_server.secure import LOGIN_HOST, RETURN_HOST, UNCERTIFIED_HOST, granule_items

from .products import granule

UNTRUSTED = "is not trusted; if a proxy replaces certificates, point REQUESTS_CA_BUNDLE at its"


@pytest.fixture
def find(stack, credentials, reporter, tmp_path):
    """Returns the warning of a listing whose jobs are found without the catalog's facts."""

    def run():
        stack.add(1)
        parameters = {"API_URL": stack.service.url, "WORK_FOLDER": str(tmp_path)}
        assert run_task(find_jobs, parameters, credentials, reporter)["COUNT"] == 1
        (feature,) = json.loads((tmp_path / "jobs.geojson").read_text())["features"]
        assert feature["geometry"] is None
        (warning,) = reporter.warnings
        assert warning.endswith(
            "Footprints, and directions that are not in the names, are missing."
        )
        return warning

    return run


def port(url):
    return url.rpartition(":")[2]


def test_certificates_replaced_on_the_way_to_the_catalog(find, service, monkeypatch):
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
    warning = find()
    host = f"https://127.0.0.1:{port(service.catalog_url)}"
    assert f"The ASF catalog is out of reach: The certificate of {host} {UNTRUSTED}" in warning


def test_certificate_of_another_host(find, service, monkeypatch):
    monkeypatch.setenv("HYP3_STACK_CMR_URL", f"https://{UNCERTIFIED_HOST}")
    monkeypatch.setenv("https_proxy", service.proxy_url)
    assert "belongs to another host, as on the login page of a network" in find()


def test_no_encryption_where_there_should_be(find, service, monkeypatch):
    monkeypatch.setenv("HYP3_STACK_CMR_URL", f"https://127.0.0.1:{port(service.url)}")
    assert "does not speak TLS" in find()


def test_bundle_that_is_not_there(find, monkeypatch, tmp_path):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "gone.pem"))
    with pytest.raises(RetrievalError, match="REQUESTS_CA_BUNDLE names .*gone.pem, which is not"):
        find()


def test_bundle_without_certificates(find, monkeypatch, tmp_path):
    (tmp_path / "empty.pem").write_text("no certificate\n")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "empty.pem"))
    assert "The file that REQUESTS_CA_BUNDLE names holds no certificates" in find()


def test_certificates_replaced_on_the_way_to_a_login(service, login_proxy, reporter, monkeypatch):
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    given = resolve_credentials({"username": "a", "password": "b"})
    with proxy_environment(login_proxy), pytest.raises(RetrievalError) as caught:
        open_service(service.url, given, reporter)
    assert str(caught.value).startswith(f"The certificate of https://{LOGIN_HOST} {UNTRUSTED}")


def test_certificates_replaced_on_the_way_to_a_product(stack, download, monkeypatch):
    job = stack.add_one(0)
    address = f"{stack.service.catalog_url}/{job.job_id}/{job.archive.name}"
    job.record["files"][0]["url"] = address
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with pytest.raises(RetrievalError) as caught:
        download()
    assert UNTRUSTED in str(caught.value) and "order" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("certificate verify failed: certificate has expired", "check the clock of this"),
        ("certificate verify failed: certificate is not yet valid", "check the clock of this"),
        ("certificate verify failed: self-signed certificate in certificate chain", UNTRUSTED),
        ("Hostname mismatch, certificate is not valid for 'x'", "belongs to another host"),
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number", "does not speak TLS; check API_URL"),
        ("[SSL: TLSV1_ALERT_INTERNAL_ERROR]", "No secure connection to https://h could be made"),
    ],
)
def test_what_openssl_says(text, words):
    from requests.exceptions import SSLError

    assert words in str(unreachable(SSLError(text), "https://h", address="API_URL"))


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (page(200, "Blocked"), "JSONDecodeError: something on the way may answer in its place"),
        (page(403, "Blocked"), "(HTTP 403 (Blocked); try it without VPN or proxy"),
        (gateway(403, "Forbidden"), "(HTTP 403 (Forbidden); try it without VPN or proxy"),
        (gateway(429, "Too Many Requests"), "(HTTP 429 (Too Many Requests))"),
        (Fault(status=200, content=b""), "JSONDecodeError: something on the way"),
        (Fault(status=200, content=b"[]"), "TypeError: something on the way"),
        (Fault(status=200, content=b"[" * 100_000), "RecursionError: something on the way"),
        (said({"hits": 1}), "KeyError: something on the way"),
        (said({"hits": 1, "items": [7]}), "something on the way"),
        (said({"hits": "x", "items": []}), "something on the way"),
        (packed(3 << 30), "gives an answer that does not end"),
        (Fault(content=b"[" * 10**6, endless=True), "gives an answer that does not end"),
    ],
)
def test_odd_answers_of_the_catalog(find, service, fault, words):
    fault.times = -1
    service.api_faults.add("catalog", fault)
    assert words in find()


def test_catalog_that_pages_without_end(find, service):
    item = granule_items(granule(0), 5, True, [])[1]
    pages = said({"hits": 10**9, "items": [item] * 3}, times=-1)
    pages.headers["CMR-Search-After"] = "again"
    service.api_faults.add("catalog", pages)
    assert "gives an answer that does not end" in find()


def test_catalog_that_is_silent(find, service, monkeypatch):
    monkeypatch.setattr("asf_search.constants.INTERNAL.CMR_TIMEOUT", 0.3)
    service.api_faults.add("catalog", Fault(content=b"  ", rate=1, times=-1))
    assert "out of reach: https://127.0.0.1:" in (text := find())
    assert "did not answer in time; try again later." in text


def test_catalog_that_leads_in_a_circle(find, service):
    service.api_faults.add("catalog", redirect(f"{service.elsewhere_url}/a", times=-1))
    service.api_faults.add("elsewhere", redirect(f"{service.elsewhere_url}/a", times=-1))
    assert "leads from one address to the next without end" in find()


@pytest.mark.parametrize("value", ["north", float("inf"), float("nan"), 10**400, None, [1]])
def test_entry_of_the_catalog_that_cannot_be_read(stack, credentials, reporter, tmp_path, value):
    """The scene counts as unknown; the others have their footprints."""
    stack.add(2)
    scenes = [granule(0), granule(1), granule(2)]
    items = [item for name in scenes for item in stack.service.granules(name)]
    for item in items:
        if item["umm"]["GranuleUR"] == f"{granule(0)}-SLC":
            area = item["umm"]["SpatialExtent"]["HorizontalSpatialDomain"]["Geometry"]
            area["GPolygons"][0]["Boundary"]["Points"][0]["Longitude"] = value
    stack.service.api_faults.add("catalog", said({"hits": len(items), "items": items}))
    parameters = {"API_URL": stack.service.url, "WORK_FOLDER": str(tmp_path)}
    assert run_task(find_jobs, parameters, credentials, reporter)["COUNT"] == 2
    features = json.loads((tmp_path / "jobs.geojson").read_text())["features"]
    assert all(feature["geometry"] for feature in features) and reporter.warnings == []


@pytest.mark.parametrize(
    ("host", "fault", "words"),
    [
        (LOGIN_HOST, page(200, "Guest network"), r"did not answer as usual .* \(Guest network\)"),
        (LOGIN_HOST, page(403, "Blocked"), r"\(HTTP 403\) \(Blocked\), as if a web filter"),
        (LOGIN_HOST, page(401, "Proxy login"), r"\(HTTP 401\) \(Proxy login\), as if a web filter"),
        (LOGIN_HOST, gateway(401, "Unauthorized"), "did not accept the user name and password"),
        (LOGIN_HOST, gateway(429, "Too Many"), r"is out of order \(HTTP 429\); try again later"),
        (LOGIN_HOST, packed(3 << 30), "gives an answer that does not end"),
        (LOGIN_HOST, redirect(f"https://{LOGIN_HOST}/x"), r"did not answer as usual \(HTTP 404"),
        (RETURN_HOST, page(200, "Welcome"), r"did not answer as usual \(HTTP 200\) \(Welcome\)"),
        (RETURN_HOST, Fault(status=500, content=b""), r"is out of order \(HTTP 500\)"),
    ],
)
def test_odd_answers_at_the_login(service, login_proxy, reporter, tmp_path, host, fault, words):
    service.api_faults.add(host, fault)
    parameters = {
        "API_URL": service.url,
        "WORK_FOLDER": str(tmp_path),
        "PROXIES": login_proxy,
    }
    given = {"username": "sample_user", "password": "sample password"}
    with pytest.raises(RetrievalError, match=words) as caught:
        run_task(find_jobs, parameters, given, reporter)
    assert "API_URL" not in str(caught.value) and service.log.of("api") == []


def test_approval_that_is_asked_for_at_a_strange_address(service, login_proxy, reporter, tmp_path):
    leading = (
        f"https://{RETURN_HOST}/login?error_msg=Accept&resolution_url=https%3A%2F%2Fevil.example"
    )
    service.api_faults.add(LOGIN_HOST, redirect(leading))
    parameters = {"API_URL": service.url, "WORK_FOLDER": str(tmp_path), "PROXIES": login_proxy}
    with pytest.raises(
        RetrievalError, match=r"approval first \(Accept\); open https://urs"
    ) as caught:
        run_task(find_jobs, parameters, {"username": "a", "password": "b"}, reporter)
    assert "evil" not in str(caught.value)
