"""Stacks in the form that version 0.1 wrote, made from those of today."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path

import numpy as np
import xarray as xr
import zarr

from hyp3_stack.core.files.geozarr import place_attributes
from hyp3_stack.core.object_store.late_metadata import GDAL_SIDECAR

GROUPS = ("spatially_optimized", "temporally_optimized")


def netcdf_as_before(source: Path, target: Path) -> Path:
    """Copy a NetCDF file with text of variable length and without a list of coordinates."""
    with xr.open_dataset(
        source, mask_and_scale=False, decode_times=False, decode_coords=False
    ) as opened:
        stack = opened.load()
    del stack.attrs["coordinates"]
    for variable in stack.variables.values():
        if variable.dtype.kind == "O":
            variable.encoding = {}
    stack["spatial_ref"] = ((), np.int64(0), stack.spatial_ref.attrs)
    stack.to_netcdf(target)
    return target


def zarr_as_before(source: Path, target: Path) -> Path:
    """Copy a Zarr store with text as bytes or of variable length, and places told by groups."""
    shutil.copytree(source, target)
    (target / GDAL_SIDECAR).unlink(missing_ok=True)
    groups = [name for name in GROUPS if (target / name).is_dir()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in groups:
            group = zarr.open_group(target, path=name, mode="r+", use_consolidated=False)
            for key, array in list(group.arrays()):
                if array.dtype.kind == "U":
                    _rewrite_text(group, key, array)
            layer = next(array for _, array in group.arrays() if "_CRS" in array.attrs)
            places = place_attributes(layer.attrs)
            del places["_CRS"], group.attrs["coordinates"]
            group.attrs.update(places)
        for name in ("", *groups):
            zarr.consolidate_metadata(target, path=name)
    return target


def _rewrite_text(group: zarr.Group, name: str, array: zarr.Array) -> None:
    values, attributes = array[:], dict(array.attrs)
    if group.metadata.zarr_format == 2:
        data = np.char.encode(values, "utf-8")
        made = group.create_array(name, data=data, compressors=None, overwrite=True)
        made.attrs.update(attributes | {"_Encoding": "utf-8"})
        return
    dimensions = array.metadata.dimension_names
    made = group.create_array(
        name, shape=values.shape, dtype=str, dimension_names=dimensions, overwrite=True
    )
    made[:] = values.astype(object)
    made.attrs.update(attributes)
