"""Appending to outputs that are not as a build left them, or that another run is changing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import pytest
import rasterio
import xarray as xr

from hyp3_stack.core.contract import RECORD
from hyp3_stack.core.errors import (
    Canceled,
    InconsistentProductsError,
    InputChangedError,
    InvalidParameterError,
    OutputError,
    ProductError,
)
from hyp3_stack.core.run.reporter import SilentReporter
from hyp3_stack.core.tasks import build_stack
from tests.sample_products import SampleStack

from ..build.interrupted import views
from ..running import (
    StopAtCompletion,
    assert_one_sentence,
    build,
    contents,
    copy_products,
    layer_file,
    samples,
)
from .test_append import outputs

pytestmark = pytest.mark.slow

GROUPS = {"spatially_optimized", "temporally_optimized"}


@pytest.fixture
def inputs(small: SampleStack, tmp_path: Path) -> Callable[..., Path]:
    """Return a function that gives a folder with some of four products."""

    def make(*numbers: int) -> Path:
        folder = tmp_path / "in" / "-".join(map(str, numbers))
        for number in numbers:
            product = small.products[number].path
            shutil.copytree(product, folder / product.name, dirs_exist_ok=True)
        return folder

    return make


@pytest.fixture(scope="module")
def two(small: SampleStack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A NetCDF stack of the first two products, which nobody may change."""
    folder = tmp_path_factory.mktemp("two")
    names = ",".join(product.name for product in small.products[:2])
    return build(small.folder, NETCDF=folder / "s.nc", PRODUCTS=names).netcdf


@pytest.fixture
def own(two: Path, tmp_path: Path) -> Path:
    """A copy of it to append to."""
    return Path(shutil.copy(two, tmp_path))


class At(SilentReporter):
    """Does something when a run has said a text."""

    def __init__(self, text: str, action: Callable[[], object]) -> None:
        super().__init__()
        self._text, self._action = text, action

    def info(self, text: str) -> None:
        super().info(text)
        if self._text in text:
            self._text = "done"
            self._action()


@pytest.mark.parametrize(
    ("kind", "moment"),
    [("ZARR", "are new"), ("NETCDF", "The outputs take")],
    ids=["planned", "begun"],
)
def test_two_runs_append_at_once(
    inputs: Callable[..., Path], tmp_path: Path, kind: str, moment: str
) -> None:
    """One of them does; the other one changes nothing and says why."""
    given = {kind: outputs(tmp_path)[kind], "APPEND": True, "TARGET_CRS": "EPSG:32610"}
    given["CHUNKING"] = "spatial"
    build(inputs(1, 2), **given)
    said: list[str] = []

    def meanwhile() -> None:
        try:
            build(inputs(0), **given)
        except OutputError as error:
            said.append(str(error))

    try:
        build_stack.run({"INPUT": str(inputs(3)), **given}, None, At(moment, meanwhile))
    except (InputChangedError, OutputError) as error:
        said.append(str(error))
    (text,) = said
    was_first = moment == "are new"
    assert ("was changed by another run or program meanwhile" in text) is was_first
    assert ("Another run is building" in text) is not was_first
    given |= {kind: str(tmp_path / "whole")}
    build(inputs(0, 1, 2) if was_first else inputs(1, 2, 3), **given)
    assert [path.name for path in tmp_path.iterdir() if "partial" in path.name] == []
    with open_any(tmp_path / "whole") as whole, open_any(Path(outputs(tmp_path)[kind])) as one:
        x, y = one.x, one.y
        assert list(one.product_name.values) == list(whole.product_name.values)
        np.testing.assert_array_equal(one.unw_phase, whole.unw_phase.reindex(x=x, y=y))


def open_any(path: Path) -> xr.Dataset:
    if path.is_dir():
        return xr.open_zarr(path, group="spatially_optimized")
    return xr.open_dataset(path)


@pytest.mark.parametrize("ahead", ["NETCDF", "ZARR"])
def test_killed_between_two_names(
    small: SampleStack, inputs: Callable[..., Path], tmp_path: Path, ahead: str
) -> None:
    """One output holds more products on a larger grid than the other: the same job mends it."""
    given = outputs(tmp_path) | {"CHUNKING": "temporal" if ahead == "ZARR" else "spatial"}
    build(inputs(0, 1), **given, EXTENT_MODE="intersection")
    one = {name: given[name] for name in (ahead, "CHUNKING")}
    build(small.folder, **one, APPEND=True, GROW=True)
    run = build(small.folder, **given, APPEND=True, GROW=True)
    assert run.outputs["STEPS"] == 4
    (_, netcdf), (_, store) = views(tmp_path)
    xr.testing.assert_equal(netcdf.unw_phase, store.unw_phase)
    before = contents(tmp_path)
    again = build(small.folder, **given, APPEND=True, GROW=True)
    assert "Nothing is new" in " ".join(again.infos)
    assert contents(tmp_path) == before


