"""GeoTIFFs of a stack: the values, where they are, and what they say of themselves."""

import numpy as np
import pytest
import rasterio
import xarray as xr

from .exporting import export, group


@pytest.mark.parametrize(("chunking", "steps_as"), [("spatial", "files"), ("temporal", "bands")])
def test_values_and_places(wide, tmp_path, chunking, steps_as):
    store = wide / f"{chunking}.zarr"
    run = export(store, tmp_path / "out", FORMAT="geotiff", STEPS_AS=steps_as)
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert sorted(run.outputs["FILES"]) == [str(tmp_path / "out" / name) for name in names]
    with group(wide, chunking) as stack:
        labels = [
            f"{str(one)[:10]}_{str(other)[:10]}".replace("-", "")
            for one, other in zip(
                stack.reference_time.values, stack.secondary_time.values, strict=True
            )
        ]
        bands = {"unw_phase": 3, "water_mask": 1}
        assert len(names) == (4 if steps_as == "bands" else 10)
        for layer, count in bands.items():
            values = stack[layer].values.reshape(count, *stack[layer].shape[-2:])
            found = []
            is_split = steps_as == "files" and count > 1
            for name in [f"{layer}_{label}" for label in labels] if is_split else [layer]:
                with rasterio.open(tmp_path / "out" / f"{name}.tif") as raster:
                    found.append(raster.read())
                    assert raster.crs.to_epsg() == 32610
                    assert raster.xy(0, 0) == (float(stack.x[0]), float(stack.y[0]))
                    assert raster.units == (stack[layer].attrs["units"],) * raster.count
                    assert raster.tags()["long_name"] == stack[layer].attrs["long_name"]
                    if is_split:
                        assert raster.descriptions == (f"{layer} {labels[len(found) - 1]}",)
                        assert raster.tags()["reference_time"][:4] == labels[0][:4]
                    elif count > 1:
                        assert raster.descriptions == tuple(labels)
                    is_mask = layer == "water_mask"
                    assert raster.dtypes[0] == ("uint8" if is_mask else "float32")
                    assert raster.nodata == 255 if is_mask else np.isnan(raster.nodata)
            expected = values.astype("float64")
            if layer == "water_mask":
                expected = np.where(np.isnan(expected), 255, expected)
            np.testing.assert_array_equal(np.concatenate(found), expected)


def test_pairs_of_the_same_acquisitions_have_files_of_their_own(wide, tmp_path):
    """As other programs may join stacks; two threads would write one file."""
    with group(wide, "spatial") as stack:
        twice = stack[["corr", "spatial_ref"]].isel(pair=[0, 1, 1]).load().drop_encoding()
    twice["corr"][2] += 1
    twice.to_netcdf(tmp_path / "twice.nc")
    run = export(tmp_path / "twice.nc", tmp_path / "out", FORMAT="geotiff")
    files = run.outputs["FILES"]
    assert len(set(files)) == 3 and files[2] == files[1].replace(".tif", "_2.tif")
    for file, values in zip(files, twice.corr.values, strict=True):
        with rasterio.open(file) as raster:
            np.testing.assert_array_equal(raster.read(1), values)


def test_packed_layers_are_exported_as_numbers(wide, tmp_path):
    with group(wide, "spatial") as stack:
        part = stack[["corr", "water_mask", "spatial_ref"]].load().drop_encoding()
    packing = {"dtype": "int16", "scale_factor": 2.0**-12, "add_offset": 0.25, "_FillValue": -32768}
    part.to_netcdf(tmp_path / "packed.nc", encoding={"corr": packing})
    export(tmp_path / "packed.nc", tmp_path / "out", FORMAT="geotiff", STEPS_AS="bands")
    with rasterio.open(tmp_path / "out" / "corr.tif") as raster:
        found, before = raster.read(), part.corr.values
        assert raster.dtypes[0] == "float32" and np.isnan(raster.nodata)
        np.testing.assert_array_equal(np.isnan(found), np.isnan(before))
        assert np.nanmax(np.abs(found - before)) < 2.0**-12


def test_overviews_are_means_but_for_classes_and_angles(wide, tmp_path):
    with group(wide, "spatial") as stack:
        left, top, spacing = float(stack.x[0]) - 40, float(stack.y[0]) + 40, 80
    even = f"{left},{left + 520 * spacing},{top - 600 * spacing},{top} [EPSG:32610]"
    store = wide / "spatial.zarr"
    export(store, tmp_path / "out", FORMAT="geotiff", STEPS_AS="bands", EXTENT=even)
    for layer, is_mean in (("corr", True), ("wrapped_phase", False), ("water_mask", False)):
        with rasterio.open(tmp_path / "out" / f"{layer}.tif") as raster:
            full = raster.read(1).astype("float64")
            assert raster.overviews(1) == [2], layer
            assert raster.shape == (600, 520)
        with rasterio.open(tmp_path / "out" / f"{layer}.tif", overview_level=0) as raster:
            small = raster.read(1)
        blocks = full.reshape(300, 2, 260, 2).swapaxes(1, 2).reshape(-1, 4)
        reduced = small.ravel().astype("float64")
        kept = ~np.isnan(blocks).any(axis=1)
        assert kept.sum() > 1000
        if is_mean:
            np.testing.assert_allclose(reduced[kept], blocks[kept].mean(axis=1), rtol=1e-5)
        else:
            assert (blocks[kept] == reduced[kept, np.newaxis]).any(axis=1).all()


def test_a_part_is_the_same_as_that_part_of_the_whole(rtc_stack, tmp_path):
    with xr.open_dataset(rtc_stack.netcdf) as stack:
        left, right = float(stack.x[7]), float(stack.x[40])
        bottom, top = float(stack.y[60]), float(stack.y[20])
        day = str(stack.time.values[2])[:10]
        expected = stack.VV_backscatter.values[2:, 20:61, 7:41]
        dates = [str(time)[:10].replace("-", "") for time in stack.time.values[2:]]
    export(
        rtc_stack.zarr,
        tmp_path / "out",
        FORMAT="geotiff",
        LAYERS="VV_backscatter",
        START=day,
        EXTENT=f"{left},{right},{bottom},{top} [EPSG:32610]",
        STEPS_AS="bands",
    )
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["VV_backscatter.tif"]
    with rasterio.open(tmp_path / "out" / "VV_backscatter.tif") as raster:
        np.testing.assert_array_equal(raster.read(), expected)
        assert raster.xy(0, 0) == (left, top) and raster.descriptions == tuple(dates)


def test_displacement_and_its_quality(inverted, tmp_path):
    export(inverted.netcdf, tmp_path / "out", FORMAT="geotiff", LAYERS="velocity,mask")
    with xr.open_dataset(inverted.netcdf) as stack:
        with rasterio.open(tmp_path / "out" / "velocity.tif") as raster:
            np.testing.assert_array_equal(raster.read(1), stack.velocity.values)
            assert raster.units == ("m year-1",)
        with rasterio.open(tmp_path / "out" / "mask.tif") as raster:
            np.testing.assert_array_equal(raster.read(1), stack.mask.values)
            assert "no_valid_pair" in raster.tags()["flag_meanings"]
