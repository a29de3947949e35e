"""What the algorithms that talk to the HyP3 service share: they log in."""

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
