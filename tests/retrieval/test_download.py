"""Whole products: what arrives, what is skipped, what fails, and what is never touched."""

import hashlib
import json
import os
import shutil
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from hyp3_stack.core.errors import (
    Canceled,
    InvalidParameterError,
    NoProductsError,
    OutputError,
    RetrievalError,
)
from hyp3_stack.core.retrieval.download.folder import PARTIAL_FOLDER
from hyp3_stack.core.retrieval.download.manifest import MANIFEST_NAME
from hyp3_stack.core.run.reporter import SilentReporter
from hyp3_stack.core.tasks import download_products
from tests.hyp3_server import Fault

from .downloads import assert_complete
from .products import FIRST_ORBIT, granule, product_name


def test_products_arrive_unpacked(stack, download):
    jobs = stack.add(3)
    outputs = download()
    assert (outputs["DOWNLOADED"], outputs["SKIPPED"], outputs["FAILED"]) == (3, 0, 0)
    assert outputs["BYTES"] == sum(job.archive.stat().st_size for job in jobs)
    assert outputs["OUTPUT"] == str(download.folder)
    assert download.visible() == sorted(job.archive.stem for job in jobs)
    for job in jobs:
        assert_complete(download.folder, job)
    assert download.leftovers() == []


def test_product_files_are_asked_for_without_credentials(stack, download, tmp_path):
    (tmp_path / "no-netrc").write_text("default login someone password else\n")
    stack.add(1)
    download()
    assert [entry.authorization for entry in stack.service.log.files()] == [""]


def test_manifest(stack, download):
    job = stack.add_one(0)
    outputs = download()
    assert outputs["MANIFEST"] == str(download.folder / MANIFEST_NAME)
    (entry,) = download.manifest
    assert entry["job_id"] == job.job_id
    assert entry["file"] == job.archive.name
    assert entry["size"] == job.archive.stat().st_size
    assert entry["sha256"] == hashlib.sha256(job.archive.read_bytes()).hexdigest()
    assert entry["status"] == "complete"
    assert datetime.fromisoformat(entry["time"]).tzinfo is not None
    assert set(entry["members"]) == {
        path.name for path in (download.folder / job.archive.stem).iterdir()
    }


def test_second_run_downloads_nothing(stack, download):
    stack.add(3)
    download()
    before = (download.folder / MANIFEST_NAME).read_text()
    stack.service.log.clear()
    outputs = download()
    assert (outputs["DOWNLOADED"], outputs["SKIPPED"], outputs["BYTES"]) == (0, 3, 0)
    assert stack.service.log.files() == []
    assert json.loads(before)["files"] == download.manifest


def test_copied_folder_is_recognized_by_checksums(stack, download, tmp_path):
    stack.add(2)
    download()
    other = tmp_path / "copy"
    shutil.copytree(download.folder, other, copy_function=shutil.copyfile)
    stack.service.log.clear()
    assert download(OUTPUT=str(other))["SKIPPED"] == 2
    assert stack.service.log.files() == []


def test_copied_folder_is_verified_once(stack, download, tmp_path):
    stack.add(2)
    download()
    other = tmp_path / "copy"
    shutil.copytree(download.folder, other, copy_function=shutil.copyfile)
    with pytest.raises(NoProductsError):
        download(OUTPUT=str(other), START="2035-01-01")
    noted = json.loads((other / MANIFEST_NAME).read_text())["files"]
    for entry in noted:
        for name, (_, _, time) in entry["members"].items():
            assert time == (other / entry["product"] / name).stat().st_mtime_ns
    assert len(noted) == 2
    written = (other / MANIFEST_NAME).stat().st_mtime_ns
    with pytest.raises(NoProductsError):
        download(OUTPUT=str(other), START="2035-01-01")
    assert (other / MANIFEST_NAME).stat().st_mtime_ns == written


@pytest.mark.parametrize("damage", ["remove", "shorten", "change"])
def test_damaged_product_is_repaired_and_other_files_stay(stack, download, damage):
    job, other = stack.add(2)
    download()
    product = download.folder / job.archive.stem
    victim = product / f"{product.name}_corr.tif"
    if damage == "remove":
        victim.unlink()
    elif damage == "shorten":
        victim.write_bytes(victim.read_bytes()[:-1])
    else:
        data = victim.read_bytes()
        victim.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        os.utime(victim, (1, 1))
    (product / "my notes.txt").write_text("mine")
    outputs = download()
    assert (outputs["DOWNLOADED"], outputs["SKIPPED"]) == (1, 1)
    assert_complete(download.folder, job)
    assert (product / "my notes.txt").read_text() == "mine"


def test_folder_that_is_not_ours_is_never_overwritten(stack, download):
    job = stack.add_one(0)
    product = download.folder / job.archive.stem
    product.mkdir(parents=True)
    mine = product / f"{product.name}_corr.tif"
    mine.write_text("mine")
    for _ in range(2):
        with pytest.raises(RetrievalError, match="not from a former run; move the folder away"):
            download()
        assert mine.read_text() == "mine"
        assert [path.name for path in product.iterdir()] == [mine.name]


def test_one_failure_does_not_stop_the_others(stack, download):
    jobs = stack.add(6)
    stack.service.faults.add(jobs[2].archive.name, Fault(times=-1, status=404))
    with pytest.raises(RetrievalError) as caught:
        download()
    assert str(caught.value).startswith("1 of 6 products did not arrive, all others are complete")
    assert jobs[2].archive.stem in str(caught.value) and "although its job lists it" in str(
        caught.value
    )
    assert "order" not in str(caught.value)
    for job in jobs[:2] + jobs[3:]:
        assert_complete(download.folder, job)
    failed = [entry for entry in download.manifest if entry["status"] == "failed"]
    assert [entry["file"] for entry in failed] == [jobs[2].archive.name]
    assert "not on the server" in failed[0]["error"]
    stack.service.faults.clear()
    stack.service.log.clear()
    assert download()["DOWNLOADED"] == 1
    assert {entry.file for entry in stack.service.log.files()} == {jobs[2].archive.name}
    assert {entry["status"] for entry in download.manifest} == {"complete"}