def test_other_stacks_are_told_apart(
    inputs: Callable[..., Path], own: Path, tmp_path: Path
) -> None:
    given = outputs(tmp_path) | {"CHUNKING": "spatial"}
    build(inputs(2), ZARR=given["ZARR"], CHUNKING="spatial")
    with pytest.raises(OutputError, match="hold different stacks .*append to each of them alone"):
        build(inputs(3), **given, APPEND=True)


@pytest.mark.parametrize(
    "cut", [{"x": slice(5, None)}, {"y": slice(3, 30)}, {"x": slice(None, None, 2)}], ids=str
)
def test_a_stack_that_was_cut(
    inputs: Callable[..., Path], two: Path, tmp_path: Path, cut: dict[str, slice]
) -> None:
    """xarray keeps the attributes, from which it would seem to begin where it began before."""
    with xr.open_dataset(two, decode_cf=False) as stack:
        stack.isel(cut).to_netcdf(tmp_path / "cut.nc")
    with pytest.raises(InvalidParameterError, match=r"cut\.nc, which was cut or moved") as caught:
        build(inputs(2), NETCDF=tmp_path / "cut.nc", APPEND=True)
    assert_one_sentence(caught.value)


def test_some_pairs_of_a_stack(inputs: Callable[..., Path], tmp_path: Path) -> None:
    """Which xarray has chosen: they are a stack, too."""
    whole = build(inputs(0, 1, 2), NETCDF=tmp_path / "whole.nc").netcdf
    with xr.open_dataset(whole) as stack:
        stack.isel(pair=[0, 2]).to_netcdf(tmp_path / "some.nc")
    run = build(inputs(0, 1, 2), NETCDF=tmp_path / "some.nc", APPEND=True)
    with xr.open_dataset(run.netcdf) as one, xr.open_dataset(whole) as stack:
        xr.testing.assert_equal(one.unw_phase, stack.unw_phase)


def change(path: Path, action: Callable[[dict[str, Any]], object]) -> None:
    with netCDF4.Dataset(path, "a") as file:
        record = json.loads(file.getncattr(RECORD))
        action(record)
        file.setncattr(RECORD, json.dumps(record))


@pytest.mark.parametrize(
    "action",
    [
        lambda record: record["products"].popitem(),
        lambda record: [facts.pop("readme") for facts in record["products"].values()],
        lambda record: [facts["raster"].update(new=1) for facts in record["products"].values()],
        lambda record: [facts.update(bounds=None) for facts in record["products"].values()],
        lambda record: record["maps"].append("gone"),
        lambda record: record.update(settings=3),
    ],
    ids=["product", "readme", "raster", "bounds", "maps", "settings"],
)
def test_a_record_that_does_not_fit(
    inputs: Callable[..., Path], own: Path, action: Callable[[dict[str, Any]], object]
) -> None:
    change(own, action)
    before = own.read_bytes()
    with pytest.raises(OutputError) as caught:
        build(inputs(2), NETCDF=own, APPEND=True)
    assert_one_sentence(caught.value, str(own))
    assert own.read_bytes() == before


@pytest.mark.parametrize("name", ["crs_wkt", "GeoTransform"])
def test_a_grid_mapping_that_cannot_be_read(
    inputs: Callable[..., Path], own: Path, name: str
) -> None:
    with netCDF4.Dataset(own, "a") as file:
        file["spatial_ref"].setncattr(name, "1 2")
    with pytest.raises(InvalidParameterError, match="the grid cannot be read") as caught:
        build(inputs(2), NETCDF=own, APPEND=True)
    assert_one_sentence(caught.value)


def test_no_group_is_lost(inputs: Callable[..., Path], tmp_path: Path) -> None:
    """A job that asks for one group appends to both."""
    given = {"ZARR": str(tmp_path / "s.zarr")}
    build(inputs(0, 1), **given)
    run = build(inputs(2), **given, APPEND=True, CHUNKING="spatial")
    assert "holds temporally_optimized as well" in " ".join(run.infos)
    for group in GROUPS:
        with xr.open_zarr(run.zarr, group=group) as stack:
            assert stack.sizes["pair"] == 3


def test_a_group_that_is_missing_is_made(inputs: Callable[..., Path], tmp_path: Path) -> None:
    """That of series; ``test_append`` makes that of maps."""
    given = {"ZARR": str(tmp_path / "s.zarr")}
    build(inputs(0, 1), **given, CHUNKING="spatial")
    run = build(inputs(0, 1), **given, APPEND=True)
    assert all(Path(source).is_dir() for source in run.outputs["LAYERS"])
    assert {path.name for path in run.zarr.iterdir() if path.is_dir()} == GROUPS
    stacks = [xr.open_zarr(run.zarr, group=group) for group in sorted(GROUPS)]
    xr.testing.assert_equal(stacks[0].unw_phase, stacks[1].unw_phase)


