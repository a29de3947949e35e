"""What the algorithms that talk to the HyP3 service share: they log in."""

from .algorithm import StackAlgorithm
from .job_parameters import AUTH_CFG
from .network import credentials
from .period_parameters import check_period
from .values import Values


class RetrievalAlgorithm(StackAlgorithm):
    """Resolves the authentication configuration before the run starts."""

    def check(self, values):
        return check_period(values)

    def is_online(self, values):
        return True

    def prepareAlgorithm(self, parameters, context, feedback):
        # Here and not in the run, because QGIS may have to ask for its master password.
        self.credentials = credentials(Values(self, parameters, context).text(AUTH_CFG))
        return super().prepareAlgorithm(parameters, context, feedback)
