"""From jobs to a stack in one run, on sample products in HyP3's formats."""

import shutil
from pathlib import Path

import pytest
import xarray as xr

from hyp3_stack.core.errors import (
    InconsistentProductsError,
    OutputError,
    RetrievalError,
    StackError,
)
from hyp3_stack.core.run.worker import run_task
from hyp3_stack.core.tasks import prepare_stack
from tests.hyp3_server import Fault, job_from_archive, make_job
from tests.sample_products import SampleSpec, write_products

from .products import FIRST_ORBIT

LAYERS = ("unw_phase", "corr", "dem")


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archives")
    spec = SampleSpec(products=4, rows=40, columns=40, layers=LAYERS, zipped=True, sidecars=False)
    write_products(folder, spec)
    return sorted(folder.glob("*.zip"))


@pytest.fixture
def jobs(service, archives):
    made = [job_from_archive(path, project="sample") for path in archives]
    service.add(*made)
    return made


@pytest.fixture
def prepare(service, credentials, reporter, tmp_path):
    def run(**more):
        parameters = {
            "API_URL": service.url,
            "FOLDER": str(tmp_path / "products"),
            "NETCDF": str(tmp_path / "stack.nc"),
            **more,
        }
        return run_task(prepare_stack, parameters, credentials, reporter)

    return run


def pairs(path):
    with xr.open_dataset(path, decode_coords="all") as stack:
        return {str(name) for name in stack["product_name"].values}


def test_one_run(prepare, jobs, tmp_path, service):
    outputs = prepare(ZARR=str(tmp_path / "stack.zarr"), PROJECT="sample")
    assert outputs["STEPS"] == 4
    assert pairs(outputs["NETCDF"]) == {job.archive.stem for job in jobs}
    with xr.open_zarr(tmp_path / "stack.zarr", group="spatially_optimized") as stack:
        assert set(LAYERS) <= set(stack.data_vars)
    shutil.rmtree(tmp_path / "stack.zarr")
    (tmp_path / "stack.nc").unlink()
    service.log.clear()
    assert prepare(PROJECT="sample")["STEPS"] == 4
    assert service.log.files() == []


def test_only_the_chosen_jobs_are_stacked(prepare, jobs, tmp_path):
    prepare()
    (tmp_path / "stack.nc").unlink()
    chosen = jobs[0]
    assert prepare(JOBS=chosen.job_id)["STEPS"] == 1
    assert pairs(tmp_path / "stack.nc") == {chosen.archive.stem}


def found(*jobs):
    """Return the layer that Find jobs makes of some jobs, as QGIS hands it over."""
    records = (job.record for job in jobs)
    features = [{"properties": {key: r[key] for key in ("job_id", "job_type")}} for r in records]
    return {"type": "FeatureCollection", "features": features}


def test_jobs_of_a_layer_are_stacked(prepare, jobs, tmp_path):
    prepare(FOUND_JOBS=found(jobs[0], jobs[2]))
    assert len(pairs(tmp_path / "stack.nc")) == 2


def test_a_layer_of_several_types_is_refused(prepare, jobs, service):
    other = make_job("R", "RTC_GAMMA")
    with pytest.raises(InconsistentProductsError, match=r"FOUND_JOBS .*INSAR_GAMMA, RTC_GAMMA"):
        prepare(FOUND_JOBS=found(jobs[0], other))
    assert not service.log.files()


def test_a_plan_writes_nothing(prepare, jobs, tmp_path, service, reporter):
    plan = prepare(PLAN_ONLY=True, FOLDER=str(tmp_path / "new" / "products"))
    assert not (tmp_path / "new").exists() and not (tmp_path / "stack.nc").exists()
    assert service.log.files() == []
    assert plan["STEPS"] == 4
    assert plan["DOWNLOAD"] == sum(job.archive.stat().st_size for job in jobs)
    assert "4 products are still to be downloaded" in " ".join(reporter.infos)


def test_a_plan_of_what_is_there_has_the_grid(prepare, jobs, tmp_path):
    made = prepare()
    (tmp_path / "stack.nc").unlink()
    plan = prepare(PLAN_ONLY=True)
    assert not (tmp_path / "stack.nc").exists()
    assert plan["DOWNLOAD"] == 0 < plan["BYTES"]
    assert [plan[name] for name in ("CRS", "WIDTH", "STEPS")] == [
        made[name] for name in ("CRS", "WIDTH", "STEPS")
    ]


