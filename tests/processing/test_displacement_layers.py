"""A displacement stack in QGIS: one layer shows, the displacement plays, units are millimeters."""

import pytest
from qgis.core import QgsMapLayerLegendUtils, QgsNumericFormatContext, QgsPalettedRasterRenderer

from hyp3_stack.processing_provider.layers.displacement_layers import shown_units
from hyp3_stack.processing_provider.layers.layer_source import locate

from .conftest import layers_of

DATES = 4


@pytest.fixture(scope="module", params=[0, 1], ids=["netcdf", "zarr"])
def path(request, displacement_files):
    return displacement_files[request.param]


@pytest.fixture(scope="module")
def layers(path):
    """Layers of the stack; nobody may change them."""
    made = layers_of(path)
    yield made
    made.clear()  # while there is a QGIS


def limits(layer):
    renderer = layer.renderer()
    return renderer.classificationMin(), renderer.classificationMax()


def legend_text(layer, value):
    """Return what the legend says of a value."""
    settings = layer.renderer().shader().rasterShaderFunction().legendSettings()
    context = QgsNumericFormatContext()
    return settings.numericFormat().formatDouble(value, context) + settings.suffix()


def test_displacement_has_one_frame_a_date(layers):
    properties = layers["displacement"].temporalProperties()
    assert properties.isActive()
    ranges = [properties.fixedRangePerBand()[band] for band in range(1, DATES + 1)]
    assert [r.begin().toString("yyyy-MM-dd") for r in ranges[:2]] == ["2023-01-06", "2023-01-18"]
    assert all(a.end() == b.begin() for a, b in zip(ranges, ranges[1:]))  # noqa: B905
    active = {name for name, layer in layers.items() if layer.temporalProperties().isActive()}
    assert active == {"displacement"}


@pytest.mark.parametrize(
    ("name", "unit"), [("displacement", "mm"), ("velocity", "mm/year"), ("unw_phase", "rad")]
)
def test_motion_is_shown_in_thousandths(name, unit):
    units = {"displacement": "m", "velocity": "m year-1"}.get(name, "radian")
    assert shown_units(name, units) == (1.0 if name == "unw_phase" else 1000.0, unit)


def test_heights_stay_in_meters():
    assert shown_units("dem", "m") == (1.0, "m")


@pytest.mark.parametrize("name", ["displacement", "velocity"])
def test_motion_is_colored_around_zero_with_a_legend_in_millimeters(layers, name):
    low, high = limits(layers[name])
    assert low == -high < 0
    unit = "mm" if name == "displacement" else "mm/year"
    assert legend_text(layers[name], high) == f"{1000 * high:g} {unit}"
    assert float(f"{high:.1e}") == pytest.approx(high), "a number of two digits"
    assert legend_text(layers[name], -0.0125) == f"-12.5 {unit}", "also in a range a user chooses"
    items = layers[name].renderer().shader().rasterShaderFunction().colorRampItemList()
    assert (items[3].value, items[3].color.name()) == (0.0, "#f7f7f7")
    assert items[0].color.blue() > items[0].color.red(), "away from the satellite is blue"


def test_the_last_date_is_not_flat(layers):
    layer, side = layers["displacement"], 40
    block = layer.dataProvider().block(DATES, layer.extent(), side, side)
    places = [(row, column) for row in range(side) for column in range(side)]
    values = [block.value(*place) for place in places if not block.isNoData(*place)]
    beyond = sum(abs(value) > limits(layer)[1] for value in values)
    assert values and beyond < 0.05 * len(values)


def test_errors_begin_at_zero_and_coherence_has_fixed_limits(layers):
    low, high = limits(layers["velocity_standard_error"])
    assert low == 0.0 < high
    assert limits(layers["temporal_coherence"]) == (0.0, 1.0)


def test_the_mask_names_its_reasons_and_leaves_pixels_with_displacement_free(layers):
    renderer = layers["mask"].renderer()
    assert isinstance(renderer, QgsPalettedRasterRenderer)
    assert {int(c.value): c.label for c in renderer.classes()} == {
        0: "none",
        1: "no valid pair",
        2: "low temporal coherence",
    }
    assert renderer.classes()[0].color.alpha() == 0


def test_loading_shows_the_displacement_of_the_last_date(
    processing_plugin, algorithm, context, feedback, path
):
    from processing.gui.Postprocessing import handleAlgorithmResults

    made = algorithm("loadstack")
    results, ok = made.run({"INPUT": str(path)}, context, feedback)
    assert ok, feedback.textLog()
    handleAlgorithmResults(made, context, feedback, parameters={})
    nodes = context.project().layerTreeRoot().findLayers()
    assert len(nodes) == len(results["LAYERS"])
    shown = [node.layer() for node in nodes if node.isVisible()]
    assert [locate(layer.source()).variable for layer in shown] == ["displacement"]
    assert shown[0].renderer().inputBand() == DATES
    captions = {
        locate(node.layer().source()).variable: QgsMapLayerLegendUtils.legendNodeUserLabel(node, 0)
        for node in nodes
    }
    assert captions["velocity"] == "red is toward the satellite"
    assert captions["displacement"] == "4 dates, 2023-01-06 to 2023-02-11"
    assert captions["temporal_coherence"] == ""
