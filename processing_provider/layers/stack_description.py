"""Describes a stack file through GDAL, as far as layers need it."""

import json
import re
import struct
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path, PurePath, PurePosixPath

from osgeo import gdal

from ...core.contract import DECIBEL, RECORD, SPATIAL_GROUP, TEMPORAL_GROUP
from ...core.errors import StackError
from ...core.files.old_groups import has_old_groups
from ...core.object_store.address import is_address, parse_address
from ..process.trial import try_out
from .gdal_names import fresh_path, slices_begin, source_begin
from .gdal_s3 import options_of_stores, read_bytes, why_unreadable

_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_UNITS = re.compile(r"\s*(second|minute|hour|day)s? since (\d{4}-\d\d-\d\d)(?:[T ](\S+))?")
_FORMATS = {
    gdal.GDT_Byte: "B",
    gdal.GDT_Int16: "h",
    gdal.GDT_Int32: "i",
    gdal.GDT_Int64: "q",
    gdal.GDT_Float32: "f",
    gdal.GDT_Float64: "d",
}

# A store of Zarr format 3 has this file, one of format 2 the other.
_ZARR_3 = "zarr.json"
_ZARR_2 = ".zgroup"

MULTIBAND_ZARR = (3, 8)
"""GDAL version that shows a 3-D Zarr array as bands."""

_MOST_STEPS = 1_000_000

_OF_PAIRS = ("perpendicular_baseline", "coherence_mean", "looks_range", "looks_azimuth")

# What numbers and texts that are damaged lead to; GDAL itself answers None.
_DAMAGE = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
)


class StackFileError(Exception):
    """The file is not a stack that GDAL can read; the message is one sentence for the user."""


@dataclass(frozen=True)
class Variable:
    """One variable with the dimensions y and x, and before them pair or time or none."""

    name: str
    steps: int
    is_mask: bool
    units: str
    long_name: str
    attributes: dict = field(default_factory=dict)


@dataclass(frozen=True)
class StackFile:
    """What a stack holds.

    ``path`` is a Path, or the name that GDAL gives a place in an object store. ``begins`` and
    ``ends`` are UTC times by step, equal for dates. Perpendicular baselines in meters and mean
    coherences, and looks, are those of pairs, NaN where they are not known.
    """

    path: PurePath
    group: str
    is_zarr: bool
    variables: dict
    begins: list
    ends: list
    title: str
    perpendicular_baselines: list = field(default_factory=list)
    mean_coherences: list = field(default_factory=list)
    looks_range: list = field(default_factory=list)
    looks_azimuth: list = field(default_factory=list)

    @property
    def is_pairs(self):
        """Return whether the steps are pairs, and not dates."""
        return self.begins != self.ends

    @property
    def name(self):
        """Name for people."""
        return self.path.stem

    @property
    def is_remote(self):
        """Return whether the stack lies in an object store."""
        return not isinstance(self.path, Path)

    @property
    def is_default_group(self):
        """Return whether this is the group that a store is shown by."""
        return not self.is_zarr or self.group == SPATIAL_GROUP


def gdal_version():
    """Return major and minor number of the GDAL that QGIS uses."""
    number = int(gdal.VersionInfo())
    return number // 1000000, number // 10000 % 100


def open_stack(source, feedback=None):
    """Return the description of a NetCDF file or Zarr store; raises StackFileError.

    Stacks in object stores are named ``s3://bucket/key`` or as GDAL does; GDAL has to know the
    way there. With a ``feedback``, GDAL is tried out on the stack first, in a process of its own:
    nobody knows what came to a file that a user names.
    """
    path = stack_path(source)
    if isinstance(path, Path) and not path.exists():
        raise StackFileError(f"INPUT is {path}, which does not exist.")
    is_zarr = not isinstance(path, Path) or path.is_dir()
    path, group_name = _store_and_group(path) if is_zarr else (path, "")
    if is_zarr:
        _check_store(path)
        check_old_metadata(path)
    if feedback is not None:
        _check_survival(path, is_zarr, feedback)
    try:
        return _described(path, is_zarr, group_name)
    except _DAMAGE as error:
        raise _no_stack(path, f"{type(error).__name__}: {error}") from None


def _described(path, is_zarr, group_name):
    """Return the description of a stack that GDAL survives."""
    root, dataset = _root(path, is_zarr)
    if is_zarr:
        names = root.GetGroupNames() or []
        known = [name for name in (SPATIAL_GROUP, TEMPORAL_GROUP) if name in names]
        if not known:
            raise _no_stack(path)
        group_name = group_name or known[0]
        group = root.OpenGroup(group_name)
    else:
        group = root
    variables = _in_order(_variables(group), group)
    if not variables:
        raise _no_stack(path)
    begins, ends = _times(group)
    for variable in variables.values():
        if variable.steps > _MOST_STEPS or (begins and variable.steps not in (0, len(begins))):
            raise StackFileError(f"The times of {_address(path)} do not fit its layers.")
    title = next((a.Read() for a in group.GetAttributes() if a.GetName() == "title"), "")
    numbers = [_numbers(group, name) for name in _OF_PAIRS]
    del group, root, dataset
    return StackFile(path, group_name, is_zarr, variables, begins, ends, str(title), *numbers)


