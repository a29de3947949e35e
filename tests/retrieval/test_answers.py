"""What a service, or something in front of it, may answer, and the sentence for each."""

import contextlib
import math
import socket
import threading

import pytest
import requests

from hyp3_stack.core.errors import AuthenticationError, NoProductsError, RetrievalError
from hyp3_stack.core.parameters.job_parameters import PRODUCTION_API
from hyp3_stack.core.retrieval.service.answers import Speaker, judge
from hyp3_stack.core.retrieval.service.connection import (
    AnswerLimits,
    AnswerTooSlowError,
    guarded_session,
)
from hyp3_stack.core.retrieval.service.service_failures import (
    NotFoundError,
    address_parameter,
    page_instead,
    strange,
    unreachable,
)
from hyp3_stack.core.tasks import find_jobs
from tests.hyp3_server import Fault
from tests.hyp3_server.faults import gateway, packed, page, redirect, said, storage

pytestmark = pytest.mark.faults


@pytest.fixture
def listing(stack, credentials, reporter, tmp_path):
    """Returns the sentence with which a listing ends after an answer."""

    def run(*faults, expected=RetrievalError, **parameters):
        stack.service.api_faults.add("jobs", *faults)
        with pytest.raises(expected) as caught:
            find_jobs.run(
                {"API_URL": stack.service.url, "WORK_FOLDER": str(tmp_path), **parameters},
                credentials,
                reporter,
            )
        assert not (tmp_path / "jobs.geojson").exists()
        return str(caught.value)

    return run


@pytest.mark.parametrize("message", ["Forbidden", "User is not authorized with an explicit deny"])
def test_gateway_that_refuses_everybody(listing, message):
    text = listing(gateway(403, message))
    assert f"refused the request before HyP3 saw it (HTTP 403: {message})" in text
    assert "another network" in text
    assert "request access" not in text and "API_URL" not in text and "token" not in text


def test_gateway_without_such_an_address(listing):
    text = listing(gateway(403, "Missing Authentication Token"))
    assert "(HTTP 403: Missing Authentication Token); check API_URL" in text


def test_account_that_the_service_itself_does_not_let_in(listing):
    fault = said({"status": 403, "detail": "User me is not allowed", "title": "Forbidden"})
    fault.status = 403
    text = listing(fault, expected=AuthenticationError)
    assert "does not let this account in (User me is not allowed); request access" in text


def test_gateway_that_does_not_accept_the_token(listing):
    text = listing(gateway(401, "Unauthorized"), expected=AuthenticationError)
    assert "(Unauthorized); generate a new token" in text


@pytest.mark.parametrize("title", ["Request blocked", "Web Page Blocked!", "403 ERROR"])
def test_page_of_a_firewall(listing, title):
    text = listing(page(403, title))
    assert "A firewall in front of http://127.0.0.1:" in text and f"(HTTP 403: {title})" in text
    assert "request access" not in text and "API_URL" not in text


@pytest.mark.parametrize("message", ["Too Many Requests", "Limit Exceeded", None])
def test_gateway_that_asks_to_wait(listing, message):
    text = listing(gateway(429, message, times=-1, retry_after="3600"))
    assert text.endswith("receives too many requests; run this again in 3600 seconds, as it asks.")


@pytest.mark.parametrize(
    "pause", ["9" * 400, "9" * 5000, "Fri, 31 Dec 9999 23:59:59 GMT", "1e99", "soon", "-5", "\xb2"]
)
def test_pauses_that_nobody_can_wait_for(listing, pause):
    stated = gateway(503, "Service Unavailable", times=-1, retry_after=pause)
    if pause in ("1e99", "soon", "\xb2"):
        # Nothing that can be read: the own pauses count, of which the first is short.
        stated.times = 1
        assert "There are no" in listing(stated, expected=NoProductsError)
    else:
        text = listing(stated)
        assert "is out of order at the moment (HTTP 503) (Service Unavailable)" in text
        assert text.endswith("try again later.")


def test_page_with_status_200(listing):
    text = listing(page(200, "Please log in to the guest network"))
    assert "a web page (Please log in to the guest network) in place of data" in text
    assert "check API_URL and open the address in a browser" in text


def test_page_that_calls_itself_json(listing):
    fault = page(200, "Blocked")
    fault.kind = "application/json"
    assert "a web page (Blocked) in place of data" in listing(fault)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "an empty one"),
        (b" \r\n", "an empty one"),
        (b'{"jobs": [', "not JSON"),
        (b"\xff\xfe{}", "not JSON"),
        (b"[" * 100_000, "JSON of endless depth"),
        (b'{"a":' * 50_000, "JSON of endless depth"),
        (b'{"jobs": 1' + b"0" * 5000 + b"}", "not JSON"),
        (b"[]", "JSON, but not an object"),
        (b"null", "JSON, but not an object"),
        (b"{}", "JSON without a list of jobs"),
        (b'{"jobs": {"0": {}}}', "JSON without a list of jobs"),
        (b'{"jobs": [], "next": true}', "JSON whose next page has no address"),
        (b'{"jobs": [], "next": "file:///etc/passwd"}', "JSON whose next page has no address"),
        (b'{"jobs": [], "next": "http://[::1?a=b"}', "JSON whose next page has no address"),
        (b'{"jobs": [], "next": {}}', "JSON whose next page has no address"),
    ],
)
def test_answers_that_no_service_gives(listing, content, what):
    text = listing(Fault(status=200, content=content))
    assert f"gave an answer that is not from a HyP3 service ({what}); check API_URL." in text


