"""A stack becomes layers that show every pair once."""

import html
import shutil
import struct
from dataclasses import replace

import pytest
from osgeo import gdal, ogr, osr
from qgis.core import (
    Qgis,
    QgsMapLayerLegendUtils,
    QgsMapRendererSequentialJob,
    QgsMapSettings,
    QgsNumericFormatContext,
    QgsPalettedRasterRenderer,
    QgsProject,
    QgsRasterLayer,
    QgsSingleBandPseudoColorRenderer,
)
from qgis.PyQt.QtCore import QSize

from hyp3_stack.processing_provider.layers import sampling
from hyp3_stack.processing_provider.layers.layer_tree import show_caption
from hyp3_stack.processing_provider.layers.raster_layers import make_layer
from hyp3_stack.processing_provider.layers.stack_description import (
    StackFileError,
    Variable,
    open_stack,
)
from hyp3_stack.processing_provider.layers.styles import flag_classes, flag_masks, style

from .conftest import layers_of

PAIRS = 6
VARIABLES = {"unw_phase", "corr", "amp", "dem", "water_mask"}

each_format = pytest.mark.parametrize("kind", [0, 1], ids=["netcdf", "zarr"], scope="module")


@pytest.fixture(scope="module")
def layers(stack_files, kind):
    """Layers of a stack; nobody may change them."""
    made = layers_of(stack_files[kind])
    yield made
    made.clear()  # while there is a QGIS


def frame(layer, time_range):
    """Draw a layer at a time and return the pixels."""
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setExtent(layer.extent())
    settings.setDestinationCrs(layer.crs())
    settings.setOutputSize(QSize(60, 60))
    settings.setIsTemporal(True)
    settings.setTemporalRange(time_range)
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    image = job.renderedImage()
    return image.constBits().asstring(image.sizeInBytes())


def test_netcdf_and_zarr_are_described_alike(stack_files):
    netcdf, zarr = (open_stack(path) for path in stack_files)
    assert list(netcdf.variables) == list(zarr.variables), "phase on top, masks below, in both"
    assert set(zarr.variables) >= VARIABLES
    assert netcdf.begins == zarr.begins
    assert netcdf.ends == zarr.ends
    assert len(netcdf.begins) == PAIRS
    assert all(begin < end for begin, end in zip(netcdf.begins, netcdf.ends))  # noqa: B905
    assert netcdf.title == zarr.title
    assert zarr.group == "spatially_optimized"
    for name in VARIABLES:
        ours, theirs = netcdf.variables[name], zarr.variables[name]
        assert (ours.steps, ours.units, ours.long_name) == (
            theirs.steps,
            theirs.units,
            theirs.long_name,
        )


def test_a_group_of_a_store_can_be_chosen(stack_files):
    stack = open_stack(stack_files[1] / "temporally_optimized")
    assert stack.group == "temporally_optimized"
    assert stack.path == stack_files[1]


@each_format
def test_layers_have_the_bands_and_the_place_of_the_stack(layers):
    assert set(layers) >= VARIABLES
    extents = {layer.extent().toString() for layer in layers.values()}
    assert len(extents) == 1
    for name, layer in layers.items():
        if name in VARIABLES:
            assert layer.bandCount() == (1 if name in ("dem", "water_mask") else PAIRS)
        assert layer.crs().authid().startswith("EPSG:326")


@each_format
def test_values_are_those_of_the_file(layers, stack_files):
    reference = gdal.Open(f'NETCDF:"{stack_files[0]}":unw_phase')
    shown = gdal.Open(layers["unw_phase"].source())
    for band in range(1, PAIRS + 1):
        expected = reference.GetRasterBand(band).ReadRaster()
        assert shown.GetRasterBand(band).ReadRaster() == expected


