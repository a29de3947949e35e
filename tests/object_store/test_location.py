"""URLs, endpoints and profiles: what is accepted, and what is refused in one sentence."""

from __future__ import annotations

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
        ("s3://", "'' is no name of a bucket"),
        ("s3://b/key", "'b' is no name of a bucket"),
        ("s3://my bucket/key", "'my bucket' is no name of a bucket"),
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


def test_services_other_than_amazons_get_plain_checksums(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_REQUEST_CHECKSUM_CALCULATION"):
        monkeypatch.delenv(name, raising=False)

    def option(location: RemoteLocation) -> str | None:
        return location.file_system().config_kwargs.get("request_checksum_calculation")

    assert option(RemoteLocation("b", "k")) is None
    assert option(RemoteLocation("b", "k", "https://minio.example.org")) == "when_required"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://minio.example.org")
    assert option(RemoteLocation("b", "k")) == "when_required"
    monkeypatch.setenv("AWS_REQUEST_CHECKSUM_CALCULATION", "when_supported")
    assert option(RemoteLocation("b", "k")) is None
