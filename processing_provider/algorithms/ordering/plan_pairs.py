"""Algorithm ``hyp3:planpairs``."""

from qgis.core import QgsProcessingOutputNumber, QgsWkbTypes

from ...layers.network_layers import style_pairs, style_when_loaded
from ..algorithm import ToolboxGroup
from ..retrieval_algorithm import RetrievalAlgorithm


class PlanPairs(RetrievalAlgorithm):
    """Plans a network of pairs and prices it."""

    NAME = "planpairs"
    TITLE = "Plan pairs"
    GROUP = ToolboxGroup.GET_PRODUCTS
    SUMMARY = "Plans a network of interferograms from scenes, and shows what it would cost."
    HELP = (
        "Plans the pairs of a small-baseline network from the layer of Search scenes: each date "
        "with the next ones, bridges over gaps and, if wanted, pairs over a year. The network is "
        "always connected, each date is part of at least two pairs, and pairs that no triangle "
        "checks are named. The same scenes give the same plan."
        "\n"
        "Perpendicular baselines are computed from the state vectors in the catalog. Where these "
        "are missing, a baseline is unknown and empty, never 0."
        "\n"
        "The layer has a line for each pair, drawn over the area: time from west to east, "
        "perpendicular baseline from south to north. Delete the lines of pairs that you do not "
        "want; Order pairs takes the layer as it is then. The column rank says what is ordered "
        "first: bridges, then the newest dates."
        "\n"
        "Planning is free. The report shows the price by the service's own table, what your "
        "account would have left if a login is given, and what would cost less."
    )
    EXAMPLE = (
        "qgis_process run hyp3:planpairs -- INPUT=/data/scenes.gpkg NEIGHBORS=3 MAX_DAYS=48 "
        "OUTPUT=/data/pairs.gpkg REPORT=/data/plan.html"
    )
    TAGS = ("sbas", "small baseline", "network", "price", "credits", "interferogram", "order")

    OUTPUTS = (
        (QgsProcessingOutputNumber, "COUNT", "Number of pairs"),
        (QgsProcessingOutputNumber, "DATES", "Number of dates"),
        (QgsProcessingOutputNumber, "CREDITS", "Price in credits"),
    )

    def processAlgorithm(self, parameters, context, feedback):
        outputs = self.write_layer(parameters, context, feedback, QgsWkbTypes.Type.LineString)
        style_when_loaded(outputs["OUTPUT"], context, style_pairs)
        names = ("OUTPUT", "COUNT", "DATES", "CREDITS", "REPORT")
        return {name: outputs[name] for name in names if outputs.get(name) is not None}
