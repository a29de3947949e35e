"""Asks from where to where the axis of values goes."""

from qgis.PyQt.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
)

_MOST = 1e9
_DECIMALS = 3


class ValueLimitsDialog(QDialog):
    """Two numbers, or those that fit the values; ``title`` names the values."""

    def __init__(self, limits, title, parent=None):
        super().__init__(parent)
        self.setWindowTitle("Limits of the values")
        self.automatic = QCheckBox("Fit the values")
        self.low, self.high = (self._number(value) for value in limits)
        self._buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)
        layout = QFormLayout(self)
        layout.addRow(self.automatic)
        layout.addRow(f"Highest {title}", self.high)
        layout.addRow(f"Lowest {title}", self.low)
        layout.addRow(self._buttons)
        self.automatic.toggled.connect(self._check)
        self._check()

    def limits(self):
        """Return the lowest and the highest value, None for those that fit."""
        return None if self.automatic.isChecked() else (self.low.value(), self.high.value())

    def _number(self, value):
        box = QDoubleSpinBox()
        box.setRange(-_MOST, _MOST)
        box.setDecimals(_DECIMALS)
        box.setValue(value)
        box.valueChanged.connect(self._check)
        return box

    def _check(self, *ignored):
        given = not self.automatic.isChecked()
        for box in (self.low, self.high):
            box.setEnabled(given)
        is_range = self.low.value() < self.high.value()
        ok = self._buttons.button(QDialogButtonBox.StandardButton.Ok)
        ok.setEnabled(is_range or not given)
