"""Reads all steps of a stack at the pixels of a place."""

import math
from array import array
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import compress
from pathlib import Path
from statistics import median

from osgeo import gdal

from ....core.contract import TEMPORAL_GROUP
from ...layers.gdal_names import source_begin
from ...layers.stack_description import (
    StackFileError,
    check_old_metadata,
    gdal_exceptions,
    is_folder,
    open_stack,
    quiet_gdal,
)
from .averages import Average, average_for, deviation
from .displacement_facts import DisplacementFacts
from .pixel_footprint import around, covered_by

_KEPT = 4
"""How many arrays stay open; each holds the last chunks that it read."""

_REFERENCE_RADIUS = 2.5
"""Pixels; the default one of hyp3:invertstack."""

_MEDIAN = Average(median, deviation)

_MOST_VALUES = 4_000_000
"""That are taken of an area: in Python they take a second or two, and 100 MB."""

_FLOATS = (gdal.GDT_Float32, gdal.GDT_Float64)

_RUN = ("id", "date_modified")
"""Attributes that a run gives all its files; the id alone may be a DOI, which outlives runs."""


@dataclass(frozen=True)
class Series:
    """The steps at one place: ``values`` are NaN where no pixel of it has data.

    ``counts`` are the numbers of pixels with data that a value stands for, ``deviations`` their
    standard deviations (NaN for less than two). The place has ``size`` pixels, of an
    area of which only every ``stride``-th row and column counts.
    """

    values: list
    counts: list
    deviations: list
    size: int = 1
    stride: int = 1

    @property
    def with_data(self):
        """Number of steps with data."""
        return sum(count > 0 for count in self.counts)


@dataclass(frozen=True)
class Quality:
    """Which pixels count: those with at least ``least`` of the variable of a reader."""

    reader: object
    least: float


