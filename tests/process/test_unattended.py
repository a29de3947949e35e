"""From an area to displacement without anybody at the screen, and again with a new scene."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest
import xarray

from hyp3_stack.core.products.granules import parse_granule
from tests.hyp3_server import Hyp3Service, job_from_archive
from tests.hyp3_server.searching import CatalogScene
from tests.sample_products import SampleSpec, write_products

from .conftest import ROOT

pytestmark = pytest.mark.qgis

MODEL = ROOT / "processing_provider" / "models" / "area_to_displacement.model3"
PRICE = 10


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    """Archives of the six pairs of four dates, by their scenes."""
    folder = tmp_path_factory.mktemp("archives")
    # With what an order asks for unless told otherwise.
    layers = ("unw_phase", "corr", "lv_theta", "lv_phi", "dem")
    write_products(folder, SampleSpec(products=6, rows=60, columns=70, layers=layers, zipped=True))
    jobs = [job_from_archive(path) for path in folder.glob("*.zip")]
    return {tuple(job.scenes): job for job in jobs}


@pytest.fixture
def service(archives):
    """A service that makes the products of what is ordered."""

    def made(job):
        finished = job_from_archive(archives[tuple(job.scenes)].archive)
        text = json.dumps(finished.record).replace(finished.job_id, job.job_id)
        kept = ("name", "request_time", "job_parameters")
        finished.record = {**json.loads(text), **{name: job.record[name] for name in kept}}
        return finished

    with Hyp3Service() as running:
        running.process = made
        yield running


def catalog_scene(name, job):
    scene = parse_granule(name)
    attributes = {"POLARIZATION": "VV+VH", "FRAME_NUMBER": "110"}
    return CatalogScene(name, scene.path, True, job.ring, scene.start, 27.0, attributes)


def test_new_scenes_become_displacement(qgis_run, service, archives, tmp_path):
    scenes = {name: job for job in archives.values() for name in job.scenes}
    in_time = sorted(scenes, key=lambda name: parse_granule(name).start)
    assert len(in_time) == 4
    west, south = map(min, zip(*archives[next(iter(archives))].ring, strict=True))
    stack, displacement = tmp_path / "stack.zarr", tmp_path / "displacement.nc"

    def run(dates, month, **more):
        service.log.clear()
        for name in in_time[:dates]:
            service.catalog[name] = catalog_scene(name, scenes[name])
        account = {
            **service.environment,
            # Half years that are over are searched once.
            "HYP3_STACK_CACHE": str(tmp_path / f"cache {month}"),
            "EARTHDATA_TOKEN": service.accounts.token(service.user.name),
        }
        return qgis_run(
            str(MODEL),
            account,
            **{
                "EXTENT": f"{west + 0.01},{west + 0.02},{south + 0.01},{south + 0.02} [EPSG:4326]",
                "START": "2022-12-01",
                "JOB_TYPE": "INSAR_GAMMA",
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

    def sizes():
        with xarray.open_zarr(stack, group="temporally_optimized") as pairs:
            with xarray.open_dataset(displacement) as made:
                return pairs.sizes["pair"], made.sizes["time"]

    refused = run(3, 1, MAX_CREDITS=20)
    assert refused.returncode != 0
    assert "costs 30 credits, but MAX_CREDITS is 20" in refused.text
    assert not service.log.orders() and not service.jobs

    done = run(3, 1)
    assert done.returncode == 0, done.text
    (order,) = service.log.orders()
    assert len(order.body["jobs"]) == 3
    assert service.user.remaining_credits == 8000 - 3 * PRICE
    assert sizes() == (3, 3)

    # A month later the products have expired at the service, and a new date brings three pairs.
    gone = datetime.now(timezone.utc) - timedelta(days=1)
    for job in service.jobs.values():
        job.record["expiration_time"] = gone.isoformat(timespec="seconds")
    first = set(service.jobs)
    done = run(4, 2)
    assert done.returncode == 0, done.text
    (order,) = service.log.orders()
    assert len(order.body["jobs"]) == 3
    assert service.user.remaining_credits == 8000 - 6 * PRICE
    fetched = {entry.path.split("/")[1] for entry in service.log.files()}
    assert fetched and not fetched & first
    assert sizes() == (6, 4)

    nothing = run(4, 2)
    assert nothing.returncode == 0, nothing.text
    assert not service.log.orders()
    assert not service.log.files()
