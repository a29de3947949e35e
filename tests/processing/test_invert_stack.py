"""``hyp3:invertstack`` in QGIS: from a stack of pairs to layers that play by date."""

from hyp3_stack.processing_provider.layers.stack_description import open_stack


def test_displacement_is_loaded_and_plays_by_date(
    algorithm, context, feedback, core_python, stack_files, tmp_path
):
    paths = {"NETCDF": tmp_path / "displacement.nc", "ZARR": tmp_path / "displacement.zarr"}
    given = {"INPUT": str(stack_files[0])} | {form: str(path) for form, path in paths.items()}
    results, ok = algorithm("invertstack").run(given, context, feedback)
    assert ok, feedback.textLog()
    assert results["COMPONENTS"] == 1
    dates = results["DATES"]
    for form, path in paths.items():
        assert results[form] == str(path)
        stack = open_stack(path)
        assert len(stack.begins) == dates and stack.begins == stack.ends
        assert {"displacement", "velocity", "mask", "dem", "temporal_coherence"} <= set(
            stack.variables
        )
    loaded = context.layersToLoadOnCompletion()
    layers = [context.temporaryLayerStore().mapLayer(identifier) for identifier in loaded]
    assert layers and all(layer.isValid() for layer in layers)
    assert {layer.source() for layer in layers} == set(results["LAYERS"])
    playing = [layer for layer in layers if layer.temporalProperties().isActive()]
    assert [layer.bandCount() for layer in playing] == [dates]
    ranges = playing[0].temporalProperties().fixedRangePerBand()
    begins = [ranges[band].begin().toPyDateTime().date() for band in range(1, dates + 1)]
    assert begins == [begin.date() for begin in stack.begins]
    assert playing[0].crs().authid() == results["REFERENCE"].partition("[")[2].rstrip("]")
