"""Earthdata credentials: where they come from, and how they stay out of every text."""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from ...errors import AuthenticationError
from ...run.reporter import Reporter
from .netrc_file import NetrcFile, netrc_path, read_netrc

_HOST = "urs.earthdata.nasa.gov"
EARTHDATA_URL = f"https://{_HOST}"
_TOKEN_CHARACTERS = re.compile(r"[A-Za-z0-9._~+/=-]+")


@dataclass(frozen=True, repr=False)
class Credentials:
    """Either a bearer token or a user name with its password."""

    source: str  # where they were found, in words for the user
    # Never part of the representation, so that no traceback or log can show them.
    token: str | None = field(default=None)
    username: str | None = field(default=None)
    password: str | None = field(default=None)

    def __repr__(self) -> str:
        """Name the source only."""
        return f"<Earthdata credentials from {self.source}>"

    @property
    def account(self) -> str:
        """Name of the account; empty for a token without it."""
        if self.username is not None:
            return self.username
        return str(_claims(self.token or "").get("uid") or "")

    def redact(self, text: str) -> str:
        """Return ``text`` with every secret replaced, for words that a server chose."""
        for secret in (self.token, self.password):
            if secret:
                text = text.replace(secret, "(hidden)")
        return text


def resolve_credentials(
    given: Mapping[str, str] | None,
    environment: Mapping[str, str] = os.environ,
    reporter: Reporter | None = None,
) -> Credentials:
    """Choose the credentials of a run.

    Parameters
    ----------
    given
        ``{"token": ...}`` or ``{"username": ..., "password": ...}`` of the job, or nothing.
    environment
        Read for ``EARTHDATA_TOKEN``, then ``EARTHDATA_USERNAME`` and ``EARTHDATA_PASSWORD``.
    reporter
        Warned of a ``.netrc`` file that others can read or that has errors.

    Returns
    -------
    Credentials
        The first complete set of: job, environment, ``.netrc`` entry of Earthdata Login.

    Raises
    ------
    AuthenticationError
        If nothing is found, a user name lacks its password, or a token is malformed or expired.
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
    return _from_netrc(reporter)


def _from_netrc(reporter: Reporter | None) -> Credentials:
    """Return the entry of Earthdata Login, or say why there is none."""
    path = netrc_path(os.environ)
    why = ""
    if path is not None:
        try:
            file = read_netrc(path)
        except OSError as error:
            why = f" ({path} cannot be read: {error.strerror or error})"
        else:
            found = _of_file(file)
            line = file.first_wrong_line()
            if found is not None:
                if line is not None and reporter is not None:
                    reporter.warning(
                        f"Line {line} of {path} is passed over, because it is not as the lines of "
                        "such a file are; correct or remove it."
                    )
                if file.is_open and reporter is not None:
                    reporter.warning(
                        f"Other users of this computer can read the passwords in {path}; run "
                        f"chmod 600 {shlex.quote(str(path))}."
                    )
                return found
            if line is not None:
                raise AuthenticationError(
                    f"{path} has no entry for {_HOST} that can be read, and its line {line} is "
                    f"not as the lines of such a file are; write machine {_HOST} login NAME "
                    "password WORD there."
                )
    raise AuthenticationError(
        f"No Earthdata credentials were found{why}; choose an authentication configuration, set "
        f"EARTHDATA_TOKEN, or add an entry for {_HOST} to the .netrc file."
    )


def _of_file(file: NetrcFile) -> Credentials | None:
    name, entry = file.entry(_HOST)
    if entry is None:
        return None
    line = file.first_wrong_line(name)
    if line is not None:
        raise AuthenticationError(
            f"Line {line} of {file.path} has words behind its entry for {name or 'default'} that "
            "mean nothing there; put a password with spaces into quotation marks."
        )
    if entry.login and entry.password:
        return Credentials(
            f"the .netrc file {file.path}", username=entry.login, password=entry.password
        )
    if name:
        missing = "password" if entry.login else "login"
        raise AuthenticationError(
            f"The entry for {name} in line {entry.line} of {file.path} has no {missing}; add it."
        )
    return None


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
    if expired is not None and expired <= datetime.now(timezone.utc):
        raise AuthenticationError(
            f"The Earthdata token in {source} expired on {expired:%Y-%m-%d}; generate a new one at "
            f"{EARTHDATA_URL}/profile (Generate Token)."
        )
    return token


def token_expiration(token: str) -> datetime | None:
    """Read when a JSON Web Token expires (``exp`` of RFC 7519), without checking its signature."""
    try:
        return datetime.fromtimestamp(float(_claims(token)["exp"]), timezone.utc)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None


def _claims(token: str) -> dict[str, Any]:
    """Return what a JSON Web Token says of itself; nothing for any other text."""
    try:
        payload = token.split(".")[1]
        padded = payload + "=" * (-len(payload) % 4)
        claims = json.loads(base64.urlsafe_b64decode(padded))
    except (IndexError, ValueError, binascii.Error, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}