def test_a_reference_point_written_in_another_way(
    inputs: Callable[..., Path], tmp_path: Path
) -> None:
    """It stays what the phase is relative to, also where only an output is made."""
    given = outputs(tmp_path) | {"CHUNKING": "spatial"}
    first = build(inputs(0, 1), NETCDF=given["NETCDF"], REFERENCE_POINT="auto")
    with xr.open_dataset(first.netcdf) as stack:
        comment = stack.unw_phase.attrs["comment"]
        point = [float(stack[f"reference_point_{axis}"]) for axis in "xy"]
    build(inputs(0, 1), **given, APPEND=True, REFERENCE_POINT="auto")
    for _, stack in views(tmp_path):
        assert stack.unw_phase.attrs["comment"] == comment
    assert "relative to the point reference_point_x" in comment
    there = {"NETCDF": str(tmp_path / "p.nc")}
    build(inputs(0, 1), **there, REFERENCE_POINT="{:.1f},{:.1f}".format(*point))
    text = "{:.2f},  {:.2f}".format(*point)
    assert build(inputs(2), **there, APPEND=True, REFERENCE_POINT=text).outputs["STEPS"] == 3
    with pytest.raises(InvalidParameterError, match="append with the same value"):
        build(inputs(3), **there, APPEND=True, REFERENCE_POINT=f"{point[0] + 80},{point[1]}")


def test_a_pair_without_phase_at_the_reference_point(
    inputs: Callable[..., Path], tmp_path: Path
) -> None:
    given = {"NETCDF": str(tmp_path / "s.nc"), "REFERENCE_POINT": "auto"}
    build(inputs(0, 1), **given)
    new = inputs(2)
    (product,) = new.iterdir()
    with rasterio.open(layer_file(product, "unw_phase"), "r+") as file:
        file.write(np.zeros((1, file.height, file.width), "float32"))
    with pytest.raises(ProductError) as caught:
        build(new, **given, APPEND=True)
    assert_one_sentence(caught.value, str(tmp_path / "s.nc"), "leave the pair out")
    assert "auto" not in str(caught.value)


def test_damage_in_a_layer_that_the_stack_does_not_hold(
    inputs: Callable[..., Path], tmp_path: Path
) -> None:
    given = {"NETCDF": str(tmp_path / "s.nc")}
    build(inputs(0, 1), **given, LAYERS="unw_phase")
    new = inputs(2)
    (product,) = new.iterdir()
    layer_file(product, "corr").write_bytes(b"lost")
    assert build(new, **given, APPEND=True).outputs["STEPS"] == 3


def test_an_extent_that_does_not_count(inputs: Callable[..., Path], own: Path) -> None:
    run = build(inputs(2), NETCDF=own, APPEND=True, EXTENT="0,1,0,1 [EPSG:4326]")
    assert "EXTENT counts only where the grid grows" in " ".join(run.infos)


@pytest.mark.parametrize("layers", ["VH", "ls_map"])
def test_merged_passes_without_the_first_polarization(
    tmp_path_factory: pytest.TempPathFactory, layers: str
) -> None:
    """The stack tells by VH where it has data; without backscatter it cannot."""
    stack = samples(
        tmp_path_factory,
        product_type="RTC_GAMMA",
        products=6,
        frames=2,
        rows=60,
        columns=70,
        layers=("VV", "VH", "ls_map"),
        neighbor_zone_share=0.0,
    )
    folder = tmp_path_factory.mktemp("rtc")
    copies = copy_products(stack, folder / "in")
    for path in (copies[1], *copies[3:]):
        path.rename(folder / path.name)
    given = {"LAYERS": layers, "MERGE_PASSES": True}
    there = {"NETCDF": str(folder / "s.nc"), "APPEND": True, "GROW": True}
    build(folder / "in", **there, **given)
    for path in copies[4:]:
        (folder / path.name).rename(path)
    if layers == "ls_map":
        with pytest.raises(InconsistentProductsError, match="holds no backscatter"):
            build(folder / "in", **there, **given)
        return
    one = build(folder / "in", **there, **given)
    whole = build(folder / "in", NETCDF=folder / "whole.nc", **given)
    with xr.open_dataset(one.netcdf) as appended, xr.open_dataset(whole.netcdf) as stacked:
        for name in ("VH_backscatter", "source_frame"):
            np.testing.assert_array_equal(appended[name], stacked[name], err_msg=name)


def test_a_report_although_nothing_is_new(inputs: Callable[..., Path], tmp_path: Path) -> None:
    """One that is there stays, and is an output for what comes next in a model."""
    given: dict[str, Any] = {"ZARR": outputs(tmp_path)["ZARR"], "CHUNKING": "temporal"}
    build(inputs(0, 1), **given)
    given |= {"APPEND": True, "REPORT": str(tmp_path / "s.html")}
    run = build(inputs(0, 1), **given)
    assert "Nothing is new" in " ".join(run.infos)
    Path(given["REPORT"]).unlink()
    before = contents(tmp_path)
    with pytest.raises(Canceled):
        build_stack.run(
            given | {"INPUT": str(inputs(0, 1)), "STAC": True}, None, StopAtCompletion()
        )
    assert contents(tmp_path) == before
    run = build(inputs(0, 1), **given)
    page = Path(run.outputs["REPORT"]).read_text(encoding="utf-8")
    assert "temporally_optimized" in page and "2 products" in page
    before = contents(tmp_path)
    assert build(inputs(0, 1), **given).outputs["REPORT"] == given["REPORT"]
    assert contents(tmp_path) == before
