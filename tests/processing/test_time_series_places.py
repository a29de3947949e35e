"""Places of the dock: areas drawn on the map, what is read of them, and what a project keeps."""

import json
import math
import shutil
import statistics
from pathlib import Path

import pytest
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsGeometry,
    QgsPointXY,
    QgsProject,
    QgsRectangle,
)
from qgis.gui import QgsMapCanvas, QgsRubberBand, QgsVertexMarker
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QPoint, Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QAction

from hyp3_stack.processing_provider.layers.layer_source import Location
from hyp3_stack.processing_provider.layers.stack_description import open_stack
from hyp3_stack.processing_provider.time_series.dock import TimeSeriesDock
from hyp3_stack.processing_provider.time_series.frame_bar import FrameBar
from hyp3_stack.processing_provider.time_series.places.area_tool import AreaTool
from hyp3_stack.processing_provider.time_series.places.map_tool import PickTool
from hyp3_stack.processing_provider.time_series.places.markers import Markers
from hyp3_stack.processing_provider.time_series.places.place import Place
from hyp3_stack.processing_provider.time_series.series import averages
from hyp3_stack.processing_provider.time_series.series.picking import TOO_SMALL, read
from hyp3_stack.processing_provider.time_series.series.reader import Reader, Readers

from .conftest import layer_of

DEGREES = "EPSG:4326"


@pytest.fixture
def files(stack_files, tmp_path):
    """The NetCDF file without the store beside it, and the store."""
    return Path(shutil.copy(stack_files[0], tmp_path)), stack_files[1]


def reader_of(path, name):
    stack = open_stack(path)
    return Reader(Location(stack.path, stack.group, name))


def triangle(layer):
    """Return a triangle over the middle of a layer, with no side along rows or columns."""
    extent = layer.extent()
    corners = [
        QgsPointXY(
            extent.xMinimum() + across * extent.width(), extent.yMinimum() + down * extent.height()
        )
        for across, down in ((0.21, 0.33), (0.72, 0.29), (0.48, 0.83))
    ]
    return QgsGeometry.fromPolygonXY([[*corners, corners[0]]])


def pixels_inside(layer, polygon):
    """Return row and column of the pixels whose centers lie in a polygon, one by one."""
    extent, height, width = layer.extent(), layer.height(), layer.width()
    return [
        (row, column)
        for row in range(height)
        for column in range(width)
        if polygon.contains(
            QgsPointXY(
                extent.xMinimum() + (column + 0.5) * extent.width() / width,
                extent.yMaximum() - (row + 0.5) * extent.height() / height,
            )
        )
    ]


@pytest.mark.parametrize("kind", [0, 1], ids=["netcdf", "zarr"])
def test_an_area_has_mean_deviation_and_count_of_the_pixels_inside(files, kind):
    layer = layer_of(files[kind], "unw_phase")
    reader, polygon = reader_of(files[kind], "unw_phase"), triangle(layer)
    series = reader.read_area(polygon, layer.extent())
    inside = pixels_inside(layer, polygon)
    assert series.size == len(inside) > 500 and series.stride == 1
    each = [reader.read(row, column).values for row, column in inside]
    for step, values in enumerate(zip(*each)):  # noqa: B905 - Python 3.9
        valid = [value for value in values if math.isfinite(value)]
        assert series.counts[step] == len(valid) > 2
        assert series.values[step] == pytest.approx(statistics.fmean(valid))
        assert series.deviations[step] == pytest.approx(statistics.pstdev(valid))


def test_of_a_large_area_some_rows_and_columns_count_in_both_formats(files):
    layer = layer_of(files[0], "corr")
    polygon = triangle(layer)
    readers = [reader_of(path, "corr") for path in files]
    first, second = (reader.read_area(polygon, layer.extent(), most=6 * 300) for reader in readers)
    assert first.stride == second.stride > 2
    assert 50 < first.size <= 300
    assert first.counts == second.counts and first.values == second.values
    whole = readers[0].read_area(polygon, layer.extent())
    assert first.size * first.stride**2 == pytest.approx(whole.size, rel=0.1)
    assert first.values == pytest.approx(whole.values, abs=0.03)