def test_file_that_two_jobs_list(stack, download):
    first, second = stack.add(2)
    name = first.archive.name
    second.record["files"][0].update(filename=name.upper().replace(".ZIP", ".zip"))
    outputs = download()
    assert (outputs["DOWNLOADED"], outputs["FAILED"]) == (1, 0)
    (warning,) = [text for text in download.reporter.warnings if "list the same file" in text]
    assert first.job_id in warning and second.job_id in warning
    assert len(stack.service.log.files()) == 1 and download.leftovers() == []


def test_cut_and_slow_transfers(stack, download):
    jobs = stack.add(2, size=200_000)
    stack.service.faults.add(jobs[0].archive.name, Fault(cut_after=150_000))
    stack.service.faults.add(jobs[1].archive.name, Fault(rate=400_000))
    outputs = download()
    assert outputs["DOWNLOADED"] == 2
    assert outputs["BYTES"] == sum(job.archive.stat().st_size for job in jobs)


def test_proxy_of_qgis(stack, download):
    job = stack.add_one(0)
    download(PROXIES={"http": stack.service.proxy_url, "https": "", "no_proxy": ""})
    asked = [entry.path for entry in stack.service.log.of("proxy")]
    assert any(path.endswith("/jobs?job_type=INSAR_GAMMA") for path in asked)
    assert any(path.endswith(job.archive.name) for path in asked)


def test_products_that_expire_soon(stack, download):
    now = datetime.now(timezone.utc)
    stack.add_one(0, expires=now + timedelta(hours=20))
    stack.add_one(1, expires=now + timedelta(hours=47))
    stack.add_one(2, expires=now + timedelta(hours=49))
    download()
    (warning,) = download.reporter.warnings
    assert warning.startswith("2 products expire within 48 hours, the first at ")
    assert product_name(0, 0) in warning and product_name(2, 2) not in warning


def test_expired_products_that_are_there_still_count(stack, download):
    jobs = stack.add(2)
    download()
    past = (datetime.now(timezone.utc) - timedelta(hours=1)).isoformat()
    for job in jobs:
        job.record["expiration_time"] = past
        stack.service.withdrawn.add(job.job_id)
    assert download()["SKIPPED"] == 2
    shutil.rmtree(download.folder / jobs[0].archive.stem)
    outputs = download()
    assert (outputs["SKIPPED"], outputs["DOWNLOADED"]) == (1, 0)


def test_several_paths_are_told(stack, download):
    stack.add_one(0)
    stack.add_one(1, orbit=FIRST_ORBIT + 30)
    download()
    assert download.reporter.warnings == [
        "The products are of several paths (35, 5), which do not belong in one stack."
    ]


def test_full_disk_is_told_before_anything_is_fetched(stack, download):
    job = stack.add_one(0)
    job.record["files"][0]["size"] = 10**15
    with pytest.raises(OutputError, match=r"needs 1000000\.0 GB, but only"):
        download()
    assert stack.service.log.files() == []


class CanceledAfterOne(SilentReporter):
    """Cancels once a product is complete and a part of another is there."""

    def __init__(self, folder):
        super().__init__()
        self.parts = folder / PARTIAL_FOLDER

    def canceled(self):
        if not any("is complete" in text for text in self.infos):
            return False
        return any(part.stat().st_size for part in self.parts.glob("*.part"))


def test_cancel_keeps_what_is_complete_and_the_next_run_continues(stack, parameters, credentials):
    jobs = stack.add(5, size=300_000)
    for job in jobs[1:]:
        stack.service.faults.add(job.archive.name, Fault(hold_after=100_000))
    folder = Path(parameters["OUTPUT"])
    with pytest.raises(Canceled, match="next run continues"):
        download_products.run(parameters, credentials, CanceledAfterOne(folder))
    visible = {path.name for path in folder.iterdir()} - {PARTIAL_FOLDER, MANIFEST_NAME}
    assert visible == {jobs[0].archive.stem}
    stack.service.faults.clear()
    outputs = download_products.run(parameters, credentials, SilentReporter())
    assert (outputs["SKIPPED"], outputs["DOWNLOADED"]) == (1, 4)
    assert outputs["BYTES"] < sum(job.archive.stat().st_size for job in jobs[1:])
    for job in jobs:
        assert_complete(folder, job)


def test_cancel_does_not_wait_for_a_silent_server(stack, parameters, credentials):
    job = stack.add_one(0)
    stack.service.faults.add(job.archive.name, Fault(stall=60))

    class Impatient(SilentReporter):
        def canceled(self):
            return bool(stack.service.log.files())

    # The test ends long before the server speaks; a run that waits would hit the time limit.
    with pytest.raises(Canceled):
        download_products.run(parameters, credentials, Impatient())
    assert stack.service.log.files()[0].sent == 0


def test_unknown_layer(download):
    with pytest.raises(InvalidParameterError, match="LAYERS names height"):
        download(LAYERS="height")


def test_job_chosen_by_id(stack, download):
    jobs = stack.add(3)
    download(JOBS=jobs[1].job_id)
    assert download.visible() == [jobs[1].archive.stem]


def test_scene_names_are_as_the_jobs_say(stack):
    job = stack.add_one(0)
    assert job.record["job_parameters"]["granules"] == [granule(1), granule(0)]