def stack_path(source):
    """Return the path of a file or folder, or GDAL's name for a place in an object store."""
    text = str(source).strip().replace("\\", "/")
    if not is_address(text):
        return Path(source).expanduser().absolute()
    try:
        return PurePosixPath(parse_address(text, parameter="INPUT").gdal_path)
    except StackError as error:
        raise StackFileError(str(error)) from None


def store_path(source):
    """Return the folder of a Zarr store on a disk, None where a stack is anything else."""
    path = stack_path(source)
    return _store_and_group(path)[0] if isinstance(path, Path) and path.is_dir() else None


def _store_and_group(path):
    """Return the store and the name of the group in it that a path means; none for all."""
    is_group = path.name in (SPATIAL_GROUP, TEMPORAL_GROUP)
    return (path.parent, path.name) if is_group else (path, "")


def is_folder(path):
    """Return whether there is a folder, on disk or in an object store."""
    if isinstance(path, Path):
        return path.is_dir()
    found = gdal.VSIStatL(str(path), gdal.VSI_STAT_EXISTS_FLAG | gdal.VSI_STAT_NATURE_FLAG)
    return found is not None and bool(found.IsDirectory())


def check_old_metadata(path):
    """Raise StackFileError where a store has metadata on which the GDAL of QGIS crashes.

    Layers of such a store may be in a project: GDAL opens its single arrays.
    """
    if has_old_groups(lambda name: read_bytes(path / name)):
        reason = _try_out(path, True).killed
        if reason:
            place = "it" if isinstance(path, Path) else "a copy of it on a disk"
            version = ".".join(map(str, gdal_version()))
            raise StackFileError(
                f"{_address(path)} has metadata of HyP3 Stack 0.1.0 that GDAL {version} does not "
                f"survive ({reason}), so that QGIS does not open it; run hyp3:loadstack with "
                f"MEND=true on {place}, which removes these entries and changes no value."
            )


def _check_survival(path, is_zarr, feedback):
    """Raise StackFileError where GDAL does not survive a stack, or the user cancels."""
    verdict = _try_out(path, is_zarr, feedback)
    if verdict.is_canceled:
        raise StackFileError("The run was canceled.")
    if verdict.refused:
        raise _no_stack(path, verdict.refused)
    if verdict.killed:
        raise StackFileError(
            f"{_address(path)} is damaged: {verdict.killed}, so that QGIS does not open it; take "
            "a copy that is whole, or build the stack anew."
        )


def _try_out(path, is_zarr, feedback=None):
    slices = is_zarr and gdal_version() < MULTIBAND_ZARR
    begin = slices_begin if slices else source_begin
    groups = (SPATIAL_GROUP, TEMPORAL_GROUP) if is_zarr else ("",)
    sources = {group: begin(path, group) for group in groups}
    return try_out(path, sources, slices, options_of_stores(), feedback)


def _root(path, is_zarr):
    try:
        with gdal_exceptions(), quiet_gdal():
            # Under the usual name of a NetCDF file, its library might give an older one.
            name = str(path) if is_zarr else fresh_path(path)
            dataset = gdal.OpenEx(name, gdal.OF_MULTIDIM_RASTER)
    except RuntimeError as error:
        raise _no_stack(path, str(error)) from None
    # The group is of use only as long as its dataset lives.
    return dataset.GetRootGroup(), dataset


def _has_shards(path):
    """Return whether a store of format 3 keeps several chunks in a file, as its root says."""
    return b'"sharding_indexed"' in read_bytes(path / _ZARR_3)


def _check_store(path):
    """Raise StackFileError where there is no Zarr store, or one that GDAL cannot read."""
    if isinstance(path, Path):
        missing = {name: not (path / name).exists() for name in (_ZARR_2, _ZARR_3)}
    else:
        missing = {name: why_unreadable(path / name) for name in (_ZARR_2, _ZARR_3)}
    if not missing[_ZARR_3] and gdal_version() < (3, 13) and _has_shards(path):
        raise StackFileError(
            f"{_address(path)} is a Zarr store with shards, which QGIS reads with GDAL 3.13 and "
            "newer only; build the stack without SHARDING or as NetCDF."
        )
    if not missing[_ZARR_3] and gdal_version() < (3, 11):
        raise StackFileError(
            f"{_address(path)} is a Zarr store of format 3, which QGIS reads with GDAL 3.11 and "
            "newer only; build the stack with ZARR_FORMAT=2 or as NetCDF."
        )
    if not all(missing.values()):
        return
    if isinstance(path, Path):
        raise _no_stack(path)
    raise StackFileError(
        f"{_address(path)} cannot be read as a stack ({missing[_ZARR_2]}); check the address, "
        "S3_ENDPOINT and the credentials."
    )


