"""Logging in to a HyP3 service and asking it, with every failure as a sentence."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit, urlunsplit

import requests
from hyp3_sdk import HyP3, __version__
from hyp3_sdk.util import AUTH_URL
from requests.exceptions import ChunkedEncodingError

from ...errors import AuthenticationError, RetrievalError
from ...run.reporter import Reporter
from ...run.waiting import run_cancellable
from .answers import Speaker, is_page, judge
from .connection import Secrets, guarded_session
from .credentials import EARTHDATA_URL, Credentials
from .origins import origin
from .retries import RetryPolicy, retry_after, wait_for
from .service_failures import (
    address_parameter,
    is_final,
    may_pass,
    page_instead,
    refused,
    strange,
    unreachable,
)

LOGIN_SECONDS = 60.0
ANSWER_SECONDS = 300.0
"""The longest that one answer is waited for, with all attempts."""
POLICY = RetryPolicy(attempts=5, first_delay=0.5, longest_delay=8.0, longest_request=60.0)
POST_SECONDS = 90.0
"""The longest that the answer to something that is sent once is waited for."""
_COOKIE = "asf-urs"
_APPROVAL_HOST = ".earthdata.nasa.gov"
_DETAIL_LENGTH = 300


def open_service(api_url: str, credentials: Credentials, reporter: Reporter) -> HyP3:
    """Log in to a HyP3 service.

    A token causes no traffic here and is sent to the service's origin only; user name and password
    go to Earthdata Login only, whose answer is a cookie for the service's origin.

    Raises
    ------
    AuthenticationError
        If user name or password are wrong, or the account lacks an approval.
    RetrievalError
        If Earthdata Login cannot be reached.
    """
    if credentials.token is not None:
        header = {"Authorization": f"Bearer {credentials.token}"}
    else:
        header = {"Cookie": f"{_COOKIE}={_log_in(credentials, reporter)}"}
    return _opened(api_url, _for_origin(api_url, header))


def open_without_login(api_url: str) -> HyP3:
    """Return a service that is asked only what is public."""
    return _opened(api_url, {})


def _opened(api_url: str, secrets: Secrets) -> HyP3:
    # The package would send its token to any host that a page or a redirect names.
    service = HyP3(api_url, token="")  # nosec B106 - the session is replaced in the next line
    service.session = guarded_session(secrets)
    service.session.headers["User-Agent"] = f"hyp3_sdk/{__version__}"
    return service


def _for_origin(url: str, headers: Mapping[str, str]) -> Secrets:
    place = origin(url)
    return {} if place is None else {place: headers}


def _log_in(credentials: Credentials, reporter: Reporter) -> str:
    """Return the cookie of Earthdata Login for user name and password."""
    pair = f"{credentials.username}:{credentials.password}".encode()
    header = {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
    with guarded_session(_for_origin(EARTHDATA_URL, header)) as session:

        def ask() -> requests.Response:
            return session.get(AUTH_URL)

        try:
            response = wait_for(ask, reporter, LOGIN_SECONDS, "Earthdata Login")
        except requests.RequestException as error:
            raise unreachable(error, "Earthdata Login") from None
        cookie = next((found.value for found in session.cookies if found.name == _COOKIE), None)
    if response.status_code == 200 and cookie:
        return cookie
    raise _login_error(response, credentials)


def _login_error(response: requests.Response, credentials: Credentials) -> RetrievalError:
    query = parse_qs(urlsplit(response.url).query)
    reason = " ".join(query.get("error_msg", [""])[0].split())[:_DETAIL_LENGTH]
    address = query.get("resolution_url", [f"{EARTHDATA_URL}/profile"])[0]
    parts = urlsplit(address)
    if parts.scheme != "https" or not str(parts.hostname).endswith(_APPROVAL_HOST):
        address = f"{EARTHDATA_URL}/profile"
    if reason:
        return AuthenticationError(
            f"Earthdata Login needs your approval first ({credentials.redact(reason)}); open "
            f"{address} in a browser, accept, and run this again."
        )
    status = response.status_code
    said = judge(response.headers.get("Content-Type", ""), response.content)
    if status == 401 and said.speaker is not Speaker.PAGE:
        return AuthenticationError(
            f"Earthdata Login did not accept the user name and password from {credentials.source}; "
            f"check them by logging in at {EARTHDATA_URL}."
        )
    if may_pass(status):
        return RetrievalError(
            f"Earthdata Login is out of order (HTTP {status}); try again later or use a token."
        )
    return RetrievalError(
        f"Earthdata Login did not answer as usual (HTTP {status}){said.quoted}, as if a web "
        f"filter or a proxy answered in its place; open {EARTHDATA_URL} in a browser, or use a "
        "token."
    )


class DoubtfulAnswerError(RetrievalError):
    """Nobody knows whether the service did what it was asked to do."""


def ask(
    service: HyP3,
    url: str,
    credentials: Credentials,
    reporter: Reporter,
    *,
    parameters: Mapping[str, str] | None = None,
    harmless: Mapping[str, Any] | None = None,
    attempts: int = POLICY.attempts,
    remedy: str = "check API_URL and JOB_TYPE",
) -> dict[str, Any]:
    """Ask a service for a JSON object, again where a failure may pass.

    Parameters
    ----------
    service
        Logged in.
    url
        See :func:`endpoint`.
    credentials
        What the service was given.
    harmless
        What is posted, if anything. It is sent again and again, so it must not change anything at
        the service; see :func:`send_once`.
    attempts
        How often the service is asked at most.
    remedy
        What to do where the service refuses the request itself.

    Raises
    ------
    NotFoundError
        If the service does not have it.
    RetrievalError
        If the service does not give it, or answers with something else.
    """

    def send() -> requests.Response:
        if harmless is None:
            return service.session.get(url, params=parameters)
        return service.session.post(url, json=harmless, allow_redirects=False)

    def repeated() -> requests.Response:
        for failures in range(1, attempts + 1):
            try:
                response = send()
            except (requests.ConnectionError, requests.Timeout, ChunkedEncodingError) as error:
                # One that broke off shows that there are answers; else a second attempt decides.
                most = 3 if isinstance(error, ChunkedEncodingError) else 2
                if failures >= min(most, attempts) or is_final(error):
                    raise
                pause = POLICY.delay(failures)
            else:
                wanted = retry_after(response.headers.get("Retry-After"))
                pause = POLICY.delay(failures) if wanted is None else wanted
                if not may_pass(response.status_code) or pause > POLICY.longest_request:
                    break
            if failures < attempts:
                time.sleep(pause)
        return response

    try:
        response = wait_for(repeated, reporter, ANSWER_SECONDS, service.url)
    except requests.RequestException as error:
        raise unreachable(error, service.url, address=address_parameter(service.url)) from None
    if response.status_code != 200:
        raise refused(response, service.url, credentials, remedy)
    return _document(response, service.url)


def send_once(
    service: HyP3,
    url: str,
    body: Mapping[str, Any],
    credentials: Credentials,
    reporter: Reporter,
    *,
    remedy: str,
) -> dict[str, Any]:
    """Post a JSON object that changes something at a service, whatever happens only once.

    Parameters
    ----------
    service, url, credentials, reporter, remedy
        See :func:`ask`.
    body
        What is posted.

    Raises
    ------
    DoubtfulAnswerError
        If the request may have taken effect: no answer, one that broke off, one of a gateway.
    RetrievalError
        If the service refuses, so that nothing has happened.
    Canceled
        If the user asked to stop; the request may still take effect.
    """
    try:
        response = run_cancellable(
            lambda: service.session.post(url, json=body, allow_redirects=False),
            reporter,
            POST_SECONDS,
        )
    except TimeoutError:
        raise DoubtfulAnswerError(
            f"{service.url} did not answer within {POST_SECONDS:.0f} seconds."
        ) from None
    except requests.RequestException as error:
        failure = unreachable(error, service.url, address=address_parameter(service.url))
        raise DoubtfulAnswerError(str(failure)) from None
    if response.status_code != 200:
        failure = refused(response, service.url, credentials, remedy)
        said = judge(response.headers.get("Content-Type", ""), response.content)
        is_theirs = said.speaker in (Speaker.SERVICE, Speaker.GATEWAY)
        if 400 <= response.status_code < 500 and is_theirs and not may_pass(response.status_code):
            raise failure
        raise DoubtfulAnswerError(str(failure))
    try:
        return _document(response, service.url)
    except RetrievalError as error:
        raise DoubtfulAnswerError(str(error)) from None


def _document(response: requests.Response, api_url: str) -> dict[str, Any]:
    """Read an answer as the JSON object that it has to be."""
    kind, body = response.headers.get("Content-Type", ""), response.content
    if is_page(kind, body[:1024]):
        raise page_instead(api_url, judge(kind, body).quoted)
    if not body.strip():
        raise strange(api_url, "an empty one")
    try:
        document = json.loads(body)
    except RecursionError:
        raise strange(api_url, "JSON of endless depth") from None
    except ValueError:
        raise strange(api_url, "not JSON") from None
    if not isinstance(document, dict):
        raise strange(api_url, "JSON, but not an object")
    return document


def endpoint(service: HyP3, *parts: str) -> str:
    """Return the address of something at a service, each part of its path quoted."""
    base = urlsplit(service.url)
    path = "/".join([base.path.rstrip("/"), *(quote(part, safe="") for part in parts)])
    return urlunsplit((base.scheme, base.netloc, path, "", ""))
