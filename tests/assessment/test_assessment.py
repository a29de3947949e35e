"""The assessment of untouched stacks, its page, and what it says to wrong input."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
import xarray as xr

from hyp3_stack.core.assessment.assess import SELF_ASSESSMENT, assess_stack
from hyp3_stack.core.errors import InvalidParameterError, OutputError
from hyp3_stack.core.run.reporter import SilentReporter
from hyp3_stack.core.tasks import assess_stack as task
from tests.sample_products import SampleSpec

from ..stac.stac_rules import errors
from ..written_stacks import TYPES, Written, write
from .conftest import Assess

# What HyP3's products cannot give, or only the user can.
OPEN = {
    "INSAR_GAMMA": {"1.6.6", "1.7.1", "1.7.16", "1.7.17", "1.7.18", "3.3"},
    "INSAR_ISCE_BURST": {"1.6.6", "1.7.1", "1.7.16", "1.7.17", "1.7.18", "1.7.20", "3.3"},
    "INSAR_ISCE_MULTI_BURST": {"1.6.6", "1.7.1", "1.7.16", "1.7.17", "1.7.18", "1.7.20", "3.3"},
    "RTC_GAMMA": {"1.6.6", "1.7.1", "2.8", "3.3"},
}
VOID = {"meta", "img", "br", "rect", "line", "circle", "i"}


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("form", ["netcdf", "zarr"])
def test_thresholds(stacks: dict[str, Written], assessed: Assess, kind: str, form: str) -> None:
    assessment = assessed(getattr(stacks[kind], form))
    threshold = [item for item in assessment.items if item.is_threshold]
    left = [item for item in threshold if item.verdict.status != "met"]
    assert {item.requirement["number"] for item in left} == OPEN[kind]
    assert len(threshold) == (36 if stacks[kind].is_insar else 32)
    for item in assessment.items:
        if item.verdict.status == "met":
            assert item.verdict.evidence, item.requirement
        else:
            assert item.verdict.explanation, item.requirement
    assert assessment.problems == ()
    met = len(threshold) - len(left)
    assert assessment.summary == (
        f"self-assessed, {met} of {len(threshold)} threshold items met, not peer reviewed"
    )


@pytest.mark.parametrize("form", ["netcdf", "zarr"])
def test_times_are_told_as_people_write_them(
    gamma_stack: Written, assessed: Assess, form: str
) -> None:
    evidence = [
        text
        for item in assessed(getattr(gamma_stack, form)).items
        for text in item.verdict.evidence
    ]
    with xr.open_dataset(gamma_stack.netcdf) as stack:
        first, last = (str(stack.acquisition_time.values[end])[:19] for end in (0, -1))
    assert f"acquisition_time: {first}Z to {last}Z" in evidence
    assert not [text for text in evidence if " since " in text]


def test_layers_that_were_not_ordered(tmp_path: Path) -> None:
    """Without look vectors the center's follows from heading and slant range, pixels have none."""
    spec = SampleSpec(products=3, rows=60, columns=60, layers=("unw_phase", "corr"))
    items = {
        item.requirement["id"]: item.verdict
        for item in assess_stack(write(tmp_path, spec).netcdf).items
        if item.is_threshold
    }
    assert items["rulvec"].status == items["imgatt-sar"].status == "met"
    assert items["pelinca"].status == "not met"
    assert "order the products" in items["pelinca"].explanation


@pytest.mark.parametrize(("scale", "status"), [("amplitude", "met"), ("decibel", "not met")])
def test_backscatter_has_to_be_linear(
    rtc_stack: Written, tmp_path: Path, scale: str, status: str
) -> None:
    written = write(tmp_path, rtc_stack.samples, SCALE=scale)
    verdict = next(
        item.verdict
        for item in assess_stack(written.netcdf).items
        if item.requirement["id"] == "backsca-nrb"
    )
    assert verdict.status == status


def test_the_summary_is_noted_in_the_file(written: Written, assessed: Assess) -> None:
    summary = assessed(written.netcdf).summary
    assert re.fullmatch(
        r"self-assessed, \d+ of \d+ threshold items met, not peer reviewed", summary
    )
    assert assessed(written.zarr).summary == summary
    noted = [written.open()] + [
        xr.open_zarr(written.zarr, group=f"{group}_optimized", chunks=None)
        for group in ("spatially", "temporally")
    ]
    for dataset in noted:
        assert dataset.attrs[SELF_ASSESSMENT] == summary
        assert "compliant" not in str(dataset.attrs).lower()


def test_a_store_of_format_3(gamma_stack: Written, assessed: Assess, tmp_path: Path) -> None:
    """Its text is of variable length."""
    written = write(tmp_path, gamma_stack.samples, ["ZARR"], ZARR_FORMAT="3", STAC="true")
    after = assess_stack(written.zarr)
    assert after.problems == ()
    assert after.summary == assessed(gamma_stack.netcdf).summary
    with xr.open_zarr(written.zarr, group="spatially_optimized", chunks=None) as stack:
        assert stack.attrs[SELF_ASSESSMENT] == after.summary
    item = json.loads((tmp_path / "s.stac" / "s.json").read_text())
    assert errors(item) == []
    variables = item["properties"]["cube:variables"]
    assert variables["satellite"]["values"] == ["Sentinel-1A"] * 4


