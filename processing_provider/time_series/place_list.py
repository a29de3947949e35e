"""The list of places beside the plot."""

from qgis.PyQt.QtGui import QColor, QIcon, QPixmap
from qgis.PyQt.QtWidgets import QListWidget, QListWidgetItem

from .places.place import name_of
from .series.place_texts import velocity_text

_LENGTH = 30
_ICON_SIZE = 12


class PlaceList(QListWidget):
    """One row for each place: its color, where it is, and how much is known of it."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self.setSelectionMode(QListWidget.SelectionMode.ExtendedSelection)
        # The names and counts of places fit into this.
        self.setMinimumWidth(self.fontMetrics().horizontalAdvance("0" * _LENGTH))

    def show_result(self, result):
        """List the places of a result, None for none."""
        self.clear()
        for number, picked in enumerate([] if result is None else result.picked, start=1):
            self.addItem(_item(number, picked, len(result.begins)))

    def chosen_rows(self):
        """Return the rows that the user has chosen, or the last one."""
        rows = sorted(self.row(item) for item in self.selectedItems())
        return rows or [self.count() - 1]


def _item(number, picked, steps):
    count = picked.series.with_data if picked.series else 0
    state = picked.reason or f"{count} of {steps} with data"
    if picked.facts is not None and not picked.reason:
        state = velocity_text(picked.facts) or state
    pixmap = QPixmap(_ICON_SIZE, _ICON_SIZE)
    pixmap.fill(QColor(picked.place.color))
    text = f"{name_of(number, picked.place)}: {coordinates(picked)}\n{state}"
    item = QListWidgetItem(QIcon(pixmap), text)
    where = f"Row {picked.row}, column {picked.column}"
    item.setToolTip(f"{where} in its middle" if picked.place.is_area else where)
    return item


def coordinates(picked):
    """Return the coordinates of a place in the CRS of the stack, which may be in degrees."""
    decimals = 5 if abs(picked.x) <= 360 and abs(picked.y) <= 360 else 0
    return f"{picked.x:.{decimals}f}, {picked.y:.{decimals}f}"