@pytest.mark.parametrize(
    "text",
    ["<script>alert(1)</script>", "<img src=http://x/y>", "a < b & c", '<a href="file:///">'],
)
def test_text_of_a_stack_is_no_html_of_the_layer(stack_files, text):
    found = open_stack(stack_files[0])
    variable = replace(
        found.variables["data_mask"],
        long_name=f"{text} name",
        attributes={"comment": f"{text} comment"},
    )
    layer = make_layer(replace(found, title=f"{text} title"), variable)
    metadata, shown = layer.metadata(), layer.htmlMetadata()
    escaped = html.escape(text, quote=False)
    assert metadata.title() == f"my stack: {escaped} name"
    assert metadata.abstract() == f"{escaped} title {escaped} comment"
    assert layer.name() == f"data_mask: {text} name".replace("<", "\u2039").replace(">", "\u203a")
    if "&" not in text:
        for part in ("title", "comment", "name"):
            assert f"{text} {part}" not in shown


@each_format
def test_every_pair_is_one_frame(layers):
    layer = layers["unw_phase"]
    properties = layer.temporalProperties()
    assert properties.isActive()
    assert properties.mode() == Qgis.RasterTemporalMode.FixedRangePerBand
    ranges = properties.fixedRangePerBand()
    assert sorted(ranges) == list(range(1, PAIRS + 1))
    ordered = sorted(ranges.values(), key=lambda item: item.begin())
    for before, after in zip(ordered, ordered[1:]):  # noqa: B905
        assert before.end() == after.begin()
    for band, time_range in ranges.items():
        assert properties.bandForTemporalRange(layer, time_range) == band
    assert len({frame(layer, time_range) for time_range in ranges.values()}) == PAIRS


@each_format
def test_time_does_not_hide_what_has_no_time(layers):
    assert not layers["dem"].temporalProperties().isActive()


@each_format
def test_styles_are_of_a_single_band(layers):
    def limits(name):
        renderer = layers[name].renderer()
        assert isinstance(renderer, QgsSingleBandPseudoColorRenderer)
        return renderer.classificationMin(), renderer.classificationMax()

    low, high = limits("unw_phase")
    assert low == -high < 0
    assert limits("corr") == (0.0, 1.0)
    low, high = limits("amp")
    assert 0 < low < high
    classes = layers["water_mask"].renderer()
    assert isinstance(classes, QgsPalettedRasterRenderer)
    assert [(c.value, c.label) for c in classes.classes()] == [(0, "water"), (1, "land")]


@each_format
def test_the_symbology_page_has_the_ramp_and_the_unit_of_the_layer(layers):
    for name, units in (("unw_phase", " rad"), ("corr", ""), ("amp", ""), ("dem", " m")):
        function = layers[name].renderer().shader().rasterShaderFunction()
        ramp, items = function.sourceColorRamp(), function.colorRampItemList()
        assert function.legendSettings().suffix() == units
        low, high = items[0].value, items[-1].value
        for item in items:
            assert item.label.endswith(units)
            found = ramp.color((item.value - low) / (high - low))
            for part in ("red", "green", "blue"):
                assert abs(getattr(found, part)() - getattr(item.color, part)()) <= 1


@pytest.mark.parametrize(
    ("scale", "share", "label"), [("power", 0.0, "-20 dB"), ("amplitude", 1.0, "0 dB")]
)
def test_the_legend_of_backscatter_is_in_decibels(tmp_path, scale, share, label):
    path = str(tmp_path / "VV.tif")
    raster = gdal.GetDriverByName("GTiff").Create(path, 20, 20, 1, gdal.GDT_Float32)
    rows = [10.0 ** (-1.96 + 1.92 * row / 19) for row in range(20) for _ in range(20)]
    raster.GetRasterBand(1).WriteRaster(0, 0, 20, 20, struct.pack("400f", *rows))
    raster = None
    layer = QgsRasterLayer(path, "VV")
    attributes = {"scale": scale}
    style(layer, Variable("VV_backscatter", 0, False, "1", "radar backscatter", attributes))
    function = layer.renderer().shader().rasterShaderFunction()
    settings, item = function.legendSettings(), function.colorRampItemList()[-int(share)]
    shown = settings.numericFormat().formatDouble(item.value, QgsNumericFormatContext())
    assert shown + settings.suffix() == item.label == label


