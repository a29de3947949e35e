"""What the algorithms share that spend credits: the journal, and ids of jobs as text."""

from qgis.core import QgsProcessingOutputNumber, QgsProcessingOutputString

from ...environment.in_use import places
from ...parameters.job_values import Values
from ..retrieval_algorithm import RetrievalAlgorithm

_JOURNALS = "orders"
"""Folder of the plugin's part of the QGIS profile."""


class OrderingAlgorithm(RetrievalAlgorithm):
    """Orders jobs where the price is confirmed."""

    OUTPUTS = (
        (QgsProcessingOutputString, "JOBS", "Ids of the jobs"),
        (QgsProcessingOutputNumber, "COUNT", "New jobs"),
        (QgsProcessingOutputNumber, "CREDITS", "Price of the new jobs"),
    )

    def check(self, values):
        if not values.given("CONFIRM") or values.number("CONFIRM") <= values.number("MAX_CREDITS"):
            return ""
        return "CONFIRM is greater than MAX_CREDITS; raise MAX_CREDITS if that price is right."

    def processAlgorithm(self, parameters, context, feedback):
        job = Values(self, parameters, context).job()
        outputs = self.run_core({**job, "JOURNAL_FOLDER": str(places().home / _JOURNALS)}, feedback)
        return {**outputs, "JOBS": ",".join(outputs["JOBS"])}
