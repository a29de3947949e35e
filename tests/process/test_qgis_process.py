"""What a user of ``qgis_process`` sees."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.build.dask_cluster import running_cluster
from tests.running import build

from .conftest import LIMIT_SECONDS, QGIS_PROCESS, changed

pytestmark = pytest.mark.qgis

SCRIPT = Path(__file__).with_name("scripted_core.py")


def sentences(text):
    return [line.removeprefix("ERROR:").strip() for line in text.splitlines() if line.strip()]


def program(folder, text):
    """Write an executable that the core is started with."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_build_and_harmonize(qgis_run, product_folder, tmp_path):
    netcdf, zarr = tmp_path / "out" / "stack.nc", tmp_path / "out" / "stack.zarr"
    netcdf.parent.mkdir()
    built = qgis_run(
        "hyp3:buildstack",
        INPUT=product_folder,
        NETCDF=netcdf,
        ZARR=zarr,
        LAYERS=["unw_phase", "corr"],
        ZARR_FORMAT=2,
        STAC=True,
    )
    assert built.returncode == 0, built.text
    item = netcdf.parent / "stack.stac" / "stack.json"
    assert built.outputs["STAC"] == str(item)
    hrefs = {asset["href"] for asset in json.loads(item.read_text())["assets"].values()}
    groups = ("spatially_optimized", "temporally_optimized")
    assert hrefs == {"../stack.nc", *(f"../stack.zarr/{group}" for group in groups)}
    assert built.outputs["NETCDF"] == str(netcdf)
    assert built.outputs["ZARR"] == str(zarr)
    assert built.outputs["STEPS"] == 6
    assert built.outputs["CRS"].startswith("EPSG:326")
    assert built.outputs["LAYERS"] == [
        f'NETCDF:"{netcdf}":{name}' for name in ("unw_phase", "corr", "data_mask", "mask_reason")
    ]
    assert netcdf.is_file()
    assert (zarr / "spatially_optimized").is_dir()

    loaded = qgis_run("hyp3:loadstack", {"HYP3_STACK_PYTHON": None}, INPUT=netcdf)
    assert loaded.outputs["LAYERS"] == built.outputs["LAYERS"]
    assert "Warning" not in loaded.text.replace("DeprecationWarning", "")  # QGIS's own

    harmonized = qgis_run("hyp3:harmonizeproducts", INPUT=product_folder, OUTPUT=tmp_path / "h")
    assert harmonized.returncode == 0, harmonized.text
    assert harmonized.outputs["COPIED"] + harmonized.outputs["WARPED"] == 6
    assert len(list((tmp_path / "h").rglob("*_corr.tif"))) == 6


@pytest.fixture(scope="module")
def kinds(qgis_run, product_folder, tmp_path_factory):
    """A build with values of all kinds, by a Dask cluster: the run, its cluster and its store."""
    folder = tmp_path_factory.mktemp("kinds")
    days = sorted({path.name.split("_")[1][:8] for path in product_folder.iterdir()})
    start = f"{days[1][:4]}-{days[1][4:6]}-{days[1][6:]}"
    plain = build(product_folder, NETCDF=folder / "a.nc", START=start)
    text = next(line for line in plain.infos if line.startswith("Grid:"))
    x, y = (float(word.strip(",.")) for word in text.split()[-2:])
    store = folder / "b.zarr"
    with running_cluster(folder) as cluster:
        cluster.add_worker()
        done = qgis_run(
            "hyp3:buildstack",
            INPUT=product_folder,
            ZARR=store,
            # The bounds in the CRS of the grid, four pixels off the corner.
            EXTENT=f"{x + 320},{x + 3520},{y - 3520},{y - 320} [{plain.outputs['CRS']}]",
            START=start,
            KEEP_BITS="corr=7",
            LAYERS="corr",
            MASKS=False,
            CHUNKING="spatial",
            SHARDING=True,
            ZARR_FORMAT="3",
            MEMORY=500,
            SCHEDULER=cluster.address,
        )
    assert done.returncode == 0, done.text
    return done, plain.outputs["STEPS"], cluster.address, store


