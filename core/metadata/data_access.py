"""Where a stack is published: a DOI or an address that only its maker can give."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from ..errors import InvalidParameterError

_DOI = re.compile(r"10\.\d{4,9}/\S+")
_DOI_PREFIX = re.compile(r"(doi:\s*|https?://(dx\.|www\.)?doi\.org/)", re.IGNORECASE)
_RESOLVER = "https://doi.org/"
_NO_URL = re.compile(r"[\s\x00-\x1f\x7f<>\"{}|\\^`]")
_SCHEMES = ("https", "http", "ftp", "ftps", "s3", "gs")

_SIGNATURES = {"x-amz-signature", "x-goog-signature", "signature", "sig", "token", "access_token"}
"""Members of a query that make an address work for a while, for who holds it."""


@dataclass(frozen=True)
class DataAccess:
    """A lasting place of a stack."""

    url: str  # its address; for a DOI, that of the resolver
    doi: str | None = None  # the DOI without a prefix, if it is one

    @property
    def attributes(self) -> dict[str, str]:
        """Attributes of a stack: of CEOS-ARD (1.7.1), and of ACDD where a DOI identifies it."""
        named = {} if self.doi is None else {"id": self.doi, "naming_authority": "org.doi"}
        return {"product_data_access": self.url, **named}


def parse_data_access(text: str) -> DataAccess:
    """Read what the user gives as ``DATA_ACCESS``.

    Parameters
    ----------
    text
        A DOI (bare, with ``doi:`` or as an address of doi.org) or a URL.

    Raises
    ------
    InvalidParameterError
        If it is neither, or holds credentials.
    """
    prefix = _DOI_PREFIX.match(text)
    name = text[prefix.end() :] if prefix else text
    if _DOI.fullmatch(name):
        return DataAccess(f"{_RESOLVER}{name}", name)
    wrong = InvalidParameterError(
        f"DATA_ACCESS is {text!r}, but it has to be a DOI like 10.5281/zenodo.1234567 or a URL "
        "like https://example.org/stack.nc."
    )
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise wrong from None
    signed = {key.lower() for key, _ in parse_qsl(parts.query, keep_blank_values=True)}
    if "@" in parts.netloc or signed & _SIGNATURES:
        # Not repeated here: messages end up in logs.
        raise InvalidParameterError(
            f"DATA_ACCESS is an address at {host} that holds credentials or a signature, which "
            "would be written into the stack; give the plain address."
        )
    if prefix or _NO_URL.search(text) or parts.scheme.lower() not in _SCHEMES or not host:
        raise wrong
    return DataAccess(text)
