"""Reads all steps of a stack at a few pixels, with GDAL's multidimensional API."""

import math
from array import array
from dataclasses import dataclass

from osgeo import gdal

from ...core.contract import TEMPORAL_GROUP
from ..stack_file import StackFileError, gdal_exceptions, open_stack, quiet_gdal
from ..translation import tr
from .averages import average_for

_KEPT = 4
"""How many arrays stay open; each holds the last chunks that it read."""

_FLOATS = (gdal.GDT_Float32, gdal.GDT_Float64)


@dataclass(frozen=True)
class Series:
    """The steps at one place: ``values`` are NaN where no pixel of the window has data.

    ``counts`` are the numbers of pixels with data that a value stands for.
    """

    values: list
    counts: list

    @property
    def with_data(self):
        """Number of steps with data."""
        return sum(count > 0 for count in self.counts)


class Reader:
    """One variable of a stack, kept open."""

    def __init__(self, location):
        self.location = location
        chosen = f"{location.path}/{location.group}" if location.group else location.path
        self.stack = open_stack(chosen)
        variable = self.stack.variables.get(location.variable)
        if variable is None or not variable.steps:
            raise StackFileError(
                tr("{name} of {path} has no steps in time.").format(
                    name=location.variable, path=location.path
                )
            )
        self.variable = variable
        self.path, self.group = _quickest(self.stack)
        self._open()
        if len(self.stack.begins) != variable.steps:
            raise StackFileError(
                tr("The times of {path} do not fit its layers.").format(path=location.path)
            )

    @property
    def shape(self):
        """Rows and columns."""
        return self._shape

    def read(self, row, column, window=1):
        """Return the series at a pixel, averaged over ``window`` by ``window`` pixels around it.

        Pixels beyond the edge count as missing. The pixel itself has to lie inside.
        """
        rows, columns = self._shape
        half = window // 2
        top, left = max(0, row - half), max(0, column - half)
        height = min(rows, row + half + 1) - top
        width = min(columns, column + half + 1) - left
        steps = self.variable.steps
        with gdal_exceptions(), quiet_gdal():
            try:
                data = self._array.Read(
                    [0, top, left],
                    [steps, height, width],
                    buffer_datatype=gdal.ExtendedDataType.Create(gdal.GDT_Float64),
                )
            except RuntimeError as error:
                raise StackFileError(
                    tr("{path} cannot be read: {reason}.").format(
                        path=self.path, reason=str(error).strip().rstrip(".")
                    )
                ) from None
        numbers = array("d", bytes(data))
        size = height * width
        values, counts = [], []
        for begin in range(0, steps * size, size):
            valid = [
                value
                for value in numbers[begin : begin + size]
                if math.isfinite(value) and value != self._missing
            ]
            values.append(self._average(valid) if valid else math.nan)
            counts.append(len(valid))
        return Series(values, counts)

    def is_current(self):
        """Tell whether the file is still the one that was opened."""
        return _stamp(self.path) == self._changed

    def _open(self):
        name = self.variable.name
        self._changed = _stamp(self.path)
        try:
            with gdal_exceptions(), quiet_gdal():
                self._dataset = gdal.OpenEx(str(self.path), gdal.OF_MULTIDIM_RASTER)
                self._array = _group(self._dataset, self.group).OpenMDArray(name)
        except RuntimeError as error:
            raise StackFileError(
                tr("{path} cannot be read: {reason}.").format(
                    path=self.path, reason=str(error).strip().rstrip(".")
                )
            ) from None
        sizes = [dimension.GetSize() for dimension in self._array.GetDimensions()]
        self._shape = tuple(sizes[1:])
        kind = self._array.GetDataType().GetNumericDataType()
        self._missing = self._array.GetNoDataValueAsDouble()
        self._average = average_for(name, self.variable.units, kind not in _FLOATS)


class Readers:
    """The readers used last, so that a click need not open anything."""

    def __init__(self):
        self._readers = {}

    def get(self, location):
        """Return the reader of a location; raises StackFileError."""
        reader = self._readers.pop(location, None)
        if reader is None or not reader.is_current():
            reader = Reader(location)
        self._readers[location] = reader
        while len(self._readers) > _KEPT:
            del self._readers[next(iter(self._readers))]
        return reader

    def clear(self):
        """Close all files."""
        self._readers.clear()


def _group(dataset, name):
    root = dataset.GetRootGroup()
    return root.OpenGroup(name) if name else root


def _quickest(stack):
    """Return path and group with the stack's values in the order that series need.

    That is the temporal group of the store, or of the store beside a NetCDF file if both have been
    written by the same run, which gives both the same id.
    """
    if stack.group == TEMPORAL_GROUP:
        return stack.path, stack.group
    store = stack.path if stack.is_zarr else stack.path.with_suffix(".zarr")
    if (store / TEMPORAL_GROUP).is_dir():
        try:
            with gdal_exceptions(), quiet_gdal():
                here = gdal.OpenEx(str(stack.path), gdal.OF_MULTIDIM_RASTER)
                there = gdal.OpenEx(str(store), gdal.OF_MULTIDIM_RASTER)
                ours = _identity(_group(here, stack.group))
                if stack.is_zarr or (ours and ours == _identity(_group(there, TEMPORAL_GROUP))):
                    return store, TEMPORAL_GROUP
        except RuntimeError:
            pass  # The file itself is readable; only quickness is lost.
    return stack.path, stack.group


def _identity(group):
    return next((str(a.Read()) for a in group.GetAttributes() if a.GetName() == "id"), "")


def _stamp(path):
    """Return what changes when a stack is written again under its name."""
    for candidate in (path / ".zmetadata", path / "zarr.json", path):
        try:
            status = candidate.stat()
        except OSError:
            continue
        return candidate.name, status.st_mtime_ns, status.st_size, status.st_ino
    return None
