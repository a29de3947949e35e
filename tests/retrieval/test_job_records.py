"""Records of jobs, and of a download folder, whose fields are not what they should be."""

import json

import pytest

from hyp3_stack.core.errors import OutputError, RetrievalError
from hyp3_stack.core.retrieval.download.manifest import MANIFEST_NAME
from hyp3_stack.core.retrieval.jobs.jobs import job_record
from hyp3_stack.core.retrieval.service.json_fields import FieldError
from hyp3_stack.core.tasks import find_jobs
from tests.hyp3_server import Fault

DEEP = json.loads("[" * 900 + "]" * 900)


def changed(record, **fields):
    return {name: value for name, value in {**record, **fields}.items() if value is not ...}


@pytest.fixture
def record(stack):
    return dict(stack.add_one(0).record)


STRANGE = [
    ({"job_id": ...}, "job_id is missing"),
    ({"job_id": None}, "job_id is missing"),
    ({"job_id": {"a": 1}}, "job_id is {'a': 1}, which is not text"),
    ({"job_id": 10**400}, "job_id is 1000"),
    ({"job_id": "a\0b"}, "job_id is 'a\\x00b', which is not text"),
    ({"job_id": "\ud800"}, "job_id is '\\ud800', which is not text"),
    ({"job_type": ["INSAR_GAMMA"]}, "job_type is ['INSAR_GAMMA']"),
    ({"status_code": 5}, "status_code is 5"),
    ({"name": True}, "name is True"),
    ({"name": ["a"]}, "name is ['a']"),
    ({"request_time": "9" * 20}, "request_time is '99999999999999999999', which is not a time"),
    ({"request_time": 1.7e9}, "request_time is 1700000000.0"),
    ({"request_time": None}, "request_time is missing"),
    ({"request_time": "0001-01-01T00:00:00+14:00"}, "request_time is '0001-01-01T00:00:00+14:00'"),
    ({"expiration_time": "soon"}, "expiration_time is 'soon'"),
    ({"expiration_time": True}, "expiration_time is True"),
    ({"credit_cost": float("nan")}, "credit_cost is nan, which is not a number"),
    ({"credit_cost": float("inf")}, "credit_cost is inf"),
    ({"credit_cost": 10**400}, "credit_cost is 1000"),
    ({"credit_cost": "10"}, "credit_cost is '10'"),
    ({"job_parameters": []}, "job_parameters is [], which is not an object"),
    ({"job_parameters": {"granules": 5}}, "granules is 5, which is not a list of names"),
    ({"job_parameters": {"granules": [None]}}, "granules is [None]"),
    ({"job_parameters": {"reference": {"a": "b"}}}, "reference is {'a': 'b'}"),
    ({"files": {}}, "files is {}, which is not a list of objects"),
    ({"files": ["a.zip"]}, "files is ['a.zip']"),
    ({"files": [{"url": "http://x/a.zip", "size": 1}]}, "filename is missing"),
    ({"files": [{"filename": "a.zip", "url": None}]}, "url is missing"),
    ({"files": [{"filename": "a.zip", "url": "u", "size": -1}]}, "size is -1"),
    ({"files": [{"filename": "a.zip", "url": "u", "size": 1.5}]}, "size is 1.5"),
    ({"files": [{"filename": "a.zip", "url": "u", "size": 10**30}]}, "size is 1000"),
    ({"files": [{"filename": "a.zip", "url": "u", "size": "1"}]}, "size is '1'"),
]


@pytest.mark.parametrize(("fields", "why"), STRANGE, ids=[why[:40] for _, why in STRANGE])
def test_field_that_is_something_else(record, fields, why):
    with pytest.raises(FieldError) as caught:
        job_record(changed(record, **fields))
    assert str(caught.value).startswith(why) and len(str(caught.value)) < 120


@pytest.mark.parametrize("values", [None, [], "job", 5, DEEP])
def test_record_that_is_no_object(values):
    with pytest.raises(FieldError, match="record is not an object"):
        job_record(values)


@pytest.mark.parametrize(
    "fields",
    [
        {"name": None, "credit_cost": None, "expiration_time": None, "files": None},
        {"name": ..., "credit_cost": ..., "expiration_time": ..., "files": ...},
        {"job_parameters": None},
        {"job_parameters": {"resolution": None, "looks": None}},
        {"job_parameters": {"resolution": "fine", "looks": ["20x4"], "more": DEEP}},
        {"name": "Vulkan \u2014 \U0001f30b\u200d\u00a0\u5c71"},
        {"unknown": DEEP, "priority": -1},
        {"request_time": "2026-01-01T00:00:00Z"},
        {"request_time": "2026-01-01T00:00:00"},
    ],
)
def test_fields_that_may_be_so(record, fields):
    job = job_record(changed(record, **fields))
    assert job.job_id == record["job_id"] and job.requested.tzinfo is not None
    assert job.spacing in (None, 80.0)


@pytest.mark.parametrize("name", ["Kilauea 2021\n", "\tKilauea  2021", " Kilauea\r\n2021 "])
def test_project_with_line_breaks_and_spaces(stack, credentials, reporter, tmp_path, name):
    """Pasted names hold them, which no parameter could repeat."""
    stack.add_one(0).record["name"] = name
    stack.add_one(1).record["name"] = "Kilauea"
    found = find_jobs.run(
        {"API_URL": stack.service.url, "WORK_FOLDER": str(tmp_path), "PROJECT": "Kilauea 2021"},
        credentials,
        reporter,
    )
    assert found["COUNT"] == 1 and found["PROJECTS"] == ["Kilauea 2021"]
    assert reporter.warnings == []


