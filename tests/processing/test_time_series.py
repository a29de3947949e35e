"""Series of a stack at a place: found, read, averaged, put into tables."""

import math
import random
import re
import shutil
import struct
from datetime import timezone
from pathlib import Path

import pytest
from osgeo import gdal
from qgis.core import QgsCoordinateReferenceSystem, QgsPointXY, QgsProject, QgsRasterLayer
from qgis.gui import QgsMapCanvas
from qgis.PyQt import sip
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QPixmap
from qgis.PyQt.QtWidgets import QAction, QWidget

from hyp3_stack.processing_provider.layers.layer_source import Location, locate
from hyp3_stack.processing_provider.layers.raster_layers import make_layer
from hyp3_stack.processing_provider.layers.stack_description import (
    StackFileError,
    open_stack,
)
from hyp3_stack.processing_provider.layers.virtual_raster import point_to_moved_store
from hyp3_stack.processing_provider.time_series import export
from hyp3_stack.processing_provider.time_series.dock import TimeSeriesDock
from hyp3_stack.processing_provider.time_series.export import write
from hyp3_stack.processing_provider.time_series.frame_bar import FrameBar
from hyp3_stack.processing_provider.time_series.places.place import Place
from hyp3_stack.processing_provider.time_series.series import averages, table
from hyp3_stack.processing_provider.time_series.series.displacement_series import (
    is_referred_to_one_point,
)
from hyp3_stack.processing_provider.time_series.series.picking import read
from hyp3_stack.processing_provider.time_series.series.reader import Reader, Readers

from .conftest import build_stack, layer_of

PAIRS = 6
UTC = timezone.utc


@pytest.fixture
def copied(stack_files, tmp_path):
    """NetCDF file and store of one run, under one stem."""
    netcdf = shutil.copy(stack_files[0], tmp_path / "a.nc")
    store = shutil.copytree(stack_files[1], tmp_path / "a.zarr")
    return Path(netcdf), Path(store)


def band_values(path, variable, row, column):
    raster = gdal.Open(f'NETCDF:"{path}":{variable}')
    data = raster.ReadRaster(column, row, 1, 1, buf_type=gdal.GDT_Float64)
    return list(struct.unpack(f"={PAIRS}d", data))


def same(first, second):
    return len(first) == len(second) and all(
        a == b or (math.isnan(a) and math.isnan(b))
        for a, b in zip(first, second)  # noqa: B905
    )


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('NETCDF:"/a b/s.nc":corr', ("/a b/s.nc", "", "corr")),
        ("NETCDF:/a/s.nc:corr", ("/a/s.nc", "", "corr")),
        ('NETCDF:"C:/a/s.nc":corr|option:X=Y', ("C:/a/s.nc", "", "corr")),
        ('ZARR:"/a/s.zarr":/spatially_optimized/corr:4', ("/a/s.zarr", "spatially_optimized")),
        ("/a/s.zarr/temporally_optimized/corr", ("/a/s.zarr", "temporally_optimized", "corr")),
        ('ZARR:"/a/s.zarr":/other/corr', None),
        ("/a/photo.tif", None),
        ("/a/no such.vrt", None),
        ("https://tiles.example/{z}", None),
    ],
)
def test_the_source_of_a_layer_tells_the_stack(source, expected):
    found = locate(source)
    if expected is None:
        assert found is None
    else:
        variable = expected[2] if len(expected) > 2 else "corr"
        assert found == Location(Path(expected[0]), expected[1], variable)


@pytest.mark.parametrize("kind", [0, 1], ids=["netcdf", "zarr"])
def test_layers_are_found_by_what_loading_made(stack_files, kind):
    stack = open_stack(stack_files[kind])
    layer = make_layer(stack, stack.variables["corr"])
    found = locate(layer.source())
    assert found == Location(stack.path, stack.group, "corr")


@pytest.mark.parametrize("kind", [0, 1], ids=["netcdf", "zarr"])
def test_values_are_those_of_the_file(stack_files, tmp_path, kind):
    alone = shutil.copy(stack_files[0], tmp_path)
    stack = open_stack((alone, stack_files[1])[kind])
    reader = Reader(Location(stack.path, stack.group, "unw_phase"))
    assert reader.group == ("temporally_optimized" if kind else "")
    rows, columns = reader.shape
    chosen = random.Random(5)
    found = 0
    for _ in range(30):
        row, column = chosen.randrange(rows), chosen.randrange(columns)
        series = reader.read(row, column)
        expected = band_values(stack_files[0], "unw_phase", row, column)
        assert same(series.values, expected)
        assert series.counts == [int(math.isfinite(value)) for value in expected]
        found += series.with_data
    assert found


