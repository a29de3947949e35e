"""Runs that fail: one sentence, nothing half-written, nothing lost."""

from __future__ import annotations

import re
import shutil
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from hyp3_stack.core.errors import (
    Canceled,
    NoProductsError,
    ProductError,
)
from hyp3_stack.core.run.reporter import SilentReporter
from hyp3_stack.core.tasks import build_stack
from tests.sample_products import SampleStack

from ..running import (
    StopAt,
    assert_one_sentence,
    build,
    copy_products,
    damage_layer,
    damage_tile,
    fingerprint,
    harmonize,
    layer_file,
    leftovers,
    zip_product,
)
from .interrupted import assert_same

pytestmark = pytest.mark.faults


def outputs(folder: Path) -> dict[str, Path]:
    return {"NETCDF": folder / "s.nc", "ZARR": folder / "s.zarr"}


# --- damage that shows only while pixels are read -----------------------------------------------


def damage_member(packed: Path, member: str) -> None:
    """Damage a file inside a zip without touching the zip's directory."""
    data = bytearray(packed.read_bytes())
    place = data.find(member.encode()) + len(member)
    data[place + 300 : place + 340] = bytes(40)
    packed.write_bytes(data)


@pytest.fixture(params=["tile", "tile warped", "zip", "zip warped", "cut inside zip"])
def damaged(request: pytest.FixtureRequest, small: SampleStack, tmp_path: Path) -> tuple[Path, str]:
    """Return a folder with one product whose damage no header tells, and its name."""
    folder = tmp_path / "in"
    zone = 32611 if "warped" in request.param else 32610
    bad = next(product.name for product in small.products if product.epsg == zone)
    copies = {path.name: path for path in copy_products(small, folder)}
    path = layer_file(copies[bad], "corr")
    if request.param.startswith("tile"):
        damage_layer(path)
    else:
        if request.param == "cut inside zip":
            path.write_bytes(path.read_bytes()[:-3000])
        for copy in copies.values():
            packed = zip_product(copy)
            shutil.rmtree(copy)
            if copy.name == bad and request.param != "cut inside zip":
                damage_member(packed, f"{bad}_corr.tif")
    return folder, bad


def test_damage_found_while_reading_stops_the_run(
    damaged: tuple[Path, str], tmp_path: Path
) -> None:
    folder, bad = damaged
    with pytest.raises(ProductError) as caught:
        build(folder, **outputs(tmp_path))
    assert_one_sentence(caught.value, bad, "corr", "retrieve the product again", "skip")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_the_damaged_one_of_layers_that_are_warped_at_once_is_named(
    gamma: SampleStack, tmp_path: Path
) -> None:
    copies = {path.name: path for path in copy_products(gamma, tmp_path / "in")}
    bad = next(product.name for product in gamma.products if product.epsg == 32611)
    path = layer_file(copies[bad], "amp")
    damage_layer(path)
    with pytest.raises(ProductError, match=f"The layer amp of {bad} is damaged"):
        build(tmp_path / "in", LAYERS="corr,amp,unw_phase", NETCDF=tmp_path / "s.nc")


def test_damage_found_while_reading_can_be_skipped(
    damaged: tuple[Path, str], tmp_path: Path
) -> None:
    folder, bad = damaged
    before = fingerprint(folder)
    run = build(folder, NETCDF=tmp_path / "s.nc", ON_BAD_PRODUCT="skip")
    assert run.outputs["STEPS"] == 3 and run.outputs["SKIPPED"] == 1
    assert [text for text in run.warnings if text.startswith("Left out:") and bad in text]
    with xr.open_dataset(run.netcdf) as stack:
        assert bad not in list(stack.product_name.values)
        assert stack.corr.notnull().any(("y", "x")).values.all()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "s.nc"]
    assert fingerprint(folder) == before


