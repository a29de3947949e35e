"""What ``hyp3:invertstack`` refuses, each in one sentence, without a trace on the disk."""

import shutil

import netCDF4
import numpy as np
import pytest
import xarray as xr

from hyp3_stack.core.errors import StackError
from hyp3_stack.core.run.reporter import SilentReporter
from hyp3_stack.core.tasks import assess_stack
from tests.running import assert_one_sentence, build, leftovers

from .inverting import invert


def refused(stack, folder, *words, **parameters):
    parameters = {"NETCDF": folder / "d.nc"} | parameters
    with pytest.raises(StackError) as raised:
        invert(stack, **parameters)
    assert_one_sentence(raised.value, *words)
    assert not (folder / "d.nc").exists() and not leftovers(folder)


def test_backscatter(rtc_stack, tmp_path):
    refused(rtc_stack.netcdf, tmp_path, "INPUT is ", "holds backscatter", "INSAR_GAMMA")


def test_displacement(inverted, tmp_path):
    refused(inverted.zarr, tmp_path, "holds displacement already")


def test_displacement_is_nothing_to_append_to_or_to_assess(moving, inverted, tmp_path):
    with pytest.raises(StackError) as raised:
        build(moving.folder, NETCDF=inverted.netcdf, APPEND="true")
    assert_one_sentence(raised.value, "append")
    with pytest.raises(StackError) as raised:
        given = {"INPUT": str(inverted.netcdf), "OUTPUT": str(tmp_path / "a.html")}
        assess_stack.run(given, None, SilentReporter())
    assert_one_sentence(raised.value, "holds displacement", "stack of pairs")


def test_nothing_of_that_name(tmp_path):
    refused(tmp_path / "none.nc", tmp_path, "INPUT is ", "nothing of that name")


def test_a_file_that_is_no_stack(tmp_path):
    (tmp_path / "text.nc").write_text("no stack")
    refused(tmp_path / "text.nc", tmp_path, "INPUT is ", "text.nc")


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"START": "2030-01-01"}, ("START and END (2030-01-01 to open) leave no pair",)),
        ({"START": "2023-01-07", "END": "2023-01-19"}, ("leave no pair", "2023-01-06")),
        ({"START": "2023-02-01", "END": "2023-01-01"}, ("START", "END", "swap")),
        ({"EXTENT": "0,100,0,100"}, ("EXTENT lies outside",)),
        ({"LAYER": "los_disp"}, ("has no layer los_disp", "choose unw_phase")),
        ({"REFERENCE_AREA": "here"}, ("REFERENCE_AREA is 'here'", "x,y,radius")),
        ({"REFERENCE_AREA": "1,2,-3"}, ("REFERENCE_AREA is '1,2,-3'",)),
        ({"REFERENCE_AREA": "1,2,3,4"}, ("REFERENCE_AREA is '1,2,3,4'",)),
        ({"REFERENCE_AREA": "1,2 [EPSG:0]"}, ("REFERENCE_AREA is given in 'EPSG:0'",)),
        ({"REFERENCE_AREA": "35,-117 [EPSG:4326]"}, ("REFERENCE_AREA is '35,-117", "longitude")),
        ({"REFERENCE_AREA": "1,2"}, ("REFERENCE_AREA, 1.0,2.0", "holds no pixel center")),
        ({"WEIGHTS": "best"}, ("WEIGHTS is 'best'", "variance, coherence, none")),
        ({"MIN_COHERENCE": "2"}, ("MIN_COHERENCE",)),
        ({"POLYNOMIAL": "4"}, ("POLYNOMIAL",)),
        ({"SEASONAL": "annual"}, ("SEASONAL asks for a yearly motion", "84 days")),
        ({"STEPS": "someday"}, ("STEPS is someday",)),
        ({"STEPS": "2030-01-01"}, ("STEPS names 2030-01-01", "2023-01-06")),
        ({"MEMORY": "100"}, ("MEMORY",)),
        ({"NETCDF": ""}, ("No output is given",)),
        ({"CHUNKNG": "both"}, ("CHUNKNG", "CHUNKING")),
    ],
)
def test_parameters(moving_stack, tmp_path, parameters, words):
    refused(moving_stack.netcdf, tmp_path, *words, **parameters)


