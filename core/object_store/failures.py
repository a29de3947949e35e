"""Says in one sentence why an object store did not do what it was asked."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..errors import StoreError, in_brief
from ..run.proxies import proxy_fault
from .location import RemoteLocation

# Classes of botocore, by name: it is s3fs that depends on it, and newer ones know more classes.
_NO_CREDENTIALS = {"NoCredentialsError", "PartialCredentialsError"}
_NO_LOGIN = {"CredentialRetrievalError", "LoginError", "SSOError", "TokenRetrievalError"}
_NO_CONNECTION = {"ConnectionError", "HTTPClientError"}
_KINDS = {
    "ConnectTimeoutError": "no answer in time",
    "ReadTimeoutError": "no answer in time",
    "SSLError": "its certificate is not trusted",
}
_LIBRARIES = ("aiobotocore", "aiohttp", "botocore")

_BUSY = {"InternalError", "RequestTimeout", "ServiceUnavailable", "SlowDown"}
# Without a name of S3's own: a gateway that fails, or a page of something else.
_BUSY_OR_NO_S3 = {"500", "502", "503", "504"}
_NO_S3 = "{service} does not answer as an S3 service does; check S3_ENDPOINT"

_REFUSALS: tuple[tuple[set[str], str], ...] = (
    (
        {"NoSuchBucket"},
        "{service} has no bucket {bucket}; check {name} and S3_ENDPOINT, or create the bucket",
    ),
    (
        {"InvalidAccessKeyId", "InvalidSecurity", "SignatureDoesNotMatch"},
        "{service} does not accept the credentials ({code}); check them, S3_PROFILE and "
        "S3_ENDPOINT",
    ),
    (
        {"ExpiredToken", "ExpiredTokenException", "InvalidToken", "TokenRefreshRequired"},
        "the credentials have expired ({code}); get new ones and run again",
    ),
    (
        {"AccessDenied", "AllAccessDisabled", "AccountProblem", "403", "Forbidden"},
        "access was denied; ask for permission to list, read, write and delete there, or choose "
        "other credentials with S3_PROFILE",
    ),
    (
        {
            "AuthorizationHeaderMalformed",
            "IllegalLocationConstraintException",
            "PermanentRedirect",
            "301",
        },
        "the bucket lies in another region ({code}); set AWS_REGION to it",
    ),
    (
        {"InsufficientStorage", "QuotaExceeded", "XMinioStorageFull", "507"},
        "{service} is full ({code}); free some space",
    ),
    ({"RequestTimeTooSkewed"}, "the clock of this computer is wrong; set it"),
    (_BUSY, "{service} failed again and again ({code}); run again later"),
    (
        _BUSY_OR_NO_S3,
        "{service} fails or is not an S3 service ({code}); check S3_ENDPOINT or run again later",
    ),
    ({"404", "405", "MethodNotAllowed", "NotImplemented", "501"}, _NO_S3),
)
"""Codes of the service, and why it does not do what it is asked, with what helps."""

_MISSING = {"NoSuchKey", "404"}
_CHANGED = {"ConditionalRequestConflict", "409", "PreconditionFailed", "412"}


def explain(error: BaseException, location: RemoteLocation, verb: str) -> str:
    """Return a sentence that names place and remedy.

    Parameters
    ----------
    error
        What s3fs or botocore raised.
    location
        The place that was asked for.
    verb
        What was to be done, as in "cannot be written".
    """
    url, service, name = location.url, location.service, location.parameter
    chain = list(_causes(error))
    for cause in chain:
        classes = _classes(cause)
        if "ProfileNotFound" in classes:
            profile = location.profile or os.environ.get("AWS_PROFILE")
            given = "S3_PROFILE" if location.profile else "AWS_PROFILE"
            return (
                f"{given} is {profile!r}, but ~/.aws/config and ~/.aws/credentials have no such "
                "profile."
            )
        if classes & _NO_CREDENTIALS:
            return (
                f"{url} cannot be {verb}, because there are no credentials; set AWS_ACCESS_KEY_ID "
                "and AWS_SECRET_ACCESS_KEY, or S3_PROFILE to a profile in ~/.aws."
            )
        if classes & _NO_LOGIN:
            return (
                f"{url} cannot be {verb}, because its credentials could not be retrieved "
                f"({in_brief(cause)}); log in again, for example with 'aws sso login'."
            )
        if "ResponseParserError" in classes:
            return f"{url} cannot be {verb}, because {_NO_S3.format(service=service)}."
        if "ProxyConnectionError" in classes:
            return _no_way(location, verb, cause)
        if classes & _NO_CONNECTION:
            return (
                f"{url} cannot be {verb}, because {service} cannot be reached ({_kind(classes)}); "
                "check S3_ENDPOINT and the network."
            )
        if "ClientError" in classes:
            return _refusal(getattr(cause, "response", {}), location, verb)
    if any("endpoint" in str(cause).lower() for cause in chain if isinstance(cause, ValueError)):
        return f"{service} is not the address of a service; check S3_ENDPOINT or AWS_ENDPOINT_URL."
    return f"{url} cannot be {verb} ({in_brief(error)}); check {name}."


def is_not_found(error: BaseException) -> bool:
    """Return whether an object is not there, while its bucket is."""
    return _code(error) in _MISSING


def is_changed(error: BaseException) -> bool:
    """Return whether an object is no longer as a request said it had to be."""
    return _code(error) in _MISSING | _CHANGED


def is_refused(error: BaseException) -> bool:
    """Return whether the service understood a request and does not do it, now or later."""
    code = _code(error)
    return bool(code) and code not in _BUSY | _BUSY_OR_NO_S3


@contextmanager
def in_words(
    location: RemoteLocation, verb: str, others: tuple[type[Exception], ...] = ()
) -> Iterator[None]:
    """Let errors of the object store, or of the way to it, become one sentence.

    Parameters
    ----------
    location
        The place that is asked.
    verb
        What is done, as in "cannot be written".
    others
        Errors that something else raises inside the block; they stay as they are.

    Raises
    ------
    StoreError
        If the service or the connection fails.
    """
    try:
        yield
    except others:
        raise
    except Exception as error:
        library = type(error).__module__.partition(".")[0]
        if not isinstance(error, (OSError, ValueError)) and library not in _LIBRARIES:
            raise
        raise StoreError(explain(error, location, verb)) from error


def _refusal(answer: Mapping[str, Any], location: RemoteLocation, verb: str) -> str:
    """Return a sentence about an answer of the service that is an error."""
    url, name = location.url, location.parameter
    code = str(answer.get("Error", {}).get("Code", ""))
    if code == "407":
        return _no_way(location, verb, int(code))
    reason = next((text for codes, text in _REFUSALS if code in codes), None)
    if reason is None:
        return (
            f"{url} cannot be {verb} ({code or 'no reason given'}); check {name} and S3_ENDPOINT."
        )
    reason = reason.format(service=location.service, bucket=location.bucket, name=name, code=code)
    return f"{url} cannot be {verb}, because {reason}."


def _no_way(location: RemoteLocation, verb: str, problem: BaseException | int) -> str:
    """Return a sentence about a proxy that does not lead to the service."""
    address = location.other_service or "https://s3.amazonaws.com"
    return f"{location.url} cannot be {verb}, because {proxy_fault(address, problem)}."


def _code(error: BaseException) -> str:
    """Return the service's word for what is wrong, empty where it did not answer."""
    answers = (
        getattr(cause, "response", {})
        for cause in _causes(error)
        if "ClientError" in _classes(cause)
    )
    return str(next(answers, {}).get("Error", {}).get("Code", ""))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it was raised from."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def _classes(error: BaseException) -> set[str]:
    return {kind.__name__ for kind in type(error).__mro__}


def _kind(classes: set[str]) -> str:
    """Return what is wrong with a connection; the error's own text may repeat a proxy's address."""
    return next((text for name, text in _KINDS.items() if name in classes), "no connection")