@each_format
def test_limits_are_round_numbers(layers):
    def label(name, end):
        function = layers[name].renderer().shader().rasterShaderFunction()
        value = function.colorRampItemList()[end].value
        settings = function.legendSettings()
        return settings.numericFormat().formatDouble(value, QgsNumericFormatContext())

    for name, end in (("unw_phase", -1), ("dem", 0), ("dem", -1)):
        assert len(label(name, end).replace(".", "").strip("0")) <= 3
    assert [label("corr", end) for end in (0, -1)] == ["0", "1"]


@each_format
def test_bit_fields_have_a_class_for_each_combination_that_occurs(layers, stack_files, kind):
    renderer = layers["mask_reason"].renderer()
    assert isinstance(renderer, QgsPalettedRasterRenderer)
    classes = {int(c.value): c.label for c in renderer.classes()}
    raster = gdal.Open(f'NETCDF:"{stack_files[0]}":mask_reason')
    occurring = set(bytes(raster.ReadRaster()))
    assert set(classes) == occurring | {0}
    words = ["no data", "not unwrapped", "water", "low coherence", "in no component"]
    for value, label in classes.items():
        expected = [word for bit, word in enumerate(words) if value & 1 << bit]
        assert label == (" + ".join(expected) or "none")
    colors = {int(c.value): c.color for c in renderer.classes()}
    assert colors[0].alpha() == 0
    drawn = [color.rgba() for value, color in colors.items() if value]
    assert len(set(drawn)) == len(drawn)


def test_flags_that_were_not_met_in_a_large_raster_have_classes_too():
    attributes = {"flag_masks": [1, 4, 8], "flag_meanings": "not_covered layover shadow"}
    variable = Variable("mask", 3, True, "1", "a mask", attributes)
    some = [(value, label) for value, _, label in flag_classes(variable, {0, 5}, False)]
    assert some == [
        (0, "none"),
        (1, "not covered"),
        (4, "layover"),
        (8, "shadow"),
        (5, "not covered + layover"),
    ]
    strange = flag_classes(variable, {4, 64}, True)
    assert [(value, label) for value, _, label in strange] == [
        (0, "none"),
        (4, "layover"),
        (64, "64"),
    ]
    for attributes in ({}, {"flag_masks": [1, 2], "flag_meanings": "one"}, {"flag_masks": 1}):
        assert flag_masks(Variable("mask", 3, True, "1", "a mask", attributes)) == {}


def test_all_values_of_a_small_raster_and_windows_of_a_large_one(tmp_path, monkeypatch):
    path = str(tmp_path / "mask.tif")
    raster = gdal.GetDriverByName("GTiff").Create(path, 1200, 700, 2, gdal.GDT_Byte)
    for number, place, value in ((1, (1199, 699), 3), (2, (600, 0), 7), (2, (0, 0), 255)):
        raster.GetRasterBand(number).SetNoDataValue(255)
        raster.GetRasterBand(number).WriteRaster(*place, 1, 1, bytes([value]))
    raster = None
    assert sampling.distinct_values(path) == ({0, 3, 7}, True)
    monkeypatch.setattr(sampling, "_WINDOWS", 3)
    values, complete = sampling.distinct_values(path)
    assert not complete
    assert values <= {0, 3, 7}
    assert sampling.distinct_values(str(tmp_path / "none.tif")) == (set(), False)


