"""The dock on a displacement stack, and on pairs that it inverts at a point."""

import csv
import io
import json
import math
import struct

import pytest
from osgeo import gdal
from qgis.core import QgsPointXY, QgsProject
from qgis.gui import QgsMapCanvas
from qgis.PyQt import sip
from qgis.PyQt.QtWidgets import QAction

from hyp3_stack.processing_provider.time_series.dock import TimeSeriesDock
from hyp3_stack.processing_provider.time_series.frame_bar import FrameBar
from hyp3_stack.processing_provider.time_series.series.table import as_text

from .conftest import layer_of, run_core_python

DATES, PAIRS = 4, 6

INVERT_WITH_CORE = """
import json, sys
from pathlib import Path
import xarray as xr
import tests.checkout
from hyp3_stack.core.run.reporter import SilentReporter
from hyp3_stack.core.tasks import invert_stack

path, folder, row, column, down, across = *sys.argv[1:3], *map(int, sys.argv[3:7])
with xr.open_dataset(path) as stack:
    area = f"{float(stack.x[across])},{float(stack.y[down])}"
out = Path(folder) / "inverted.nc"
given = {"INPUT": path, "NETCDF": str(out), "REFERENCE_AREA": area, "MIN_TEMPORAL_COHERENCE": "0"}
invert_stack.run(given, None, SilentReporter())
with xr.open_dataset(out) as found:
    print(json.dumps(found.displacement.values[:, row, column].tolist()))
"""


def bands_of(source):
    """Return the values of each band, row after row."""
    raster = gdal.Open(source)
    size = raster.RasterXSize * raster.RasterYSize
    data = [
        raster.GetRasterBand(number).ReadRaster(buf_type=gdal.GDT_Float64)
        for number in range(1, raster.RasterCount + 1)
    ]
    return [struct.unpack(f"={size}d", band) for band in data]


def place(layer, row, column):
    """Return the center of a pixel."""
    extent = layer.extent()
    return QgsPointXY(
        extent.xMinimum() + (column + 0.5) * extent.width() / layer.width(),
        extent.yMaximum() - (row + 0.5) * extent.height() / layer.height(),
    )