@pytest.mark.parametrize(
    "given",
    [
        {"NETCDF": "s.nc"},
        {"ZARR": "s.zarr", "ZARR_FORMAT": "3", "SHARDING": True},
        {"NETCDF": "s.nc", "ZARR": "s.zarr", "MASKS": "false"},
    ],
    ids=lambda given: "+".join(given),
)
def test_what_other_products_gave_is_kept(
    gamma: SampleStack, tmp_path: Path, given: dict[str, Any]
) -> None:
    """It gets the numbers, and the report, as if the damaged product had never been there."""
    bad = copy_products(gamma, tmp_path / "in", 4)[1]
    damage_layer(layer_file(bad, "corr"), "6_6")
    runs = []
    for folder in (tmp_path / "skipped", tmp_path / "without"):
        folder.mkdir()
        places = {name: folder / text for name, text in given.items() if str(text)[:2] == "s."}
        runs.append(
            build(
                tmp_path / "in",
                **given | places | {"REPORT": folder / "s.html", "CHUNK_SIZE": 0.02},
                ON_BAD_PRODUCT="skip",
                LAYERS="unw_phase,corr,dem",
                # Without it, the grid would be another one without the product.
                EXTENT="770000,779000,3843000,3850000 [EPSG:32610]",
            )
        )
        shutil.rmtree(bad, ignore_errors=True)
    [text] = [text for text in runs[0].infos if text.startswith("Going on")]
    assert int(text.split(";")[1].split()[0]) > 0
    assert not leftovers(tmp_path / "skipped")
    pictures = [
        re.findall('data:image/png[^"]+', Path(run.outputs["REPORT"]).read_text()) for run in runs
    ]
    assert len(pictures[0]) > 1 and pictures[0] == pictures[1]
    assert_same(tmp_path / "skipped", tmp_path / "without")


def test_all_products_damaged_inside(small: SampleStack, tmp_path: Path) -> None:
    harmonize(small.folder, tmp_path / "in")
    for product in small.products:
        damage_tile(layer_file(tmp_path / "in" / product.name, "corr"))
    with pytest.raises(NoProductsError) as caught:
        build(tmp_path / "in", NETCDF=tmp_path / "s.nc", ON_BAD_PRODUCT="skip")
    assert_one_sentence(caught.value, "4 damaged")
    assert not (tmp_path / "s.nc").exists() and not leftovers(tmp_path)


# --- existing outputs ---------------------------------------------------------------------------


def test_existing_outputs_survive_a_failed_run(
    small: SampleStack, made: Path, tmp_path: Path
) -> None:
    harmonize(small.folder, tmp_path / "in")
    before = fingerprint(made)
    damage_tile(layer_file(tmp_path / "in" / small.products[3].name, "water_mask"))
    with pytest.raises(ProductError):
        build(tmp_path / "in", **outputs(made))
    assert fingerprint(made) == before and not leftovers(made)
    with pytest.raises(NoProductsError):
        build(tmp_path / "in", **outputs(made), START="2030-01-01")
    assert fingerprint(made) == before and not leftovers(made)