@each_format
def test_the_legend_names_the_period_and_not_a_band_that_time_leaves(stack_files, kind, context):
    root = context.project().layerTreeRoot()
    labels = {}
    for name, layer in layers_of(stack_files[kind]).items():
        context.project().addMapLayer(layer)
        node = root.findLayer(layer.id())
        show_caption(layer, node)
        labels[name] = QgsMapLayerLegendUtils.legendNodeUserLabel(node, 0)
    assert labels["corr"] == labels["mask_reason"]
    assert labels["corr"].startswith("6 pairs, 2023-01-06 to 2023-")
    assert labels["dem"] == ""


@each_format
def test_the_metadata_tell_the_dates_of_each_band(layers, stack_files, kind):
    stack = open_stack(stack_files[kind])
    history = layers["corr"].metadata().history()
    assert len(history) == PAIRS
    for number, line in enumerate(history, start=1):
        begin, end = (times[number - 1].date() for times in (stack.begins, stack.ends))
        assert line == f"Band {number}: {begin} to {end}"
    assert layers["dem"].metadata().history() == []


@each_format
def test_nothing_is_left_beside_the_stack(layers, stack_files):
    names = {path.name for path in stack_files[0].parent.iterdir()}
    assert not [name for name in names if name.endswith(".aux.xml")]


def test_a_saved_project_reopens_elsewhere(stack_files, tmp_path):
    for place in ("one", "two"):
        (tmp_path / place).mkdir()
    netcdf = shutil.copy(stack_files[0], tmp_path / "one" / "stack.nc")
    stack = open_stack(netcdf)
    project = QgsProject()
    project.addMapLayer(make_layer(stack, stack.variables["unw_phase"]))
    assert project.write(str(tmp_path / "one" / "project.qgz"))
    project.clear()
    for name in ("stack.nc", "project.qgz"):
        (tmp_path / "one" / name).rename(tmp_path / "two" / name)
    again = QgsProject()
    assert again.read(str(tmp_path / "two" / "project.qgz"))
    (layer,) = again.mapLayers().values()
    assert layer.isValid()
    assert str(tmp_path / "two") in layer.source()
    assert len(layer.temporalProperties().fixedRangePerBand()) == PAIRS
    assert isinstance(layer.renderer(), QgsSingleBandPseudoColorRenderer)


@each_format
def test_the_algorithm_hands_layers_to_the_project(algorithm, context, feedback, stack_files, kind):
    parameters = {"INPUT": str(stack_files[kind]), "VARIABLES": "corr, dem"}
    results, ok = algorithm("loadstack").run(parameters, context, feedback)
    assert ok, feedback.textLog()
    assert len(results["LAYERS"]) == 2
    loaded = context.layersToLoadOnCompletion()
    assert len(loaded) == 2
    stored = context.temporaryLayerStore().mapLayers()
    for identifier, details in loaded.items():
        assert details.groupName == "my stack"
        assert stored[identifier].isValid()
    assert [stored[i].source() for i in sorted(loaded, key=lambda i: -loaded[i].layerSortKey)] == (
        results["LAYERS"]
    )


def test_unknown_variables_are_named(algorithm, context, feedback, stack_files):
    parameters = {"INPUT": str(stack_files[0]), "VARIABLES": "corr,height"}
    _, ok = algorithm("loadstack").run(parameters, context, feedback)
    assert not ok
    assert "VARIABLES names height, but the stack has only" in feedback.textLog()


def test_what_is_no_stack_is_one_sentence(tmp_path):
    (tmp_path / "text.nc").write_text("no NetCDF")
    (tmp_path / "empty.zarr").mkdir()
    (tmp_path / "other.zarr").mkdir()
    (tmp_path / "other.zarr" / ".zgroup").write_text('{"zarr_format": 2}')
    for name in ("text.nc", "empty.zarr", "other.zarr"):
        with pytest.raises(StackFileError, match="is not a stack of HyP3 Stack"):
            open_stack(tmp_path / name)
    with pytest.raises(StackFileError, match="does not exist"):
        open_stack(tmp_path / "missing.nc")