def test_layers_are_fetched_one_by_one(prepare, jobs, tmp_path):
    prepare(LAYERS="corr")
    found = [path.stem.rpartition("_")[2] for path in tmp_path.glob("products/*/*.tif")]
    assert found == ["corr"] * 4


def test_proxies_do_not_get_into_the_stack(prepare, jobs, service):
    name = service.proxy_url.removeprefix("http://")
    outputs = prepare(PROXIES={"http": f"http://someone:hidden-word@{name}"})
    assert service.log.of("proxy")
    assert b"hidden-word" not in Path(outputs["NETCDF"]).read_bytes()
    with xr.open_dataset(outputs["NETCDF"]) as stack:
        assert "hidden-word" not in str(stack.attrs)


def test_ordered_again(prepare, jobs, service, archives, reporter, tmp_path):
    again = job_from_archive(archives[0])
    service.add(again)
    prepare()
    assert any("was ordered again" in text for text in reporter.infos)


def test_mixed_directions_are_refused_before_anything_is_fetched(
    prepare, jobs, stack, service, reporter
):
    stack.add_one(0, orbit=FIRST_ORBIT + 60, ascending=False)
    stack.add_one(5, orbit=FIRST_ORBIT + 60, ascending=True)
    with pytest.raises(InconsistentProductsError) as caught:
        prepare()
    text = str(caught.value)
    assert "choose one with PATHS and DIRECTION: " in text
    assert "path 65 ascending (1 job)" in text and "path 65 descending (1 job)" in text
    assert "(4 jobs)" in text
    assert service.log.files() == []


_RTC = "S1A_IW_20250420T135654_{}P_RTC{}_G_{}_7959"
_RTC_SCENE = "S1A_IW_GRDH_1S{}_20250420T135654_20250420T135723_058841_074ABD_E7BB"


@pytest.mark.parametrize(
    ("job_type", "names", "options", "said"),
    [
        (
            "INSAR_ISCE_BURST",
            ("S1_093117_IW2_20250718_20250730_VV_INT80_E09B",) * 2
            + ("S1_093118_IW2_20250718_20250730_VV_INT80_E09C",),
            {},
            "their bursts (093117_IW2 (2 jobs), 093118_IW2 (1 job)), so",
        ),
        (
            "INSAR_ISCE_BURST",
            (
                "S1_093117_IW2_20250718_20250730_VV_INT80_E09B",
                "S1_093117_IW2_20250718_20250730_VV_INT40_E09C",
            ),
            {},
            "their pixel spacing (40 m (1 job), 80 m (1 job)), so",
        ),
        (
            "INSAR_GAMMA",
            (
                "S1AA_20250718T172120_20250730T172120_VVP012_INT80_G_ueF_1000",
                "S1AA_20250718T172120_20250730T172120_HHP012_INT80_G_ueF_1001",
            ),
            {},
            "their polarization (HH (1 job), VV (1 job)), so",
        ),
        (
            "RTC_GAMMA",
            (_RTC.format("DV", 30, "gpuned"), _RTC.format("SV", 30, "gpuned")),
            {},
            "(VV (1 job), VV and VH (1 job)), so their products do not belong in one stack; "
            "choose those of one kind with JOBS, PROJECT or the other filters, or name in LAYERS "
            "only what all have (VV).",
        ),
        (
            "RTC_GAMMA",
            (_RTC.format("DV", 30, "gpuned"), _RTC.format("DV", 30, "gduned")),
            {},
            "their scale (decibel (1 job), power (1 job))",
        ),
        (
            "RTC_GAMMA",
            (_RTC.format("DV", 30, "gpuned"), _RTC.format("SV", 30, "sduned")),
            {"LAYERS": "VV", "SCALE": "power"},
            "their radiometry (gamma0 (1 job), sigma0 (1 job))",
        ),
    ],
)
def test_what_is_never_one_stack_shows_before_anything_is_fetched(
    prepare, service, job_type, names, options, said
):
    scene = {
        "INSAR_ISCE_BURST": "S1_093117_IW2_20250718T172122_VV_238F-BURST",
        "INSAR_GAMMA": "S1A_IW_SLC__1SDV_20250718T172120_20250718T172147_060141_077A2B_238F",
        "RTC_GAMMA": _RTC_SCENE.format("DV"),
    }[job_type]
    service.add(*[make_job(name, job_type, [scene], ascending=False) for name in names])
    with pytest.raises(InconsistentProductsError) as caught:
        prepare(JOB_TYPE=job_type, **options)
    assert said in str(caught.value)
    assert service.log.files() == []


