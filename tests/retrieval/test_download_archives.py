"""Archives that are there already, are kept, are damaged or hostile."""

import shutil
import zipfile

import pytest

from hyp3_stack.core.errors import (
    RetrievalError,
)
from tests.hyp3_server import Fault
from tests.spoiled_zips import BAD, HOSTILE, spoil

from .downloads import assert_complete


def test_product_unpacked_by_hand_is_taken_over(stack, download):
    job = stack.add_one(0)
    with zipfile.ZipFile(job.archive) as archive:
        archive.extractall(download.folder)
    download()
    assert download.manifest[0]["status"] == "complete"
    assert download()["SKIPPED"] == 1


def test_archive_that_is_there_is_used_and_stays(stack, download):
    job = stack.add_one(0)
    download.folder.mkdir()
    shutil.copy(job.archive, download.folder)
    assert download()["BYTES"] == 0
    assert_complete(download.folder, job)
    assert (download.folder / job.archive.name).read_bytes() == job.archive.read_bytes()


def test_damaged_archive_that_is_there_is_not_used(stack, download):
    job = stack.add_one(0)
    download.folder.mkdir()
    (download.folder / job.archive.name).write_bytes(bytes(job.archive.stat().st_size))
    download()
    assert_complete(download.folder, job)


def test_kept_archives(stack, download):
    job = stack.add_one(0)
    download(KEEP_ZIPS=True)
    kept = download.folder / job.archive.name
    assert kept.read_bytes() == job.archive.read_bytes()
    assert download(KEEP_ZIPS=True)["SKIPPED"] == 1
    kept.unlink()
    assert download(KEEP_ZIPS=True)["DOWNLOADED"] == 1
    assert kept.exists() and download.leftovers() == []


def test_archive_damaged_on_the_way_is_fetched_again(stack, download):
    job = stack.add_one(0)
    stack.service.faults.add(job.archive.name, Fault(corrupt=True))
    download()
    assert_complete(download.folder, job)
    assert len(stack.service.log.files()) == 2


def test_archive_damaged_on_the_server(stack, download):
    job = stack.add_one(0)
    stack.service.faults.add(job.archive.name, Fault(times=-1, corrupt=True))
    with pytest.raises(RetrievalError, match=f"archive of {job.archive.stem} is damaged"):
        download()
    assert download.visible() == [] and download.leftovers() == []
    assert len(stack.service.log.files()) == 2


def test_hostile_archive_leaves_nothing_outside(stack, download, tmp_path):
    job = stack.add_one(0)
    with zipfile.ZipFile(job.archive, "a") as archive:
        archive.writestr(f"{job.archive.stem}/../../evil.txt", "evil")
    job.record["files"][0]["size"] = job.archive.stat().st_size
    with pytest.raises(RetrievalError, match="leads out of the folder"):
        download()
    assert list(tmp_path.rglob("evil*")) == [] and download.visible() == []


@pytest.mark.parametrize("name", ["../evil.zip", "/tmp/evil.zip", "..", ".hidden.zip", "a\\b.zip"])
def test_hostile_file_names(stack, download, tmp_path, name):
    job = stack.add_one(0)
    job.record["files"][0]["filename"] = name
    with pytest.raises(RetrievalError, match="not a file name"):
        download()
    assert list(tmp_path.rglob("evil*")) == [] and download.visible() == []


@pytest.mark.parametrize("how", [how for how in (*BAD, *HOSTILE) if how != "folder"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_one_bad_archive_stops_nothing_but_itself(stack, download, how):
    whole, bad = stack.add(2)
    spoil(bad.archive, how)
    bad.record["files"][0]["size"] = bad.archive.stat().st_size
    with pytest.raises(RetrievalError) as caught:
        download()
    text = str(caught.value)
    assert text.startswith("1 of 2 products did not arrive") and bad.archive.stem in text
    assert_complete(download.folder, whole)
    assert download.visible() == [whole.archive.stem] and download.leftovers() == []


@pytest.mark.parametrize(
    ("options", "lacking"),
    [
        ({}, "corr.tif"),
        ({}, "unw_phase.tif"),
        ({}, ".txt"),
        ({"include_dem": True}, "dem.tif"),
        ({"include_look_vectors": True}, "lv_phi.tif"),
    ],
)
def test_an_archive_that_was_packed_anew_without_a_file(stack, download, options, lacking):
    layers = ("unw_phase", "corr", "dem", "lv_theta", "lv_phi")
    job = stack.add_one(0, layers=layers, options={"looks": "20x4", **options})
    with zipfile.ZipFile(job.archive) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(job.archive, "w") as archive:
        for name, data in members.items():
            if not name.endswith(lacking) or name.endswith("README.md.txt"):
                archive.writestr(name, data)
    job.record["files"][0]["size"] = job.archive.stat().st_size
    with pytest.raises(RetrievalError, match=f"it lacks .*{lacking}"):
        download()
    assert download.visible() == []


def patched(path, mark, offset, data):
    """Write over the fields of all records of one kind in an archive."""
    content = bytearray(path.read_bytes())
    at = content.find(mark)
    while at >= 0:
        content[at + offset : at + offset + len(data)] = data
        at = content.find(mark, at + 4)
    path.write_bytes(content)


LOCAL, CENTRAL = b"PK\x03\x04", b"PK\x01\x02"


@pytest.mark.parametrize(
    "changes",
    [
        [(CENTRAL, 6, b"\x64\x00")],
        [(CENTRAL, 8, b"\x00\x08"), (CENTRAL, 46, b"\xff\xfe"), (LOCAL, 30, b"\xff\xfe")],
        [(CENTRAL, 10, b"\x63\x00"), (LOCAL, 8, b"\x63\x00")],
        [(CENTRAL, 8, b"\x41\x00"), (LOCAL, 6, b"\x41\x00")],
        [(CENTRAL, 8, b"\x20\x00"), (LOCAL, 6, b"\x20\x00")],
        [(CENTRAL, 42, b"\xff\xff\xff\x7f")],
        [(CENTRAL, 30, b"\xff\xff")],
        [(LOCAL, 14, b"\0\0\0\0"), (CENTRAL, 16, b"\0\0\0\0")],
        [(LOCAL, 26, b"\xff\xff")],
    ],
    ids=[
        "version 10",
        "names in no encoding",
        "unknown compression",
        "strong encryption",
        "patched data",
        "members beyond the end",
        "fields beyond the end",
        "wrong checksums",
        "names beyond the end",
    ],
)
def test_archive_that_cannot_be_read_does_not_stop_the_others(stack, download, changes):
    jobs = stack.add(3)
    bad = jobs[1]
    good = bad.archive.read_bytes()
    for change in changes:
        patched(bad.archive, *change)
    with pytest.raises(RetrievalError, match="1 of 3 products did not arrive") as caught:
        download()
    assert bad.archive.stem in str(caught.value)
    for job in (jobs[0], jobs[2]):
        assert_complete(download.folder, job)
    assert download.visible() == sorted(job.archive.stem for job in (jobs[0], jobs[2]))
    failed = [entry["file"] for entry in download.manifest if entry["status"] == "failed"]
    assert failed == [bad.archive.name]
    bad.archive.write_bytes(good)
    outputs = download()
    assert (outputs["DOWNLOADED"], outputs["SKIPPED"], outputs["FAILED"]) == (1, 2, 0)
    assert_complete(download.folder, bad)