def changed(moving_stack, folder, change):
    """Return a copy of the stack that is open for a change."""
    path = folder / "changed.nc"
    shutil.copyfile(moving_stack.netcdf, path)
    with netCDF4.Dataset(path, "a") as stack:
        change(stack)
    return path


def reverse(stack):
    times = stack["reference_time"][3], stack["secondary_time"][3]
    stack["secondary_time"][3], stack["reference_time"][3] = times


def join_to_itself(stack):
    stack["secondary_time"][3] = stack["reference_time"][3]


@pytest.mark.parametrize("change", [reverse, join_to_itself])
def test_pairs_that_lead_nowhere(moving_stack, tmp_path, change):
    path = changed(moving_stack, tmp_path, change)
    refused(path, tmp_path, "changed.nc, whose pair 20230118T", "does not lead", "without it")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("perpendicular_baseline", float("inf")),
        ("perpendicular_baseline", float("nan")),
        ("earth_radius", 0.0),
        ("spacecraft_height", -1.0),
    ],
)
def test_numbers_that_errors_of_the_heights_need(moving_stack, tmp_path, name, value):
    def spoil(stack):
        stack[name][2] = value

    path = changed(moving_stack, tmp_path, spoil)
    refused(path, tmp_path, f"lacks {name} of some pairs", "leave it out", DEM_ERROR="true")


def test_an_area_without_phase(moving_stack, inverted, tmp_path):
    dataset = xr.open_dataset(inverted.netcdf)
    empty = dataset.valid_pairs.where(dataset.valid_pairs == 0).stack(at=("y", "x")).dropna("at")
    y, x = empty["at"].values[0]
    area = f"{x},{y},50"
    refused(moving_stack.netcdf, tmp_path, "No pair has phase in", area[:8], REFERENCE_AREA=area)


def test_an_area_that_memory_does_not_hold(moving_stack, tmp_path):
    with xr.open_dataset(moving_stack.netcdf) as stack:
        first = stack[["unw_phase", "spatial_ref"]].isel(pair=[0, 1]).load()
        spacing, pixels = float(stack.x[1] - stack.x[0]), np.arange(2000)
        x, y = stack.x.values[0] + spacing * pixels, stack.y.values[0] - spacing * pixels
        first.reindex(x=x, y=y).drop_encoding().to_netcdf(tmp_path / "large.nc")
    area = f"{x[30]},{y[30]},1000000"
    words = "REFERENCE_AREA", "2 pairs take 458 MB", "MEMORY is 450", "smaller radius"
    choices = {"REFERENCE_AREA": area, "MEMORY": "450", "WEIGHTS": "none"}
    refused(tmp_path / "large.nc", tmp_path, *words, **choices)


def test_stacks_without_coherence_or_looks(moving, moving_stack, tmp_path):
    built = build(moving.folder, NETCDF=tmp_path / "pairs.nc", LAYERS="unw_phase")
    refused(built.netcdf, tmp_path, "WEIGHTS is variance", "no layer corr", "none")
    refused(
        built.netcdf, tmp_path, "MIN_COHERENCE is 0.3", "corr", WEIGHTS="none", MIN_COHERENCE=0.3
    )
    path = tmp_path / "unknown.nc"
    shutil.copyfile(moving_stack.netcdf, path)
    with netCDF4.Dataset(path, "a") as stack:
        stack.renameVariable("looks_range", "unknown")
    refused(path, tmp_path, "WEIGHTS is variance", "number of looks", "coherence")
    assert invert(path, NETCDF=tmp_path / "ok.nc", WEIGHTS="coherence").netcdf.exists()


@pytest.mark.parametrize("form", ["netcdf", "zarr"])
def test_the_stack_is_never_replaced(moving_stack, tmp_path, form):
    source = getattr(moving_stack, form)
    copy = tmp_path / source.name
    (shutil.copytree if source.is_dir() else shutil.copyfile)(source, copy)
    with pytest.raises(StackError) as raised:
        invert(copy, **{form.upper(): copy})
    assert_one_sentence(raised.value, form.upper(), "INPUT itself")
    assert copy.exists() and not leftovers(tmp_path)


def test_other_files_are_not_replaced(moving_stack, tmp_path):
    (tmp_path / "d.nc").write_text("mine")
    with pytest.raises(StackError, match="not replaced"):
        invert(moving_stack.netcdf, NETCDF=tmp_path / "d.nc")
    assert (tmp_path / "d.nc").read_text() == "mine"
