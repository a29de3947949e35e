"""URLs, endpoints and profiles: what is accepted, and what is refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from hyp3_stack.core.errors import InvalidParameterError
from hyp3_stack.core.object_store.location import RemoteLocation, parse_location


@pytest.mark.parametrize(
    ("url", "bucket", "key"),
    [
        ("s3://bucket/key", "bucket", "key"),
        ("S3://bucket/key/", "bucket", "key"),
        ("s3://my.bucket-1/a/b c/stack.zarr", "my.bucket-1", "a/b c/stack.zarr"),
        ("s3://bucket/Übersicht/2021_01.zarr//", "bucket", "Übersicht/2021_01.zarr"),
    ],
)
def test_good_urls(url: str, bucket: str, key: str) -> None:
    location = parse_location(url)
    assert (location.bucket, location.key) == (bucket, key)
    assert location.url == f"s3://{bucket}/{key}"
    assert location.gdal_path == f"/vsis3/{bucket}/{key}"
    assert location.name == key.rpartition("/")[2]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("s3:/x", "has to read like s3://bucket/folder/stack.zarr"),
        ("s3:bucket/key", "has to read like"),
        ("s3:///bucket/key", "has to read like"),
        ("bucket/key", "has to read like"),
        ("/data/stack.zarr", "has to read like"),
        (r"C:\data\stack.zarr", "has to read like"),
        ("http://127.0.0.1:9000/bucket/key", "has to read like"),
        ("https://bucket.s3.amazonaws.com/key", "has to read like"),
        ("gs://bucket/key", "has to read like"),
        ("s3://", "'' is not the name of a bucket"),
        ("s3://b/key", "'b' is not the name of a bucket"),
        ("s3://my bucket/key", "'my bucket' is not the name of a bucket"),
        ("s3://bucket", "which is a whole bucket"),
        ("s3://bucket/", "which is a whole bucket"),
        ("s3://bucket//", "which is a whole bucket"),
        ("s3://bucket/a//b", "its key is empty in part"),
        ("s3://bucket/a/../b", "its key is empty in part"),
        ("s3://bucket/a/ /b", "its key is empty in part"),
        ("s3://bucket/a*b", "characters"),
        ("s3://bucket/a\\b", "characters"),
        ('s3://bucket/a"b', "characters"),
        ("s3://bucket/a\nb", "characters"),
        ("s3://bucket/50%25", "characters"),
        ("s3://bucket/" + "k" * 901, "too long"),
    ],
)
def test_bad_urls(url: str, words: str) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        parse_location(url)
    text = str(caught.value)
    assert text.startswith("ZARR_URL is ") and words in text and text.endswith(".")
    assert "\n" not in text


@pytest.mark.parametrize(
    "url",
    [
        "s3://AKID:hush@bucket/key",
        "s3://hush@bucket/key",
        "s3://AKID:hu/hush/sh@bucket/key",
        "https://AKID:hush@example.org/bucket/key",
        "https://bucket.s3.amazonaws.com/key?X-Amz-Signature=hush",
        "s3://bucket/key?versionId=hush",
    ],
)
def test_credentials_in_urls_are_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        parse_location(url, parameter="INPUT")
    assert str(caught.value).startswith("INPUT must hold neither credentials nor a query")
    assert "hush" not in str(caught.value)


def test_an_at_sign_in_a_key_is_no_password() -> None:
    assert parse_location("s3://bucket/me@home.zarr").key == "me@home.zarr"


@pytest.mark.parametrize(
    ("endpoint", "kept"),
    [
        (None, None),
        ("https://minio.example.org:9000/", "https://minio.example.org:9000"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("https://storage.example.org/v1/s3", "https://storage.example.org/v1/s3"),
    ],
)
def test_good_endpoints(endpoint: str | None, kept: str | None) -> None:
    assert parse_location("s3://bucket/key", endpoint).endpoint == kept


@pytest.mark.parametrize(
    "endpoint",
    [
        "minio.example.org:9000",
        "localhost",
        "ftp://a.org",
        "https://",
        "http://a:port",
        "https://a b",
    ],
)
def test_bad_endpoints(endpoint: str) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        parse_location("s3://bucket/key", endpoint)
    text = str(caught.value)
    assert text.startswith("S3_ENDPOINT is ") and "https://minio.example.org:9000" in text


@pytest.mark.parametrize("endpoint", ["https://me:hush@a.org", "https://a.org/?token=hush"])
def test_credentials_in_endpoints_are_refused_and_not_repeated(endpoint: str) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        parse_location("s3://bucket/key", endpoint)
    assert "credentials" in str(caught.value) and "hush" not in str(caught.value)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """File with profiles, where the environment names no service."""
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_REQUEST_CHECKSUM_CALCULATION"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "config"
    monkeypatch.setenv("AWS_CONFIG_FILE", str(path))
    return path


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])
def test_endpoints_of_the_environment_are_checked_as_well(
    config: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for endpoint, words in (("http://me:hush@a.org/", "credentials"), ("minio:9000", "read like")):
        monkeypatch.setenv(name, endpoint)
        with pytest.raises(InvalidParameterError) as caught:
            parse_location("s3://bucket/key")
        text = str(caught.value)
        assert text.startswith(f"{name} ") and words in text and "hush" not in text
        # Another one is given, so that it does not count.
        parse_location("s3://bucket/key", "https://minio.example.org")


def checksums(location: RemoteLocation) -> str | None:
    """Return when botocore adds checksums; None for its default."""
    return location.file_system().config_kwargs.get("request_checksum_calculation")


def test_services_other_than_amazons_get_plain_checksums(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert checksums(RemoteLocation("b", "k")) is None
    assert checksums(RemoteLocation("b", "k", "https://minio.example.org")) == "when_required"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://minio.example.org")
    assert checksums(RemoteLocation("b", "k")) == "when_required"
    monkeypatch.setenv("AWS_REQUEST_CHECKSUM_CALCULATION", "when_supported")
    assert checksums(RemoteLocation("b", "k")) is None


@pytest.mark.parametrize(
    "settings",
    [
        "endpoint_url = https://minio.example.org",
        "services = ours\n[services ours]\ns3 =\n  endpoint_url = https://minio.example.org",
    ],
    ids=["of all services", "of S3"],
)
def test_the_service_of_a_profile(config: Path, settings: str) -> None:
    config.write_text(f"[profile mine]\n{settings}\n")
    mine = parse_location("s3://bucket/key", profile="mine")
    assert checksums(mine) == "when_required" and mine.service == "https://minio.example.org"
    amazons = parse_location("s3://bucket/key")
    assert checksums(amazons) is None and amazons.service == "the S3 service"
    config.write_text(f"[profile mine]\n{settings.replace('//', '//me:hush@')}\n")
    with pytest.raises(InvalidParameterError, match="endpoint_url in ~/.aws/config") as caught:
        parse_location("s3://bucket/key", profile="mine")
    assert "hush" not in str(caught.value)
