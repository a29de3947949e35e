"""Users of the service and the tokens they get."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass


@dataclass
class Account:
    """A user of Earthdata Login.

    Parameters
    ----------
    approved
        Whether the user has accepted what the data provider asks for.
    application
        ``APPROVED``, ``PENDING`` ... as HyP3 says.
    """

    name: str
    password: str
    approved: bool = True
    application: str = "APPROVED"
    remaining_credits: float | None = 8000.0


class Accounts:
    """Checks passwords, signs tokens (JSON Web Tokens, HS256) and checks them."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._by_name: dict[str, Account] = {}
        self.codes: dict[str, str] = {}

    def add(self, account: Account) -> Account:
        self._by_name[account.name] = account
        return account

    def get(self, name: str) -> Account | None:
        return self._by_name.get(name)

    def check(self, name: str, password: str) -> Account | None:
        account = self._by_name.get(name)
        if account is not None and hmac.compare_digest(
            account.password.encode(), password.encode()
        ):
            return account
        return None

    def token(self, name: str, lifetime: float = 3600.0) -> str:
        header = _encode({"typ": "JWT", "alg": "HS256"})
        claims = _encode({"uid": name, "exp": int(time.time() + lifetime)})
        return f"{header}.{claims}.{self._sign(f'{header}.{claims}')}"

    def user_of(self, token: str) -> str | None:
        body, _, signature = token.rpartition(".")
        if not body or not hmac.compare_digest(signature, self._sign(body)):
            return None
        claims = json.loads(base64.urlsafe_b64decode(body.split(".")[1] + "=="))
        return str(claims["uid"]) if claims["exp"] > time.time() else None

    def _sign(self, text: str) -> str:
        digest = hmac.new(self._key, text.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _encode(values: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).rstrip(b"=").decode()
