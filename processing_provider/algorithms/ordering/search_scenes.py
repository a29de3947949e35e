"""Algorithm ``hyp3:searchscenes``."""

from qgis.core import QgsProcessingOutputNumber, QgsProcessingOutputString

from ...layers.network_layers import style_scenes, style_when_loaded
from ...parameters.combined_checks import check_period
from ..algorithm import ToolboxGroup
from ..retrieval_algorithm import RetrievalAlgorithm


class SearchScenes(RetrievalAlgorithm):
    """Searches the scenes from which pairs over an area can be made."""

    NAME = "searchscenes"
    TITLE = "Search scenes"
    GROUP = ToolboxGroup.GET_PRODUCTS
    SUMMARY = "Searches the Sentinel-1 scenes over an area, by track, for pairs to be ordered."
    HELP = (
        "Searches ASF's catalog for the Sentinel-1 scenes over an area of interest, from which "
        "pairs can be planned. Tracks are ranked by the share of the area that all their dates "
        "cover, by the number of dates and by the longest gap. The log and the report show what "
        "each date covers, and which dates cannot be used."
        "\n"
        "Where at most 15 bursts cover the area, the layer has these bursts, which cost less than "
        "frames and do not move over the years; they are chosen so that HyP3 can make one product "
        "of them. Scenes that ESA has processed twice are taken once, the newer ones."
        "\n"
        "No login is needed, and nothing is ordered. What the catalog answered about past "
        "half-years is kept, so that an interrupted search resumes where it stopped."
    )
    EXAMPLE = (
        "qgis_process run hyp3:searchscenes -- EXTENT='-117.7,-117.4,35.6,35.8 [EPSG:4326]' "
        "START=2019-01-01 END=2020-12-31 OUTPUT=/data/scenes.gpkg"
    )
    TAGS = ("search", "catalog", "burst", "frame", "coverage", "area of interest", "track")

    OUTPUTS = (
        (QgsProcessingOutputNumber, "COUNT", "Number of scenes"),
        (QgsProcessingOutputString, "TRACKS", "Tracks, the best one first"),
        (QgsProcessingOutputString, "JOB_TYPE", "Job type of the scenes"),
    )

    def check(self, values):
        if values.given("AREA") == values.given("EXTENT"):
            return "Give the area of interest either as a layer of polygons (AREA) or as EXTENT."
        return check_period(values)

    def processAlgorithm(self, parameters, context, feedback):
        outputs = self.write_layer(parameters, context, feedback)
        style_when_loaded(outputs["OUTPUT"], context, style_scenes)
        names = ("OUTPUT", "COUNT", "JOB_TYPE", "REPORT")
        found = {name: outputs[name] for name in names if name in outputs}
        return {**found, "TRACKS": "\n".join(outputs["TRACKS"])}