@pytest.mark.skipif(int(gdal.VersionInfo()) >= 3110000, reason="GDAL reads Zarr format 3")
def test_zarr_format_3_says_which_gdal_it_needs(tmp_path):
    (tmp_path / "three.zarr").mkdir()
    (tmp_path / "three.zarr" / "zarr.json").write_text('{"zarr_format": 3, "node_type": "group"}')
    with pytest.raises(StackFileError, match="GDAL 3.11 and newer"):
        open_stack(tmp_path / "three.zarr")


def test_many_variables_and_pairs_open_without_reading_all(stack_files):
    # The style reads a bounded number of windows, whatever the number of bands.
    values = sampling.sample(f'NETCDF:"{stack_files[0]}":corr')
    assert 0 < len(values) <= len(sampling._PLACES) * sampling._SIDE**2
    assert values == sorted(values)


@pytest.mark.parametrize("bands", [1, 2, 5, 40])
def test_samples_come_from_everywhere(tmp_path, bands):
    """A large map that rises from left to right, and has no data in its middle."""
    path, width, height = str(tmp_path / "large.tif"), 2000, 1800
    raster = gdal.GetDriverByName("GTiff").Create(path, width, height, bands, gdal.GDT_Float32)
    rows = struct.pack(f"{width}f", *range(width)) * height
    hole = struct.pack("f", -1.0) * (800 * 700)
    for number in range(1, bands + 1):
        band = raster.GetRasterBand(number)
        band.SetNoDataValue(-1.0)
        band.WriteRaster(0, 0, width, height, rows, buf_type=gdal.GDT_Float32)
        band.WriteRaster(600, 550, 800, 700, hole, buf_type=gdal.GDT_Float32)
    raster = None
    values = sampling.sample(path)
    assert sampling.percentile(values, 2.0) < 0.05 * width
    assert sampling.percentile(values, 98.0) > 0.95 * width
    assert abs(sampling.percentile(values, 50.0) / width - 0.5) < 0.15


@pytest.mark.parametrize("exceptions", [False, True])
def test_what_cannot_be_read_has_no_samples(tmp_path, exceptions):
    path = str(tmp_path / "cut.tif")
    raster = gdal.GetDriverByName("GTiff").Create(path, 900, 900, 1, gdal.GDT_Byte)
    raster.GetRasterBand(1).Fill(3)
    raster = None
    with open(path, "r+b") as file:
        file.truncate(900)
    # QGIS's own plugin turns them on in all three, and they go off in the other order only.
    used = [module for module in (osr, ogr, gdal) if module.GetUseExceptions()]
    for module in used:
        module.DontUseExceptions()
    if exceptions:
        gdal.UseExceptions()
    try:
        assert sampling.sample(path) == sampling.sample(str(tmp_path / "none.tif")) == []
        assert sampling.distinct_values(path)[0] == set()
    finally:
        if exceptions:
            gdal.DontUseExceptions()
        for module in reversed(used):
            module.UseExceptions()


def test_each_component_has_a_class(tmp_path):
    path = str(tmp_path / "conncomp.tif")
    raster = gdal.GetDriverByName("GTiff").Create(path, 2000, 1800, 1, gdal.GDT_Byte)
    band = raster.GetRasterBand(1)
    band.SetNoDataValue(255)
    band.Fill(1)
    for value, place in ((0, 0), (5, 1900)):
        band.WriteRaster(place, 300, 90, 90, bytes([value]) * 8100)
    raster = band = None
    layer = QgsRasterLayer(path, "components")
    style(layer, Variable("conncomp", 0, True, "1", "connected components"))
    classes = {item.value: item for item in layer.renderer().classes()}
    assert sorted(classes) == [0, 1, 5]
    assert (classes[0].label, classes[0].color.alpha()) == ("in no component", 0)
    assert classes[5].color.alpha() == 255
