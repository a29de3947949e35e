"""``buildstack`` into an object store gives what it gives on disk."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from hyp3_stack.core.errors import InvalidParameterError, OutputError, StoreError
from hyp3_stack.core.files.written_stack import open_stack
from hyp3_stack.core.object_store.location import RemoteLocation, parse_location
from hyp3_stack.core.run.reporter import SilentReporter
from hyp3_stack.core.tasks import assess_stack, build_stack
from tests.object_store.proxy import CUT, RESET, Answer, Request, every
from tests.object_store.service import BUCKET, KEY, SECRET, Service, logged_in
from tests.running import Run, build, contents, copy_products, layer_file, leftovers
from tests.sample_products import SampleStack

from .stacks import GROUPS, ONE_GROUP, assert_same, new_url, prefix, remote

pytestmark = pytest.mark.slow


@pytest.fixture
def url(object_store: Service) -> str:
    return new_url()


def assess(url: str, service: Service, **outputs: str) -> dict[str, Any]:
    given = {"INPUT": url, "S3_ENDPOINT": service.endpoint, **outputs}
    return assess_stack.run(given, None, SilentReporter())


@dataclass(frozen=True)
class Everywhere:
    """A build to all outputs at once, and what was asked of the service."""

    run: Run
    folder: Path
    requests: list[Request]

    @property
    def url(self) -> str:
        return str(self.run.outputs["ZARR_URL"])


@pytest.fixture(scope="module")
def everywhere(
    object_service: Service, small: SampleStack, tmp_path_factory: pytest.TempPathFactory
) -> Everywhere:
    folder = tmp_path_factory.mktemp("everywhere")
    with logged_in(object_service):
        run = build(
            small.folder,
            NETCDF=folder / "s.nc",
            ZARR=folder / "s.zarr",
            ZARR_URL=new_url(),
            S3_ENDPOINT=object_service.endpoint,
            CHUNK_SIZE=0.01,
            REPORT=folder / "s.html",
            STAC="true",
        )
        return Everywhere(run, folder, list(object_service.proxy.requests))


@pytest.fixture(scope="module", params=[("2", "temporal"), ("3", "spatial")], ids="-".join)
def alone(
    request: pytest.FixtureRequest,
    object_service: Service,
    small: SampleStack,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Run, Run]:
    """A build to the service only, in each format of Zarr, and the same one to a disk."""
    folder = tmp_path_factory.mktemp("alone")
    version, chunking = request.param
    options = {"ZARR_FORMAT": version, "CHUNK_SIZE": 0.02, "CHUNKING": chunking}
    service = {"ZARR_URL": new_url(), "S3_ENDPOINT": object_service.endpoint}
    with logged_in(object_service):
        there = build(small.folder, **service, REPORT=folder / "r.html", **options)
    return there, build(small.folder, ZARR=folder / "s.zarr", **options)


@pytest.mark.filterwarnings("ignore:Consolidated metadata is currently not part")
def test_the_same_stack_as_on_disk(object_store: Service, alone: tuple[Run, Run]) -> None:
    there, here = alone
    url = there.outputs["ZARR_URL"]
    assert "ZARR" not in there.outputs
    assert there.outputs["LAYERS"] == [
        source.replace(str(here.zarr), url.replace("s3://", "/vsis3/"))
        for source in here.outputs["LAYERS"]
    ]
    assert_same(object_store, url, here.zarr)
    place = parse_location(url, object_store.endpoint)
    with open_stack(place) as one, open_stack(here.zarr) as two:
        assert (set(one.layers), one.grid) == (set(two.layers), two.grid)
        facts, expected = (item.dataset.drop_vars(item.layers) for item in (one, two))
        xr.testing.assert_equal(facts, expected)
        for name in one.layers:
            block = ([0, 2], slice(20, 50), slice(9, 70))
            np.testing.assert_array_equal(one.read(name, *block), two.read(name, *block))


@pytest.mark.filterwarnings("ignore:Consolidated metadata is currently not part")
def test_report_and_assessment_of_a_stack_that_is_only_there(
    object_store: Service, alone: tuple[Run, Run], tmp_path: Path
) -> None:
    there, here = alone
    url = there.outputs["ZARR_URL"]
    assert url in Path(there.outputs["REPORT"]).read_text(encoding="utf-8")
    written = str(tmp_path / "a.json")
    found = assess(url, object_store, JSON=written)
    expected = assess_stack.run(
        {"INPUT": str(here.zarr), "JSON": str(tmp_path / "b.json")}, None, SilentReporter()
    )
    names = ("MET", "UNMET", "NOT_APPLICABLE", "NEEDS_USER", "PROBLEMS", "SUMMARY")
    assert {n: found[n] for n in names} == {n: expected[n] for n in names}
    assert json.loads(Path(written).read_text())["stack"] == url
    # The way GDAL writes it means the same.
    again = assess(url.replace("s3://", "/vsis3/"), object_store, JSON=written)
    assert again["MET"] == found["MET"]


def test_both_at_once_and_a_file(object_store: Service, everywhere: Everywhere) -> None:
    run = everywhere.run
    # Series are put together from the maps on disk: nothing but samples is read over the network.
    chunks = [r for r in everywhere.requests if "/unw_phase/" in r.path]
    written = {r.path for r in chunks if r.method == "PUT"}
    read = {r.path for r in chunks if r.method == "GET"}
    assert len(read) < len(written) / 4
    for group in GROUPS:
        with xr.open_zarr(run.zarr, group=group) as expected:
            xr.testing.assert_identical(remote(run, object_store, group), expected.load())
    with xr.open_dataset(run.netcdf) as file:
        there = remote(run, object_store, GROUPS[0])
        np.testing.assert_array_equal(file.unw_phase, there.unw_phase)
    assert leftovers(everywhere.folder) == []


def test_the_stac_item_tells_the_way_to_the_service(
    object_store: Service, everywhere: Everywhere
) -> None:
    item = json.loads(Path(everywhere.run.outputs["STAC"]).read_text())
    asset = item["assets"]["zarr-url-spatially"]
    options = asset["xarray:open_kwargs"] | {"storage_options": asset["xarray:storage_options"]}
    with (
        xr.open_dataset(asset["href"], **options) as there,
        xr.open_dataset(everywhere.run.netcdf) as here,
    ):
        xr.testing.assert_equal(there.unw_phase.compute(), here.unw_phase.compute())


def test_no_secret_gets_out(object_store: Service, everywhere: Everywhere) -> None:
    run = everywhere.run
    written = b"".join(object_store.contents(prefix(everywhere.url)).values())
    written += b"".join(path.read_bytes() for path in everywhere.folder.iterdir() if path.is_file())
    written += b"".join(contents(run.zarr).values())
    said = "\n".join([*run.infos, *run.warnings, json.dumps(run.outputs)]).encode()
    for secret in (SECRET, KEY, object_store.endpoint, "S3_ENDPOINT"):
        assert secret.encode() not in written + said
    # An item shows readers the way to the service.
    item = Path(run.outputs["STAC"]).read_text()
    assert SECRET not in item and KEY not in item
    assert f"ZARR_URL={everywhere.url}".encode() in written  # in the history


@pytest.mark.filterwarnings("ignore:Consolidated metadata is currently not part")
def test_pixels_count_once(
    object_store: Service, alone: tuple[Run, Run], everywhere: Everywhere
) -> None:
    """Also where series are read from the products, as there are no maps."""
    there, here = alone
    [group] = [path.name for path in here.zarr.iterdir() if path.is_dir()]
    found = remote(there, object_store, group)
    with xr.open_dataset(everywhere.run.netcdf) as expected:
        for name in ("valid_fraction", "coherence_mean", "coherence_std"):
            np.testing.assert_allclose(found[name], expected[name], rtol=1e-6)
        fraction = expected.unw_phase.notnull().mean(("y", "x"))
        np.testing.assert_allclose(found.valid_fraction, fraction, rtol=1e-6)


def test_a_network_that_goes_while_a_stack_is_read(
    object_store: Service,
    url: str,
    small: SampleStack,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Two attempts instead of eight, which take a minute.
    monkeypatch.setattr(RemoteLocation.file_system, "__defaults__", (2, 10.0, False))
    proxy = object_store.proxy

    def lose(request: Request) -> str | None:
        # What is read once the stack is visible; the report rests on what was read before.
        *before, _ = proxy.requests
        root = [seen.method for seen in before if seen.path.endswith(".zarr/.zmetadata")]
        return RESET if "GET" in root and request.method == "GET" else None

    proxy.faults = lose
    given = {"S3_ENDPOINT": object_store.endpoint, **ONE_GROUP}
    report = tmp_path / "r.html"
    run = build(small.folder, ZARR_URL=url, REPORT=report, **given)
    assert "GET" in [seen.method for seen in proxy.requests]
    assert run.outputs["REPORT"] == str(report) and report.exists()
    denied = Answer(403, "AccessDenied")
    for allowed, fault, words in (
        (3, denied, "because access was denied"),
        (6, CUT, "cannot be read"),
        (12, RESET, "cannot be reached"),
    ):
        proxy.reset()
        proxy.faults = lambda r, n=allowed, fault=fault: fault if r.number > n else None
        with pytest.raises(StoreError) as caught:
            assess(url, object_store, OUTPUT=str(report))
        assert url in str(caught.value) and words in str(caught.value)


def test_a_failing_service_does_not_fail_a_build(
    object_store: Service, url: str, small: SampleStack, everywhere: Everywhere
) -> None:
    object_store.proxy.faults = every(
        21, Answer(503, "SlowDown"), RESET, Answer(500, "InternalError"), CUT
    )
    run = build(small.folder, ZARR_URL=url, S3_ENDPOINT=object_store.endpoint, **ONE_GROUP)
    assert object_store.proxy.failed > 10
    object_store.proxy.reset()
    with xr.open_dataset(everywhere.run.netcdf) as expected:
        there = remote(run, object_store, GROUPS[0])
        xr.testing.assert_equal(there.unw_phase, expected.unw_phase)


def test_what_is_there_is_kept_and_nothing_is_begun(
    object_store: Service, url: str, small: SampleStack, tmp_path: Path
) -> None:
    object_store.put(f"{prefix(url)}.zmetadata", b"precious")
    reporter = SilentReporter()
    given = {
        "INPUT": str(small.folder),
        "ZARR_URL": url,
        "NETCDF": str(tmp_path / "s.nc"),
        "S3_ENDPOINT": object_store.endpoint,
    }
    with pytest.raises(OutputError, match="a Zarr store already; it is not replaced"):
        build_stack.run(given, None, reporter)
    assert reporter.infos == [] and list(tmp_path.iterdir()) == []
    assert object_store.contents(prefix(url)) == {".zmetadata": b"precious"}


def test_a_damaged_product_is_left_out(
    object_store: Service, url: str, small: SampleStack, tmp_path: Path
) -> None:
    [first, *_] = copy_products(small, tmp_path)
    path = layer_file(first, "corr")
    path.write_bytes(path.read_bytes()[:-3000])
    run = build(
        tmp_path,
        ZARR_URL=url,
        S3_ENDPOINT=object_store.endpoint,
        ON_BAD_PRODUCT="skip",
        **ONE_GROUP,
    )
    assert (run.outputs["STEPS"], run.outputs["SKIPPED"]) == (3, 1)
    assert remote(run, object_store, GROUPS[0]).sizes["pair"] == 3


def test_damage_in_the_object_store_is_found(
    object_store: Service, url: str, small: SampleStack
) -> None:
    class Damager(SilentReporter):
        def info(self, text: str) -> None:
            if text.startswith("Reading the outputs back"):
                chunks = [k for k in object_store.keys(prefix(url)) if "/corr/" in k]
                for key in chunks:
                    object_store.client().delete_object(Bucket=BUCKET, Key=key)
                self.warning(f"{len(chunks)} deleted")

    reporter = Damager()
    given = {"INPUT": str(small.folder), "ZARR_URL": url, "S3_ENDPOINT": object_store.endpoint}
    with pytest.raises(OutputError) as caught:
        build_stack.run({**given, **ONE_GROUP}, None, reporter)
    assert reporter.warnings[-1] != "0 deleted"
    text = str(caught.value)
    assert text.startswith(f"{url} was written, but the layer corr does not read back")
    assert text.endswith("so check the object store and run again.")
    assert object_store.keys(prefix(url)) == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"ZARR_URL": "s3:/x"}, "ZARR_URL is 's3:/x', but it has to read like"),
        ({"ZARR_URL": "/vsis3/bucket"}, "which is a whole bucket"),
        ({"ZARR_URL": "s3://bucket/k", "S3_ENDPOINT": "minio"}, "S3_ENDPOINT is 'minio'"),
        ({"ZARR_URL": "s3://me:hush@bucket/k"}, "must hold neither credentials"),
        ({"ZARR_URL": "s3://bucket/k", "STAC": True}, "STAC describes a stack on disk"),
        ({"ZARR_URL": "  "}, "No output is given; set NETCDF, ZARR or ZARR_URL."),
    ],
)
def test_bad_values(small: SampleStack, given: dict[str, Any], words: str) -> None:
    with pytest.raises((InvalidParameterError, OutputError)) as caught:
        build(small.folder, **given)
    assert words in str(caught.value) and "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("s3://stacks/nothing", "there is no Zarr store at that address"),
        ("s3://nobody/nothing", "has no bucket nobody; check INPUT"),
        ("s3://stacks", "INPUT is 's3://stacks', which is a whole bucket"),
        ("/vsis3/", "is not the name of a bucket"),
    ],
)
def test_assessing_what_is_not_there(
    object_store: Service, tmp_path: Path, given: str, words: str
) -> None:
    with pytest.raises((InvalidParameterError, OutputError)) as caught:
        assess(given, object_store, OUTPUT=str(tmp_path / "a.html"))
    assert words in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_group_that_is_no_stack(object_store: Service, tmp_path: Path) -> None:
    object_store.put("other.zarr/.zgroup", b'{"zarr_format": 2}')
    with pytest.raises(InvalidParameterError, match="holds no layers on y and x"):
        assess(f"s3://{BUCKET}/other.zarr", object_store, OUTPUT=str(tmp_path / "a.html"))
