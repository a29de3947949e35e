"""What the algorithms that talk to the HyP3 service share: they log in, and write layers."""

import tempfile

from qgis.core import QgsWkbTypes

from ..layers.job_layer import copy_features, job_sink
from ..parameters.combined_checks import check_period
from ..parameters.job_values import Values
from ..process.qgis_network import credentials
from .algorithm import StackAlgorithm


class RetrievalAlgorithm(StackAlgorithm):
    """Resolves the authentication configuration before the run starts."""

    def check(self, values):
        return check_period(values)

    def is_online(self, values):
        return True

    def prepareAlgorithm(self, parameters, context, feedback):
        is_ready = super().prepareAlgorithm(parameters, context, feedback)
        # Here and not in the run, because QGIS may have to ask for its master password.
        self.credentials = credentials(Values(self, parameters, context).text("AUTHCFG"))
        return is_ready

    def write_layer(self, parameters, context, feedback, geometry=QgsWkbTypes.Type.MultiPolygon):
        """Run the core task of the same name, which makes features, and copy them to OUTPUT."""
        job = Values(self, parameters, context).job()
        with tempfile.TemporaryDirectory(prefix="hyp3_stack_") as folder:
            outputs = self.run_core({**job, "WORK_FOLDER": folder}, feedback)
            columns = outputs["FIELDS"]
            sink, identifier = job_sink(self, parameters, "OUTPUT", context, columns, geometry)
            copy_features(outputs["FEATURES_FILE"], columns, sink, feedback)
        return {**outputs, "OUTPUT": identifier}