@contextmanager
def gdal_exceptions():
    """Let GDAL raise RuntimeError inside the block only; QGIS itself does not expect that."""
    used = gdal.GetUseExceptions()
    gdal.UseExceptions()
    try:
        yield
    finally:
        if not used:
            gdal.DontUseExceptions()


def open_raster(source):
    """Return a raster, None where GDAL cannot open it; Processing turns its exceptions on."""
    try:
        return gdal.Open(source)
    except RuntimeError:
        return None


@contextmanager
def quiet_gdal():
    """Keep GDAL from leaving traces.

    Its NetCDF driver warns of any dimension but time, and QGIS computes statistics of each new
    layer, which would be written into an .aux.xml file beside the stack.
    """
    before = gdal.GetThreadLocalConfigOption("GDAL_PAM_ENABLED")
    gdal.SetThreadLocalConfigOption("GDAL_PAM_ENABLED", "NO")
    gdal.PushErrorHandler("CPLQuietErrorHandler")
    try:
        yield
    finally:
        gdal.PopErrorHandler()
        gdal.SetThreadLocalConfigOption("GDAL_PAM_ENABLED", before)


def _address(path):
    """Return how the user writes a path."""
    text = str(path)
    return text if isinstance(path, Path) else text.replace("/vsis3/", "s3://", 1)


def _no_stack(path, reason=""):
    why = f" ({reason.strip()})" if reason else ""
    return StackFileError(
        f"{_address(path)} is not a stack of HyP3 Stack{why}; choose a .nc file or a .zarr folder."
    )


def _variables(group):
    found = {}
    for name in group.GetMDArrayNames() or []:
        array = group.OpenMDArray(name)
        dimensions = [dimension.GetName() for dimension in array.GetDimensions()]
        if dimensions[-2:] != ["y", "x"] or len(dimensions) > 3:
            continue
        attributes = {item.GetName(): item.Read() for item in array.GetAttributes()}
        units = array.GetUnit() or str(attributes.get("units", ""))
        found[name] = Variable(
            name,
            array.GetDimensions()[0].GetSize() if len(dimensions) == 3 else 0,
            array.GetDataType().GetNumericDataType() == gdal.GDT_Byte,
            "dB" if units == DECIBEL else units,
            str(attributes.get("long_name", name)),
            attributes,
        )
    return found


def _in_order(variables, group):
    """Return the variables in the order in which they were built; GDAL lists a store by name."""
    texts = [item.Read() for item in group.GetAttributes() if item.GetName() == RECORD]
    try:
        maps = json.loads(texts[0])["maps"]
    except (IndexError, KeyError, TypeError, ValueError):
        return variables
    places = {name: place for place, name in enumerate(maps)}
    return dict(sorted(variables.items(), key=lambda item: places.get(item[0], len(places))))


def _times(group):
    names = set(group.GetMDArrayNames() or [])
    if {"reference_time", "secondary_time"} <= names:
        return _read_times(group, "reference_time"), _read_times(group, "secondary_time")
    if "time" in names:
        times = _read_times(group, "time")
        return times, times
    return [], []


def _read_times(group, name):
    array = group.OpenMDArray(name)
    match = _UNITS.match(array.GetUnit() or "")
    kind = _FORMATS.get(array.GetDataType().GetNumericDataType())
    if match is None or kind is None:
        raise StackFileError(f"The times of the stack ({name}) cannot be read.")
    if array.GetTotalElementsCount() > _MOST_STEPS:
        raise StackFileError(f"The stack has more times than any ({name}).")
    unit, day, clock = match.groups()
    epoch = datetime.fromisoformat(f"{day}T{(clock or '00:00:00')[:8]}")
    epoch = epoch.replace(tzinfo=timezone.utc)
    values = _values(array, kind)
    return [epoch + timedelta(seconds=value * _SECONDS[unit]) for value in values]


def _numbers(group, name):
    """Return the values of a small array, none where there is no such array of numbers."""
    array = group.OpenMDArray(name) if name in (group.GetMDArrayNames() or []) else None
    kind = array and _FORMATS.get(array.GetDataType().GetNumericDataType())
    if not kind or array.GetTotalElementsCount() > _MOST_STEPS:
        return []
    return list(_values(array, kind))


def _values(array, kind):
    data = bytes(array.Read())
    return struct.unpack(f"={len(data) // struct.calcsize(kind)}{kind}", data)