def test_backscatter_that_options_make_one_stack_is_fetched(prepare, service):
    names = (_RTC.format("DV", 30, "gpuned"), _RTC.format("SV", 30, "gduned"))
    scene = _RTC_SCENE.format("DV")
    for name, scale in zip(names, ("power", "decibel"), strict=True):
        options = {"scale": scale}
        service.add(make_job(name, "RTC_GAMMA", [scene], ascending=False, options=options))
    with pytest.raises(RetrievalError, match="2 of 2 products did not arrive"):
        prepare(JOB_TYPE="RTC_GAMMA", LAYERS="VV_backscatter,ls_map", SCALE="power")


def test_a_missing_product_stops_or_is_skipped(prepare, jobs, service, reporter):
    service.faults.add(jobs[1].archive.name, Fault(times=-1, status=404))
    with pytest.raises(RetrievalError, match="1 of 4 products did not arrive"):
        prepare()
    outputs = prepare(ON_BAD_PRODUCT="skip")
    assert outputs["STEPS"] == 3
    assert any("1 of 4 products did not arrive" in text for text in reporter.warnings)


def test_wrong_options_show_before_anything_is_fetched(prepare, jobs, service, tmp_path):
    with pytest.raises(OutputError):
        prepare(NETCDF=None)
    with pytest.raises(Exception, match="CHUNKING"):
        prepare(CHUNKING="neither")
    assert service.log.files() == [] and service.log.of("api") == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"NETCDF": "/proc/none/s.nc"}, "/proc/none/s.nc cannot be written"),
        ({"FOLDER": "/proc/none/products"}, "FOLDER is /proc/none/products, which cannot be made"),
        ({"REPORT": "/proc/none/s.html"}, "/proc/none/s.html cannot be written"),
        ({"TARGET_CRS": "EPSG:4326"}, "is not a projected system in meters"),
        ({"TARGET_CRS": "EPSG:99999"}, "is not a coordinate reference system"),
        ({"LAYERS": "corr", "KEEP_BITS": "amp=7"}, "KEEP_BITS names amp, which is not in"),
        ({"LAYERS": "corr", "LOOK_VECTORS": True}, "LOOK_VECTORS needs the layers lv_theta"),
    ],
)
def test_what_can_be_known_shows_before_anything_is_fetched(
    prepare, jobs, service, tmp_path, options, said
):
    with pytest.raises(StackError, match=said):
        prepare(**options)
    assert service.log.files() == [] and service.log.of("api") == []
    assert not (tmp_path / "products").exists()


def test_layers_that_the_reference_point_needs_are_fetched(prepare, jobs, tmp_path):
    outputs = prepare(LAYERS="los_disp", REFERENCE_POINT="auto")
    found = {path.stem.rpartition("G_ueF_")[2][5:] for path in tmp_path.glob("products/*/*.tif")}
    assert found == {"unw_phase", "corr"}
    with xr.open_dataset(outputs["NETCDF"]) as stack:
        assert stack.los_disp.notnull().any() and "unw_phase" not in stack
        assert stack.attrs["summary"].endswith("After that, values were referenced to one pixel.")


def test_layers_are_fetched_that_others_are_computed_from(
    prepare, jobs, tmp_path, service, reporter
):
    outputs = prepare(LAYERS="corr,los_disp")
    with xr.open_dataset(outputs["NETCDF"]) as stack:
        assert {"corr", "los_disp"} <= set(stack.data_vars) and "unw_phase" not in stack
        assert stack.los_disp.notnull().any()
    found = {path.stem.rpartition("G_ueF_")[2][5:] for path in tmp_path.glob("products/*/*.tif")}
    assert found == {"corr", "unw_phase"}
    assert reporter.warnings[0] == (
        "4 products were made without the layer los_disp; stacks compute it where they have "
        "unw_phase."
    )
    (tmp_path / "stack.nc").unlink()
    service.log.clear()
    prepare(LAYERS="los_disp")
    assert {entry.file.rpartition("_ueF_")[2][5:] for entry in service.log.files()} == {
        "los_disp.tif"
    }


def test_extent_chooses_and_crops(prepare, jobs, tmp_path, service):
    ring = jobs[0].ring
    west, south = ring[0]
    east, north = ring[2]
    middle = (west + east) / 2
    outputs = prepare(EXTENT=f"{west},{middle},{south},{north} [EPSG:4326]")
    assert outputs["WIDTH"] < 40
    assert Path(outputs["NETCDF"]).exists()
