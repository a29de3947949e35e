"""What ``hyp3:exportstack`` refuses, each in one sentence, without a trace on the disk."""

import json
import subprocess
import sys

import numpy as np
import pytest
import rasterio
import xarray as xr
from pyproj import CRS

from hyp3_stack.core.errors import Canceled, OutputError, StackError
from hyp3_stack.core.run.reporter import SilentReporter
from tests.checkout import ROOT
from tests.running import StopAt, assert_one_sentence, leftovers

from .exporting import collection, export
from .test_point_series import places

NO_MORE = "out cannot be written (File too large); free some space"


def refused(stack, folder, *words, **parameters):
    with pytest.raises(StackError) as raised:
        export(stack, folder / "out", **{"FORMAT": "geotiff", **parameters})
    assert_one_sentence(raised.value, *words)
    assert not (folder / "out").exists() and not leftovers(folder)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"FORMAT": "shapefile"}, ("FORMAT is 'shapefile'", "insar_explorer")),
        ({"FORMAT": None}, ("FORMAT is None", "mintpy")),
        ({"LAYERS": "unw_phase,amplitude"}, ("LAYERS names amplitude", "unw_phase")),
        ({"START": "2030-01-01"}, ("START and END", "leave no pair", "longer period")),
        ({"START": "2023-02-01", "END": "2023-01-01"}, ("START", "END", "swap")),
        ({"EXTENT": "0,100,0,100"}, ("EXTENT lies outside",)),
        ({"EXTENT": "everywhere"}, ("EXTENT is 'everywhere'", "xmin")),
        ({"STEPS_AS": "cube"}, ("STEPS_AS is 'cube'", "files, bands")),
        ({"FORMAT": "mintpy", "LAYERS": "unw_phase,corr"}, ("LAYERS lacks dem", "geotiff")),
        ({"FORMAT": "insar_explorer"}, ("holds pairs", "hyp3:invertstack")),
        ({"INPUT": "/none/s.nc"}, ("INPUT is /none/s.nc", "nothing of that name")),
        ({"OUTPUT": None}, ("OUTPUT is missing",)),
    ],
)
def test_pairs(gamma_stack, tmp_path, parameters, words):
    refused(gamma_stack.netcdf, tmp_path, *words, **parameters)


@pytest.mark.parametrize("chosen", ["mintpy", "insar_explorer"])
def test_backscatter(rtc_stack, tmp_path, chosen):
    refused(rtc_stack.zarr, tmp_path, "holds backscatter", "choose FORMAT geotiff", FORMAT=chosen)


def test_pairs_without_heights(small_stack, tmp_path):
    refused(small_stack.netcdf, tmp_path, "lacks dem", "choose FORMAT geotiff", FORMAT="mintpy")


def test_displacement_without_velocity(inverted, tmp_path):
    words = ("needs velocity", "leave LAYERS empty")
    refused(inverted.zarr, tmp_path, *words, FORMAT="insar_explorer", LAYERS="displacement")


def test_dates_of_one_day(inverted, tmp_path):
    with xr.open_dataset(inverted.netcdf) as stack:
        times = stack.time.values.copy()
        times[1] = times[0] + (times[1] - times[0]) // 100
        changed = stack.assign_coords(time=("time", times, stack.time.attrs, stack.time.encoding))
        changed.drop_vars("time_bnds").to_netcdf(tmp_path / "d.nc")
    for chosen in ("mintpy", "insar_explorer"):
        refused(tmp_path / "d.nc", tmp_path, "by day", "FORMAT geotiff", FORMAT=chosen)
    run = export(tmp_path / "d.nc", tmp_path / "out", FORMAT="geotiff", LAYERS="displacement")
    day = str(times[0])[:10].replace("-", "")
    assert f"displacement_{day}T" in run.outputs["FILES"][0]


def test_displacement_of_no_pixel(inverted, tmp_path):
    with xr.open_dataset(inverted.netcdf) as stack:
        stack.assign(velocity=stack.velocity.where(False)).to_netcdf(tmp_path / "d.nc")
    words = ("has no velocity in any pixel", "EXTENT", "MIN_TEMPORAL_COHERENCE")
    refused(tmp_path / "d.nc", tmp_path, *words, FORMAT="insar_explorer")


