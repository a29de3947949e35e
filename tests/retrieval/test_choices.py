"""What a dialog offers to choose from: projects of the service, layers of products."""

import pytest

from hyp3_stack.core.errors import NoProductsError
from hyp3_stack.core.tasks import list_layers, list_projects


def test_projects_with_their_jobs(stack, service, credentials, reporter):
    stack.add(2, project="beta")
    stack.add_one(2, project="beta", job_type="RTC_GAMMA")
    stack.add_one(3, project="alpha")
    stack.add_one(4)
    stack.add_one(5, project="other", job_type="AUTORIFT")
    outputs = list_projects.run({"API_URL": service.url}, credentials, reporter)
    assert list(outputs["PROJECTS"].items()) == [
        ("(none)", {"INSAR_GAMMA": 1}),
        ("alpha", {"INSAR_GAMMA": 1}),
        ("beta", {"INSAR_GAMMA": 2, "RTC_GAMMA": 1}),
    ]


def test_layers_of_a_folder(small, reporter):
    layers = list_layers.run({"INPUT": str(small.folder)}, None, reporter)["LAYERS"]
    held = {path.stem.rpartition("_")[2] for path in small.folder.rglob("*_corr.tif")}
    assert held <= set(layers)
    assert layers["corr"]


def test_layers_that_products_may_have(reporter):
    layers = list_layers.run({"PRODUCT_TYPE": "RTC_GAMMA"}, None, reporter)["LAYERS"]
    assert "VV" in layers and "unw_phase" not in layers
    both = list_layers.run({}, None, reporter)["LAYERS"]
    assert {"VV", "unw_phase"} <= set(both)


def test_a_folder_without_products(tmp_path, reporter):
    with pytest.raises(NoProductsError):
        list_layers.run({"INPUT": str(tmp_path)}, None, reporter)
