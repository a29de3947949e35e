"""QGIS survives whatever a stack holds: GDAL is tried out on it in a process of its own first."""

import json
import os
import resource
import shutil
import subprocess
import sys
import threading

import pytest
from osgeo import gdal
from qgis.core import QgsProcessingFeedback

from hyp3_stack.core.files.old_groups import has_old_groups
from hyp3_stack.processing_provider.layers.stack_description import (
    StackFileError,
    gdal_version,
    open_stack,
)
from hyp3_stack.processing_provider.process import trial
from hyp3_stack.processing_provider.time_series.series.reader import Readers
from tests.faults.amount import SEED, share
from tests.faults.outcomes import CRASH, REFUSED, RIGHT, TRACEBACK, WRONG, Tally

from .conftest import ROOT, build_stack

NUMBER = share(1.5, least=4)

# Loads each stack as the toolbox does, in one QGIS, and says after each that it lives.
_SESSION = """
import json, sys
import tests.checkout
from pathlib import Path
from qgis.core import (QgsApplication, QgsProcessingContext, QgsProcessingException,
    QgsProcessingFeedback, QgsProject)
application = QgsApplication([], False, sys.argv[1])
application.initQgis()
from hyp3_stack.processing_provider.provider import Provider
from tests.damages import damaged_copy
provider = Provider()
QgsApplication.processingRegistry().addProvider(provider)
source, folder = Path(sys.argv[2]), Path(sys.argv[3])
for seed in range(int(sys.argv[4]), int(sys.argv[5])):
    target = folder / f"{seed}{source.suffix}"
    print(json.dumps(damaged_copy(source, target, seed)), flush=True)
    context, feedback = QgsProcessingContext(), QgsProcessingFeedback(False)
    context.setProject(QgsProject())
    algorithm = provider.algorithm("loadstack").create()
    results, ok = algorithm.run({"INPUT": str(target)}, context, feedback)
    for identifier in context.layersToLoadOnCompletion():
        provider_of_layer = context.temporaryLayerStore().mapLayer(identifier).dataProvider()
        for band in range(1, 1 + provider_of_layer.bandCount()):
            provider_of_layer.block(band, provider_of_layer.extent(), 90, 90)
    context.temporaryLayerStore().removeAllMapLayers()
    print(json.dumps([ok, results.get("LAYERS"), feedback.textLog()]), flush=True)
"""


@pytest.fixture
def old_store(stack_files, tmp_path):
    """A store with the metadata of version 0.1.0."""
    store = tmp_path / "old.zarr"
    shutil.copytree(stack_files[1], store)
    make_old(store)
    return store


def make_old(store):
    """Put the attributes of the convention ``spatial`` on the groups, as version 0.1.0 did."""
    consolidated = store / ".zmetadata"
    root = json.loads(consolidated.read_text())
    for group in ("spatially_optimized", "temporally_optimized"):
        of_layer = json.loads((store / group / "dem" / ".zattrs").read_text())
        spatial = {name: of_layer[name] for name in of_layer if name.startswith("spatial:")}
        assert "spatial:dimensions" in spatial
        attributes = store / group / ".zattrs"
        old = {**json.loads(attributes.read_text()), **spatial}
        old["zarr_conventions"] = of_layer["zarr_conventions"]
        attributes.write_text(json.dumps(old))
        root["metadata"][f"{group}/.zattrs"] = old
        own = json.loads((store / group / ".zmetadata").read_text())
        own["metadata"][".zattrs"] = old
        (store / group / ".zmetadata").write_text(json.dumps(own))
    consolidated.write_text(json.dumps(root))


def is_old(store):
    def read(name):
        return (store / name).read_bytes() if (store / name).is_file() else b""

    return has_old_groups(read)