def test_all_kinds_of_parameters_arrive_in_the_core(kinds):
    """Extents, dates, numbers, switches and texts."""
    done, steps, _, store = kinds
    assert (done.outputs["WIDTH"], done.outputs["HEIGHT"]) == (40, 40)
    assert done.outputs["STEPS"] == steps < 6
    assert len(done.outputs["LAYERS"]) == 1
    assert "KEEP_BITS: corr keeps 7 bits, so values change by at most 0.39 %" in done.text
    assert "sharding_indexed" in (store / "spatially_optimized/corr/zarr.json").read_text()


def test_a_dask_cluster_does_the_work(kinds):
    done, _, address, store = kinds
    assert f"The work is done by the Dask cluster {address}: 1 workers" in done.text
    assert done.outputs["ZARR"] == str(store) and store.is_dir()


def test_wrong_values_are_one_sentence_before_the_start(qgis_run):
    done = qgis_run("hyp3:buildstack", INPUT="/")
    assert done.returncode == 1
    sentence = "There is nothing to write: choose a NETCDF file, a ZARR store or a ZARR_URL."
    assert sentence in sentences(done.text)
    assert "Traceback" not in done.text


def test_a_failure_of_the_core_is_one_sentence(qgis_run, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    done = qgis_run("hyp3:buildstack", INPUT=empty, NETCDF=tmp_path / "x.nc")
    assert done.returncode == 1
    assert any(str(empty) in line and "no HyP3 products" in line for line in sentences(done.text))
    assert "Traceback" not in done.text
    assert list(tmp_path.iterdir()) == [empty]


def test_without_a_core_environment(qgis_run, tmp_path):
    environ = {"HYP3_STACK_PYTHON": None}
    done = qgis_run("hyp3:buildstack", environ, INPUT=tmp_path, NETCDF=tmp_path / "x.nc")
    assert done.returncode == 1
    assert "run hyp3:setupenvironment" in done.text
    assert "Traceback" not in done.text


def test_an_old_python_as_base_is_refused(qgis_run, tmp_path, profile):
    python = program(tmp_path, "echo hyp3 3 9 1")
    done = qgis_run("hyp3:setupenvironment", PYTHON=python)
    assert done.returncode == 1
    assert f"PYTHON is {python}, a Python 3.9; HyP3 Stack needs 3.11 to 3.14." in done.text
    assert not (profile / "hyp3_stack" / "environment").exists()


@pytest.fixture
def waiting(qgis_environment, tmp_path):
    """A running ``qgis_process`` whose core waits for its cancel."""
    marker = tmp_path / "started"
    wrapper = tmp_path / "waiting_core.py"
    wrapper.write_text(
        "import os, sys\n"
        f"sys.path.insert(0, {str(SCRIPT.parent)!r})\n"
        "import scripted_core\n"
        "class Task:\n"
        "    def run(self, parameters, credentials, reporter):\n"
        f"        open({str(marker)!r}, 'w').write(str(os.getpid()))\n"
        f"        given = {{'PARTIAL': {str(tmp_path / 'x.nc.part')!r}}}\n"
        "        return scripted_core.wait_for_cancel(given, credentials, reporter)\n"
        "sys.modules['hyp3_stack.core.tasks.build_stack'] = Task()\n"
        "sys.exit(scripted_core.main([]))\n"
    )
    python = program(tmp_path, f"exec '{sys.executable}' '{wrapper}'")
    process = subprocess.Popen(
        [QGIS_PROCESS, "run", "hyp3:buildstack", "--", "INPUT=/", f"NETCDF={tmp_path / 'x.nc'}"],
        env=changed(qgis_environment, {"HYP3_STACK_PYTHON": str(python)}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    while not (tmp_path / "x.nc.part").exists():
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.1)
    yield process, int(marker.read_text()), tmp_path
    process.kill()
    process.wait(LIMIT_SECONDS)


def gone(pid):
    for _ in range(300):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        # A process that has ended but was not waited for by its (killed) parent's parent.
        status = Path(f"/proc/{pid}/stat")
        if status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.1)
    return False


def test_interrupt_cancels_the_core_and_leaves_nothing(waiting):
    process, core, folder = waiting
    process.send_signal(signal.SIGINT)
    text, _ = process.communicate(timeout=LIMIT_SECONDS)
    assert process.returncode == 1
    assert "canceled" in text
    assert gone(core)
    assert not list(folder.glob("x.nc*"))


def test_a_killed_qgis_takes_the_core_with_it(waiting):
    process, core, folder = waiting
    process.kill()
    process.wait(LIMIT_SECONDS)
    assert gone(core)
    assert not list(folder.glob("x.nc*"))
