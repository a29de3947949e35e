"""``hyp3:invertstack`` in QGIS: from a stack of pairs to layers that play by date."""

import pytest
from qgis.core import QgsProcessingContext

from hyp3_stack.processing_provider.layers.stack_description import open_stack


@pytest.fixture
def invert(algorithm, feedback, core_python, stack_files):
    def run(context, **parameters):
        parameters = {"INPUT": str(stack_files[0]), **parameters}
        results, ok = algorithm("invertstack").run(parameters, context, feedback)
        assert ok, feedback.textLog()
        return results

    return run


@pytest.mark.parametrize("form", ["NETCDF", "ZARR"])
def test_displacement_is_loaded_and_plays_by_date(invert, context, tmp_path, form):
    path = tmp_path / f"displacement.{'nc' if form == 'NETCDF' else 'zarr'}"
    results = invert(context, **{form: str(path)})
    assert results[form] == str(path) and results["COMPONENTS"] == 1
    stack = open_stack(path)
    dates = results["DATES"]
    assert len(stack.begins) == dates and stack.begins == stack.ends
    loaded = context.layersToLoadOnCompletion()
    layers = [context.temporaryLayerStore().mapLayer(identifier) for identifier in loaded]
    assert [layer.source() for layer in layers] != [] and all(layer.isValid() for layer in layers)
    assert {layer.source() for layer in layers} == set(results["LAYERS"])
    playing = [layer for layer in layers if layer.temporalProperties().isActive()]
    assert [layer.bandCount() for layer in playing] == [dates]
    ranges = playing[0].temporalProperties().fixedRangePerBand()
    begins = [ranges[band].begin().toPyDateTime().date() for band in range(1, dates + 1)]
    assert begins == [begin.date() for begin in stack.begins]
    assert playing[0].crs().authid() == results["REFERENCE"].partition("[")[2].rstrip("]")
    names = {variable.name for variable in stack.variables.values()}
    assert {"displacement", "velocity", "mask", "dem", "temporal_coherence"} <= names


def test_what_the_form_alone_can_tell_is_refused_before_anything_runs(
    algorithm, core_python, stack_files, tmp_path
):
    context = QgsProcessingContext()

    def message(**parameters):
        given = {"INPUT": str(stack_files[0]), "NETCDF": str(tmp_path / "d.nc"), **parameters}
        ok, text = algorithm("invertstack").checkParameterValues(given, context)
        assert ok is not bool(text)
        return text

    assert message() == ""
    assert "nothing of that name" in message(INPUT=str(tmp_path / "none.nc"))
    assert "nothing to write" in message(NETCDF="")
    assert "swap" in message(START="2023-02-01", END="2023-01-01")
