"""What GDAL finds in stacks beside the layers: text, units, the CRS of every array."""

import pytest
from osgeo import gdal

from hyp3_stack.processing_provider.layers.raster_layers import make_layer
from hyp3_stack.processing_provider.layers.stack_description import open_stack

from .conftest import build_stack, make_products


@pytest.fixture(scope="module")
def decibels(tmp_path_factory):
    """A backscatter stack in decibels, as NetCDF and as Zarr."""
    folder = tmp_path_factory.mktemp("decibels")
    options = ("--type", "RTC_GAMMA", "--products", 2, "--layers", "VV,ls_map")
    products = make_products(folder / "products", *options)
    netcdf, store = folder / "s.nc", folder / "s.zarr"
    build_stack(folder, INPUT=products, NETCDF=netcdf, ZARR=store, SCALE="decibel")
    return netcdf, store


def group_of(path):
    """Return the root of a file or the group of a store by which it is shown, and its dataset."""
    dataset = gdal.OpenEx(str(path), gdal.OF_MULTIDIM_RASTER)
    root = dataset.GetRootGroup()
    return root.OpenGroup("spatially_optimized") if path.is_dir() else root, dataset


@pytest.mark.parametrize("number", [0, 1], ids=["NetCDF", "Zarr"])
def test_text_arrives_in_gdal(stack_files, product_folder, number):
    group, dataset = group_of(stack_files[number])
    names = sorted(path.name for path in product_folder.iterdir() if path.is_dir())
    assert sorted(group.OpenMDArray("product_name").Read()) == names
    labels = group.OpenMDArray("pair_label").Read()
    assert [label in name for label, name in zip(sorted(labels), names)] == [True] * 6  # noqa: B905
    assert [d.GetName() for d in group.OpenMDArray("pair_label").GetDimensions()][0] == "pair"
    del group, dataset


@pytest.mark.parametrize("number", [0, 1], ids=["NetCDF", "Zarr"])
def test_decibels_are_called_so(decibels, number):
    stack = open_stack(decibels[number])
    variable = stack.variables["VV_backscatter"]
    assert variable.units == "dB"
    assert make_layer(stack, variable).isValid()


@pytest.mark.parametrize("number", [0, 1], ids=["InSAR", "backscatter"])
def test_slices_of_a_store_have_their_crs(stack_files, decibels, number):
    """Named by the store, by which GDAL before 3.9 finds no CRS in the array."""
    store = (stack_files[1], decibels[1])[number]
    stack = open_stack(store)
    for variable in stack.variables.values():
        step = ":0" if variable.steps else ""
        raster = gdal.Open(f'ZARR:"{store}":/{stack.group}/{variable.name}{step}')
        assert raster.GetSpatialRef().GetAuthorityCode(None) == "32610", variable.name
        assert raster.RasterCount == 1


def test_layers_are_the_first_subdatasets(stack_files):
    listed = gdal.Open(str(stack_files[0])).GetMetadata("SUBDATASETS")
    names = list(open_stack(stack_files[0]).variables)
    for number, name in enumerate(names, start=1):
        assert listed[f"SUBDATASET_{number}_NAME"].endswith(f":{name}")
