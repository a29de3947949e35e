"""What all algorithms of HyP3 Stack share: identity, help, and the way to the core process."""

from enum import Enum
from pathlib import Path

from qgis.core import QgsProcessingAlgorithm, QgsProcessingException
from qgis.PyQt.QtGui import QIcon

from ...core.contract import DIALOGS
from ..environment.in_use import core_python
from ..environment.interpreter import InterpreterError
from ..layers.layer_groups import separate_groups
from ..layers.loading import show_stack
from ..layers.reloading import reload_in_place
from ..parameters.combined_checks import address_of
from ..parameters.declarations import definition, in_window
from ..parameters.job_values import Values, words_for_numbers
from ..parameters.labels import with_labels
from ..parameters.value_checks import find_wrong_value
from ..process.core_process import CoreError, run_core
from ..process.feedback import RunFeedback
from ..process.qgis_network import PROXIES, proxies, proxy_login
from .help_page import help_url

_ICON = str(Path(__file__).resolve().parents[2] / "icon.svg")

_TAGS = "hyp3 asf sentinel-1 sar insar interferogram rtc backscatter stack".split()


class ToolboxGroup(Enum):
    """Groups of the toolbox, which sorts them by name: in the order of work."""

    GET_PRODUCTS = "1 Get products"
    MAKE_STACK = "2 Make a stack"
    ANALYZE = "3 See and analyze"
    SET_UP = "Set-up"


class StackAlgorithm(QgsProcessingAlgorithm):
    """Base of the algorithms; subclasses fill the class constants.

    ``GROUP`` is a :class:`ToolboxGroup`, ``SUMMARY`` one line, ``HELP`` one paragraph a line,
    ``EXAMPLE`` a command to paste.
    ``OUTPUTS`` has the definition, name and label of what is returned besides written files.
    """

    NAME = ""
    TITLE = ""
    GROUP = None
    SUMMARY = ""
    HELP = ""
    EXAMPLE = ""
    TAGS = ()
    OUTPUTS = ()
    NEEDS_CORE = True

    def name(self):
        return self.NAME

    def displayName(self):
        return self.TITLE

    def group(self):
        return self.GROUP.value

    def groupId(self):
        return self.GROUP.name.lower()

    def shortDescription(self):
        return self.SUMMARY

    def shortHelpString(self):
        if in_window():
            return with_labels(self.HELP, self.NAME)
        return f"{self.HELP}\nExample:\n{self.EXAMPLE}"

    def helpUrl(self):
        return help_url(self.NAME)

    def tags(self):
        return [*_TAGS, *self.TAGS]

    def icon(self):
        return QIcon(_ICON)

    def svgIconPath(self):
        return _ICON

    def createInstance(self):
        return type(self)()

    def createCustomParametersWidget(self, parent=None):
        # Needs QGIS's window, which qgis_process and scripts do not have.
        from ..dialogs.stack_dialog import StackDialog

        return StackDialog(self, parent=parent)

    def initAlgorithm(self, configuration=None):
        for row in DIALOGS[self.NAME]:
            self.addParameter(definition(row, self.NAME))
        for kind, name, label in self.OUTPUTS:
            self.addOutput(kind(name, label))

    def canExecute(self):
        # Asked by the toolbox only; checkParameterValues stops the other ways to run.
        message = self._missing_core()
        return not message, message

    def checkParameterValues(self, parameters, context):
        words = words_for_numbers(self, parameters)
        message = find_wrong_value(self, words, context)
        if message:
            return False, self.said(message)
        ok, message = super().checkParameterValues(words, context)
        if ok:
            values = Values(self, parameters, context)
            message = self._missing_core() or self.said(self.check(values))
        return not message, message

    def check(self, values):
        """Return what is wrong with the values in one sentence, or nothing."""
        return ""

    def is_online(self, values):
        """Return whether a run with these values talks to services, through QGIS's proxy."""
        return False

    def prepareAlgorithm(self, parameters, context, feedback):
        # Models and scripts come here without checkParameterValues.
        message = find_wrong_value(self, parameters, context)
        if message:
            raise QgsProcessingException(self.said(message))
        self.python = self.credentials = None
        if self.NEEDS_CORE:
            try:
                self.python = core_python()
            except InterpreterError as error:
                raise QgsProcessingException(str(error)) from None
        # Here and not in the run, because QGIS may have to ask for its master password.
        is_online = self.is_online(Values(self, parameters, context))
        self.proxies, self.proxy_login = (proxies(), proxy_login()) if is_online else ({}, {})
        return True

    def processAlgorithm(self, parameters, context, feedback):
        return self.run_core(Values(self, parameters, context).job(), feedback)

    def postProcessAlgorithm(self, context, feedback):
        if in_window():
            from ..dialogs.batch import leaves_layers_out

            if leaves_layers_out(self.id()):
                context.setLayersToLoadOnCompletion({})
        reload_in_place(context)
        separate_groups(context)
        return {}

    def write_stack(self, parameters, context, feedback):
        """Run the core task of the same name, which writes a stack, and load that if asked."""
        values = Values(self, parameters, context)
        outputs = self.run_core(values.job(), feedback)
        if values.flag("PLAN_ONLY"):
            return outputs
        address = address_of(values, "ZARR_URL")
        return show_stack(outputs, values.flag("LOAD"), context, feedback, address)

    def run_core(self, job, feedback):
        """Run the core task of the same name with the parameters of a job."""
        if self.proxies:
            job = {**job, PROXIES: self.proxies}
        secrets = {**(self.credentials or {}), **self.proxy_login}
        try:
            return run_core(
                self.python, self.NAME, job, RunFeedback(feedback, said=self.said), secrets
            )
        except CoreError as error:
            raise QgsProcessingException(self.said(str(error))) from None

    def said(self, message):
        """Return a message as users of the window or of a terminal know the parameters."""
        return with_labels(message, self.NAME) if in_window() else message

    def _missing_core(self):
        try:
            if self.NEEDS_CORE:
                core_python()
        except InterpreterError as error:
            return str(error)
        return ""
