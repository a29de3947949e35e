"""Logging in to a HyP3 service, and its failures as sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import requests
from hyp3_sdk import HyP3
from hyp3_sdk import exceptions as sdk

from ..errors import AuthenticationError, RetrievalError
from ..proxies import proxy_fault, sentence
from ..reporter import Reporter
from .connection import BearerToken, mount_patience
from .credentials import EARTHDATA_URL, Credentials
from .patience import retry_after, wait_for

LOGIN_SECONDS = 60.0
_DETAIL_LENGTH = 300


class NotFoundError(RetrievalError):
    """The service does not have what was asked for."""


def open_service(api_url: str, credentials: Credentials, reporter: Reporter) -> HyP3:
    """Log in to a HyP3 service.

    A token causes no traffic here and is sent to the service's host only; user name and password
    go to Earthdata Login only.

    Raises
    ------
    AuthenticationError
        User name or password are wrong, or the account lacks an approval.
    RetrievalError
        Earthdata Login cannot be reached.
    """
    with service_errors(api_url, credentials):
        if credentials.token is not None:
            service = HyP3(api_url, token=credentials.token)
            del service.session.headers["Authorization"]
            service.session.auth = BearerToken(credentials.token, api_url)
        else:
            service = wait_for(
                lambda: HyP3(
                    api_url,
                    username=_encodable(credentials.username),
                    password=_encodable(credentials.password),
                ),
                reporter,
                LOGIN_SECONDS,
                "Earthdata Login",
            )
    mount_patience(service.session)
    return service


def _encodable(text: str | None) -> str:
    # requests encodes text of basic authentication as Latin-1; bytes are sent as they are.
    text = text or ""
    return text if text.isascii() else text.encode()  # type: ignore[return-value]


@contextmanager
def service_errors(
    api_url: str, credentials: Credentials, remedy: str = "check API_URL and JOB_TYPE"
) -> Iterator[None]:
    """Turn errors of hyp3_sdk and requests into sentences that name service and remedy.

    Parameters
    ----------
    api_url, credentials
        Service, and what it was given.
    remedy
        What to do where the service refuses the request itself.
    """
    try:
        yield
    except sdk.AuthenticationError as error:
        raise _login_error(error, credentials) from None
    except sdk.HyP3SDKError as error:
        raise _service_error(error, api_url, credentials, remedy) from None
    except (requests.ConnectionError, requests.Timeout) as error:
        raise _connection_error(error, api_url) from None
    except requests.RequestException as error:
        raise RetrievalError(
            f"{api_url} gave an answer that is not from a HyP3 service "
            f"({type(error).__name__}); check API_URL."
        ) from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        # hyp3_sdk reads whatever JSON arrives as if it were HyP3's.
        raise RetrievalError(
            f"The service at {api_url} did not answer as HyP3 does ({type(error).__name__}: "
            f"{credentials.redact(str(error))[:_DETAIL_LENGTH]}); check API_URL."
        ) from None


def _response(error: BaseException) -> requests.Response | None:
    """Find the answer behind an error of hyp3_sdk."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, requests.HTTPError) and cause.response is not None:
            return cause.response
        cause = cause.__cause__ or cause.__context__
    return None


def _status(error: BaseException) -> int | None:
    response = _response(error)
    return None if response is None else int(response.status_code)


def _login_error(error: Exception, credentials: Credentials) -> RetrievalError:
    text = credentials.redact(str(error))
    address = re.search(r"https?://\S+", text)
    if address:
        reason = text[: address.start()].rstrip(": \n")
        return AuthenticationError(
            f"Earthdata Login needs your approval first ({reason}); open {address.group()} in a "
            "browser, accept, and run this again."
        )
    status = _status(error)
    if status is not None and status >= 500:
        return RetrievalError(
            f"Earthdata Login is out of order (HTTP {status}); try again later or use a token."
        )
    return AuthenticationError(
        f"Earthdata Login did not accept the user name and password from {credentials.source}; "
        f"check them by logging in at {EARTHDATA_URL}."
    )


def _service_error(
    error: Exception, api_url: str, credentials: Credentials, refused_remedy: str
) -> RetrievalError:
    response = _response(error)
    status = None if response is None else response.status_code
    pause = None if response is None else retry_after(response.headers.get("Retry-After"))
    later = "later" if not pause else f"in {pause:.0f} seconds, as it asks"
    detail = credentials.redact(re.sub(r"^<Response \[\d+\]>\s*", "", str(error))).strip()
    detail = f" ({detail[:_DETAIL_LENGTH]})" if detail else ""
    if status == 401:
        remedy = (
            f"generate a new token at {EARTHDATA_URL}/profile"
            if credentials.token is not None
            else f"check your account at {EARTHDATA_URL}"
        )
        return AuthenticationError(
            f"{api_url} did not accept the credentials from {credentials.source}{detail}; {remedy}."
        )
    if status == 403:
        return AuthenticationError(
            f"{api_url} does not let this account in{detail}; request access to HyP3 for it."
        )
    if status == 404:
        return NotFoundError(f"{api_url} does not know what was asked for{detail}; check API_URL.")
    if status == 429:
        return RetrievalError(f"{api_url} receives too many requests; run this again {later}.")
    if status is not None and status >= 500:
        return RetrievalError(
            f"{api_url} is out of order at the moment (HTTP {status}){detail}; try again {later}."
        )
    return RetrievalError(f"{api_url} refused the request{detail}; {refused_remedy}.")


def _connection_error(error: requests.RequestException, api_url: str) -> RetrievalError:
    host = api_url
    if error.request is not None and error.request.url:
        parts = urlsplit(str(error.request.url))
        port = f":{parts.port}" if parts.port else ""
        host = f"{parts.scheme}://{parts.hostname}{port}"
    if isinstance(error, requests.exceptions.ProxyError):
        return RetrievalError(sentence(proxy_fault(host, error)))
    if isinstance(error, requests.exceptions.SSLError):
        return RetrievalError(
            f"The certificate of {host} is not trusted; if a proxy replaces certificates, point "
            "REQUESTS_CA_BUNDLE at its certificate."
        )
    if isinstance(error, requests.Timeout):
        return RetrievalError(f"{host} did not answer in time; try again later.")
    return RetrievalError(
        f"{host} cannot be reached; check the network, the proxy settings and API_URL."
    )