class Reader(HTMLParser):
    """Checks that elements are closed; keeps text and addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []
        self.text = ""
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in VOID or tag == "i":
            self.opened.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.opened.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self.opened):
            self.text += data


def read_page(path: Path) -> Reader:
    reader = Reader()
    content = path.read_text(encoding="utf-8")
    # A title within a part of a plot closes that part.
    reader.feed(re.sub(r"<(line|circle|rect)\b[^>]*[^/]><title>[^<]*</title></\1>", "", content))
    reader.close()
    assert reader.opened == []
    return reader


def test_the_report_of_a_built_stack(written: Written, assessed: Assess) -> None:
    page = read_page(written.report)
    embedded = [address for address in page.addresses if address.startswith("data:image/png")]
    maps = 2 if written.is_insar else 1
    assert len(embedded) == maps + len(written.samples.products)
    # Nothing is fetched when it is opened: everything else is a link.
    assert all(a.startswith(("data:", "https://ceos.org/")) for a in page.addresses)
    assessment = assessed(written.netcdf)
    for text in (assessment.title, assessment.summary, "copied bit for bit", "What was done"):
        assert text in page.text
    for item in assessment.items:
        assert item.requirement["title"] in page.text
    assert "compliant" not in page.text.lower() and "certified" not in page.text.lower()
    about = "Network of pairs" if written.is_insar else "Dates"
    pattern = f'<svg[^>]*aria-label="{about}".*?</svg>'
    svg = re.search(pattern, written.report.read_text(encoding="utf-8"), re.S)
    assert svg is not None
    pairs = len(written.samples.products) if written.is_insar else 0
    assert len(re.findall(r"stroke-width=\"2\"", svg.group())) == pairs
    assert any("not peer reviewed" in text for text in written.reporter.infos)


def test_the_task(gamma_stack: Written, tmp_path: Path) -> None:
    given = {
        "INPUT": str(gamma_stack.zarr),
        "OUTPUT": str(tmp_path / "a.html"),
        "JSON": str(tmp_path / "a.json"),
    }
    for _ in range(2):  # its own files are replaced
        outputs = task.run(given, None, SilentReporter())
    assert (outputs["MET"], outputs["UNMET"], outputs["NEEDS_USER"]) == (30, 5, 1)
    assert outputs["PROBLEMS"] == 0
    data = json.loads((tmp_path / "a.json").read_text())
    assert data["summary"] == outputs["SUMMARY"]
    assert data["peer_reviewed"] is False
    assert len(data["requirements"]) == 85
    assert "CC-BY-4.0" in data["attribution"]
    assert outputs["SUMMARY"] in read_page(tmp_path / "a.html").text


def sentence(**given: object) -> str:
    with pytest.raises((InvalidParameterError, OutputError)) as caught:
        task.run({name: str(value) for name, value in given.items()}, None, SilentReporter())
    text = str(caught.value)
    assert text.endswith(".") and "\n" not in text
    return text


def test_files_of_others_are_not_replaced(gamma_stack: Written, tmp_path: Path) -> None:
    for name, path, text in (
        ("JSON", tmp_path / "my.geojson", '{"type": "FeatureCollection", "features": []}'),
        ("OUTPUT", tmp_path / "thesis.html", "<!DOCTYPE html><html><p>years of work</html>"),
    ):
        path.write_text(text)
        found = sentence(INPUT=gamma_stack.netcdf, **{name: path})
        assert found.startswith(f"{name} is {path}, which exists and is not a report")
        assert path.read_text() == text


def test_wrong_input(gamma_stack: Written, tmp_path: Path) -> None:
    out = tmp_path / "a.html"
    assert "nothing of that name" in sentence(INPUT=tmp_path / "none.nc", OUTPUT=out)
    (tmp_path / "text.nc").write_text("no stack")
    assert "cannot be read as a stack" in sentence(INPUT=tmp_path / "text.nc", OUTPUT=out)
    (tmp_path / "empty.zarr").mkdir()
    text = sentence(INPUT=tmp_path / "empty.zarr", OUTPUT=out)
    assert "cannot be read as a stack" in text and "Path(" not in text
    single = xr.Dataset({"corr": (("y", "x"), [[0.5, 0.7]])})
    single.to_netcdf(tmp_path / "single.nc")
    text = sentence(INPUT=tmp_path / "single.nc", OUTPUT=out)
    assert f"INPUT is {tmp_path / 'single.nc'}, which is not a stack of pairs or dates" in text
    assert "give a stack that hyp3:buildstack wrote" in text
    assert "set OUTPUT" in sentence(INPUT=gamma_stack.netcdf)
    assert "which is the stack" in sentence(INPUT=gamma_stack.netcdf, OUTPUT=gamma_stack.netcdf)
    assert "which is the stack" in sentence(
        INPUT=gamma_stack.zarr, OUTPUT=gamma_stack.zarr / "a.html"
    )
    assert "which is a folder" in sentence(INPUT=gamma_stack.netcdf, OUTPUT=tmp_path)
    assert "are both" in sentence(INPUT=gamma_stack.netcdf, OUTPUT=out, JSON=out)
    assert not out.exists()
