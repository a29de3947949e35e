"""Says in one sentence why an object store did not do what it was asked."""

from __future__ import annotations

from collections.abc import Iterator

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
    SSOError,
    TokenRetrievalError,
)
from botocore.parsers import ResponseParserError

from .location import RemoteLocation

_NO_CREDENTIALS = (NoCredentialsError, PartialCredentialsError)
_NO_LOGIN = (CredentialRetrievalError, SSOError, TokenRetrievalError)
_NO_CONNECTION = (
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
)

_REFUSED = {"InvalidAccessKeyId", "InvalidSecurity", "SignatureDoesNotMatch"}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "InvalidToken", "TokenRefreshRequired"}
_DENIED = {"AccessDenied", "AllAccessDisabled", "AccountProblem", "403", "Forbidden"}
_ELSEWHERE = {
    "AuthorizationHeaderMalformed",
    "IllegalLocationConstraintException",
    "PermanentRedirect",
    "301",
}
_FULL = {"InsufficientStorage", "QuotaExceeded", "XMinioStorageFull", "507"}
_BUSY = {"InternalError", "RequestTimeout", "ServiceUnavailable", "SlowDown"}
# Without a name of S3's own: a gateway that fails, or a page of something else.
_BUSY_OR_NO_S3 = {"500", "502", "503", "504"}
_NO_S3 = {"404", "405", "MethodNotAllowed", "NotImplemented", "501"}
_KNOWN = (BotoCoreError, ClientError, OSError, ResponseParserError, ValueError)


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
        if isinstance(cause, ProfileNotFound):
            given = f"S3_PROFILE is {location.profile!r}" if location.profile else str(cause)
            return f"{given}, but ~/.aws/config and ~/.aws/credentials have no such profile."
        if isinstance(cause, _NO_CREDENTIALS):
            return (
                f"{url} cannot be {verb}, because there are no credentials; set AWS_ACCESS_KEY_ID "
                "and AWS_SECRET_ACCESS_KEY, or S3_PROFILE to a profile in ~/.aws."
            )
        if isinstance(cause, _NO_LOGIN):
            return (
                f"{url} cannot be {verb}, because its credentials could not be retrieved "
                f"({_words(cause)}); log in again, for example with 'aws sso login'."
            )
        if isinstance(cause, ResponseParserError):
            return _no_s3(url, service, verb)
        if isinstance(cause, _NO_CONNECTION):
            return (
                f"{url} cannot be {verb}, because {service} cannot be reached ({_kind(cause)}); "
                "check S3_ENDPOINT and the network."
            )
        if isinstance(cause, ClientError):
            return _refusal(cause, location, verb)
    if any("endpoint" in str(cause).lower() for cause in chain if isinstance(cause, ValueError)):
        return f"{service} is no address of a service; check S3_ENDPOINT or AWS_ENDPOINT_URL."
    return f"{url} cannot be {verb} ({_words(error)}); check {name}."


def is_of_store(error: BaseException) -> bool:
    """Tell whether an error comes from the object store or the way to it."""
    return isinstance(error, _KNOWN)


def _refusal(error: ClientError, location: RemoteLocation, verb: str) -> str:
    """Return a sentence about an answer of the service that is an error."""
    url, service, name = location.url, location.service, location.parameter
    code = str(error.response.get("Error", {}).get("Code", ""))
    if code == "NoSuchBucket":
        return (
            f"{url} cannot be {verb}, because {service} has no bucket {location.bucket}; check "
            f"{name} and S3_ENDPOINT, or create the bucket."
        )
    if code in _REFUSED:
        return (
            f"{url} cannot be {verb}, because {service} does not accept the credentials ({code}); "
            "check them, S3_PROFILE and S3_ENDPOINT."
        )
    if code in _EXPIRED:
        return (
            f"{url} cannot be {verb}, because the credentials have expired ({code}); get new ones "
            "and run again."
        )
    if code in _DENIED:
        return (
            f"{url} cannot be {verb}, because access was denied; ask for permission to list, read, "
            "write and delete there, or choose other credentials with S3_PROFILE."
        )
    if code in _ELSEWHERE:
        return (
            f"{url} cannot be {verb}, because the bucket lies in another region ({code}); set "
            "AWS_REGION to it."
        )
    if code in _FULL:
        return f"{url} cannot be {verb}, because {service} is full ({code}); free some space."
    if code == "RequestTimeTooSkewed":
        return f"{url} cannot be {verb}, because the clock of this computer is wrong; set it."
    if code in _BUSY:
        return (
            f"{url} cannot be {verb}, because {service} failed again and again ({code}); run again "
            "later."
        )
    if code in _BUSY_OR_NO_S3:
        return (
            f"{url} cannot be {verb}, because {service} fails or is no S3 service ({code}); check "
            "S3_ENDPOINT or run again later."
        )
    if code in _NO_S3:
        return _no_s3(url, service, verb)
    return f"{url} cannot be {verb} ({code or _words(error)}); check {name} and S3_ENDPOINT."


def _no_s3(url: str, service: str, verb: str) -> str:
    return (
        f"{url} cannot be {verb}, because {service} does not answer as an S3 service does; check "
        "S3_ENDPOINT."
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it was raised from."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def _kind(error: BaseException) -> str:
    """Return what is wrong with a connection; the error's own text may repeat a proxy's address."""
    kinds = {
        ConnectTimeoutError: "no answer in time",
        ReadTimeoutError: "no answer in time",
        ProxyConnectionError: "the proxy does not answer",
        SSLError: "its certificate is not trusted",
    }
    return next((text for kind, text in kinds.items() if isinstance(error, kind)), "no connection")


def _words(error: BaseException) -> str:
    return (" ".join(str(error).split()) or type(error).__name__)[:200].rstrip(".")
