"""Failures of services as sentences, each with what helps in its very case."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

import requests

from ...errors import AuthenticationError, RetrievalError
from ...parameters.job_parameters import PRODUCTION_API
from ...run.proxies import proxy_fault, sentence
from .answers import Speaker, judge
from .connection import BUNDLES, AnswerTooLongError, AnswerTooSlowError, BadRedirectError
from .credentials import EARTHDATA_URL, Credentials
from .origins import origin
from .retries import retry_after, when_to_retry

ELSEWHERE = "try it without VPN or proxy, or from another network"
_BAD_TIME = ("has expired", "not yet valid")
_BAD_NAME = ("mismatch", "doesn't match", "not valid for")


class NotFoundError(RetrievalError):
    """The service does not have what was asked for."""


def address_parameter(api_url: str) -> str:
    """Return the parameter that may hold a wrong address; none where it is the usual one."""
    return "" if api_url == PRODUCTION_API else "API_URL"


def may_pass(status: int) -> bool:
    """Return whether the same request may well succeed after an answer with this status."""
    return status in (408, 425, 429) or (status >= 500 and status not in (501, 505))


def refused(
    response: requests.Response, api_url: str, credentials: Credentials, remedy: str
) -> RetrievalError:
    """Return the sentence for an answer of an API that is not a success.

    Parameters
    ----------
    response
        The answer, read.
    api_url, credentials
        Service, and what it was given.
    remedy
        What helps where the service itself refuses the request.
    """
    status = response.status_code
    said = judge(response.headers.get("Content-Type", ""), response.content)
    detail = credentials.redact(said.quoted)
    later = when_to_retry(retry_after(response.headers.get("Retry-After")) or 0.0)
    is_ours = said.speaker in (Speaker.SERVICE, Speaker.GATEWAY)
    if status == 429:
        return RetrievalError(f"{api_url} receives too many requests; run this again {later}.")
    if may_pass(status):
        return RetrievalError(
            f"{api_url} is out of order at the moment (HTTP {status}){detail}; try again {later}."
        )
    if status in (401, 403) and origin(response.url) != origin(api_url):
        remedy = ELSEWHERE
        if address_parameter(api_url):
            remedy = "write that address as API_URL if it is the service's own"
        return RetrievalError(
            f"{api_url} leads on to {_place(response.url)}, which is sent no credentials and "
            f"refuses the request (HTTP {status}{_after(detail)}); {remedy}."
        )
    if status == 401 and said.speaker is not Speaker.PAGE:
        own = (
            f"generate a new token at {EARTHDATA_URL}/profile"
            if credentials.token is not None
            else f"check your account at {EARTHDATA_URL}"
        )
        return AuthenticationError(
            f"{api_url} did not accept the credentials from {credentials.source}{detail}; {own}."
        )
    if status == 403 and said.speaker is Speaker.SERVICE:
        return AuthenticationError(
            f"{api_url} does not let this account in{detail}; request access to HyP3 for it."
        )
    if status == 403 and "missing authentication token" in said.text.lower():
        # What the gateway of AWS says of addresses that it does not have.
        return strange(api_url, f"HTTP {status}{_after(detail)}")
    if status == 403:
        who = "The gateway of" if said.speaker is Speaker.GATEWAY else "A firewall in front of"
        return RetrievalError(
            f"{who} {api_url} refused the request before HyP3 saw it (HTTP 403{_after(detail)}), "
            f"so that other credentials would not help; {ELSEWHERE}, or ask whoever runs the "
            "service."
        )
    if status == 404 and said.speaker is Speaker.SERVICE:
        return NotFoundError(f"{api_url} does not know what was asked for{detail}; check API_URL.")
    if is_ours:
        return RetrievalError(f"{api_url} refused the request{detail}; {remedy}.")
    return strange(api_url, f"HTTP {status}{_after(detail)}")


def strange(api_url: str, what: str) -> RetrievalError:
    """Return the sentence for an answer that is not from a HyP3 service.

    Parameters
    ----------
    api_url
        Service that was asked.
    what
        What the answer is.
    """
    remedy = f"{ELSEWHERE}, because something on the way answers in its place"
    if address_parameter(api_url):
        remedy = "check API_URL"
    return RetrievalError(
        f"{api_url} gave an answer that is not from a HyP3 service ({what}); {remedy}."
    )


def page_instead(api_url: str, words: str) -> RetrievalError:
    """Return the sentence for a web page where data should be."""
    remedy = "check API_URL and " if address_parameter(api_url) else ""
    return RetrievalError(
        f"{api_url} answered with a web page{words} in place of data, as a web filter, a proxy or "
        f"the login page of a network does; {remedy}open the address in a browser."
    )


def unreachable(error: BaseException, service: str, *, address: str = "") -> RetrievalError:
    """Return the sentence for a request that got no usable answer.

    Parameters
    ----------
    service
        What to call the service where the error does not name the address.
    address
        Parameter that may hold a wrong address, where there is one.
    """
    host = _host(error) or service
    text = str(error)
    check = f"check {address}" if address else ELSEWHERE
    check_or = f"check {address}, or {ELSEWHERE}" if address else ELSEWHERE
    if isinstance(error, AnswerTooLongError):
        return RetrievalError(
            f"{host} gives an answer that does not end, as no such service does; {check}."
        )
    if isinstance(error, AnswerTooSlowError):
        return RetrievalError(f"{host} sends its answer byte by byte; try again later.")
    if isinstance(error, requests.exceptions.ProxyError):
        return RetrievalError(sentence(proxy_fault(host, error)))
    if isinstance(error, requests.exceptions.SSLError):
        return RetrievalError(_insecure(host, text, address))
    if isinstance(error, requests.Timeout):
        return RetrievalError(f"{host} did not answer in time; try again later.")
    if isinstance(error, requests.TooManyRedirects):
        return RetrievalError(f"{host} leads from one address to the next without end; {check_or}.")
    if isinstance(error, BadRedirectError):
        return RetrievalError(f"{host} leads on to something that is not an address; {check_or}.")
    if isinstance(
        error,
        requests.exceptions.ChunkedEncodingError | requests.exceptions.ContentDecodingError,
    ):
        return RetrievalError(f"The answer of {host} broke off; try again later.")
    if isinstance(error, requests.ConnectionError):
        places = f"the network, the proxy settings and {address}"
        if not address:
            places = "the network and the proxy settings"
        return RetrievalError(f"{host} cannot be reached; check {places}.")
    return RetrievalError(f"{host} cannot be asked ({type(error).__name__}); {check}.")


def is_final(error: BaseException) -> bool:
    """Return whether another attempt meets the same obstacle: certificates, logins of proxies."""
    if isinstance(error, requests.exceptions.ProxyError):
        return "407" in str(error)
    if isinstance(error, requests.exceptions.SSLError):
        return "EOF" not in str(error).upper()
    return isinstance(error, AnswerTooLongError | BadRedirectError | requests.TooManyRedirects)


def _insecure(host: str, text: str, address: str) -> str:
    """Return why there is no secure connection, judged by the text of OpenSSL."""
    if "NO_CERTIFICATE_OR_CRL_FOUND" in text or "PEM" in text:
        name = next((name for name in BUNDLES if os.environ.get(name)), BUNDLES[0])
        return f"The file that {name} names holds no certificates; correct or unset the variable."
    if any(word in text for word in _BAD_TIME):
        return (
            f"The certificate of {host} is not valid at this time; check the clock of this "
            "computer, and try again later if it is right."
        )
    if any(word in text for word in _BAD_NAME):
        return (
            f"The certificate that came for {host} belongs to another host, as on the login page "
            f"of a network; open {host} in a browser{f', and check {address}' if address else ''}."
        )
    if "CERTIFICATE_VERIFY_FAILED" in text or "certificate verify failed" in text:
        return (
            f"The certificate of {host} is not trusted; if a proxy replaces certificates, point "
            "REQUESTS_CA_BUNDLE at its certificate."
        )
    if "WRONG_VERSION_NUMBER" in text or "HTTP_REQUEST" in text:
        return (
            f"{host} does not speak TLS; check "
            f"{address or 'the proxy settings, whose address for https may have to read http://'}."
        )
    return (
        f"No secure connection to {host} could be made; try again later, and check the proxy "
        "settings if this happens again."
    )


def _host(error: BaseException) -> str:
    request = getattr(error, "request", None)
    return "" if request is None or not request.url else _place(str(request.url))


def _place(url: str) -> str:
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}"


def _after(detail: str) -> str:
    return f": {detail.strip(' ()')}" if detail else ""
