"""What goes wrong with object stores: what passes is waited for, the rest is one sentence."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import requests
import xarray as xr
import zarr

from hyp3_stack.core.errors import OutputError
from hyp3_stack.core.object_store import location as places
from hyp3_stack.core.object_store.location import RemoteLocation, parse_location
from hyp3_stack.core.object_store.publication import check_location_writable
from hyp3_stack.core.object_store.reading import open_remote
from tests.object_store.proxy import CUT, HOLD, RESET, Answer, Faults, Request, every
from tests.object_store.remote import publishing
from tests.object_store.service import BUCKET, SECRET, Service
from tests.running import assert_one_sentence

pytestmark = pytest.mark.faults

ARRAY = "spatially_optimized/a"


def write(location: RemoteLocation) -> np.ndarray:
    """Write and read back one array in 16 chunks."""
    values = np.arange(256.0 * 256, dtype="float32").reshape(256, 256)
    with publishing(location) as store:
        array = zarr.create_array(
            store, name=ARRAY, shape=(256, 256), chunks=(64, 64), dtype="f4", zarr_format=2
        )
        array[:] = values
        np.testing.assert_array_equal(array[:], values)
        zarr.consolidate_metadata(store, zarr_format=2)
    return values


def assert_holds(location: RemoteLocation, values: np.ndarray) -> None:
    with open_remote(location) as store:
        np.testing.assert_array_equal(zarr.open_group(store, mode="r")[ARRAY][:], values)


def assert_sentence(error: BaseException, *parts: str) -> None:
    assert_one_sentence(error, *parts)
    assert SECRET not in str(error)


# --- what passes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "faults",
    [
        every(5, Answer(500, "InternalError"), Answer(503, "SlowDown")),
        every(5, RESET),
        every(5, CUT),
        every(4, Answer(503, "ServiceUnavailable"), RESET, Answer(500, "InternalError"), CUT),
    ],
    ids=["500 and 503", "reset", "cut", "all"],
)
def test_what_passes_does_not_fail_a_run(
    object_store: Service, location: RemoteLocation, faults: Faults
) -> None:
    object_store.proxy.faults = faults
    values = write(location)
    assert object_store.proxy.failed > 8
    object_store.proxy.reset()
    assert_holds(location, values)
    names = [key.rpartition("/")[2] for key in object_store.keys(location.key)]
    assert not [name for name in names if name.startswith(".hyp3-partial")]


@pytest.mark.parametrize("method", ["PUT", "GET"])
def test_an_answer_that_never_comes_is_asked_for_again(
    object_store: Service, location: RemoteLocation, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """It costs as long as chunks are waited for, not the rest of the run."""
    assert places._CHUNK_SECONDS <= 10
    monkeypatch.setattr(places, "_CHUNK_SECONDS", 1.0)
    chunk = f"{location.key}/{ARRAY}/2.1"
    held: list[Request] = []

    def hold(request: Request) -> str | None:
        if request.method == method and request.path.endswith(chunk) and not held:
            held.append(request)
            return HOLD
        return None

    object_store.proxy.faults = hold
    values = write(location)
    assert len(held) == 1
    object_store.proxy.reset()
    assert_holds(location, values)


def test_a_service_that_breaks_down_ends_the_run_in_one_sentence(
    object_store: Service, location: RemoteLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    chunk = f"{location.key}/{ARRAY}/3.3"
    broken = Answer(503, "SlowDown")

    def fail(request: Request) -> Answer | None:
        return broken if request.path.endswith(chunk) else None

    object_store.proxy.faults = fail
    # Two attempts instead of eight, which take a minute.
    monkeypatch.setattr(RemoteLocation.file_system, "__defaults__", (2, 10.0, False))
    with pytest.raises(OutputError) as caught:
        write(location)
    assert_sentence(caught.value, location.url, "failed again and again (SlowDown)", "run again")
    assert object_store.keys(location.key) == []


# --- what does not --------------------------------------------------------------------------------


def refused(location: RemoteLocation) -> OutputError:
    with pytest.raises(OutputError) as caught:
        check_location_writable(location)
    return caught.value


@pytest.mark.parametrize(
    ("url", "endpoint", "words"),
    [
        ("s3://nobody/k", "{}", "has no bucket nobody|check ZARR_URL|create"),
        ("s3://stacks/k", "http://127.0.0.1:9", "http://127.0.0.1:9 cannot be reached|S3_ENDPOINT"),
        # One that speaks plain.
        ("s3://stacks/k", "https:{}", "cannot be reached|S3_ENDPOINT"),
    ],
    ids=["bucket", "nobody", "TLS"],
)
def test_no_such_place(object_store: Service, url: str, endpoint: str, words: str) -> None:
    there = endpoint.format(object_store.endpoint).replace("https:http:", "https:")
    assert_sentence(refused(parse_location(url, there)), *words.split("|"))


def test_an_endpoint_of_the_environment(
    object_store: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", object_store.endpoint)
    check_location_writable(parse_location(f"s3://{BUCKET}/from-environment"))


def test_an_endpoint_that_is_a_web_server(object_store: Service) -> None:
    text = "<!doctype html><html><p>Welcome<br></html>"
    object_store.proxy.faults = lambda request: Answer(200, "", text)
    location = parse_location("s3://stacks/k", object_store.endpoint)
    assert_sentence(refused(location), "fails or is not an S3 service", "check S3_ENDPOINT")
    object_store.proxy.faults = lambda request: Answer(404, "", text)
    assert_sentence(refused(location), "does not answer as an S3 service", "check S3_ENDPOINT")


def test_no_credentials(object_store: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    location = parse_location("s3://stacks/k", object_store.endpoint)
    assert_sentence(refused(location), "there are no credentials", "S3_PROFILE")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "half")
    assert_sentence(refused(location), "there are no credentials")


def test_an_unknown_profile(object_store: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    location = parse_location("s3://stacks/k", object_store.endpoint, "nobody")
    assert_sentence(refused(location), "S3_PROFILE is 'nobody', but ~/.aws/config")
    monkeypatch.setenv("AWS_PROFILE", "noone")
    location = parse_location("s3://stacks/k", object_store.endpoint)
    assert_sentence(refused(location), "AWS_PROFILE is 'noone', but ~/.aws/config")


def test_a_profile_gives_credentials_and_endpoint(
    object_store: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    config, secrets = tmp_path / "config", tmp_path / "credentials"
    config.write_text(f"[profile mine]\nendpoint_url = {object_store.endpoint}\n")
    secrets.write_text(f"[mine]\naws_access_key_id = A\naws_secret_access_key = {SECRET}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(secrets))
    check_location_writable(parse_location(f"s3://{BUCKET}/by-profile", profile="mine"))
    assert object_store.proxy.requests
    monkeypatch.setenv("AWS_PROFILE", "mine")
    check_location_writable(parse_location(f"s3://{BUCKET}/by-profile"))


@pytest.mark.parametrize(
    ("code", "status", "words"),
    [
        ("ExpiredToken", 400, "the credentials have expired (ExpiredToken)"),
        ("RequestTimeTooSkewed", 403, "the clock of this computer is wrong"),
        ("PermanentRedirect", 301, "lies in another region (PermanentRedirect); set AWS_REGION"),
        ("QuotaExceeded", 403, "is full (QuotaExceeded)"),
        ("SomethingNew", 418, "(SomethingNew); check ZARR_URL and S3_ENDPOINT"),
    ],
)
def test_other_refusals(
    object_store: Service, location: RemoteLocation, code: str, status: int, words: str
) -> None:
    # botocore itself asks the bucket for its region after a redirect.
    answer = Answer(status, code)
    object_store.proxy.faults = lambda request: answer if "list" in request.path else None
    assert_sentence(refused(location), location.url, words)


# --- permissions, checked by the service ----------------------------------------------------------


@pytest.fixture
def strict(object_store: Service) -> Iterator[Service]:
    """The service while it checks who may do what."""
    yield object_store
    guard(object_store, False)


def log_in(service: Service, patch: pytest.MonkeyPatch, actions: list[str]) -> None:
    """Take the credentials of a user who may do these actions only."""
    key, secret = service.user(uuid.uuid4().hex, actions)
    patch.setenv("AWS_ACCESS_KEY_ID", key)
    patch.setenv("AWS_SECRET_ACCESS_KEY", secret)


def guard(service: Service, on: bool) -> None:
    answer = requests.post(
        f"{service.direct}/moto-api/reset-auth", data=b"0" if on else b"inf", timeout=10
    )
    assert answer.ok


@pytest.mark.parametrize(
    "actions",
    [
        ["s3:GetObject", "s3:ListBucket"],
        ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
        ["s3:ListAllMyBuckets"],
    ],
    ids=["read only", "without listing", "nothing"],
)
def test_permissions_are_checked_before(
    strict: Service, monkeypatch: pytest.MonkeyPatch, actions: list[str]
) -> None:
    log_in(strict, monkeypatch, actions)
    place = uuid.uuid4().hex
    guard(strict, True)
    error = refused(parse_location(f"s3://{BUCKET}/{place}", strict.endpoint))
    guard(strict, False)
    assert_sentence(
        error, "because access was denied", "list, read, write and delete", "S3_PROFILE"
    )
    assert strict.keys(place) == []


def test_credentials_that_the_service_does_not_know(strict: Service) -> None:
    guard(strict, True)
    error = refused(parse_location("s3://stacks/k", strict.endpoint))
    guard(strict, False)
    assert_sentence(error, "does not accept the credentials (InvalidAccessKeyId)", "S3_PROFILE")


def test_a_stack_of_a_user_who_may_do_just_what_it_takes(
    strict: Service, location: RemoteLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    actions = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"]
    log_in(strict, monkeypatch, actions)
    guard(strict, True)
    check_location_writable(location)
    write(location)
    guard(strict, False)
    assert f"{location.key}/.zmetadata" in strict.keys(location.key)


def test_a_service_that_does_not_let_delete(
    object_store: Service, location: RemoteLocation
) -> None:
    def keep(request: Request) -> Answer | None:
        return Answer(403, "AccessDenied") if "?delete" in request.path else None

    object_store.proxy.faults = keep
    assert_sentence(refused(location), "cannot be cleaned, because access was denied")


def test_reading_what_is_not_there(location: RemoteLocation) -> None:
    store = location.store(read_only=True)
    with pytest.raises(FileNotFoundError):
        xr.open_zarr(store, group="spatially_optimized")
    places.close_connections(store.fs)
