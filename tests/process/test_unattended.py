"""From a plan to displacement without anybody at the screen, and again when the plan has grown."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest
import xarray

from tests.hyp3_server import Hyp3Service, job_from_archive
from tests.sample_products import SampleSpec, write_products

from .conftest import ROOT

pytestmark = pytest.mark.qgis

MODEL = ROOT / "processing_provider" / "models" / "plan_to_displacement.model3"
PRICE = 10


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    """Archives of six pairs by their scenes, in the order of their dates."""
    folder = tmp_path_factory.mktemp("archives")
    # With what an order asks for unless told otherwise.
    layers = ("unw_phase", "corr", "lv_theta", "lv_phi", "dem")
    write_products(folder, SampleSpec(products=6, rows=60, columns=70, layers=layers, zipped=True))
    jobs = [job_from_archive(path) for path in folder.glob("*.zip")]
    # By the later date, so that a plan grows at its end.
    jobs.sort(key=lambda job: [scene[17:32] for scene in reversed(job.scenes)])
    return {tuple(job.scenes): job.archive for job in jobs}


@pytest.fixture
def service(archives):
    """A service that makes the products of what is ordered."""

    def made(job):
        finished = job_from_archive(archives[tuple(job.scenes)])
        text = json.dumps(finished.record).replace(finished.job_id, job.job_id)
        kept = ("name", "request_time", "job_parameters")
        finished.record = {**json.loads(text), **{name: job.record[name] for name in kept}}
        return finished

    with Hyp3Service() as running:
        running.process = made
        for path in archives.values():
            found = job_from_archive(path)
            running.know_scenes(found.scenes, found.ring)
        yield running


def plan(path, pairs):
    """Write a plan layer."""
    features = [
        {
            "type": "Feature",
            "geometry": None,
            "properties": {
                "job_type": "INSAR_GAMMA",
                "reference": first,
                "secondary": second,
                "rank": rank,
            },
        }
        for rank, (first, second) in enumerate(pairs, start=1)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def test_a_plan_that_grows(qgis_run, service, archives, tmp_path):
    pairs = list(archives)
    account = {
        **service.environment,
        "HYP3_STACK_CACHE": str(tmp_path / "cache"),
        "EARTHDATA_TOKEN": service.accounts.token(service.user.name),
    }
    stack, displacement = tmp_path / "stack.zarr", tmp_path / "displacement.nc"

    def run(count, **more):
        service.log.clear()
        return qgis_run(
            str(MODEL),
            account,
            **{
                "PLAN": plan(tmp_path / "plan.geojson", pairs[:count]),
                "NAME": "every month",
                "MAX_CREDITS": 30,
                "FOLDER": tmp_path / "products",
                "STACK": stack,
                "DISPLACEMENT": displacement,
                "API_URL": service.url,
                "INTERVAL": 1,
                **more,
            },
        )

    refused = run(3, MAX_CREDITS=20)
    assert refused.returncode != 0
    assert "costs 30 credits, but MAX_CREDITS is 20" in refused.text
    assert not service.log.orders() and not service.jobs

    done = run(3)
    assert done.returncode == 0, done.text
    (order,) = service.log.orders()
    assert len(order.body["jobs"]) == 3
    assert service.user.remaining_credits == 8000 - 3 * PRICE
    with xarray.open_zarr(stack, group="temporally_optimized") as pairs_of_stack:
        assert pairs_of_stack.sizes["pair"] == 3
    with xarray.open_dataset(displacement) as made:
        assert made.sizes["time"] == 3

    # A month later the products have expired at the service, and a new date brings three pairs.
    gone = datetime.now(timezone.utc) - timedelta(days=1)
    for job in service.jobs.values():
        job.record["expiration_time"] = gone.isoformat(timespec="seconds")
    first = set(service.jobs)
    done = run(6)
    assert done.returncode == 0, done.text
    (order,) = service.log.orders()
    assert len(order.body["jobs"]) == 3
    assert service.user.remaining_credits == 8000 - 6 * PRICE
    fetched = {entry.path.split("/")[1] for entry in service.log.files()}
    assert fetched and not fetched & first
    with xarray.open_zarr(stack, group="temporally_optimized") as pairs_of_stack:
        assert pairs_of_stack.sizes["pair"] == 6
    with xarray.open_dataset(displacement) as made:
        assert made.sizes["time"] == 4

    nothing = run(6)
    assert nothing.returncode == 0, nothing.text
    assert not service.log.orders()
    assert not service.log.files()
