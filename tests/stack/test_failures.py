"""Runs that fail: one sentence, nothing half-written, nothing lost."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

import pytest
import rasterio
import xarray as xr

from hyp3_stack.core.errors import (
    Canceled,
    InvalidParameterError,
    NoProductsError,
    OutputError,
    ProductError,
)
from hyp3_stack.core.reporter import SilentReporter
from hyp3_stack.core.tasks import build_stack
from tests.sample_products import SampleStack

from .running import build, contents, copy_products, harmonize, layer_file, leftovers, zip_product


def outputs(folder: Path) -> dict[str, Path]:
    return {"NETCDF": folder / "s.nc", "ZARR": folder / "s.zarr"}


def fingerprint(folder: Path) -> dict[str, str]:
    return {name: hashlib.sha256(data).hexdigest() for name, data in contents(folder).items()}


def assert_one_sentence(error: BaseException, *parts: str) -> None:
    text = str(error)
    for part in parts:
        assert part in text, text
    assert text.endswith(".") and "\n" not in text and "Traceback" not in text


# --- damage that shows only while pixels are read -----------------------------------------------


def damage_tile(path: Path) -> None:
    """Overwrite the beginning of a compressed tile, which GDAL notices when it decodes it."""
    with rasterio.open(path) as file:
        start = int(file.get_tag_item("BLOCK_OFFSET_0_0", "TIFF", bidx=1))
    data = bytearray(path.read_bytes())
    data[start : start + 64] = bytes(64)
    path.write_bytes(data)


def damage_member(packed: Path, member: str) -> None:
    """Damage a file inside a zip without touching the zip's directory."""
    data = bytearray(packed.read_bytes())
    place = data.find(member.encode()) + len(member)
    data[place + 300 : place + 340] = bytes(40)
    packed.write_bytes(data)


def damage_layer(path: Path) -> None:
    """Store a layer in compressed tiles and damage one of them, which its header does not tell."""
    with rasterio.open(path) as file:
        values, profile = file.read(), file.profile
    profile.update(compress="deflate", tiled=True, blockxsize=16, blockysize=16)
    with rasterio.open(path, "w", **profile) as file:
        file.write(values)
    damage_tile(path)


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
        build(tmp_path / "in", LAYERS="corr,amp,unw_phase", **outputs(tmp_path))


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


class StopAt(SilentReporter):
    """Cancels as soon as the run has come so far."""

    def __init__(self, percent: float) -> None:
        super().__init__()
        self.stop = percent

    def canceled(self) -> bool:
        return self.percent >= self.stop


