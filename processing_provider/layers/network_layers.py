"""How layers of scenes and of planned pairs look, once QGIS has loaded them."""

from qgis.core import (
    QgsAttributeTableConfig,
    QgsCategorizedSymbolRenderer,
    QgsFillSymbol,
    QgsLineSymbol,
    QgsProcessingLayerPostProcessorInterface,
    QgsRendererCategory,
)

from ...core.parameters.network_parameters import RULE_COLORS

_PATH_COLORS = ("#3d5a80", "#c8553d", "#3f8f6b", "#7b5ea7", "#a15c00", "#6b7785")
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
    """Draw pairs in a color for each rule, those of the report."""
    categories = [
        QgsRendererCategory(
            rule,
            QgsLineSymbol.createSimple(
                {"line_color": color, "line_width": "0.6" if rule == "bridge" else "0.35"}
            ),
            rule,
        )
        for rule, color in RULE_COLORS.items()
    ]
    layer.setRenderer(QgsCategorizedSymbolRenderer("rule", categories))