@pytest.mark.faults
@pytest.mark.parametrize("kind", ["netcdf", "zarr"])
def test_damaged_stacks_leave_qgis_alive(stack_files, tmp_path, kind):
    arguments = (tmp_path / "profile", stack_files[kind == "zarr"], tmp_path, SEED, SEED + NUMBER)
    done = subprocess.run(
        [sys.executable, "-c", _SESSION, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60 + 70 * NUMBER,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    tally = Tally(f"loading_{kind}", SEED)
    megabytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    for damage, (ok, sources, log) in zip(lines[::2], lines[1::2]):  # noqa: B905
        if "Traceback" in log or not (ok or str(tmp_path) in log or "The stack" in log):
            outcome = TRACEBACK
        elif ok != bool(sources):
            outcome = WRONG
        else:
            outcome = RIGHT if ok else REFUSED
        tally.add(outcome, log, damage, megabytes)
    if done.returncode or len(lines) != 2 * NUMBER:
        tally.add(CRASH, done.stderr[-2000:], lines[-1:], megabytes)
    tally.write()
    tally.check()


def test_a_good_stack_passes_and_its_chunks_are_read(stack_files):
    for path in stack_files:
        assert len(open_stack(path, QgsProcessingFeedback(False)).begins) == 6


@pytest.mark.parametrize(
    "units",
    [
        "days since 2020-13-45",
        "days since 9999-12-31",
        "days since 2020-01-01T25",
        "parsecs",
        "",
        7,
    ],
)
def test_times_that_are_none_are_told_in_a_sentence(stack_files, tmp_path, units):
    store = tmp_path / "stack.zarr"
    shutil.copytree(stack_files[1], store)
    path = "spatially_optimized/secondary_time/.zattrs"
    consolidated = json.loads((store / ".zmetadata").read_text())
    consolidated["metadata"][path]["units"] = units
    (store / ".zmetadata").write_text(json.dumps(consolidated))
    (store / path).write_text(json.dumps(consolidated["metadata"][path]))
    with pytest.raises(StackFileError, match=r"stack.*\.$"):
        open_stack(store)


def test_who_blocks_gdal_is_given_up_and_a_cancel_is_heard(tmp_path, monkeypatch):
    pipe = tmp_path / "stack.nc"
    os.mkfifo(pipe)  # GDAL waits for somebody who writes into it
    monkeypatch.setattr(trial, "SILENT_SECONDS", 2.0)
    with pytest.raises(StackFileError, match=r"stack\.nc is damaged: .* did not get on for 2 sec"):
        open_stack(pipe, QgsProcessingFeedback(False))
    monkeypatch.setattr(trial, "SILENT_SECONDS", 60.0)
    feedback = QgsProcessingFeedback(False)
    timer = threading.Timer(0.5, feedback.cancel)
    timer.start()
    with pytest.raises(StackFileError, match="canceled"):
        open_stack(pipe, feedback)
    timer.join()


def test_without_the_python_of_qgis_there_is_no_trial_and_a_word_about_it():
    feedback = QgsProcessingFeedback(False)
    verdict = trial.try_out("/a", {}, False, {}, feedback, pythons=[])
    assert (verdict.refused, verdict.killed) == ("", "")
    assert "without a trial" in feedback.textLog()


@pytest.mark.parametrize(
    ("platform", "prefix", "program", "python"),
    [
        ("win32", "apps/Python312", "bin/qgis-bin.exe", "apps/Python312/python.exe"),
        ("win32", "nowhere", "bin/qgis-ltr-bin.exe", "bin/python3.exe"),
        ("darwin", "Contents/MacOS", "Contents/MacOS/QGIS", "Contents/MacOS/bin/python3"),
        ("linux", "usr", "usr/bin/python3", "usr/bin/python3"),
        ("linux", "usr", "", "usr/bin/python3"),
    ],
)
def test_the_python_of_qgis_is_found(tmp_path, platform, prefix, program, python):
    for name in (program, python):
        if name:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
    found = trial.own_pythons(platform, str(tmp_path / prefix), str(tmp_path / program))
    assert found == [tmp_path / python]


def test_old_metadata_are_mended_on_request(old_store, algorithm, context, feedback):
    pixels = gdal.Open(str(old_store / "spatially_optimized" / "dem")).ReadRaster()
    assert is_old(old_store)
    given = {"INPUT": str(old_store), "VARIABLES": "unw_phase"}
    if gdal_version() >= (3, 13):
        assert not algorithm("loadstack").run(given, context, feedback)[1]
        assert "MEND=true" in feedback.textLog()
        assert "old.zarr" in feedback.textLog()
    else:
        assert algorithm("loadstack").run(given, context, feedback)[1]
    assert is_old(old_store), "nothing is changed unasked"
    group = old_store / "temporally_optimized"  # any way to name the store
    given |= {"INPUT": str(group), "MEND": True}
    results, ok = algorithm("loadstack").run(given, context, feedback)
    assert ok, feedback.textLog()
    assert len(results["LAYERS"]) == 1
    assert not is_old(old_store)
    assert gdal.Open(str(old_store / "spatially_optimized" / "dem")).ReadRaster() == pixels
    assert not list(old_store.rglob("*partial*"))


def test_time_series_of_a_layer_beside_an_old_store(old_store, stack_files):
    from hyp3_stack.processing_provider.layers.layer_source import Location

    netcdf = old_store.with_suffix(".nc")
    shutil.copy(stack_files[0], netcdf)
    reader = Readers().get(Location(netcdf, "", "unw_phase"))
    series = reader.read(30, 30)
    assert len(series.values) == 6
    assert reader.path == (netcdf if gdal_version() >= (3, 13) else old_store)
    if gdal_version() >= (3, 13):
        with pytest.raises(StackFileError, match="MEND=true"):
            Readers().get(Location(old_store, "temporally_optimized", "unw_phase"))


def test_mending_does_nothing_to_other_stacks(old_store, stack_files, algorithm, context, feedback):
    given = {"INPUT": str(old_store), "MEND": True, "VARIABLES": "dem"}
    assert algorithm("loadstack").run(given, context, feedback)[1]
    assert feedback.textLog().count("mended") == 1
    for path in (old_store, stack_files[0]):
        before = sorted((p, p.stat().st_mtime_ns) for p in (path, *path.rglob("*")))
        assert algorithm("loadstack").run({**given, "INPUT": str(path)}, context, feedback)[1]
        assert sorted((p, p.stat().st_mtime_ns) for p in (path, *path.rglob("*"))) == before
    assert feedback.textLog().count("mended") == 1


def test_a_store_of_format_3_is_mended_before_gdal_reads_it(
    product_folder, tmp_path, algorithm, context, feedback
):
    store = tmp_path / "three.zarr"
    build_stack(tmp_path, INPUT=product_folder, ZARR=store, ZARR_FORMAT=3, LAYERS="corr")
    path = store / "spatially_optimized" / "zarr.json"
    node = json.loads(path.read_text())
    node["attributes"]["spatial:dimensions"] = ["y", "x"]
    path.write_text(json.dumps(node))
    assert is_old(store)
    _, ok = algorithm("loadstack").run({"INPUT": str(store), "MEND": True}, context, feedback)
    assert ok == (gdal_version() >= (3, 11)), feedback.textLog()
    assert not is_old(store)