def test_pixels_without_coherence_are_left_out(files):
    phase, coherence = (reader_of(files[0], name) for name in ("unw_phase", "corr"))
    layer = layer_of(files[0], "unw_phase")
    polygon = triangle(layer)
    inside = pixels_inside(layer, polygon)
    shown = [(phase.read(*pixel).values, coherence.read(*pixel).values) for pixel in inside]
    sure = sorted(values[1][0] for values in shown if math.isfinite(values[1][0]))
    limit = sure[len(sure) // 2]
    result = read(Readers(), layer, [Place(polygon, layer.crs(), "#000000")], least_coherence=limit)
    (picked,) = result.picked
    for step, count in enumerate(picked.series.counts):
        kept = [
            values[step]
            for values, certain in shown
            if certain[step] >= limit and math.isfinite(values[step])
        ]
        assert count == len(kept) > 0
        assert picked.series.values[step] == pytest.approx(statistics.fmean(kept))
    assert sum(picked.series.counts) < sum(phase.read_area(polygon, layer.extent()).counts)
    assert result.least_coherence == limit


def test_an_area_in_degrees_is_the_same_and_one_without_a_center_is_said(files):
    layer = layer_of(files[0], "corr")
    extent, degrees = layer.extent(), QgsCoordinateReferenceSystem(DEGREES)
    there = QgsGeometry(triangle(layer))
    there.transform(QgsCoordinateTransform(layer.crs(), degrees, QgsProject.instance()))
    width = extent.width() / layer.width()
    corner = QgsPointXY(extent.center().x() + 0.6 * width, extent.center().y() + 0.6 * width)
    tiny = QgsGeometry.fromRect(QgsRectangle(corner, corner + (corner - extent.center()) * 0.1))
    outside = QgsGeometry.fromRect(QgsRectangle(0, 0, 10, 10))
    places = [Place(there, degrees, "#000000")]
    places += [
        Place(polygon, layer.crs(), "#111111") for polygon in (triangle(layer), tiny, outside)
    ]
    first, second, small, beyond = read(Readers(), layer, places).picked
    assert first.series.size == pytest.approx(second.series.size, rel=0.02)
    assert first.series.values == pytest.approx(second.series.values, abs=0.01)
    assert (small.series, small.reason) == (None, TOO_SMALL)
    assert (beyond.series, beyond.reason) == (None, "outside of the stack")


def test_spreads_know_what_numbers_mean():
    angles = averages.average_for("wrapped_phase", "radian", False)
    seam = [math.pi - 0.1, -math.pi + 0.1]
    assert angles.deviation(seam) == pytest.approx(0.1, rel=0.01)
    assert angles.deviation([1.0, 1.0]) == pytest.approx(0.0, abs=1e-7)
    assert averages.average_for("unw_phase", "radian", False).deviation([1.0, 3.0]) == 1.0
    assert math.isnan(averages.average_for("conncomp", "", True).deviation([1.0, 3.0]))


@pytest.fixture
def canvas():
    made = QgsMapCanvas()
    made.resize(200, 160)
    made.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:32610"))
    made.setExtent(QgsRectangle(0, 0, 200, 160))
    return made


def test_the_tool_tells_place_and_key(canvas):
    tool, seen = PickTool(canvas), []
    tool.picked.connect(lambda place, adding: seen.append(adding))
    canvas.setMapTool(tool)
    for button, key in (
        (Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier),
        (Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier),
        (Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier),
        (Qt.MouseButton.RightButton, Qt.KeyboardModifier.NoModifier),
    ):
        QTest.mouseClick(canvas.viewport(), button, key, QPoint(30, 30))
    assert seen == [False, True, True]


@pytest.mark.parametrize("end", ["right button", "return"])
def test_an_area_is_drawn_corner_by_corner(canvas, end):
    tool, drawn = AreaTool(canvas), []
    tool.drawn.connect(drawn.append)
    canvas.setMapTool(tool)

    def click(x, y, button=Qt.MouseButton.LeftButton):
        QTest.mouseClick(canvas.viewport(), button, pos=QPoint(x, y))

    def finish():
        if end == "return":
            QTest.keyClick(canvas, Qt.Key.Key_Return)
        else:
            click(5, 5, Qt.MouseButton.RightButton)

    click(20, 20)
    click(120, 20)
    finish()
    assert not drawn, "two corners are no area yet"
    click(60, 60)
    QTest.keyClick(canvas, Qt.Key.Key_Backspace)
    click(120, 100)
    finish()
    (polygon,) = drawn
    per_pixel = canvas.mapUnitsPerPixel()
    assert polygon.area() == pytest.approx(100 * 80 / 2 * per_pixel**2, rel=1e-6)
    click(20, 20)
    click(120, 20)
    click(120, 100)
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    finish()
    assert len(drawn) == 1
    bands = [item for item in canvas.scene().items() if isinstance(item, QgsRubberBand)]
    assert not bands, "nothing is left on the map"


def test_the_map_shows_points_and_outlines(canvas):
    crs, markers = canvas.mapSettings().destinationCrs(), Markers(canvas)
    area = QgsGeometry.fromRect(QgsRectangle(20, 20, 60, 60))
    point = Place.at(QgsPointXY(100, 100), crs, "#d62728")
    markers.show([point, Place(area, crs, "#1f77b4")], point)
    items = canvas.scene().items()
    assert sum(isinstance(item, QgsVertexMarker) for item in items) == 2
    (band,) = (item for item in items if isinstance(item, QgsRubberBand))
    assert band.asGeometry().boundingBox() == area.boundingBox()
    markers.clear()
    assert not [
        i for i in canvas.scene().items() if isinstance(i, (QgsVertexMarker, QgsRubberBand))
    ]


@pytest.fixture
def open_dock():
    """Return a function that opens a dock on the project."""
    docks = []

    def make():
        docks.append(TimeSeriesDock([QAction("pick")], QAction("refer"), FrameBar(QgsMapCanvas())))
        return docks[-1]

    yield make
    docks[-1].detach()
    for dock in docks:
        sip.delete(dock)  # else it would be painted until Python collects it
    QgsProject.instance().clear()


def noted():
    return QgsProject.instance().readEntry("hyp3_stack", "time_series")[0]


def test_places_are_kept_with_the_project_also_when_it_moves(files, open_dock, tmp_path):
    project = QgsProject.instance()
    here = tmp_path / "here"
    here.mkdir()
    path = Path(shutil.copy(files[0], here / "s.nc"))
    layers = [layer_of(path, name) for name in ("corr", "unw_phase")]
    project.addMapLayers(layers)
    dock = open_dock()
    dock.choose(layers[1])
    assert dock.layer() is layers[1]
    center, crs = layers[1].extent().center(), layers[1].crs()
    dock.pick(center, crs, False)
    dock.add_areas([triangle(layers[1])], crs)
    dock.refer(QgsPointXY(center.x() + 500, center.y()), crs)
    assert project.isDirty()
    assert project.write(str(here / "p.qgz"))
    assert json.loads(noted())["path"] == "./s.nc"
    before = dock.places
    project.clear()
    assert (dock.places, dock.reference) == ([], None)
    here.rename(tmp_path / "there")
    assert project.read(str(tmp_path / "there" / "p.qgz"))
    dock.detach()
    for shown in (dock, open_dock()):
        assert [place.color for place in shown.places] == [place.color for place in before]
        assert [place.is_area for place in shown.places] == [False, True]
        for place, other in zip(shown.places, before):  # noqa: B905
            assert place.geometry.asWkt(6) == other.geometry.asWkt(6) and place.crs == other.crs
        assert shown.reference.geometry.asPoint().x() == center.x() + 500
        assert shown.layer().source().endswith('there/s.nc":unw_phase')
    shown.clear()
    shown.bar.own_reference_action.trigger()
    assert project.write()
    assert noted() == ""


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "null",
        '{"places": 3}',
        '{"places": [{"wkt": "POINT(", "crs": "EPSG:4326", "color": "#000000"}]}',
        '{"places": [{"wkt": "POINT(1 2)", "crs": "none", "color": "#000000"}]}',
        '{"places": [{"wkt": "POINT(1 2)", "crs": "EPSG:4326", "color": 7}]}',
        '{"reference": {}}',
    ],
)
def test_a_damaged_entry_of_a_project_is_nothing(open_dock, text):
    QgsProject.instance().writeEntry("hyp3_stack", "time_series", text)
    dock = open_dock()
    assert (dock.places, dock.reference) == ([], None)
