"""Layers of scenes and pairs as QGIS shows them, and an area that is a layer."""

import pytest
from qgis.core import (
    QgsExpression,
    QgsExpressionContext,
    QgsFeature,
    QgsGeometry,
    QgsProcessingContext,
    QgsProject,
    QgsSymbolLayer,
    QgsVectorFileWriter,
    QgsVectorLayer,
)

from hyp3_stack.core.parameters.network_parameters import RULE_COLORS
from hyp3_stack.core.retrieval.ordering.plan_layer import PLAN_FIELDS
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


def pairs_layer(pairs):
    fields = "field=rule:string&field=perpendicular_baseline:double"
    layer = QgsVectorLayer(f"LineString?crs=EPSG:4326&{fields}", "pairs", "memory")
    for pair in pairs:
        feature = QgsFeature(layer.fields())
        feature.setAttributes(list(pair))
        layer.dataProvider().addFeature(feature)
    return layer


def test_pairs_have_the_colors_of_the_report(qgis_application):
    layer = pairs_layer([(rule, 10.0) for rule in RULE_COLORS])
    style_pairs(layer)
    colors = {item.value(): item.symbol().color().name() for item in layer.renderer().categories()}
    assert colors.pop(None) not in RULE_COLORS.values()
    assert colors == RULE_COLORS


def test_pairs_that_a_user_adds_are_drawn_and_unknown_baselines_dashed(qgis_application):
    layer = pairs_layer([("neighbor", 10.0), ("neighbor", None), (None, None)])
    style_pairs(layer)
    neighbor, added = layer.renderer().categories()
    assert (neighbor.label(), added.label()) == ("neighbor", "added")
    assert added.value() is None  # all other values
    for symbol in (neighbor.symbol(), added.symbol()):
        assert symbol.symbolLayerCount() == 2  # with points at its dates
        style = (
            symbol.symbolLayer(0)
            .dataDefinedProperties()
            .property(QgsSymbolLayer.Property.PropertyStrokeStyle)
        )
        expression = QgsExpression(style.expressionString())
        context = QgsExpressionContext()
        context.setFields(layer.fields())
        styles = []
        for feature in layer.getFeatures():
            context.setFeature(feature)
            styles.append(expression.evaluate(context))
        assert styles == ["solid", "dash", "dash"]


@pytest.mark.parametrize(
    ("driver", "suffix"),
    [("GeoJSON", "geojson"), ("CSV", "csv"), ("GPKG", "gpkg"), ("ESRI Shapefile", "shp")],
)
def test_plans_that_were_saved_in_another_format(algorithm, context, tmp_path, driver, suffix):
    """Names of columns are kept; long lists of a Shapefile are cut, which the core notices."""
    fields = "&".join(f"field={name}:{kind}(0,0)" for name, kind in PLAN_FIELDS)
    plan = QgsVectorLayer(f"LineString?crs=EPSG:4326&{fields}", "pairs", "memory")
    sides = [
        ",".join(f"S1_{136231 + n}_IW2_20200604T0223{n:02}_VV_7C85-BURST" for n in range(count))
        for count in (5, 15)
    ]
    for rank, side in enumerate(sides, start=1):
        feature = QgsFeature(plan.fields())
        feature.setAttributes(
            ["INSAR_ISCE_MULTI_BURST", side, side, "2020-06-04", "2020-06-16", 12, None, 87]
            + ["ascending", "neighbor", rank, 1, 5]
        )
        feature.setGeometry(QgsGeometry.fromWkt("LINESTRING(0 0, 1 1)"))
        plan.dataProvider().addFeature(feature)
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName = driver
    path = str(tmp_path / f"plan.{suffix}")
    QgsVectorFileWriter.writeAsVectorFormatV3(
        plan, path, QgsProject.instance().transformContext(), options
    )
    given = {"INPUT": path, "NAME": "ridge", "MAX_CREDITS": 10}
    job = Values(algorithm("orderpairs"), given, context).job()
    read = [item["properties"] for item in job["INPUT"]["features"]]
    assert [item["job_type"] for item in read] == ["INSAR_ISCE_MULTI_BURST"] * 2
    assert [int(item["rank"]) for item in read] == [1, 2]
    most = 254 if driver == "ESRI Shapefile" else None
    assert [item["reference"] for item in read] == [side[:most] for side in sides]
    assert [item["secondary"] for item in read] == [side[:most] for side in sides]


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
