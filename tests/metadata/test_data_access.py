"""The place where a stack is published: read, stored, assessed, told to catalogs; and MASKS."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import netCDF4
import pytest
import xarray as xr

from hyp3_stack.core.assessment.assess import SELF_ASSESSMENT, assess_stack
from hyp3_stack.core.errors import InvalidParameterError
from hyp3_stack.core.metadata.data_access import parse_data_access
from hyp3_stack.core.run.reporter import SilentReporter
from hyp3_stack.core.tasks import build_stack

from ..stac.stac_rules import errors
from ..written_stacks import Written, verdicts

DOI = "10.5281/zenodo.1234567"
ACCESS = ("daccess-prod", "threshold")


@pytest.mark.parametrize(
    "text", [DOI, f"doi:{DOI}", f"DOI: {DOI}", f"https://doi.org/{DOI}", f"http://dx.doi.org/{DOI}"]
)
def test_dois(text: str) -> None:
    access = parse_data_access(text)
    assert (access.url, access.doi) == (f"https://doi.org/{DOI}", DOI)


@pytest.mark.parametrize(
    "text",
    [
        "https://example.org/stack.nc",
        "http://example.org:8080/a/stack.zarr/?version=2",
        "s3://bucket/key/stack.zarr",
        "ftp://ftp.example.org/stack.nc",
    ],
)
def test_urls(text: str) -> None:
    access = parse_data_access(text)
    assert (access.url, access.doi) == (text, None)


@pytest.mark.parametrize(
    "text",
    [
        "my stack",
        "example.org/stack.nc",
        "/data/stack.nc",
        "C:\\data\\stack.nc",
        "file:///data/stack.nc",
        "https://",
        "https:///stack.nc",
        "https://example.org/my stack.nc",
        "https://example.org:port/stack.nc",
        "https://[::1/stack.nc",
        "https://example.org/\n",
        "doi:",
        "doi:zenodo.1234567",
        "10.5281",
        "10.5281/",
        f"{DOI} {DOI}",
        "https://doi.org/zenodo",
        "javascript:alert(1)",
    ],
)
def test_what_is_neither(text: str) -> None:
    with pytest.raises(InvalidParameterError, match="has to be a DOI") as caught:
        parse_data_access(text)
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "https://me:geheim@example.org/stack.nc",
        "htp://me:geheim@example.org/stack.nc",
        "https://b.s3.amazonaws.com/s.zarr?X-Amz-Signature=geheim&X-Amz-Expires=60",
        "https://example.org/s.nc?token=geheim",
    ],
)
def test_credentials_are_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(InvalidParameterError, match="give the plain address") as caught:
        parse_data_access(text)
    assert "geheim" not in str(caught.value)


def run(folder: Path, written: Written, **more: str) -> dict[str, object]:
    given = {"INPUT": str(written.samples.folder), "NETCDF": str(folder / "s.nc"), **more}
    return build_stack.run(given, None, SilentReporter())


def test_a_doi_meets_the_requirement(gamma_stack: Written, tmp_path: Path) -> None:
    before = verdicts(gamma_stack.netcdf)
    assert before[ACCESS].status == "needs the user"
    run(tmp_path, gamma_stack, DATA_ACCESS=f"doi:{DOI}", STAC="true")
    after = verdicts(tmp_path / "s.nc")
    assert [key for key in after if after[key].status != before[key].status] == [ACCESS]
    assert after[ACCESS].status == "met" and any(DOI in text for text in after[ACCESS].evidence)
    assert assess_stack(tmp_path / "s.nc").problems == ()
    with xr.open_dataset(tmp_path / "s.nc") as stack:
        assert stack.product_data_access == f"https://doi.org/{DOI}"
        assert (stack.id, stack.naming_authority) == (DOI, "org.doi")
    item = json.loads((tmp_path / "s.stac" / "s.json").read_text())
    assert errors(item) == []
    assert item["properties"]["sci:doi"] == DOI
    cited = [link["href"] for link in item["links"] if link["rel"] == "cite-as"]
    assert cited == [f"https://doi.org/{DOI}"]
    assert errors(json.loads((tmp_path / "s.stac" / "collection.json").read_text())) == []


def test_an_address(rtc_stack: Written, tmp_path: Path) -> None:
    url = "https://example.org/stacks/s.zarr"
    given = {"DATA_ACCESS": url, "STAC": "true", "LAYERS": "VV", "ZARR": str(tmp_path / "s.zarr")}
    run(tmp_path, rtc_stack, **given)
    for path in ("s.nc", "s.zarr"):
        assert verdicts(tmp_path / path)[ACCESS].status == "met"
    item = json.loads((tmp_path / "s.stac" / "s.json").read_text())
    assert errors(item) == []
    assert [link["href"] for link in item["links"] if link["rel"] == "about"] == [url]
    assert "sci:doi" not in item["properties"]


def test_appending_keeps_the_address_and_tells_catalogs(
    gamma_stack: Written, tmp_path: Path
) -> None:
    some = tmp_path / "some"
    for product in gamma_stack.samples.products[:3]:
        shutil.copytree(product.path, some / product.name)
    given = {"NETCDF": str(tmp_path / "s.nc"), "APPEND": "true", "LAYERS": "unw_phase,corr"}
    first = {"INPUT": str(some), "DATA_ACCESS": DOI, **given}
    build_stack.run(first, None, SilentReporter())
    noted = []
    for _ in range(2):  # the second time, nothing is new
        options = {"INPUT": str(gamma_stack.samples.folder), "STAC": "true", **given}
        outputs = build_stack.run(options, None, SilentReporter())
        item = json.loads(Path(str(outputs["STAC"])).read_text())
        assert errors(item) == []
        assert item["properties"]["sci:doi"] == DOI
        assert len(item["properties"]["cube:dimensions"]["pair"]["values"]) == 5
        shutil.rmtree(tmp_path / "s.stac")
        with xr.open_dataset(tmp_path / "s.nc") as stack:
            noted.append((stack.sizes["pair"], stack.id, stack.attrs[SELF_ASSESSMENT]))
    assert noted[0] == noted[1] == (5, DOI, assess_stack(tmp_path / "s.nc").summary)


def test_a_spoiled_address_is_noticed(gamma_stack: Written, tmp_path: Path) -> None:
    shutil.copy(gamma_stack.netcdf, tmp_path / "s.nc")
    with netCDF4.Dataset(tmp_path / "s.nc", "a") as file:
        file.product_data_access = "on my desk"
    assert verdicts(tmp_path / "s.nc")[ACCESS].status == "not met"


def test_bad_input_stops_before_any_work(gamma_stack: Written, tmp_path: Path) -> None:
    for given in ({"DATA_ACCESS": "my desk"}, {"MASKS": "some"}):
        with pytest.raises(InvalidParameterError, match=next(iter(given))):
            run(tmp_path, gamma_stack, **given)
    assert list(tmp_path.iterdir()) == []


def test_without_masks(gamma_stack: Written, tmp_path: Path) -> None:
    outputs = run(tmp_path, gamma_stack, MASKS="false", ZARR=str(tmp_path / "s.zarr"))
    assert not any("mask_reason" in text for text in outputs["LAYERS"])
    for group in ("spatially_optimized", "temporally_optimized"):
        with xr.open_zarr(tmp_path / "s.zarr", group=group) as stack, gamma_stack.open() as whole:
            assert set(whole.variables) - set(stack.variables) == {"data_mask", "mask_reason"}
            assert "data_mask" not in stack.unw_phase.attrs.get("ancillary_variables", "")
            xr.testing.assert_equal(stack["corr"].load(), whole["corr"].load())
    verdict = verdicts(tmp_path / "s.nc")["damaski", "threshold"]
    assert verdict.status == "not met" and "MASKS" in verdict.explanation
    assert assess_stack(tmp_path / "s.nc").problems == ()