def test_one_strange_record_does_not_hide_the_others(stack, credentials, reporter, tmp_path):
    good = stack.add(3)
    for index, (fields, _) in enumerate(STRANGE[6:16]):
        job = stack.add_one(10 + index)
        job.record.update(changed({}, **fields))
    parameters = {
        "API_URL": stack.service.url,
        "WORK_FOLDER": str(tmp_path),
        "JOB_TYPE": "INSAR_GAMMA",
    }
    stack.service.jobs[good[0].job_id].record["credit_cost"] = None
    # The stand-in sorts and filters by the fields that are strange here, so its answer is written.
    records = [stack.service.jobs[name].record for name in stack.service.jobs]
    content = json.dumps({"jobs": [*records, None, 7]}).encode()
    stack.service.api_faults.add("jobs", Fault(status=200, content=content))
    assert find_jobs.run(parameters, credentials, reporter)["COUNT"] == 3
    (warning,) = [text for text in reporter.warnings if "left out" in text]
    assert warning.startswith(f"12 jobs at {stack.service.url} are left out, because their records")
    assert "whose job_type is ['INSAR_GAMMA'], which is not text" in warning
    assert warning.endswith("and 7 more.")


def test_only_strange_records(stack, credentials, reporter, tmp_path):
    job = stack.add_one(0)
    job.record["credit_cost"] = "much"
    with pytest.raises(RetrievalError) as caught:
        find_jobs.run(
            {"API_URL": stack.service.url, "WORK_FOLDER": str(tmp_path)}, credentials, reporter
        )
    assert f"lists no job as HyP3 writes them (job {job.job_id}, whose credit_cost" in str(
        caught.value
    )


def test_strange_record_of_a_named_job(stack, credentials, reporter, tmp_path):
    job = stack.add_one(0, job_type="AUTORIFT")
    job.record["name"] = {"a": 1}
    with pytest.raises(RetrievalError, match="because its name is .*take it out of JOBS"):
        find_jobs.run(
            {"API_URL": stack.service.url, "WORK_FOLDER": str(tmp_path), "JOBS": job.job_id},
            credentials,
            reporter,
        )


@pytest.mark.parametrize(
    "letters",
    [
        *("../x.zip", "/tmp/x.zip", "x/y.zip", "a" * 300 + ".zip", ".zip", MANIFEST_NAME),
        *("x.zip.", "x.zip ", "x. ."),
    ],
)
def test_file_name_that_is_none(stack, download, letters):
    good, bad = stack.add(2)
    bad.record["files"][0]["filename"] = letters
    with pytest.raises(RetrievalError, match="1 of 2 products did not arrive") as caught:
        download()
    assert f"Job {bad.job_id} lists a file " in str(caught.value)
    assert good.archive.stem in download.visible() and len(download.visible()) == 1
    assert download.leftovers() == []
    # What was noted of it does not stop the next run.
    with pytest.raises(RetrievalError, match="1 of 2 products did not arrive"):
        download()


def entry(**fields):
    values = {"job_id": "j", "file": "f.zip", "product": "f", "size": 1, "status": "complete"}
    return {**values, **fields}


@pytest.mark.parametrize(
    "content",
    [
        {"files": [1]},
        {"files": {"a": {}}},
        {"files": [entry(members=[1])]},
        {"files": [entry(members={"a.tif": [1, 2]})]},
        {"files": [entry(members={"a.tif": "123"})]},
        {"files": [entry(members={"a.tif": [1, None, 3]})]},
        {"files": [entry(members={"a.tif": [1, 2, 0.5]})]},
        {"files": [entry(size=float("inf"))]},
        {"files": [entry(size=float("nan"))]},
        {"files": [entry(size=-5)]},
        {"files": [entry(size="1")]},
        {"files": [entry(job_id=None)]},
        {"files": [entry(file=["f.zip"])]},
        {"files": [entry(layers="corr", status=7)]},
        {"files": [entry(layers=[7])]},
        {"files": [entry(absent={"a": 1})]},
        [],
        {},
        5,
        None,
    ],
    ids=repr,
)
def test_strange_manifest(stack, download, content):
    stack.add(1)
    download.folder.mkdir()
    path = download.folder / MANIFEST_NAME
    path.write_text(json.dumps(content))
    before = path.read_bytes()
    with pytest.raises(
        OutputError, match=r"hyp3_manifest.json cannot be read \(.* (is|missing).*\); move it away"
    ):
        download()
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"[" * 100_000, b"\xff\xfe", b'{"files": [', b'{"files": 1' + b"0" * 5000 + b"}"]
)
def test_manifest_that_is_no_json(stack, download, content):
    stack.add(1)
    download.folder.mkdir()
    (download.folder / MANIFEST_NAME).write_bytes(content)
    with pytest.raises(
        OutputError, match=r"hyp3_manifest.json cannot be read \(\w+\); move it away"
    ):
        download()


@pytest.mark.parametrize("product", ["..", "../..", "/etc", "a/../../b", ""])
def test_manifest_that_leads_out_of_its_folder(stack, download, product):
    """Such an entry counts as one whose files are gone: the product is fetched."""
    job = stack.add_one(0)
    download()
    path = download.folder / MANIFEST_NAME
    values = json.loads(path.read_text())
    values["files"][0]["product"] = product
    values["files"][0]["members"] = {"/dev/zero": [0, 0, 0], "../x": [0, 0, 0]}
    path.write_text(json.dumps(values))
    assert download()["DOWNLOADED"] == 1
    assert download.visible() == [job.archive.stem]