@pytest.fixture(scope="module")
def made(small: SampleStack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both outputs, which no test may change."""
    folder = tmp_path_factory.mktemp("made")
    build(small.folder, **outputs(folder))
    return folder


@pytest.mark.parametrize("percent", [0, 6, 30, 57, 70, 90, 95])
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
    """Cancels once it was told that the outputs come to stand."""

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
        given = {"INPUT": str(small.folder), "ZARR": str(tmp_path / "s.zarr")} | options
        build_stack.run(given, None, recorder)
        assert recorder.seen == sorted(recorder.seen)
        assert recorder.seen[0] <= 5 and recorder.seen[-1] == pytest.approx(100)
        assert len(set(recorder.seen)) > 5


# --- outputs that are refused -------------------------------------------------------------------


def refused(folder: Path, small: SampleStack, **given: Any) -> str:
    """Return the sentence of a run that must not begin to write."""
    before = fingerprint(folder)
    with pytest.raises(OutputError) as caught:
        build(small.folder, **given)
    assert_one_sentence(caught.value)
    assert fingerprint(folder) == before and not leftovers(folder)
    return str(caught.value)


def test_no_output_at_all(small: SampleStack, tmp_path: Path) -> None:
    assert "set NETCDF, ZARR" in refused(tmp_path, small)
    assert "set NETCDF, ZARR" in refused(tmp_path, small, NETCDF="", ZARR="  ")


def test_the_same_place_twice(small: SampleStack, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    for netcdf, zarr in (
        (tmp_path / "s", tmp_path / "s"),
        (tmp_path / "x" / ".." / "s", tmp_path / "s"),
        (tmp_path / "link" / "s", tmp_path / "s"),
    ):
        assert "NETCDF and ZARR are both" in refused(tmp_path, small, NETCDF=netcdf, ZARR=zarr)


def test_one_output_inside_the_other(small: SampleStack, tmp_path: Path) -> None:
    inner = tmp_path / "s.zarr" / "deep" / "s.nc"
    text = refused(tmp_path, small, NETCDF=inner, ZARR=tmp_path / "s.zarr")
    assert text.startswith(f"NETCDF is {inner}, which lies in ZARR")
    inner = tmp_path / "s.nc" / "s.zarr"
    text = refused(tmp_path, small, NETCDF=tmp_path / "s.nc", ZARR=inner)
    assert text.startswith(f"ZARR is {inner}, which lies in NETCDF")


def test_what_is_no_stack_is_not_replaced(small: SampleStack, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "data.csv").write_text("years of work")
    (tmp_path / "notes.txt").write_text("years of work")
    assert "not a Zarr store" in refused(tmp_path, small, ZARR=precious)
    assert "not a Zarr store" in refused(tmp_path, small, ZARR=tmp_path / "notes.txt")
    assert "which is a folder" in refused(tmp_path, small, NETCDF=precious)
    assert "not a NetCDF file" in refused(tmp_path, small, NETCDF=tmp_path / "notes.txt")


def test_inputs_are_never_replaced(small: SampleStack, tmp_path: Path) -> None:
    folders = copy_products(small, tmp_path / "in")
    before = fingerprint(tmp_path)
    for given in (
        {"NETCDF": layer_file(folders[0], "corr")},
        {"NETCDF": folders[0] / f"{folders[0].name}.txt"},
        {"NETCDF": folders[0]},
        {"ZARR": folders[0]},
        {"ZARR": layer_file(folders[0], "corr")},
        {"ZARR": tmp_path / "in"},
        {"ZARR": tmp_path},
        {"NETCDF": tmp_path / "in"},
    ):
        with pytest.raises(OutputError) as caught:
            build(tmp_path / "in", **given)
        assert_one_sentence(caught.value, str(next(iter(given.values()))))
        assert fingerprint(tmp_path) == before


@pytest.mark.parametrize("kind", ["below a file", "too long", "too long by the mark"])
def test_paths_that_cannot_be_written(small: SampleStack, tmp_path: Path, kind: str) -> None:
    (tmp_path / "file").write_text("a file")
    path = {
        "below a file": tmp_path / "file" / "s.nc",
        "too long": tmp_path / ("n" * 300),
        "too long by the mark": tmp_path / ("n" * 250),
    }[kind]
    for name in ("NETCDF", "ZARR"):
        text = refused(tmp_path, small, **{name: path})
        assert f"{path} cannot be written" in text
        assert "choose another folder or change its permissions" in text


def test_folders_of_outputs_are_made(small: SampleStack, tmp_path: Path) -> None:
    run = build(small.folder, NETCDF=tmp_path / "a" / "b" / "s.nc", LAYERS="corr")
    assert run.netcdf.is_file()


# --- parameters ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "parts"),
    [
        ({"INPUT": ""}, ["INPUT is missing"]),
        ({"INPUT": "/no/such/folder"}, ["/no/such/folder", "no such folder"]),
        ({"INPUT": __file__}, ["no such folder"]),
        ({"CHUNK_SIZE": "big"}, ["CHUNK_SIZE", "'big'", "number"]),
        ({"CHUNK_SIZE": 0}, ["CHUNK_SIZE", "between"]),
        ({"CHUNK_SIZE": "nan"}, ["CHUNK_SIZE", "between"]),
        ({"CHUNK_SIZE": 1e9}, ["CHUNK_SIZE", "between"]),
        ({"MEMORY": "much"}, ["MEMORY", "'much'", "number"]),
        ({"MEMORY": 0}, ["MEMORY", "between 450 and"]),
        ({"MEMORY": 449}, ["MEMORY", "between 450 and"]),
        ({"MEMORY": "nan"}, ["MEMORY", "between"]),
        ({"MEMORY": -1000}, ["MEMORY", "between"]),
        ({"MEMORY": 1e9}, ["MEMORY", "between"]),
        ({"CHUNKING": "cubic"}, ["CHUNKING", "spatial, temporal, both"]),
        ({"ZARR_FORMAT": "4"}, ["ZARR_FORMAT", "2, 3"]),
        ({"STATIC_LAYERS": "never"}, ["STATIC_LAYERS", "once, per_pair"]),
        ({"ON_BAD_PRODUCT": "cry"}, ["ON_BAD_PRODUCT", "stop, skip"]),
        ({"EXTENT_MODE": "all"}, ["EXTENT_MODE", "union, intersection"]),
        ({"RESAMPLING": "magic"}, ["RESAMPLING", "auto, nearest, bilinear, cubic"]),
        ({"PRODUCT_TYPE": "insar"}, ["PRODUCT_TYPE", "INSAR_GAMMA"]),
        ({"START": "yesterday"}, ["START", "date like"]),
        ({"END": "2023-02-30"}, ["END", "date like"]),
        ({"START": "2023-03-01", "END": "2023-02-01"}, ["START", "END", "swap"]),
        ({"EXTENT": "1,2,3"}, ["EXTENT", "xmin,xmax,ymin,ymax"]),
        ({"EXTENT": "a,b,c,d"}, ["EXTENT", "xmin,xmax,ymin,ymax"]),
        ({"EXTENT": "2,1,3,4"}, ["EXTENT", "maxima"]),
        ({"EXTENT": "nan,1,3,4"}, ["EXTENT", "maxima"]),
        ({"EXTENT": {"bounds": [1, 2]}}, ["EXTENT", "xmin,xmax,ymin,ymax"]),
        ({"EXTENT": {"crs": "EPSG:4326"}}, ["EXTENT", "xmin,xmax,ymin,ymax"]),
        ({"LAYERS": "corr,height"}, ["LAYERS", "height", "unw_phase"]),
        ({"LAYERS": 5}, ["LAYERS", "5"]),
    ],
)
def test_bad_parameters(
    small: SampleStack, tmp_path: Path, given: dict[str, Any], parts: list[str]
) -> None:
    parameters = {"INPUT": str(small.folder), "NETCDF": str(tmp_path / "s.nc")} | given
    with pytest.raises(InvalidParameterError) as caught:
        build_stack.run(parameters, None, SilentReporter())
    assert_one_sentence(caught.value, *parts)
    assert list(tmp_path.iterdir()) == []


def test_forms_of_parameters_that_mean_the_same(small: SampleStack, tmp_path: Path) -> None:
    usual = {
        "LAYERS": "corr,unw_phase",
        "EXTENT": "769000,772000,3846000,3849000 [EPSG:32610]",
        "START": "2023-01-06",
        "ZARR_FORMAT": "2",
        "CHUNK_SIZE": 1,
    }
    forms = (
        {"LAYERS": [" corr", "unw_phase", "corr"], "ZARR_FORMAT": 2, "CHUNK_SIZE": "1.0"},
        {"LAYERS": " unw_phase , corr ,", "START": "2023-01-06T23:59:59"},
        {"EXTENT": {"bounds": [769000, 3846000, 772000, 3849000], "crs": "EPSG:32610"}},
        {"EXTENT": " 769000.0 , 772000,3846000,3849000", "TARGET_CRS": "  "},
        {"END": None, "PRODUCT_TYPE": "", "RESAMPLING": "auto"},
    )
    expected = build(small.folder, NETCDF=tmp_path / "usual.nc", **usual).outputs
    for number, form in enumerate(forms):
        path = tmp_path / f"{number}.nc"
        found = build(small.folder, NETCDF=path, **{**usual, **form}).outputs
        for name in ("STEPS", "SKIPPED", "CRS", "WIDTH", "HEIGHT"):
            assert found[name] == expected[name], (form, name)
        assert [source.rsplit(":")[-1] for source in found["LAYERS"]] == [
            "unw_phase",
            "corr",
            "data_mask",
            "mask_reason",
        ]