class Reader:
    """One variable of a stack, kept open."""

    def __init__(self, location):
        self.location = location
        chosen = f"{location.path}/{location.group}" if location.group else location.path
        self.stack = open_stack(chosen)
        variable = self.stack.variables.get(location.variable)
        if variable is None or not variable.steps:
            raise StackFileError(f"{location.variable} of {location.path} has no steps in time.")
        if len(self.stack.begins) != variable.steps:
            raise StackFileError(f"The times of {location.path} do not fit its layers.")
        self.variable = variable
        self.path, self.group = _quickest(self.stack)
        self._changed = self._stamps()
        kind = _Slab if self.group else _Bands
        with self._failing_in_words():
            self._pixels = kind(self.path, self.group, variable.name)
        self._average = average_for(variable.name, variable.units, not self._pixels.is_float)

    @property
    def shape(self):
        """Rows and columns."""
        return self._pixels.shape

    def read(self, row, column, window=1, quality=None):
        """Return the series at a pixel, averaged over ``window`` by ``window`` pixels around it.

        Pixels beyond the edge count as missing. The pixel itself has to lie inside. Pixels without
        a ``quality`` that is asked for are left out.
        """
        return self._read(around(self.shape, row, column, window // 2), self._average, quality)

    def read_area(self, polygon, extent, quality=None, most=_MOST_VALUES):
        """Return the series of the pixels whose centers lie in a polygon; None if there are none.

        ``polygon`` and ``extent``, that of the grid, have one CRS. Of large areas only some
        rows and columns count, so that at most ``most`` values are read.
        """
        pixels = max(1, most // self.variable.steps)
        footprint = covered_by(polygon, extent, self.shape, pixels)
        return None if footprint is None else self._read(footprint, self._average, quality)

    def read_reference(self, row, column):
        """Return the series of the reference area around a pixel: the medians of a small disk.

        It is what hyp3:invertstack takes for a ``REFERENCE_AREA`` of x and y of the pixel's center:
        of all pairs the same pixels count.
        """
        radius = _REFERENCE_RADIUS
        footprint = around(self.shape, row, column, int(radius), radius)
        return self._read(self._complete(footprint), _MEDIAN)

    def _complete(self, footprint):
        """Return only the pixels with data in all steps that have any; all if there are none."""
        numbers, window = self._numbers(footprint), len(footprint.inside)
        missing, shared = self._pixels.missing, footprint.inside
        for begin in range(0, len(numbers), window):
            known = bytes(
                inside and math.isfinite(value) and value != missing
                for inside, value in zip(footprint.inside, numbers[begin : begin + window])  # noqa: B905
            )
            if any(known):
                shared = bytes(map(min, shared, known))
        return replace(footprint, inside=shared) if any(shared) else footprint

    def date_errors(self):
        """Return the standard errors of the dates of a displacement stack; none if it has none."""
        return self._facts.date_errors

    def facts_at(self, row, column):
        """Return what a displacement stack says of a pixel besides its displacement."""
        with self._failing_in_words():
            return self._facts.at(row, column)

    @cached_property
    def _facts(self):
        with self._failing_in_words():
            return DisplacementFacts(self.stack)

    def _read(self, footprint, average, quality=None):
        numbers, missing = self._numbers(footprint), self._pixels.missing
        sure = None if quality is None else quality.reader._numbers(footprint)
        window = footprint.rows * footprint.columns
        values, counts, deviations = [], [], []
        for begin in range(0, len(numbers), window):
            chosen = footprint.inside
            if sure is not None:
                chosen = [
                    inside and value >= quality.least  # not so for NaN
                    for inside, value in zip(chosen, sure[begin : begin + window])  # noqa: B905
                ]
            valid = [
                value
                for value in compress(numbers[begin : begin + window], chosen)
                if math.isfinite(value) and value != missing
            ]
            values.append(average.of(valid) if valid else math.nan)
            counts.append(len(valid))
            deviations.append(average.deviation(valid) if len(valid) > 1 else math.nan)
        return Series(values, counts, deviations, footprint.size, footprint.stride)

    def _numbers(self, footprint):
        """Return the values of all steps in a footprint's window, one step after the other."""
        pixels = self._pixels
        with self._failing_in_words():
            numbers = array("d", bytes(pixels.read(self.variable.steps, footprint)))
        if not pixels.is_packed:
            return numbers
        scale, offset, fill = pixels.scale, pixels.offset, pixels.fill
        return array("d", (math.nan if n == fill else n * scale + offset for n in numbers))

    def is_current(self):
        """Return whether the files are still the ones that were opened."""
        return self._stamps() == self._changed

    def _stamps(self):
        """Return the stamps of the stack, which has the dates, and of where its values are."""
        return _stamp(self.stack.path), _stamp(self.path)

    @contextmanager
    def _failing_in_words(self):
        try:
            with gdal_exceptions(), quiet_gdal():
                yield
        except RuntimeError as error:
            reason = str(error).strip().rstrip(".")
            raise StackFileError(f"{self.path} cannot be read: {reason}.") from None


class _Pixels:
    """How numbers are stored; stacks are not packed, but other programs may write them anew."""

    def __init__(self, scale, offset, fill, kind):
        self.scale = 1.0 if scale is None else scale
        self.offset = 0.0 if offset is None else offset
        self.fill = fill
        self.is_packed = (self.scale, self.offset) != (1.0, 0.0)
        self.is_float = self.is_packed or kind in _FLOATS
        # What stands for missing data among the numbers.
        self.missing = None if self.is_packed else fill


class _Slab(_Pixels):
    """Pixels of a Zarr array: one read takes all steps out of few chunks."""

    def __init__(self, path, group, name):
        # What is opened lives only as long as its dataset.
        self._dataset = gdal.OpenEx(str(path), gdal.OF_MULTIDIM_RASTER)
        self._array = _group(self._dataset, group).OpenMDArray(name)
        self.shape = tuple(item.GetSize() for item in self._array.GetDimensions())[1:]
        kind = self._array.GetDataType().GetNumericDataType()
        fill = self._array.GetNoDataValueAsDouble()
        super().__init__(self._array.GetScale(), self._array.GetOffset(), fill, kind)

    def read(self, steps, footprint):
        """Return float64 of the shape (steps, rows, columns) as bytes."""
        kind = gdal.ExtendedDataType.Create(gdal.GDT_Float64)
        stride = footprint.stride
        begin = [0, footprint.top + stride // 2, footprint.left + stride // 2]
        count = [steps, footprint.rows, footprint.columns]
        return self._array.Read(begin, count, [1, stride, stride], buffer_datatype=kind)


class _Bands(_Pixels):
    """Pixels of a NetCDF variable, as a raster: GDAL keeps the large chunks of its bands."""

    def __init__(self, path, group, name):
        self._dataset = gdal.Open(f"{source_begin(path, group)}{name}")
        band = self._dataset.GetRasterBand(1)
        self.shape = band.YSize, band.XSize
        super().__init__(band.GetScale(), band.GetOffset(), band.GetNoDataValue(), band.DataType)

    def read(self, steps, footprint):
        """Return float64 of the shape (steps, rows, columns) as bytes."""
        rows, columns, stride = footprint.rows, footprint.columns, footprint.stride
        # GDAL takes the pixel in the middle of those that become one.
        return self._dataset.ReadRaster(
            footprint.left,
            footprint.top,
            columns * stride,
            rows * stride,
            buf_xsize=columns,
            buf_ysize=rows,
            buf_type=gdal.GDT_Float64,
        )


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

    def __len__(self):
        return len(self._readers)

    def clear(self):
        """Close all files."""
        self._readers.clear()


def _group(dataset, name):
    root = dataset.GetRootGroup()
    return root.OpenGroup(name) if name else root


def _quickest(stack):
    """Return path and group with the stack's values in the order that series need.

    That is the temporal group of the store, or of the store beside a NetCDF file if both have been
    written by the same run.
    """
    if stack.group == TEMPORAL_GROUP:
        return stack.path, stack.group
    store = stack.path if stack.is_zarr else stack.path.with_suffix(".zarr")
    if is_folder(store / TEMPORAL_GROUP):
        try:
            if not stack.is_zarr:
                check_old_metadata(store)
            with gdal_exceptions(), quiet_gdal():
                here = gdal.OpenEx(str(stack.path), gdal.OF_MULTIDIM_RASTER)
                there = gdal.OpenEx(str(store), gdal.OF_MULTIDIM_RASTER)
                ours = _run(_group(here, stack.group))
                if stack.is_zarr or (all(ours) and ours == _run(_group(there, TEMPORAL_GROUP))):
                    return store, TEMPORAL_GROUP
        except (RuntimeError, StackFileError):
            pass  # The file itself is readable; only quickness is lost.
    return stack.path, stack.group


def _run(group):
    """Return what distinguishes the run that wrote a group from all others."""
    found = {a.GetName(): str(a.Read()) for a in group.GetAttributes() if a.GetName() in _RUN}
    return [found.get(name, "") for name in _RUN]


def _stamp(path):
    """Return what changes when a stack is written again under its name.

    In an object store nothing is written again; the address stands for the stack.
    """
    if not isinstance(path, Path):
        return str(path)
    for candidate in (path / ".zmetadata", path / "zarr.json", path):
        try:
            status = candidate.stat()
        except OSError:
            continue
        return candidate.name, status.st_mtime_ns, status.st_size, status.st_ino
    return None
