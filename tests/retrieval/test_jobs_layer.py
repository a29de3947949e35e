"""Where the layer of found jobs may go, and what it may replace."""

import json

import pytest

from hyp3_stack.core.errors import InvalidParameterError, OutputError
from hyp3_stack.core.tasks import find_jobs


def test_output_without_qgis_has_to_be_geojson(service, credentials, reporter):
    with pytest.raises(InvalidParameterError, match="ends in .geojson"):
        find_jobs.run({"API_URL": service.url, "OUTPUT": "x.gpkg"}, credentials, reporter)


@pytest.mark.parametrize(
    "content",
    [
        '{"precious": 1}',
        '{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"a": 1}}]}',
        '{"type": "FeatureCollection", "features": []}',
        '["a", "b"]',
        "no JSON at all",
        "[" * 100_000,
        '{"type": "FeatureCollection", "features": [' + '{"properties":' * 50_000,
    ],
    ids=lambda content: content[:60],
)
def test_files_of_others_are_not_replaced(stack, service, credentials, reporter, tmp_path, content):
    stack.add_one(0)
    target = tmp_path / "notes.json"
    target.write_text(content)
    with pytest.raises(OutputError, match=r"notes\.json, which exists and is not a layer of jobs"):
        find_jobs.run({"API_URL": service.url, "OUTPUT": str(target)}, credentials, reporter)
    assert target.read_text() == content
    assert service.log.of("api") == []


def test_jobs_of_a_former_run_are_replaced(stack, service, credentials, reporter, tmp_path):
    target = tmp_path / "new" / "jobs.geojson"
    for count in (1, 2):
        stack.add_one(count)
        find_jobs.run({"API_URL": service.url, "OUTPUT": str(target)}, credentials, reporter)
        assert len(json.loads(target.read_text())["features"]) == count
    assert [path.name for path in target.parent.iterdir()] == [target.name]


def test_output_that_is_a_folder(stack, service, credentials, reporter, tmp_path):
    stack.add_one(0)
    target = tmp_path / "jobs.geojson"
    target.mkdir()
    with pytest.raises(OutputError, match="which is a folder; give a file name"):
        find_jobs.run({"API_URL": service.url, "OUTPUT": str(target)}, credentials, reporter)
    assert {path.name for path in tmp_path.iterdir()} == {"server", target.name}
