"""Layers of scenes and pairs as QGIS shows them, and an area that is a layer."""

import pytest
from qgis.core import QgsFeature, QgsGeometry, QgsProcessingContext, QgsProject, QgsVectorLayer

from hyp3_stack.core.parameters.network_parameters import RULE_COLORS
from hyp3_stack.processing_provider.layers.network_layers import (
    style_pairs,
    style_scenes,
    style_when_loaded,
)
from hyp3_stack.processing_provider.parameters.job_values import Values


@pytest.fixture
def scenes(qgis_application):
    fields = "field=path:integer&field=area:string&field=state_vectors:string"
    layer = QgsVectorLayer(f"Polygon?crs=EPSG:4326&{fields}", "scenes", "memory")
    for path in (64, 12, 64):
        feature = QgsFeature(layer.fields())
        feature.setAttributes([path, "POLYGON", "{}"])
        feature.setGeometry(QgsGeometry.fromWkt("POLYGON((0 0, 1 0, 1 1, 0 0))"))
        layer.dataProvider().addFeature(feature)
    return layer


def test_scenes_are_outlines_by_path(scenes):
    style_scenes(scenes)
    categories = scenes.renderer().categories()
    assert [category.label() for category in categories] == ["path 12", "path 64"]
    symbols = [category.symbol().symbolLayer(0).properties() for category in categories]
    assert {symbol["style"] for symbol in symbols} == {"no"}
    assert len({symbol["outline_color"] for symbol in symbols}) == 2
    columns = {column.name: column.hidden for column in scenes.attributeTableConfig().columns()}
    assert columns["area"] and columns["state_vectors"] and not columns["path"]


def test_pairs_have_the_colors_of_the_report(qgis_application):
    layer = QgsVectorLayer("LineString?crs=EPSG:4326&field=rule:string", "pairs", "memory")
    style_pairs(layer)
    colors = {item.value(): item.symbol().color().name() for item in layer.renderer().categories()}
    assert colors == RULE_COLORS


def test_a_layer_is_styled_when_it_is_loaded(scenes, context, feedback):
    context.temporaryLayerStore().addMapLayer(scenes)
    details = QgsProcessingContext.LayerDetails("scenes", QgsProject(), "OUTPUT")
    style_when_loaded(scenes.id(), context, style_scenes)
    context.addLayerToLoadOnCompletion(scenes.id(), details)
    style_when_loaded(scenes.id(), context, style_scenes)
    processor = context.layerToLoadOnCompletionDetails(scenes.id()).postProcessor()
    processor.postProcessLayer(scenes, context, feedback)
    assert scenes.renderer().type() == "categorizedSymbol"


def test_an_area_reaches_the_core_as_polygons(algorithm, scenes, context):
    search = algorithm("searchscenes")
    given = {"AREA": scenes, "OUTPUT": "memory:"}
    job = Values(search, given, context).job()
    assert [item["geometry"]["type"] for item in job["AREA"]["features"]] == ["Polygon"] * 3


@pytest.mark.parametrize("both", [True, False])
def test_one_area_is_needed(algorithm, scenes, context, core_python, both):
    given = {"OUTPUT": "memory:"}
    if both:
        given |= {"AREA": scenes, "EXTENT": "0,1,0,1 [EPSG:4326]"}
    ok, message = algorithm("searchscenes").checkParameterValues(given, context)
    assert not ok
    assert "AREA" in message and "EXTENT" in message
