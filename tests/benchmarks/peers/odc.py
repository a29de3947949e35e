"""odc-stac: STAC items of local files, one lazy load onto our grid, written by xarray."""

from __future__ import annotations

from datetime import datetime, timedelta

import odc.stac
import pystac
import rasterio
from affine import Affine
from odc.geo.geobox import GeoBox

from .grid import CHUNK, Task, read_task


def items(task: Task) -> list[pystac.Item]:
    """Describe each product; times are made distinct, because pairs may share theirs."""
    result = []
    for number, product in enumerate(task.products()):
        first = product / f"{product.name}_{task.layers[0]}.tif"
        with rasterio.open(first) as dataset:
            proj = {
                "proj:epsg": dataset.crs.to_epsg(),
                "proj:shape": [dataset.height, dataset.width],
                "proj:transform": list(dataset.transform)[:6],
            }
            box = list(rasterio.warp.transform_bounds(dataset.crs, "EPSG:4326", *dataset.bounds))
        left, bottom, right, top = box
        ring = [[left, bottom], [right, bottom], [right, top], [left, top], [left, bottom]]
        item = pystac.Item(
            product.name,
            {"type": "Polygon", "coordinates": [ring]},
            box,
            datetime(2020, 1, 1) + timedelta(days=number),
            proj,
            collection="hyp3",
        )
        for layer in task.layers:
            asset = pystac.Asset(str(product / f"{product.name}_{layer}.tif"), roles=["data"])
            asset.media_type = "image/tiff; application=geotiff"
            item.add_asset(layer, asset)
        result.append(item)
    return result


def main() -> None:
    """Build the stack."""
    task = read_task()
    transform = Affine(task.spacing, 0, task.left, 0, -task.spacing, task.top)
    geobox = GeoBox((task.height, task.width), transform, f"EPSG:{task.epsg}")
    bands = {
        layer: {
            "data_type": "uint8" if layer == "water_mask" else "float32",
            "nodata": 255 if layer == "water_mask" else 0,
        }
        for layer in task.layers
    }
    smooth = ("corr", "amp", "lv_theta", "inc_map", "inc_map_ell", "dem")
    stack = odc.stac.load(
        items(task),
        bands=list(task.layers),
        geobox=geobox,
        groupby="id",
        chunks={"time": 1, "y": CHUNK, "x": CHUNK},
        resampling={layer: "bilinear" if layer in smooth else "nearest" for layer in task.layers},
        stac_cfg={"hyp3": {"assets": bands}},
    )
    for variable in stack.variables.values():
        variable.encoding.clear()
        variable.attrs.pop("nodata", None)
    if task.form == "zarr":
        stack.to_zarr(task.output, zarr_format=2, mode="w")
        return
    encoding: dict[str, object] = {"zlib": True}
    if task.form == "netcdf":
        # Those of the arrays and ours; by default netCDF's span several steps, so that most are
        # read and compressed again for each of these.
        chunks = (1, min(CHUNK, task.height), min(CHUNK, task.width))
        encoding |= {"complevel": 1, "shuffle": True, "chunksizes": chunks}
    stack.to_netcdf(task.output, encoding=dict.fromkeys(task.layers, encoding))


if __name__ == "__main__":
    main()