@pytest.fixture(scope="module")
def made(small: SampleStack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both outputs, which no test may change."""
    folder = tmp_path_factory.mktemp("made")
    build(small.folder, **outputs(folder))
    return folder


@pytest.mark.parametrize("percent", [0, 6, 30, 70, 90, 95])
def test_cancel_at_any_time(small: SampleStack, made: Path, percent: float) -> None:
    """The older outputs stay; what was written is kept out of sight, for the next run."""
    before = fingerprint(made)
    given = {"INPUT": str(small.folder)}
    given |= {name: str(path) for name, path in outputs(made).items()}
    reporter = StopAt(percent)
    with pytest.raises(Canceled) as caught:
        build_stack.run(given, None, reporter)
    assert_one_sentence(caught.value, "canceled")
    assert percent <= reporter.percent < 100
    after = fingerprint(made)
    assert {name: data for name, data in after.items() if ".hyp3-partial-" not in name} == before
    assert bool(leftovers(made)) == ("go on from where it stopped" in str(caught.value))
    assert leftovers(made) or percent <= 10
    for path in leftovers(made):
        shutil.rmtree(path)


class StopAfterCompletion(SilentReporter):
    """Cancels once outputs are being moved to their final names."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = -1

    def completing(self) -> None:
        self.asked = 0

    def canceled(self) -> bool:
        if self.asked >= 0:
            self.asked += 1
        return self.asked > 1  # the first question is that of `complete`


def test_a_cancel_once_the_outputs_stand_gives_them(small: SampleStack, tmp_path: Path) -> None:
    places = outputs(tmp_path)
    given = {"INPUT": str(small.folder), "REPORT": str(tmp_path / "report.html")}
    given |= {name: str(path) for name, path in places.items()}
    reporter = StopAfterCompletion()
    result = build_stack.run(given, None, reporter)
    assert all(result[name] == str(path) and path.exists() for name, path in places.items())
    assert "REPORT" not in result
    assert any("report.html was not made" in text for text in reporter.warnings)
    assert not leftovers(tmp_path)


def test_a_cancel_while_the_report_gets_its_name(small: SampleStack, tmp_path: Path) -> None:
    """It is an output if it is there, and it is not there if it is none."""

    class StopAtReport(SilentReporter):
        """Cancels when the report is made, and waits until that has been noticed."""

        def __init__(self) -> None:
            super().__init__()
            self.is_stopping = False

        def info(self, text: str) -> None:
            super().info(text)
            if text.startswith("CEOS-ARD"):
                self.is_stopping = True
                time.sleep(0.5)

        def canceled(self) -> bool:
            return self.is_stopping

    report = tmp_path / "report.html"
    given = {"INPUT": str(small.folder), "REPORT": str(report), "LAYERS": "corr"}
    reporter = StopAtReport()
    result = build_stack.run(given | {"NETCDF": str(tmp_path / "s.nc")}, None, reporter)
    for thread in threading.enumerate():
        if thread.name == "beside the run":
            thread.join()
    assert reporter.is_stopping and report.exists() == ("REPORT" in result)


def test_reports_that_cannot_be_written_do_not_fail_a_stack(
    small: SampleStack, tmp_path: Path
) -> None:
    stack, report, catalog = (tmp_path / name for name in ("s.nc", "folder/r.html", "s.stac"))

    class Obstacle(SilentReporter):
        """Has something in the way once outputs are being moved to their final names."""

        def completing(self) -> None:
            report.parent.touch()
            catalog.touch()

    reporter = Obstacle()
    given = {"INPUT": str(small.folder), "NETCDF": str(stack), "REPORT": str(report), "STAC": True}
    result = build_stack.run(given, None, reporter)
    assert stack.exists() and not {"REPORT", "STAC"} & result.keys()
    about = [text for text in reporter.warnings if text.startswith("The stack is complete, but")]
    assert len(about) == 2
    assert f"report {report} was not made (" in about[0] and "hyp3:assessstack" in about[0]
    assert "STAC item was not made (" in about[1] and str(catalog) in about[1]


def test_cancel_before_there_is_any_output(small: SampleStack, tmp_path: Path) -> None:
    given = {"INPUT": str(small.folder), "NETCDF": str(tmp_path / "s.nc")}
    with pytest.raises(Canceled):
        build_stack.run(given, None, StopAt(40))
    assert not (tmp_path / "s.nc").exists()


def test_progress_grows_and_ends_at_the_end(small: SampleStack, tmp_path: Path) -> None:
    class Recorder(SilentReporter):
        def __init__(self) -> None:
            super().__init__()
            self.seen: list[float] = []

        def progress(self, percent: float) -> None:
            self.seen.append(percent)

    for options in ({}, {"CHUNKING": "temporal"}, {"CHUNKING": "spatial"}):
        recorder = Recorder()
        given = {"INPUT": str(small.folder), "ZARR": str(tmp_path / "s.zarr"), "LAYERS": "corr"}
        build_stack.run(given | options, None, recorder)
        assert recorder.seen == sorted(recorder.seen)
        assert recorder.seen[0] <= 5 and recorder.seen[-1] == pytest.approx(100)
        assert len(set(recorder.seen)) > 5
