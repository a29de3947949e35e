"""How layers of scenes and of planned pairs look, once QGIS has loaded them."""

from qgis.core import (
    QgsAttributeTableConfig,
    QgsCategorizedSymbolRenderer,
    QgsFillSymbol,
    QgsLineSymbol,
    QgsMarkerLineSymbolLayer,
    QgsMarkerSymbol,
    QgsProcessingLayerPostProcessorInterface,
    QgsProperty,
    QgsRendererCategory,
    QgsSymbolLayer,
)

from ...core.parameters.network_parameters import RULE_COLORS

_PATH_COLORS = ("#3d5a80", "#c8553d", "#3f8f6b", "#7b5ea7", "#a15c00", "#6b7785")
_ADDED_COLOR = "#6b7785"
_WIDE = 170
"""Pixels of columns with long titles."""
_NOT_FOR_READING = ("area", "state_vectors")
"""Columns that the next step takes from the layer."""

_KEPT = []
"""The context deletes its post-processors, but Python would let go of ours before."""


class _Styler(QgsProcessingLayerPostProcessorInterface):
    def __init__(self, style):
        super().__init__()
        self._style = style

    def postProcessLayer(self, layer, context, feedback):
        self._style(layer)
        layer.triggerRepaint()


def style_when_loaded(identifier, context, style):
    """Let a function style a layer that is going to be loaded."""
    if context.willLoadLayerOnCompletion(identifier):
        _KEPT.append(_Styler(style))
        context.layerToLoadOnCompletionDetails(identifier).setPostProcessor(_KEPT[-1])


def style_scenes(layer):
    """Draw outlines that hide nothing, in a color for each path, and hide long columns."""
    index = layer.fields().lookupField("path")
    categories = []
    for number, path in enumerate(sorted(layer.uniqueValues(index))):
        color = _PATH_COLORS[number % len(_PATH_COLORS)]
        symbol = QgsFillSymbol.createSimple(
            {"style": "no", "outline_color": color, "outline_width": "0.4"}
        )
        categories.append(QgsRendererCategory(path, symbol, f"path {path}"))
    layer.setRenderer(QgsCategorizedSymbolRenderer("path", categories))
    config = QgsAttributeTableConfig()
    config.update(layer.fields())
    for position, column in enumerate(config.columns()):
        if column.name in _NOT_FOR_READING:
            config.setColumnHidden(position, True)
    layer.setAttributeTableConfig(config)


def style_pairs(layer):
    """Draw pairs in a color for each rule, those of the report, and their dates as points.

    Pairs of a date without a baseline are dashed, and lines that a user adds are drawn as well.
    """
    present = layer.uniqueValues(layer.fields().lookupField("rule"))
    categories = [
        QgsRendererCategory(rule, _pair_symbol(color, rule == "bridge"), rule)
        for rule, color in RULE_COLORS.items()
        if rule in present
    ]
    categories.append(QgsRendererCategory(None, _pair_symbol(_ADDED_COLOR, False), "added"))
    layer.setRenderer(QgsCategorizedSymbolRenderer("rule", categories))
    layer.setDisplayExpression("reference_date || ' to ' || secondary_date")
    config = QgsAttributeTableConfig()
    config.update(layer.fields())
    for position, column in enumerate(config.columns()):
        if column.name.endswith("_baseline"):
            config.setColumnWidth(position, _WIDE)
    layer.setAttributeTableConfig(config)


def _pair_symbol(color, is_bold):
    """Return a line with a point at each end."""
    width = "0.6" if is_bold else "0.35"
    symbol = QgsLineSymbol.createSimple({"line_color": color, "line_width": width})
    unknown = QgsProperty.fromExpression("if(perpendicular_baseline is null, 'dash', 'solid')")
    style = QgsSymbolLayer.Property.PropertyStrokeStyle
    symbol.symbolLayer(0).setDataDefinedProperty(style, unknown)
    dates = QgsMarkerLineSymbolLayer.create({"placements": "FirstVertex|LastVertex"})
    dates.setSubSymbol(
        QgsMarkerSymbol.createSimple({"color": "#3d3d3d", "size": "1.6", "outline_style": "no"})
    )
    symbol.appendSymbolLayer(dates)
    return symbol
