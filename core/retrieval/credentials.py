"""Earthdata credentials: where they come from, and how they stay out of every text."""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from requests.utils import get_netrc_auth

from ..errors import AuthenticationError

EARTHDATA_URL = "https://urs.earthdata.nasa.gov"
_TOKEN_CHARACTERS = re.compile(r"[A-Za-z0-9._~+/=-]+")


@dataclass(frozen=True, repr=False)
class Credentials:
    """Either a bearer token or a user name with its password.

    Parameters
    ----------
    source
        Where they were found, in words for the user.
    token, username, password
        Never part of the representation, so that no traceback or log can show them.
    """

    source: str
    token: str | None = field(default=None)
    username: str | None = field(default=None)
    password: str | None = field(default=None)

    def __repr__(self) -> str:
        """Name the source only."""
        return f"<Earthdata credentials from {self.source}>"

    def redact(self, text: str) -> str:
        """Return ``text`` with every secret replaced, for words that a server chose."""
        for secret in (self.token, self.password):
            if secret:
                text = text.replace(secret, "(hidden)")
        return text


def resolve_credentials(
    given: Mapping[str, str] | None, environment: Mapping[str, str] = os.environ
) -> Credentials:
    """Choose the credentials of a run.

    Parameters
    ----------
    given
        ``{"token": ...}`` or ``{"username": ..., "password": ...}`` of the job, or nothing.
    environment
        Read for ``EARTHDATA_TOKEN``, then ``EARTHDATA_USERNAME`` and ``EARTHDATA_PASSWORD``.

    Returns
    -------
    Credentials
        The first complete set of: job, environment, ``.netrc`` entry of Earthdata Login.

    Raises
    ------
    AuthenticationError
        Nothing is found, a user name lacks its password, or a token is malformed or expired.
    """
    given = given or {}
    named = {key: str(given.get(key) or "").strip() for key in ("token", "username")}
    candidates = (
        (
            "the authentication configuration",
            named["token"],
            named["username"],
            str(given.get("password") or ""),
        ),
        (
            "the environment variables EARTHDATA_*",
            environment.get("EARTHDATA_TOKEN", "").strip(),
            environment.get("EARTHDATA_USERNAME", "").strip(),
            environment.get("EARTHDATA_PASSWORD", ""),
        ),
    )
    for source, token, username, password in candidates:
        if token:
            return Credentials(source, token=_checked_token(token, source))
        if bool(username) != bool(password):
            missing = "password" if username else "user name"
            raise AuthenticationError(
                f"The Earthdata {missing} is missing in {source}; give user name and password, "
                "or a token."
            )
        if username:
            return Credentials(source, username=username, password=password)
    entry = get_netrc_auth(EARTHDATA_URL)
    if entry and entry[0] and entry[1]:
        return Credentials("the .netrc file", username=entry[0], password=entry[1])
    raise AuthenticationError(
        "No Earthdata credentials were found; choose an authentication configuration, set "
        "EARTHDATA_TOKEN, or add an entry for urs.earthdata.nasa.gov to the .netrc file."
    )


def _checked_token(token: str, source: str) -> str:
    if token.lower().startswith("bearer "):
        token = token[7:].strip()
    # Checked here, because the error of the HTTP library would quote the whole header.
    if not _TOKEN_CHARACTERS.fullmatch(token):
        raise AuthenticationError(
            f"The Earthdata token in {source} is not a token; copy it again from "
            f"{EARTHDATA_URL}/profile (Generate Token)."
        )
    expired = token_expiration(token)
    if expired is not None and expired <= datetime.now(UTC):
        raise AuthenticationError(
            f"The Earthdata token in {source} expired on {expired:%Y-%m-%d}; generate a new one at "
            f"{EARTHDATA_URL}/profile (Generate Token)."
        )
    return token


def token_expiration(token: str) -> datetime | None:
    """Read when a JSON Web Token expires, without checking its signature.

    Returns
    -------
    datetime or None
        The claim ``exp`` of RFC 7519 as UTC; None where the token holds none.
    """
    try:
        payload = token.split(".")[1]
        padded = payload + "=" * (-len(payload) % 4)
        return datetime.fromtimestamp(
            float(json.loads(base64.urlsafe_b64decode(padded))["exp"]), UTC
        )
    except (IndexError, KeyError, TypeError, ValueError, OverflowError, binascii.Error):
        return None
