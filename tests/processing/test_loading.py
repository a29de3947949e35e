"""A stack that was just built names sources that QGIS opens, and loads them where it should."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from qgis.core import QgsProcessingContext, QgsProcessingFeedback, QgsRasterLayer

from hyp3_stack.processing_provider.layers import virtual_raster
from hyp3_stack.processing_provider.layers.layer_source import locate
from hyp3_stack.processing_provider.layers.loading import show_stack
from hyp3_stack.processing_provider.layers.raster_layers import make_layer
from hyp3_stack.processing_provider.layers.stack_description import (
    StackFileError,
    gdal_version,
    open_stack,
)
from hyp3_stack.processing_provider.layers.virtual_raster import slices_as_bands

from .conftest import layer_of, replace

PAIRS = 6
ENDINGS = {"NETCDF": "nc", "ZARR": "zarr"}

slices_only = pytest.mark.skipif(gdal_version() >= (3, 8), reason="GDAL shows 3-D Zarr arrays")


@pytest.fixture
def build(algorithm, context, feedback, core_python, product_folder):
    def run(**parameters):
        parameters = {"INPUT": str(product_folder), "LAYERS": "corr,dem", **parameters}
        results, ok = algorithm("buildstack").run(parameters, context, feedback)
        assert ok, feedback.textLog()
        return results

    return run


def bands(source):
    layer = QgsRasterLayer(source, "a layer", "gdal")
    assert layer.isValid(), source
    return layer.bandCount()


@pytest.fixture
def outputs(stack_files):
    """What a build has given for the stack."""
    sources = [f'NETCDF:"{stack_files[0]}":{name}' for name in ("corr", "dem")]
    return {"NETCDF": str(stack_files[0]), "LAYERS": sources}


def test_nothing_is_loaded_without_a_project(outputs, feedback):
    without = QgsProcessingContext()
    assert show_stack(outputs, True, without, feedback)["LAYERS"]
    assert not without.layersToLoadOnCompletion()


def test_a_store_that_this_gdal_cannot_open_is_complete_with_a_warning(build, feedback, tmp_path):
    path = tmp_path / "shards.zarr"
    results = build(ZARR=str(path), ZARR_FORMAT="3", SHARDING=True)
    assert (path / "zarr.json").is_file()
    assert len(results["LAYERS"]) == 2
    warned = "The stack is complete, but its layers cannot be shown" in feedback.textLog()
    assert warned is (gdal_version() < (3, 13))
    if warned:
        with pytest.raises(StackFileError, match="GDAL 3.13 and newer"):
            open_stack(path)


@pytest.mark.parametrize(
    ("names", "layers"), [(("NETCDF", "ZARR"), "unw_phase,corr"), (("ZARR",), "")]
)
def test_a_build_loads_its_layers_which_open_and_the_stack_loaded_has_the_same(
    build, algorithm, context, feedback, tmp_path, names, layers
):
    paths = {name: tmp_path / f"a stack.{ENDINGS[name]}" for name in names}
    path = paths[names[0]]
    built = build(LAYERS=layers, **{name: str(path) for name, path in paths.items()})["LAYERS"]
    assert all(source.startswith("NETCDF:") for source in built) is ("NETCDF" in names)
    loaded = context.layersToLoadOnCompletion()
    assert {details.groupName for details in loaded.values()} == {"a stack"}
    shown = [context.temporaryLayerStore().mapLayer(identifier) for identifier in loaded]
    assert {layer.source() for layer in shown} == set(built)
    assert all(
        layer.temporalProperties().isActive() == (layer.bandCount() == PAIRS) for layer in shown
    )
    results, ok = algorithm("loadstack").run({"INPUT": str(path)}, context, feedback)
    assert ok, feedback.textLog()
    assert sorted(built) == sorted(results["LAYERS"])
    assert sum("mask" in source for source in built) == (2 if layers else 3)
    assert all(str(tmp_path) in source for source in built)
    once = [source for source in built if bands(source) != PAIRS]
    assert [bands(source) for source in once] == [1] * (0 if layers else 2)


def test_a_netcdf_path_that_gdal_cannot_name_is_refused(algorithm, context, core_python, tmp_path):
    parameters = {"INPUT": str(tmp_path), "NETCDF": str(tmp_path / 'my "best".nc')}
    ok, message = algorithm("buildstack").checkParameterValues(parameters, context)
    assert not ok
    assert "double quote" in message
    assert "give another name or folder" in message
    parameters["NETCDF"] = str(tmp_path / "best.nc")
    assert algorithm("buildstack").checkParameterValues(parameters, context) == (True, "")


def test_a_cancel_while_layers_are_made_keeps_the_outputs(outputs, context):
    class Canceling(QgsProcessingFeedback):
        def pushInfo(self, info):
            super().pushInfo(info)
            if info == f"corr: {PAIRS} bands":
                self.cancel()

    canceling = Canceling(False)
    results = show_stack(outputs, True, context, canceling)
    assert results == outputs
    assert "its layers are not loaded" in canceling.textLog()
    assert not context.layersToLoadOnCompletion()
    again = show_stack(outputs, True, context, canceling)
    assert again == outputs


@slices_only
def test_bands_of_slices_are_written_to_the_profile_where_the_folder_is_closed(
    stack_files, qgis_application, monkeypatch, tmp_path
):
    store = tmp_path / "closed" / "stack.zarr"
    store.parent.mkdir()
    store.symlink_to(stack_files[1], target_is_directory=True)
    # A file where the folder would be: also root cannot make it.
    (store.parent / "stack.zarr_layers").write_text("")
    stack = open_stack(store)
    layer = make_layer(stack, stack.variables["corr"])
    assert layer.isValid()
    assert layer.bandCount() == PAIRS
    assert layer.source().startswith(qgis_application.qgisSettingsDirPath().rstrip("/"))
    profile = tmp_path / "a file"
    profile.write_text("")
    monkeypatch.setattr(virtual_raster, "_in_profile", lambda stack: profile / "layers")
    with pytest.raises(StackFileError, match="load the stack as NetCDF instead"):
        make_layer(stack, stack.variables["corr"])


@slices_only
def test_bands_of_slices_follow_a_store_that_was_replaced(stack_files, fewer_files, tmp_path):
    store = shutil.copytree(stack_files[1], tmp_path / "stack.zarr")
    assert bands(layer_of(store, "corr").source()) == PAIRS
    replace(store, fewer_files)
    assert bands(layer_of(store, "corr").source()) == 3
    assert os.listdir(tmp_path / "stack.zarr_layers") == ["corr.vrt"]


@slices_only
def test_stores_whose_names_differ_in_their_ending_keep_their_own_bands(stack_files, tmp_path):
    sources = []
    for name in ("k", "k.zarr", "k.old"):
        (tmp_path / name).symlink_to(stack_files[1], target_is_directory=True)
        sources.append(layer_of(tmp_path / name, "corr").source())
    assert sources == [
        str(tmp_path / folder / "corr.vrt")
        for folder in ("k_layers", "k.zarr_layers", "k.old_layers")
    ]
    for name, source in zip(("k", "k.zarr", "k.old"), sources):  # noqa: B905 - Python 3.9
        assert f'"{tmp_path / name}"' in Path(source).read_text()


@slices_only
def test_bands_of_older_projects_follow_their_own_store_only(stack_files, tmp_path):
    for name in ("k.zarr", "k.old"):
        (tmp_path / name).symlink_to(stack_files[1], target_is_directory=True)
    earlier = tmp_path / "k_layers" / "corr.vrt"
    earlier.parent.mkdir()
    earlier.write_text(f'ZARR:"{tmp_path / "k.zarr"}":/spatially_optimized/corr:0')
    for name, renewed in (("k.old", False), ("k.zarr", True)):
        layer_of(tmp_path / name, "corr")
        assert earlier.read_text().startswith("<VRTDataset") is renewed
    assert bands(str(earlier)) == PAIRS
    assert os.listdir(earlier.parent) == ["corr.vrt"]


@slices_only
def test_statistics_of_qgis_do_not_hide_whose_bands_a_file_has(stack_files, tmp_path):
    """GDAL writes histograms of megabytes before the first source; older files are writable."""
    (tmp_path / "k.zarr").symlink_to(stack_files[1], target_is_directory=True)
    layer = layer_of(tmp_path / "k.zarr", "corr")
    path, expected = Path(layer.source()), locate(layer.source())
    assert path.stat().st_mode & 0o222 == 0
    path.chmod(0o644)
    layer.dataProvider().histogram(1, 200_000)
    del layer
    assert path.stat().st_size > 1 << 17, "GDAL has written, as root may everywhere"
    assert locate(str(path)) == expected
    assert expected.path == tmp_path / "k.zarr"


@slices_only
@pytest.mark.skipif(os.getuid() == 0 and not shutil.which("setpriv"), reason="root may write")
def test_gdal_does_not_write_into_the_bands(stack_files):
    script = (
        "import sys; from osgeo import gdal; raster = gdal.Open(sys.argv[1]); "
        "raster.GetRasterBand(1).GetHistogram(buckets=100000, approx_ok=0); del raster"
    )
    command = [sys.executable, "-c", script]
    if os.getuid() == 0:
        command = ["setpriv", "--reuid", "65534", "--clear-groups", *command]
    with tempfile.TemporaryDirectory() as folder:
        # Whoever runs the command has to get there.
        Path(folder).chmod(0o777)
        shutil.copytree(stack_files[1], Path(folder) / "k.zarr")
        stack = open_stack(Path(folder) / "k.zarr")
        path = Path(slices_as_bands(stack, stack.variables["corr"]))
        before = path.read_bytes()
        subprocess.run([*command, str(path)], check=True, capture_output=True)
        assert path.read_bytes() == before