@pytest.mark.parametrize("status", [204, 300, 304, 405, 418])
def test_other_statuses(listing, status):
    text = listing(Fault(status=status, content=b"", headers={"Content-Length": "0"}))
    assert f"not from a HyP3 service (HTTP {status}); check API_URL" in text


def test_service_that_lost_its_address(listing):
    assert "(HTTP 404: Not Found)" in listing(page(404, "Not Found"))
    text = listing(gateway(404, "Not Found"))
    assert "refused the request (Not Found); check API_URL" in text


def test_redirects_without_end(listing, service):
    text = listing(redirect(f"{service.url}/jobs", times=-1))
    assert "leads from one address to the next without end; check API_URL" in text


@pytest.mark.parametrize("target", ["http://[::1", "gopher://x", "\xe9"])
def test_redirect_to_no_address(listing, target):
    text = listing(redirect(target))
    assert "leads on to something that is not an address; check API_URL" in text


def test_answer_that_breaks_off(listing):
    broken = Fault(status=200, content=b'{"jobs": []', headers={"Content-Length": "99"}, times=2)
    assert "There are no" in listing(broken, expected=NoProductsError)
    broken.times = -1
    text = listing(broken)
    assert "The answer of http://127.0.0.1:" in text and "broke off; try again later" in text


def test_packed_answer_that_is_none(listing):
    fault = Fault(status=200, content=b"no gzip", headers={"Content-Encoding": "gzip"}, times=-1)
    assert "broke off" in listing(fault)


@pytest.mark.parametrize(
    "fault",
    [
        packed(64 << 20),
        packed(3 << 30),
        Fault(status=200, content=b" " * (1 << 20), endless=True),
        Fault(status=403, content=b"<html>" + b"x" * (1 << 20), endless=True),
        Fault(
            status=302,
            content=b" " * (1 << 20),
            endless=True,
            headers={"Location": "http://127.0.0.1:9/"},
        ),
    ],
    ids=["packed", "packed more", "endless", "endless refusal", "endless redirect"],
)
def test_answers_without_end(listing, fault):
    assert "gives an answer that does not end" in listing(fault)


def test_answer_that_trickles_in(service):
    service.api_faults.add("jobs", Fault(status=200, content=b" " * 100, endless=True, rate=100))
    with guarded_session(limits=AnswerLimits(patience=0.2, rate=1e5)) as session:
        with pytest.raises(AnswerTooSlowError):
            session.get(f"{service.url}/jobs")


@pytest.fixture(params=[b"X-Long: ", b"X-First: a\r\nX-Long: "])
def trickling(request):
    """A server whose headers come letter by letter, and never end."""
    with trickle(b"HTTP/1.1 200 OK\r\n" + request.param, b"a", 0.02) as address:
        yield address