@pytest.mark.parametrize("kind", ["netcdf", "zarr"])
def test_packed_numbers_are_unpacked_as_on_the_map(stack_files, tmp_path, kind):
    """As another program may write a stack anew."""
    if kind == "netcdf":
        location = Location(Path(shutil.copy(stack_files[0], tmp_path)), "", "corr")
    else:
        store = shutil.copytree(stack_files[1], tmp_path / "a.zarr")
        location = Location(store, "temporally_optimized", "corr")
    before = Reader(location)
    row, column = (length // 2 for length in before.shape)
    stored = before.read(row, column, 3)
    assert stored.with_data
    del before
    if kind == "netcdf":
        dataset = gdal.OpenEx(str(location.path), gdal.OF_MULTIDIM_RASTER | gdal.OF_UPDATE)
        array = dataset.GetRootGroup().OpenMDArray("corr")
        array.SetScale(0.5)
        array.SetOffset(3.0)
        del array, dataset
    else:
        for gathered in location.path.rglob(".zmetadata"):
            gathered.unlink()
        attributes = location.path / location.group / "corr" / ".zattrs"
        packing = '{"scale_factor": 0.5, "add_offset": 3.0,'
        attributes.write_text(attributes.read_text().replace("{", packing, 1))
    found = Reader(location).read(row, column, 3)
    expected = [value * 0.5 + 3.0 for value in stored.values]
    assert found.values == pytest.approx(expected, nan_ok=True)
    assert found.counts == stored.counts


def test_windows_leave_out_missing_pixels_and_end_at_the_edge(stack_files):
    reader = Reader(Location(stack_files[0], "", "corr"))
    rows, columns = reader.shape
    for row, column in ((0, 0), (rows - 1, columns - 1), (rows // 2, columns // 2)):
        series = reader.read(row, column, 5)
        for step in range(PAIRS):
            block = [
                reader.read(r, c).values[step]
                for r in range(max(0, row - 2), min(rows, row + 3))
                for c in range(max(0, column - 2), min(columns, column + 3))
            ]
            valid = [value for value in block if math.isfinite(value)]
            assert series.counts[step] == len(valid)
            if valid:
                assert series.values[step] == pytest.approx(sum(valid) / len(valid))
    assert max(reader.read(rows // 2, columns // 2, 5).counts) == 25
    assert max(reader.read(0, 0, 5).counts) <= 9


def test_a_netcdf_file_is_read_from_the_store_of_the_same_run(copied):
    netcdf, store = copied
    reader = Reader(Location(netcdf, "", "corr"))
    assert (reader.path, reader.group) == (store, "temporally_optimized")
    row, column = (size // 2 for size in reader.shape)
    assert same(reader.read(row, column).values, band_values(netcdf, "corr", row, column))


def test_a_store_of_another_run_is_left_alone(copied):
    netcdf, store = copied
    identity = re.search('"id": "([^"]+)"', (store / "temporally_optimized/.zattrs").read_text())[1]
    for name in (".zmetadata", "temporally_optimized/.zmetadata", "temporally_optimized/.zattrs"):
        text = (store / name).read_text()
        (store / name).write_text(text.replace(identity, "of another run"))
    reader = Reader(Location(netcdf, "", "corr"))
    assert (reader.path, reader.group) == (netcdf, "")


def test_a_file_that_was_written_again_is_opened_again(copied):
    netcdf, store = copied
    shutil.rmtree(store)
    readers, location = Readers(), Location(netcdf, "", "corr")
    reader = readers.get(location)
    assert readers.get(location) is reader
    again = netcdf.with_name("b.nc")
    shutil.copyfile(netcdf, again)
    again.replace(netcdf)
    assert readers.get(location) is not reader


def test_a_store_of_an_earlier_run_is_left_alone_although_both_have_a_doi(product_folder, tmp_path):
    """The file alone is built again, with other phases, while the series is open."""
    netcdf, store = tmp_path / "s.nc", tmp_path / "s.zarr"
    given = {"INPUT": product_folder, "NETCDF": netcdf, "DATA_ACCESS": "10.5281/zenodo.1234567"}
    given["LAYERS"] = "unw_phase"
    build_stack(tmp_path, ZARR=store, **given)
    readers, location = Readers(), Location(netcdf, "", "unw_phase")
    before = readers.get(location)
    assert (before.path, before.group) == (store, "temporally_optimized")
    row, column = (size // 2 for size in before.shape)
    old = before.read(row, column).values
    build_stack(tmp_path, REFERENCE_POINT="auto", **given)
    after = readers.get(location)
    assert (after.path, after.group) == (netcdf, "")
    expected = band_values(netcdf, "unw_phase", row, column)
    assert not same(expected, old)
    assert same(after.read(row, column).values, expected)
    assert is_referred_to_one_point(after.variable)
    assert not is_referred_to_one_point(before.variable)


def test_what_has_no_steps_or_is_gone_is_one_sentence(stack_files, tmp_path):
    with pytest.raises(StackFileError, match=r"dem of .* has no steps in time\.$"):
        Reader(Location(stack_files[0], "", "dem"))
    with pytest.raises(StackFileError, match="does not exist"):
        Reader(Location(tmp_path / "gone.nc", "", "corr"))


def test_points_outside_and_in_other_systems(stack_files):
    layer = layer_of(stack_files[0], "corr")
    middle = layer.extent().center()
    degrees = QgsCoordinateReferenceSystem("EPSG:4326")
    inside = Place.at(middle, layer.crs(), "#000000")
    points = [
        inside,
        Place.at(inside.to(degrees).asPoint(), degrees, "#111111"),
        Place.at(QgsPointXY(layer.extent().xMaximum() + 1, middle.y()), layer.crs(), "#222222"),
        Place.at(QgsPointXY(0, 1000), degrees, "#333333"),
    ]
    result = read(Readers(), layer, points, 1)
    first, second, *others = result.picked
    assert (first.row, first.column) == (layer.height() // 2, layer.width() // 2)
    assert (second.row, second.column) == (first.row, first.column)
    assert second.series.values == first.series.values
    assert [(p.series, p.reason) for p in others] == [(None, "outside of the stack")] * 2


def test_a_layer_of_something_else_is_refused(stack_files, tmp_path):
    gdal.GetDriverByName("GTiff").Create(str(tmp_path / "t.tif"), 3, 3, 2)
    layer = QgsRasterLayer(str(tmp_path / "t.tif"), "picture")
    with pytest.raises(StackFileError, match="picture shows no stack"):
        read(Readers(), layer, [], 1)


@pytest.mark.parametrize("answer", ["Yes", "No"])
def test_a_file_whose_ending_was_left_out_is_not_replaced_unasked(
    stack_files, tmp_path, monkeypatch, answer
):
    layer = layer_of(stack_files[0], "unw_phase")
    result = read(Readers(), layer, [Place.at(layer.extent().center(), layer.crs(), "#000000")], 1)
    (tmp_path / "mine.csv").write_text("mine")
    chosen = str(tmp_path / "mine"), ""
    monkeypatch.setattr(export.QFileDialog, "getSaveFileName", lambda *given: chosen)
    button = getattr(export.QMessageBox.StandardButton, answer)
    asked = []

    def answering(box):
        asked.append((box.textFormat(), box.text()))
        return button

    monkeypatch.setattr(export.QMessageBox, "exec", answering)
    export.save(result, QWidget())
    assert [text_format for text_format, _ in asked] == [Qt.TextFormat.PlainText]
    assert ((tmp_path / "mine.csv").read_text() == "mine") == (answer == "No")


def test_a_hidden_dock_reads_nothing_and_layers_that_are_gone_are_closed(stack_files):
    layer = layer_of(stack_files[0], "unw_phase")
    QgsProject.instance().addMapLayer(layer)
    dock = TimeSeriesDock([QAction("pick")], QAction("refer"), FrameBar(QgsMapCanvas()))
    try:
        dock.list_layers()
        dock.choose(layer)
        dock.pick(layer.extent().center(), layer.crs(), False)
        assert dock.result is None and len(dock._readers) == 0
        dock.show()
        assert len(dock.result.picked) == 1 and len(dock._readers) == 1
        QgsProject.instance().removeAllMapLayers()
        assert len(dock._readers) == 0
    finally:
        dock.detach()
        sip.delete(dock)  # else it would be painted until Python collects it
        QgsProject.instance().removeAllMapLayers()


def test_a_file_has_one_row_for_each_point_and_step(stack_files, tmp_path):
    layer = layer_of(stack_files[0], "unw_phase")
    corner = QgsPointXY(layer.extent().xMinimum() + 1, layer.extent().yMaximum() - 1)
    points = [Place.at(p, layer.crs(), "#000000") for p in (layer.extent().center(), corner)]
    result = read(Readers(), layer, points, 3)
    write(result, tmp_path / "series.csv")
    header, *lines = (tmp_path / "series.csv").read_text().splitlines()
    assert header.split(",") == list(table.HEADER)
    assert len(lines) == 2 * PAIRS
    for line, row in zip(lines, table.rows(result)):  # noqa: B905
        assert line.split(",") == [str(cell) for cell in row]
    values = [row[table.HEADER.index("value")] for row in table.rows(result)]
    series = [value for picked in result.picked for value in picked.series.values]
    for text, value in zip(values, series):  # noqa: B905
        assert text == "" if math.isnan(value) else float(text) == pytest.approx(value)


def test_averages_know_what_numbers_mean():
    assert averages.mean([1.0, 2.0, 6.0]) == 3.0
    seam = averages.circular_mean([math.pi - 0.1, -math.pi + 0.3])
    assert seam == pytest.approx(-math.pi + 0.1)
    assert averages.decibel_mean([0.0, 10.0]) == pytest.approx(10 * math.log10(5.5))
    assert averages.most_common([3.0, 1.0, 3.0, 1.0, 2.0]) == 1.0
    assert averages.average_for("wrapped_phase", "radian", False).of is averages.circular_mean
    assert averages.average_for("lv_phi", "radian", False).of is averages.circular_mean
    assert averages.average_for("VV_backscatter", "dB", False).of is averages.decibel_mean
    assert averages.average_for("conncomp", "", True).of is averages.most_common
    assert averages.average_for("corr", "1", False).of is averages.mean


@pytest.mark.parametrize("name", ["wo", 'w"o', "w\\o", 'a "b" \\c &'])
def test_names_with_quotes_and_backslashes(stack_files, tmp_path, name):
    first, second = tmp_path / f"1{name}", tmp_path / f"2{name}"
    first.mkdir()
    store = first / "s.zarr"
    store.symlink_to(stack_files[1], target_is_directory=True)
    layer = layer_of(store, "corr")
    assert layer.isValid()
    assert layer.bandCount() == PAIRS
    assert locate(layer.source()) == Location(store, "spatially_optimized", "corr")
    first.rename(second)
    path = second / "s.zarr_layers" / "corr.vrt"
    if path.exists():
        assert point_to_moved_store(path)
        assert locate(str(path)) == Location(second / "s.zarr", "spatially_optimized", "corr")
        moved = gdal.Open(str(path))
        assert moved.RasterCount == PAIRS
        assert moved.GetRasterBand(1).ReadRaster(0, 0, 1, 1)


def test_a_netcdf_path_that_gdal_cannot_name_is_one_sentence(stack_files, tmp_path):
    path = tmp_path / 'my "best" stack.nc'
    path.symlink_to(stack_files[0])
    stack = open_stack(path)
    with pytest.raises(StackFileError, match="double quote in its path"):
        make_layer(stack, stack.variables["corr"])


def test_a_moved_virtual_raster_follows_its_store(stack_files, tmp_path):
    (tmp_path / "one").mkdir()
    shutil.copytree(stack_files[1], tmp_path / "one" / "s.zarr")
    folder = tmp_path / "one" / "s.zarr_layers"
    folder.mkdir()
    old = f'<SourceFilename>ZARR:"{tmp_path}/one/s.zarr":/spatially_optimized/corr:0<'
    (folder / "corr.vrt").write_text(old)
    assert not point_to_moved_store(folder / "corr.vrt")
    (tmp_path / "one").rename(tmp_path / "t&wo")
    moved = tmp_path / "t&wo" / "s.zarr_layers" / "corr.vrt"
    assert point_to_moved_store(moved)
    assert f'ZARR:"{tmp_path}/t&amp;wo/s.zarr":/spatially' in moved.read_text()
    assert locate(str(moved)) == Location(
        tmp_path / "t&wo" / "s.zarr", "spatially_optimized", "corr"
    )
    assert not point_to_moved_store(moved)
    assert not point_to_moved_store(tmp_path / "t&wo" / "s.zarr_layers" / "none.vrt")


def test_the_icon_is_drawn():
    import hyp3_stack.processing_provider.time_series as package

    pixmap = QPixmap(str(Path(package.__file__).with_name("icon.svg")))
    assert not pixmap.isNull()
