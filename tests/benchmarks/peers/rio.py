"""rioxarray: a WarpedVRT of each file, joined and written by xarray, as users write it by hand."""

from __future__ import annotations

import contextlib

import rasterio
import rioxarray
import xarray as xr
from affine import Affine
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT

from .grid import CHUNK, read_task


def main() -> None:
    """Build the stack."""
    task = read_task()
    transform = Affine(task.spacing, 0, task.left, 0, -task.spacing, task.top)
    with contextlib.ExitStack() as files:
        layers = {}
        for layer in task.layers:
            maps = []
            for product in task.products():
                source = files.enter_context(rasterio.open(product / f"{product.name}_{layer}.tif"))
                nearest = layer in ("unw_phase", "lv_phi", "water_mask")
                warped = files.enter_context(
                    WarpedVRT(
                        source,
                        crs=task.epsg,
                        transform=transform,
                        width=task.width,
                        height=task.height,
                        resampling=Resampling.nearest if nearest else Resampling.bilinear,
                    )
                )
                maps.append(
                    rioxarray.open_rasterio(
                        warped, chunks={"x": CHUNK, "y": CHUNK}, masked=layer != "water_mask"
                    ).squeeze("band", drop=True)
                )
            layers[layer] = xr.concat(maps, "pair")
        stack = xr.Dataset(layers)
        for variable in stack.variables.values():
            variable.encoding.clear()
        if task.form == "zarr":
            stack.to_zarr(task.output, zarr_format=2, mode="w")
        else:
            chunks = (1, min(CHUNK, task.height), min(CHUNK, task.width))
            encoding = {
                layer: {"zlib": True, "complevel": 1, "shuffle": True, "chunksizes": chunks}
                for layer in task.layers
            }
            stack.to_netcdf(task.output, encoding=encoding)


if __name__ == "__main__":
    main()