@contextlib.contextmanager
def trickle(begin, more, pause):
    """Serve something that begins well and never ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ended = threading.Event()

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection, contextlib.suppress(OSError):
                        connection.recv(1 << 16)
                        connection.sendall(begin)
                        while not ended.wait(pause):
                            connection.sendall(more)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        ended.set()


@pytest.mark.parametrize("stream", [False, True])
def test_headers_that_trickle_in(trickling, stream):
    with guarded_session() as session, pytest.raises(requests.ReadTimeout):
        session.get(trickling, timeout=(5.0, 0.5), stream=stream)


@pytest.mark.parametrize("begin", [b"", b"HTTP/1.1 200 OK\r\nX-Long: "])
@pytest.mark.parametrize("more", [b"a", b"a\r\n"])
def test_headers_of_a_proxy_that_trickle_in(service, monkeypatch, begin, more):
    with trickle(begin, more, 0.02) as address, guarded_session() as session:
        monkeypatch.setenv("https_proxy", address)
        with pytest.raises(requests.RequestException):
            session.get("https://example.org", timeout=(0.5, 5.0))


@pytest.mark.parametrize("line", [b"X: y\r\n", b"a\r\n", b"X: " + b"y" * 9999 + b"\r\n"])
def test_lines_behind_a_body_without_end(line):
    begin = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n"
    with trickle(begin, line * 10, 0.001) as address, guarded_session() as session:
        with pytest.raises(requests.exceptions.ChunkedEncodingError, match="too many trailers"):
            session.get(address)


def test_all_answers_of_a_session_together(service):
    service.api_faults.add("jobs", Fault(times=-1, status=200, content=b" " * 1000))
    with guarded_session(limits=AnswerLimits(total=2500)) as session:
        for _ in range(2):
            assert len(session.get(f"{service.url}/jobs").content) == 1000
        with pytest.raises(IOError):
            session.get(f"{service.url}/jobs")


def job(number, **more):
    return {
        "job_id": f"id-{number}",
        "job_type": "INSAR_GAMMA",
        "status_code": "SUCCEEDED",
        "request_time": "2026-01-01T00:00:00+00:00",
        "job_parameters": {"granules": []},
        "files": [],
        **more,
    }


def test_next_page_that_is_the_same(listing, service):
    again = f"{service.url}/jobs?start_token=1"
    text = listing(said({"jobs": [job(1)], "next": again}, times=-1))
    assert "lists the same jobs again and again" in text
    assert len(service.log.of("api")) == 2


@pytest.mark.parametrize(
    ("jobs", "addresses"),
    [([job(1)], 9), ([job(1), job(2, name=5)], 9), ([None], 9), ([{}, 7], 9), ([], 3)],
)
def test_pages_that_lead_on_to_the_same(listing, service, jobs, addresses):
    """Under new addresses each time, or without jobs in a circle."""
    follows = [f"{service.url}/jobs?start_token={n % addresses}" for n in range(9)]
    pages = [said({"jobs": jobs, "next": address}) for address in follows]
    assert "lists the same jobs again and again" in listing(*pages)
    assert len(service.log.of("api")) == (2 if jobs else 4)


@pytest.mark.parametrize(
    "address", ["{elsewhere}/jobs", "http://[::1]/api/jobs", "https://127.0.0.1/jobs", "/jobs", ""]
)
def test_next_page_is_asked_of_the_service_whatever_it_is_called(
    service, credentials, reporter, tmp_path, address
):
    """Behind a proxy a service may not know its own name, and nobody else has the rest."""
    follows = f"{address.format(elsewhere=service.elsewhere_url)}?job_type=X&start_token=1"
    service.api_faults.add("jobs", said({"jobs": [job(1)], "next": follows}))
    service.api_faults.add("jobs", said({"jobs": [job(2)]}))
    parameters = {
        "API_URL": service.url,
        "WORK_FOLDER": str(tmp_path),
        "ALL_STATES": True,
    }
    assert find_jobs.run(parameters, credentials, reporter)["COUNT"] == 2
    assert service.log.of("elsewhere") == []
    _, second = service.log.of("api")
    assert second.query == {"job_type": "X", "start_token": "1"}
    assert second.authorization == "Bearer"


def test_ids_are_quoted_in_addresses(service, listing):
    strange = ["a/../../user", "a?b=c", "a#b", "a b%2F", "ü", ".."]
    for name in strange:
        text = listing(expected=NotFoundError, JOBS=name)
        assert text.endswith(f"has no job {name}; check JOBS and API_URL.")
    paths = [entry.path for entry in service.log.of("api") if entry.path != "/jobs"]
    assert paths == [
        "/jobs/a%2F..%2F..%2Fuser",
        "/jobs/a%3Fb%3Dc",
        "/jobs/a%23b",
        "/jobs/a%20b%252F",
        "/jobs/%C3%BC",
    ]


@pytest.mark.parametrize(
    "failure",
    [
        strange(PRODUCTION_API, "not JSON"),
        page_instead(PRODUCTION_API, ""),
        unreachable(
            requests.ConnectionError(), PRODUCTION_API, address=address_parameter(PRODUCTION_API)
        ),
    ],
)
def test_address_that_everybody_has_is_not_suspected(failure):
    assert "API_URL" not in str(failure) and PRODUCTION_API in str(failure)


@pytest.mark.parametrize(
    ("kind", "body", "speaker", "text"),
    [
        ("", b'{"detail": "no\\nsuch \\u0007job"}', Speaker.SERVICE, "no such job"),
        ("", b'{"message": null}', Speaker.GATEWAY, ""),
        ("", b'{"Message": "User is denied"}', Speaker.GATEWAY, "User is denied"),
        ("", b'{"detail": 5}', Speaker.UNKNOWN, ""),
        ("text/html", b"plain", Speaker.PAGE, "plain"),
        ("", b"\xef\xbb\xbf\n<HTML><title>A &amp;\n B</title>", Speaker.PAGE, "A & B"),
        ("", b"<html><style>p {}</style><p>Hello</p>", Speaker.PAGE, "Hello"),
        ("", storage(403, "AccessDenied", "Access Denied").content, Speaker.STORAGE, None),
        ("", b"", Speaker.NOBODY, ""),
        ("", b"\x00\x01", Speaker.UNKNOWN, ""),
    ],
)
def test_whose_words_an_answer_has(kind, body, speaker, text):
    found = judge(kind, body)
    assert found.speaker is speaker
    assert found.text == (text if text is not None else "AccessDenied: Access Denied")


def test_words_of_an_answer_are_short():
    assert len(judge("text/html", b"<title>" + b"x" * 10**6).text) <= 200
    assert math.isclose(len(judge("", b'{"detail": "' + b"y" * 9999 + b'"}').text), 200)
