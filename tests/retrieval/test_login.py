"""Logging in with token, password and cookie, against real sockets and real TLS."""

import pytest

from hyp3_stack.core.errors import AuthenticationError, InvalidParameterError, RetrievalError
from hyp3_stack.core.retrieval.jobs.listing import list_jobs
from hyp3_stack.core.retrieval.service.connection import checked_api_url
from hyp3_stack.core.retrieval.service.credentials import resolve_credentials
from hyp3_stack.core.retrieval.service.session import open_service
from hyp3_stack.core.run.proxies import proxy_environment
from tests.hyp3_server import Fault
from tests.hyp3_server.accounts import Account


def listing(service, given, reporter, proxies=None):
    credentials = resolve_credentials(given)
    with proxy_environment(proxies):
        opened = open_service(service.url, credentials, reporter)
        return list_jobs(opened, "INSAR_GAMMA", credentials, reporter)


def test_token(stack, credentials, reporter):
    stack.add(1)
    assert len(listing(stack.service, credentials, reporter)) == 1


def test_user_and_password(stack, login_proxy, reporter):
    stack.add(1)
    given = {"username": "sample_user", "password": "sample password"}
    assert len(listing(stack.service, given, reporter, login_proxy)) == 1
    logins = stack.service.log.of("urs.earthdata.nasa.gov")
    assert [entry.authorization for entry in logins] == ["Basic"]
    assert [e.authorization for e in stack.service.log.of("cumulus.asf.alaska.edu")] == [""]
    assert [entry.authorization for entry in stack.service.log.of("api")] == [""]


def test_password_outside_latin_1(stack, login_proxy, reporter):
    stack.add(1, user="özlem")
    stack.service.accounts.add(Account("özlem", "šifra €"))
    given = {"username": "özlem", "password": "šifra €"}
    assert len(listing(stack.service, given, reporter, login_proxy)) == 1


def test_wrong_password(service, login_proxy, reporter):
    given = {"username": "sample_user", "password": "not this"}
    with pytest.raises(AuthenticationError, match="did not accept the user name and password"):
        listing(service, given, reporter, login_proxy)


def test_unaccepted_conditions(service, login_proxy, reporter):
    service.accounts.add(Account("newcomer", "pw", approved=False))
    with pytest.raises(AuthenticationError, match=r"approval.*EULA.*open https://urs\S+approve"):
        listing(service, {"username": "newcomer", "password": "pw"}, reporter, login_proxy)


def test_login_out_of_order(service, login_proxy, reporter):
    service.login_status = 503
    with pytest.raises(RetrievalError, match=r"Earthdata Login is out of order \(HTTP 503\)"):
        listing(service, {"username": "a", "password": "b"}, reporter, login_proxy)


def test_login_out_of_reach(service, reporter):
    with pytest.raises(RetrievalError, match="The proxy http://127.0.0.1:9 cannot be reached"):
        listing(
            service,
            {"username": "a", "password": "b"},
            reporter,
            {"https": "http://127.0.0.1:9", "no_proxy": "127.0.0.1"},
        )


def test_token_that_the_service_does_not_accept(service, reporter):
    with pytest.raises(AuthenticationError, match=r"did not accept.*generate a new token"):
        listing(service, {"token": "some.other.token"}, reporter)


def test_token_that_expired_on_the_way_to_us(service, reporter):
    old = service.accounts.token("sample_user", lifetime=-5)
    with pytest.raises(AuthenticationError, match="expired on"):
        listing(service, {"token": old}, reporter)
    assert service.log.of("api") == []


def test_netrc_is_not_sent_along_with_a_token(stack, credentials, reporter, tmp_path):
    stack.add(1)
    (tmp_path / "no-netrc").write_text("default login someone password else\n")
    listing(stack.service, credentials, reporter)
    assert {entry.authorization for entry in stack.service.log.of("api")} == {"Bearer"}


def test_address_in_capitals_gets_the_token(stack, credentials, reporter):
    stack.add(1)
    resolved = resolve_credentials(credentials)
    address = stack.service.url.replace("127.0.0.1", "LocalHost")
    opened = open_service(checked_api_url(address), resolved, reporter)
    assert len(list_jobs(opened, "INSAR_GAMMA", resolved, reporter)) == 1


def test_a_busy_service_is_asked_again(stack, credentials, reporter):
    stack.add(1)
    stack.service.api_faults.add(
        "jobs", Fault(status=503), Fault(status=429, retry_after="0"), Fault(status=504)
    )
    assert len(listing(stack.service, credentials, reporter)) == 1


def test_a_service_that_stays_out_of_order(service, credentials, reporter):
    service.api_faults.add("jobs", Fault(times=-1, status=503, retry_after="0"))
    with pytest.raises(RetrievalError, match=r"out of order at the moment \(HTTP 503\)"):
        listing(service, credentials, reporter)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (429, r"too many requests; run this again in 3600 seconds, as it asks\."),
        (503, r"out of order .*; try again in 3600 seconds, as it asks\."),
    ],
)
def test_a_service_that_asks_for_a_long_pause(service, credentials, reporter, status, said):
    service.api_faults.add("jobs", Fault(times=-1, status=status, retry_after="3600"))
    with pytest.raises(RetrievalError, match=said):
        listing(service, credentials, reporter)
    assert len(service.log.of("api")) == 1


def test_not_a_hyp3_service(service, credentials, reporter):
    with pytest.raises(RetrievalError, match="check API_URL"):
        resolved = resolve_credentials(credentials)
        opened = open_service(f"{service.url}/nothing", resolved, reporter)
        list_jobs(opened, "INSAR_GAMMA", resolved, reporter)


def test_nobody_listens(service, credentials, reporter):
    resolved = resolve_credentials(credentials)
    opened = open_service("http://127.0.0.1:9", resolved, reporter)
    with pytest.raises(RetrievalError, match=r"http://127.0.0.1:9 cannot be reached"):
        list_jobs(opened, "INSAR_GAMMA", resolved, reporter)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("hyp3-api.asf.alaska.edu", "has to read like"),
        ("ftp://example.org", "has to read like"),
        ("https://[example", "has to read like"),
        ("https://example.org:99999", "has to read like"),
        ("http://example.org", "unencrypted"),
        ("https://me:secret@example.org", "must not contain"),
    ],
)
def test_unusable_addresses(url, words):
    with pytest.raises(InvalidParameterError, match=words) as caught:
        checked_api_url(url)
    assert "secret" not in str(caught.value)
