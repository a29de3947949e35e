"""The dialog of an algorithm: QGIS's own, with outputs in sight, named groups and plain words."""

from processing.gui.AlgorithmDialog import AlgorithmDialog
from processing.gui.AlgorithmDialogBase import AlgorithmDialogBase
from processing.gui.ParametersPanel import ParametersPanel
from qgis.core import QgsProcessing
from qgis.gui import QgsCollapsibleGroupBox, QgsProcessingParametersGenerator
from qgis.PyQt.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLineEdit,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ...core.contract import DIALOGS
from ...core.parameters.parameter import Group, Kind
from .choosers import chooser

# QGIS 3.44 asks so for all fields whenever one of them changes; QGIS 3.40 never does.
_UNCHECKED = getattr(QgsProcessingParametersGenerator.Flag, "SkipValidation", None)

_GROUPS = [value for name, value in vars(Group).items() if not name.startswith("_")]


class StackDialog(AlgorithmDialog):
    """The dialog of an algorithm of HyP3 Stack."""

    def getParametersPanel(self, algorithm, parent):
        return StackPanel(parent, algorithm)


class StackPanel(ParametersPanel):
    """The fields of an algorithm: labels beside them, outputs before what is advanced.

    The fields are QGIS's own, and so are their values. QGIS hands them over one by one.
    """

    def initWidgets(self):
        self._rows = {row.name: row for row in DIALOGS[self.algorithm().name()]}
        contents = self.findChild(QScrollArea).widget()
        # QGIS's own group of all that is advanced, which stays empty.
        theirs = contents.findChildren(QGroupBox)
        own = QVBoxLayout()
        contents.layout().insertLayout(0, own)
        self._main, self._outputs, self._groups = _form(), _form(), {}
        own.addLayout(self._main)
        box = QGroupBox("Outputs", self)
        box.setLayout(self._outputs)
        own.addWidget(box)
        for title in _GROUPS:
            if any(row.group == title for row in self._rows.values()):
                group = QgsCollapsibleGroupBox(title, self)
                group.setSaveCollapsedState(False)
                group.setCollapsed(True)
                group.setLayout(_form())
                own.addWidget(group)
                self._groups[title] = group
        self._label = None
        super().initWidgets()
        for group in theirs:
            group.hide()
        box.setVisible(self._outputs.rowCount() > 0)
        self._leave_out_what_another_output_replaces()

    def addParameterLabel(self, parameter, label):
        label.setText(parameter.description())
        self._label = label

    def addParameterWidget(self, parameter, widget, stretch=0):
        row = self._rows[parameter.name()]
        wrapper = self.wrappers[parameter.name()]
        form = self._groups[row.group].layout() if row.group else self._main
        if row.kind is Kind.CHOICE:
            _show_plain_words(widget, row)
        if row.kind is Kind.LOGIN:
            # It would take whatever height the dialog has to spare.
            policy = QSizePolicy.Policy
            widget.setSizePolicy(policy.Expanding, policy.Fixed)
        if isinstance(widget, QCheckBox):
            widget.setText(parameter.description())
        if isinstance(widget, QLineEdit):
            widget.setPlaceholderText(row.empty)
        offered = chooser(row.chooser, self, wrapper)
        if offered is not None:
            widget = _beside(widget, offered)
        label, self._label = self._label, None
        if label is None:
            form.addRow(widget)
        else:
            form.addRow(label, widget)

    def addOutputLabel(self, label):
        self._label = label

    def addOutputWidget(self, widget, stretch=0):
        parameter = self.algorithm().destinationParameterDefinitions()[self._outputs.rowCount()]
        row = self._rows[parameter.name()]
        if row.temporary is False:
            widget.findChild(QLineEdit).setPlaceholderText("[Choose a folder that stays]")
        # QGIS's own label says of all outputs that they are optional.
        self._label.setText(parameter.description())
        self._outputs.addRow(self._label, widget)
        self._label = None

    def createProcessingParameters(self, flags=None):
        given = () if flags is None else (flags,)
        parameters = super().createProcessingParameters(*given)
        if flags is not None and _UNCHECKED is not None and flags & _UNCHECKED:
            return parameters
        for row in self._rows.values():
            if (
                row.temporary is False
                and parameters.get(row.name) == QgsProcessing.TEMPORARY_OUTPUT
            ):
                raise AlgorithmDialogBase.InvalidOutputExtension(
                    self.wrappers[row.name].wrappedWidget(),
                    f"{row.label}: choose a folder; a temporary one goes when QGIS is closed.",
                )
        return parameters

    def setParameters(self, parameters):
        super().setParameters(parameters)
        for row in self._rows.values():
            if row.group and parameters.get(row.name) not in (None, "", row.default):
                self._groups[row.group].setCollapsed(False)

    def value(self, name):
        """Return the value of a field, or None where the dialog has no such field."""
        wrapper = self.wrappers.get(name)
        return None if wrapper is None else wrapper.parameterValue()

    def show_error(self, text):
        """Show a sentence in the dialog's message bar."""
        self.parent().messageBar().clearWidgets()
        self.parent().messageBar().pushWarning("", text)

    def _leave_out_what_another_output_replaces(self):
        """Skip the temporary NetCDF file as soon as the stack is written elsewhere."""
        if "NETCDF" not in self.wrappers:
            return

        def skip(text):
            if text.strip() and self.value("NETCDF") == QgsProcessing.TEMPORARY_OUTPUT:
                self.wrappers["NETCDF"].setParameterValue(None, self.processing_context)

        for name in ("ZARR", "ZARR_URL"):
            if name in self.wrappers:
                field = self.wrappers[name].wrappedWidget()
                line = field if isinstance(field, QLineEdit) else field.findChild(QLineEdit)
                line.textChanged.connect(skip)


def _form():
    form = QFormLayout()
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    form.setVerticalSpacing(4)
    return form


def _show_plain_words(combo, row):
    """Show for the words of a choice what people say; QGIS keeps the words as values."""
    for word, plain in zip(row.choices, row.plain):  # noqa: B905
        place = combo.findData(word)
        if place >= 0:
            combo.setItemText(place, plain)
    if row.default is not None:
        # "[Not selected]" would be the default by another name.
        combo.removeItem(combo.findData(None))


def _beside(widget, button):
    both = QWidget()
    layout = QHBoxLayout(both)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(widget, 1)
    layout.addWidget(button)
    return both