@pytest.mark.parametrize("chosen", ["mintpy", "insar_explorer", "pyramid"])
def test_degrees(inverted, tmp_path, chosen):
    with xr.open_dataset(inverted.netcdf) as stack:
        x, y = (0.001 * np.arange(stack.sizes[axis]) for axis in "xy")
        place = {"GeoTransform": "-120 0.001 0 35 0 -0.001"} | CRS.from_epsg(4326).to_cf()
        moved = stack.drop_vars(["x_bnds", "y_bnds", "spatial_ref"]).assign_coords(
            x=-119.9995 + x, y=34.9995 - y, spatial_ref=((), 0, place)
        )
        moved.to_netcdf(tmp_path / "d.nc")
    words = (f"FORMAT is {chosen}", "in meters", "is in WGS 84", "FORMAT geotiff or series")
    refused(tmp_path / "d.nc", tmp_path, *words, FORMAT=chosen)
    export(tmp_path / "d.nc", tmp_path / "out", FORMAT="geotiff", LAYERS="velocity")
    with rasterio.open(tmp_path / "out" / "velocity.tif") as raster:
        assert raster.crs.to_epsg() == 4326


def test_nothing_is_replaced(rtc_stack, tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    export(rtc_stack.zarr, folder, FORMAT="geotiff", LAYERS="dem")
    assert [path.name for path in folder.iterdir()] == ["dem.tif"]
    kept = (folder / "dem.tif").read_bytes()
    for target, words in (
        (folder, ("is not empty", "another folder")),
        (folder / "dem.tif", ("is a file", "choose a folder")),
        (rtc_stack.zarr / "export", ("lies in it", "never changed")),
        (rtc_stack.zarr, ("is the stack itself",)),
    ):
        with pytest.raises(StackError) as raised:
            export(rtc_stack.zarr, target, FORMAT="geotiff", LAYERS="dem")
        assert_one_sentence(raised.value, "OUTPUT is", *words)
    assert (folder / "dem.tif").read_bytes() == kept and not leftovers(tmp_path)


@pytest.mark.parametrize(
    ("chosen", "layers"),
    [
        ("geotiff", ""),
        ("geotiff", "mask"),  # so small that GDAL writes all of it at the end
        ("pyramid", ""),
    ],
)
def test_a_disk_that_takes_no_more(inverted, tmp_path, chosen, layers):
    resource = pytest.importorskip("resource")
    most = 1_000 if chosen == "pyramid" else 100_000  # a layer of this stack is a small file
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    try:
        with pytest.raises(OutputError) as raised:
            export(inverted.netcdf, tmp_path / "out", FORMAT=chosen, LAYERS=layers)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert_one_sentence(raised.value, NO_MORE)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("chosen", ["mintpy", "insar_explorer"])
def test_a_disk_that_takes_no_more_of_hdf5(inverted, tmp_path, chosen):
    resource = pytest.importorskip("resource")
    given = {"INPUT": str(inverted.netcdf), "FORMAT": chosen, "OUTPUT": str(tmp_path / "out")}
    done = subprocess.run(
        [sys.executable, ROOT / "core"],
        input=json.dumps({"protocol": 1, "task": "exportstack", "parameters": given}),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
        capture_output=True,
        text=True,
    )
    answer = json.loads(done.stdout.splitlines()[-1])
    # Not always 1: HDF5 may crash at the very end, when all has been said and cleared up.
    assert done.returncode != 0 and answer["kind"] == "OutputError"
    assert_one_sentence(Exception(answer["text"]), NO_MORE)
    assert not list(tmp_path.iterdir())


class Intruder(SilentReporter):
    """Puts a file where the export is to go, just before it is complete."""

    def __init__(self, folder):
        super().__init__()
        self.folder = folder

    def completing(self):
        self.folder.mkdir()
        (self.folder / "mine.txt").write_text("mine")


def test_what_came_there_meanwhile_stays(rtc_stack, tmp_path):
    folder = tmp_path / "out"
    with pytest.raises(StackError) as raised:
        export(rtc_stack.zarr, folder, Intruder(folder), FORMAT="geotiff", LAYERS="dem")
    assert_one_sentence(raised.value, "OUTPUT is", "is not empty")
    assert (folder / "mine.txt").read_text() == "mine" and not leftovers(tmp_path)


@pytest.mark.parametrize("chosen", ["mintpy", "insar_explorer", "geotiff", "series", "pyramid"])
def test_cancel_leaves_nothing(inverted, tmp_path, chosen):
    with xr.open_dataset(inverted.netcdf) as stack:
        points = [(*place, {}) for place in places(stack, *[(row, 30) for row in range(0, 60, 5)])]
    layer = collection(*points)
    # Nothing that depends on the format comes before the first progress.
    for stop in (0, 20, 60) if chosen == "mintpy" else (20, 60):
        with pytest.raises(Canceled):
            export(inverted.netcdf, tmp_path / "out", StopAt(stop), FORMAT=chosen, POINTS=layer)
        assert not list(tmp_path.iterdir())