class Window:
    """A dock on the layers of one stack."""

    def __init__(self, path, *names, netcdf=None):
        self.netcdf, self._bands = netcdf or path, {}
        self.layers = {name: layer_of(path, name) for name in names}
        QgsProject.instance().addMapLayers(list(self.layers.values()))
        self.dock = TimeSeriesDock([QAction("pick")], QAction("refer"), FrameBar(QgsMapCanvas()))
        self.dock.resize(900, 320)
        self.dock.show()
        self.dock.list_layers()

    def pick(self, row, column, adding=False):
        layer = self.dock.layer()
        self.dock.pick(place(layer, row, column), layer.crs(), adding)
        return self.dock.result

    def refer(self, row, column):
        layer = self.dock.layer()
        self.dock.refer(place(layer, row, column), layer.crs())
        return self.dock.result

    def file(self, name, row, column):
        """Return what the NetCDF file has at a pixel, read without the plugin."""
        if name not in self._bands:
            self._bands[name] = bands_of(f'NETCDF:"{self.netcdf}":{name}')
        return [band[row * self.dock.layer().width() + column] for band in self._bands[name]]

    def find(self, side=1, **expected):
        """Return the middles of squares in which all pixels have the expected values."""
        layer, reach = self.dock.layer(), range(-(side // 2), side // 2 + 1)
        found = [
            (row, column)
            for row in range(5, layer.height() - 5, side)
            for column in range(5, layer.width() - 5, side)
            if all(
                self.file(name, row + down, column + across) == [value]
                for name, value in expected.items()
                for down in reach
                for across in reach
            )
        ]
        assert found, expected
        return found


@pytest.fixture
def shown():
    """Return a function that shows a dock on some layers of a stack."""
    opened = []

    def show(path, *names, netcdf=None):
        opened.append(Window(path, *names, netcdf=netcdf))
        return opened[-1]

    yield show
    for window in opened:
        window.dock.detach()
        sip.delete(window.dock)  # else it would be painted until Python collects it
    QgsProject.instance().removeAllMapLayers()


@pytest.fixture(params=[0, 1], ids=["netcdf", "zarr"])
def window(shown, displacement_files, request):
    files = displacement_files
    return shown(files[request.param], "displacement", "velocity", netcdf=files[0])


@pytest.fixture
def valid(window):
    """Pixels with displacement around which all have it, too."""
    return window.find(5, mask=0.0, gap_count=0.0)


def test_displacement_is_drawn_in_millimeters_with_errors_fit_and_residuals(window, valid):
    result = window.pick(*valid[0])
    assert not window.dock.plot.grab().isNull()
    (curve,) = window.dock.plot.curves()
    expected = [1000 * value for value in window.file("displacement", *valid[0])]
    assert curve.values == pytest.approx(expected)
    assert len(window.dock.plot.dots()) == DATES
    assert len(curve.errors) == DATES and all(error > 0 for error in curve.errors)
    line = dict(curve.fit)
    assert min(line) == result.begins[0]
    assert line[result.begins[0]] + curve.residuals[0] == pytest.approx(curve.values[0])
    assert sum(curve.residuals) == pytest.approx(0.0, abs=1e-9)
    date, ((color, text),) = window.dock.plot.figure.describe(3)
    assert (date, color) == (str(result.begins[3].date()), curve.color)
    assert text == (
        f"{curve.name}: {curve.values[3]:.4g} ± {curve.errors[3]:.2g} mm, "
        f"{curve.residuals[3]:+.1f} from the fit"
    )


def test_the_fit_is_that_of_the_file(window, valid):
    for pixel in valid[:5]:
        (picked,) = window.pick(*pixel).picked
        (velocity,) = window.file("velocity", *pixel)
        assert picked.fit.velocity == pytest.approx(velocity, rel=1e-5, abs=1e-7)
        assert picked.facts.velocity == velocity
        # That of the file may be the one propagated from the pairs, if it is larger.
        (error,) = window.file("velocity_standard_error", *pixel)
        assert picked.fit.velocity_error <= error * 1.0001
        assert picked.facts.velocity_error == error


def test_what_a_point_rests_on_is_said_beneath_the_plot(window, valid):
    window.pick(*valid[0])
    velocity, error, coherence, pairs = (
        window.file(name, *valid[0])[0]
        for name in ("velocity", "velocity_standard_error", "temporal_coherence", "valid_pairs")
    )
    sense = "toward" if velocity > 0 else "away from"
    assert window.dock.description.text() == (
        f"Point 1: velocity {1000 * velocity:.1f} ± {1000 * error:.1f} mm/year ({sense} the "
        f"satellite), temporal coherence {coherence:.2f}, {pairs:.0f} of {PAIRS} pairs."
    )
    assert window.dock.description.isVisible()
    assert "mm/year" in window.dock.places_list.item(0).text()


def test_gaps_and_pairs_without_a_check_are_said(window):
    window.pick(*window.find(mask=0.0, gap_count=1.0, redundancy=0.0)[0])
    text = window.dock.description.text()
    assert "none of which checks another, 1 gap in time that no pair bridges." in text


@pytest.mark.parametrize(
    ("flag", "why"),
    [
        (2.0, "the pairs contradict each other (low temporal coherence)"),
        (1.0, "no pair has phase here"),
    ],
)
def test_a_masked_pixel_says_why(window, flag, why):
    (picked,) = window.pick(*window.find(mask=flag)[0]).picked
    assert all(map(math.isnan, picked.series.values))
    assert window.dock.description.text().startswith(f"Point 1 is masked, because {why}.")
    assert window.dock.places_list.item(0).text().endswith("masked")
    assert "masked" in window.dock.plot.hint()


def test_the_chosen_point_is_described(window, valid):
    window.pick(*valid[0])
    window.pick(*valid[1], adding=True)
    assert window.dock.description.text().startswith("Point 2: ")
    window.dock.places_list.item(0).setSelected(True)
    assert window.dock.description.text().startswith("Point 1: ")


def test_another_reference_is_subtracted_without_inverting_again(window, valid):
    (before,) = window.pick(*valid[0]).picked
    row, column = valid[-1]
    result = window.refer(row, column)
    (after,) = result.picked
    area = [
        window.file("displacement", row + down, column + across)
        for down in range(-2, 3)
        for across in range(-2, 3)
        if down**2 + across**2 <= 2.5**2
    ]
    medians = [sorted(values)[len(area) // 2] for values in zip(*area)]  # noqa: B905
    expected = [a - b for a, b in zip(before.series.values, medians)]  # noqa: B905
    assert len(area) == 21
    assert after.series.values == pytest.approx(expected)
    assert after.series.values[0] == 0.0
    assert after.facts.velocity == after.fit.velocity != before.facts.velocity
    place = f"{result.reference.x:.0f}, {result.reference.y:.0f}"
    assert f"Relative to the area around {place}, the" in window.dock.description.text()
    window.dock.bar.own_reference_action.trigger()
    assert window.dock.result.picked[0].series.values == before.series.values
    assert window.dock.reference is None


def test_a_reference_without_data_is_one_sentence(window, valid):
    window.pick(*valid[0])
    assert window.refer(*window.find(5, mask=1.0)[0]) is None
    assert "lies where the stack has no data; choose another place" in window.dock.plot.hint()
    assert window.dock.width() == 900, "a long sentence does not widen the dock"
    assert window.refer(-40, 5) is None
    assert "lies outside of the stack" in window.dock.plot.hint()


def test_a_click_with_the_velocity_chosen_draws_the_displacement(window):
    window.dock.choose(window.layers["velocity"])
    assert window.dock.layer() is window.layers["displacement"]
    assert not window.dock.bar.invert_button.isVisible()


def test_the_table_tells_error_fit_and_reference(window, valid):
    window.pick(*valid[0])
    result = window.refer(*valid[-1])
    rows = list(csv.DictReader(io.StringIO(as_text(result, ","))))
    assert len(rows) == DATES
    (picked,) = result.picked
    for row, value, moment, error in zip(  # noqa: B905 - Python 3.9
        rows, picked.series.values, result.begins, result.errors
    ):
        assert float(row["value"]) == pytest.approx(value)
        assert float(row["fit"]) == pytest.approx(picked.fit.at(moment))
        assert float(row["error"]) == pytest.approx(error)
        assert row["units"] == "m"
        assert row["reference"] == f"{result.reference.x:.10g} {result.reference.y:.10g}"


def test_a_point_of_pairs_is_inverted_at_once_as_the_whole_stack_is(shown, stack_files, tmp_path):
    window = shown(stack_files[0], "unw_phase")
    dock, layer = window.dock, window.layers["unw_phase"]
    rows, columns = layer.height(), layer.width()
    row, column, there = rows // 2, columns // 2, (rows // 3, columns // 3)
    assert len(window.pick(row, column).begins) == 6, "pairs, until asked for dates"
    assert dock.bar.invert_button.isVisible()
    dock.bar.invert_action.trigger()
    assert "choose a reference area for all of them" in dock.description.text()
    result = window.refer(*there)
    (picked,) = result.picked
    place = row, column, *there
    told = run_core_python("-c", INVERT_WITH_CORE, stack_files[0], tmp_path, *place)
    expected = json.loads(told.splitlines()[-1])
    assert picked.series.values == pytest.approx(expected, abs=1e-6)
    assert result.units == "m" and len(result.begins) == len(expected)
    text = dock.description.text()
    assert "temporal coherence" in text and "of 6 pairs" in text
    assert text.endswith("Least squares on the pairs, as Invert stack does with WEIGHTS=variance.")
    (curve,) = dock.plot.curves()
    assert curve.values == pytest.approx([1000 * value for value in picked.series.values])
    assert curve.fit
