"""Where credentials come from, and that they are never shown."""

import base64
import json
import time

import pytest

from hyp3_stack.core.errors import AuthenticationError
from hyp3_stack.core.retrieval.service.credentials import resolve_credentials, token_expiration


def token_with(claims):
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"eyJhbGciOiJub25lIn0.{body}.c2ln"


@pytest.fixture(autouse=True)
def no_netrc(monkeypatch, tmp_path):
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))


def test_the_job_wins_over_the_environment():
    found = resolve_credentials({"token": "abc"}, {"EARTHDATA_TOKEN": "def"})
    assert found.token == "abc"


def test_a_token_wins_over_a_user_name():
    found = resolve_credentials({"token": "abc", "username": "u", "password": "p"}, {})
    assert (found.token, found.username) == ("abc", None)


def test_environment_token_then_user():
    both = {"EARTHDATA_TOKEN": "def", "EARTHDATA_USERNAME": "u", "EARTHDATA_PASSWORD": "p"}
    assert resolve_credentials(None, both).token == "def"
    del both["EARTHDATA_TOKEN"]
    assert resolve_credentials({}, both).username == "u"


def test_netrc_comes_last(tmp_path):
    (tmp_path / "netrc").write_text("machine urs.earthdata.nasa.gov login me password mine\n")
    found = resolve_credentials(None, {})
    assert (found.username, found.password) == ("me", "mine")


def test_nothing_found_says_what_to_do():
    with pytest.raises(AuthenticationError, match=r"No Earthdata credentials .* EARTHDATA_TOKEN"):
        resolve_credentials(None, {})


def test_a_user_without_password_is_not_mixed_with_the_environment():
    with pytest.raises(AuthenticationError, match="password is missing in the authentication"):
        resolve_credentials({"username": "u"}, {"EARTHDATA_PASSWORD": "p"})


def test_bearer_prefix_is_accepted():
    assert resolve_credentials({"token": "Bearer abc"}, {}).token == "abc"


def test_an_expired_token_names_the_day():
    old = token_with({"exp": 1_600_000_000})
    with pytest.raises(AuthenticationError, match="expired on 2020-09-13; generate a new one"):
        resolve_credentials({"token": old}, {})


def test_a_valid_token_passes():
    fresh = token_with({"exp": time.time() + 60})
    assert resolve_credentials({"token": fresh}, {}).token == fresh


@pytest.mark.parametrize("text", ["a.b.c", "abc", "", "a..c", "x.e30.y", f"x.{'A' * 3}.y"])
def test_expiration_of_what_is_no_web_token_is_unknown(text):
    assert token_expiration(text) is None


def test_a_malformed_token_is_not_quoted():
    with pytest.raises(AuthenticationError) as caught:
        resolve_credentials({"token": "se cret\nX-Evil: 1"}, {})
    assert "cret" not in str(caught.value)


def test_secrets_are_in_no_representation():
    found = resolve_credentials({"username": "someone", "password": "hunter2"}, {})
    assert "hunter2" not in repr(found) and "hunter2" not in str(found) + f"{[found]}"
    assert found.redact("wrong hunter2!") == "wrong (hidden)!"
