"""Reads one pixel of a stack with one Python package and prints what it found as JSON.

Runs in any interpreter that has the package, without the project:
``python read.py READER PATH GROUP LAYER STEP ROW COLUMN``; GROUP is empty for a NetCDF file.
"""

import json
import sys


def xarray_(path, group, layer, place, **options):
    import rioxarray  # noqa: F401 - registers the accessor
    import xarray

    if group:
        stack = xarray.open_zarr(path, group=group, **options)
    else:
        stack = xarray.open_dataset(path, **options)
    return (
        xarray.__version__,
        float(stack[layer][place]),
        stack.rio.crs.to_epsg(),
        str(stack.product_name.values[0]),
    )


def h5netcdf(path, group, layer, place):
    import h5netcdf

    found = xarray_(path, group, layer, place, engine="h5netcdf")
    return (h5netcdf.__version__, *found[1:])


def h5py(path, group, layer, place):
    import h5py

    with h5py.File(path) as file:
        label = file["product_name"][0].tobytes().rstrip(b"\0").decode()
        (wkt,) = file["spatial_ref"].attrs["crs_wkt"].ravel()
        return h5py.__version__, float(file[layer][place]), epsg(wkt), label


def netcdf4(path, group, layer, place):
    import netCDF4

    with netCDF4.Dataset(path) as file:
        code = epsg(file["spatial_ref"].crs_wkt)
        label = str(file["product_name"][0])
        return netCDF4.__version__, float(file[layer][place]), code, label


def zarr(path, group, layer, place):
    import zarr

    stack = zarr.open_group(path, path=group, mode="r")
    wkt = stack["spatial_ref"].attrs["crs_wkt"]
    return zarr.__version__, float(stack[layer][place]), epsg(wkt), str(stack["product_name"][0])


def tensorstore(path, group, layer, place):
    from importlib.metadata import version
    from pathlib import Path

    import tensorstore

    driver = "zarr3" if (Path(path) / "zarr.json").exists() else "zarr"
    where = {"driver": "file", "path": f"{path}/{group}/{layer}/"}
    array = tensorstore.open({"driver": driver, "kvstore": where}).result()
    return version("tensorstore"), float(array[place].read().result()), None, None


def odc(path, group, layer, place):
    import odc.geo
    import odc.geo.xr  # registers the accessor
    import xarray

    stack = xarray.open_zarr(path, group=group) if group else xarray.open_dataset(path)
    box = stack[layer].odc.geobox
    assert box.shape == stack[layer].shape[-2:]
    return odc.geo.__version__, float(stack[layer][place]), box.crs.to_epsg(), None


def rasterio(path, group, layer, place):
    import rasterio

    source = f"{path}/{group}/{layer}" if group else f"netcdf:{path}:{layer}"
    step, row, column = place
    with rasterio.open(source) as opened:
        value = opened.read(step + 1)[row, column]
        version = f"{rasterio.__version__} (GDAL {rasterio.__gdal_version__})"
        return version, float(value), opened.crs.to_epsg(), None


def gdal(path, group, layer, place):
    import struct

    from osgeo import gdal

    gdal.UseExceptions()
    step, row, column = place
    root = gdal.OpenEx(path, gdal.OF_MULTIDIM_RASTER).GetRootGroup()
    label = (root.OpenGroup(group) if group else root).OpenMDArray("product_name").Read()[0]
    source, band = f'NETCDF:"{path}":{layer}', step + 1
    if group:
        source, band = f'ZARR:"{path}":/{group}/{layer}:{step}', 1
    raster = gdal.Open(source)
    value = raster.GetRasterBand(band).ReadRaster(column, row, 1, 1, buf_type=gdal.GDT_Float64)
    code = int(raster.GetSpatialRef().GetAuthorityCode(None))
    return gdal.__version__, struct.unpack("d", bytes(value))[0], code, label


def epsg(wkt):
    from pyproj import CRS

    return CRS.from_wkt(wkt).to_epsg()


READERS = {
    "xarray": xarray_,
    "h5netcdf": h5netcdf,
    "h5py": h5py,
    "netCDF4": netcdf4,
    "zarr": zarr,
    "tensorstore": tensorstore,
    "odc-geo": odc,
    "rasterio": rasterio,
    "GDAL": gdal,
}

if __name__ == "__main__":
    reader, path, group, layer, *place = sys.argv[1:]
    found = READERS[reader](path, group, layer, tuple(map(int, place)))
    names = ("version", "value", "epsg", "text")
    print(json.dumps({name: found[number] for number, name in enumerate(names)}))
