"""Single layers of products, where the server gives them out."""

import zipfile

import pytest

from hyp3_stack.core.errors import RetrievalError
from tests.hyp3_server import Fault, make_job
from tests.hyp3_server.faults import page

from .downloads import assert_complete


def test_layers_one_by_one(stack, download):
    job = stack.add_one(0, layers=("unw_phase", "corr", "amp"))
    outputs = download(LAYERS="corr")
    product = job.archive.stem
    expected = {f"{product}_corr.tif", f"{product}.txt", f"{product}.README.md.txt"}
    assert {path.name for path in (download.folder / product).iterdir()} == expected
    assert outputs["BYTES"] < job.archive.stat().st_size / 2
    stack.service.log.clear()
    assert download(LAYERS="corr")["SKIPPED"] == 1
    assert stack.service.log.files() == []
    download(LAYERS="corr,amp")
    assert (download.folder / product / f"{product}_amp.tif").exists()
    stack.service.log.clear()
    assert download(LAYERS="amp")["SKIPPED"] == 1 and stack.service.log.files() == []
    assert download()["DOWNLOADED"] == 1
    assert_complete(download.folder, job)
    assert download(LAYERS="unw_phase")["SKIPPED"] == 1


def test_layer_that_a_product_does_not_have(stack, download):
    stack.add(2)
    download(LAYERS="corr,dem")
    assert download.reporter.warnings == ["2 products were made without the layer dem."]
    stack.service.log.clear()
    outputs = download(LAYERS="corr,dem")
    assert (outputs["SKIPPED"], outputs["DOWNLOADED"]) == (2, 0)
    assert [entry.file.rpartition("_")[2] for entry in stack.service.log.files()] == ["dem.tif"] * 2
    assert download.reporter.warnings == ["2 products were made without the layer dem."]


def test_layer_that_every_product_has_and_the_server_denies_once(stack, download):
    job, _ = stack.add(2)
    product = job.archive.stem
    stack.service.faults.add(f"{product}_corr.tif", Fault(status=403))
    with pytest.raises(RetrievalError) as caught:
        download(LAYERS="unw_phase,corr")
    assert str(caught.value).startswith("1 of 2 products did not arrive")
    assert f"does not give out corr of {product}, which was made with it; run" in str(caught.value)
    stack.service.log.clear()
    outputs = download(LAYERS="unw_phase,corr")
    assert (outputs["SKIPPED"], outputs["DOWNLOADED"]) == (1, 1)
    # Nobody told how long that layer is, so the server is asked for what follows, which is nothing.
    assert {entry.status for entry in stack.service.log.files(f"{product}_unw_phase.tif")} == {416}
    assert (download.folder / product / f"{product}_corr.tif").exists()


def test_layer_that_was_ordered_and_the_server_denies(stack, download):
    job = stack.add_one(0, layers=("corr", "dem"), options={"include_dem": True})
    stack.service.faults.add(f"{job.archive.stem}_dem.tif", Fault(status=404))
    with pytest.raises(RetrievalError, match="does not give out dem"):
        download(LAYERS="corr,dem")
    assert download(LAYERS="corr,dem")["DOWNLOADED"] == 1


def test_layer_that_was_denied_comes_once_it_is_there(stack, download):
    job = stack.add_one(0, layers=("corr", "water_mask"))
    product = job.archive.stem
    stack.service.faults.add(f"{product}_water_mask.tif", Fault(status=403))
    download(LAYERS="corr,water_mask")
    (warning,) = download.reporter.warnings
    assert warning == "1 products were made without the layer water_mask."
    stack.service.log.clear()
    assert download(LAYERS="corr,water_mask")["DOWNLOADED"] == 1
    assert download.reporter.warnings == []
    asked = {entry.file for entry in stack.service.log.files()}
    assert asked == {f"{product}_water_mask.tif"}
    assert {path.name for path in (download.folder / product).iterdir()} == {
        f"{product}{end}" for end in ("_corr.tif", "_water_mask.tif", ".txt", ".README.md.txt")
    }
    (entry,) = download.manifest
    assert (entry["layers"], entry["absent"]) == (["corr", "water_mask"], [])


@pytest.mark.parametrize("lost", ["VH", "ls_map"])
def test_backscatter_has_the_polarizations_of_its_name(service, stack, download, lost):
    name = "S1A_IW_20250420T135654_DVP_RTC30_G_gpuned_7959"
    scene = "S1A_IW_GRDH_1SDV_20250420T135654_20250420T135723_058841_074ABD_E7BB"
    archive = stack.folder / f"{name}.zip"
    stack.folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(archive, "w") as file:
        for layer in ("VV", "VH", "ls_map"):
            file.writestr(f"{name}/{name}_{layer}.tif", b"II*\0")
    service.add(make_job(name, "RTC_GAMMA", [scene], archive=archive))
    service.faults.add(f"{name}_{lost}.tif", Fault(status=403))
    with pytest.raises(RetrievalError, match=f"does not give out {lost} of {name}"):
        download(JOB_TYPE="RTC_GAMMA", LAYERS="VV,VH,ls_map")
    download(JOB_TYPE="RTC_GAMMA", LAYERS="VV,VH,ls_map,HH")
    assert len(list((download.folder / name).glob("*.tif"))) == 3
    assert download.reporter.warnings == ["1 products were made without the layer HH."]


def test_damaged_layers_are_fetched_again_with_others(stack, download):
    job = stack.add_one(0, layers=("corr", "amp"))
    download(LAYERS="corr")
    product = job.archive.stem
    (download.folder / product / f"{product}_corr.tif").unlink()
    assert download(LAYERS="amp")["DOWNLOADED"] == 1
    assert len(list((download.folder / product).glob("*.tif"))) == 2
    assert download(LAYERS="corr,amp")["SKIPPED"] == 1


def test_layers_from_a_server_with_archives_only(stack, download):
    job = stack.add_one(0)
    stack.service.single_files = False
    download(LAYERS="corr")
    assert_complete(download.folder, job)


def test_layers_of_bursts_have_another_readme(stack, download, service):
    name = "S1_093117_IW2_20250718_20250730_VV_INT80_E09B"
    first = "S1_093117_IW2_20250718T172122_VV_238F-BURST"
    archive = stack.folder / f"{name}.zip"
    stack.folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(archive, "w") as file:
        for suffix in ("_corr.tif", ".txt", "_README.md.txt", "_lat_rdr.tif"):
            file.writestr(f"{name}/{name}{suffix}", b"II*\0")
    service.add(make_job(name, "INSAR_ISCE_BURST", [first], archive=archive))
    download(JOB_TYPE="INSAR_ISCE_BURST", LAYERS="corr")
    found = {path.name.removeprefix(name) for path in (download.folder / name).iterdir()}
    assert found == {"_corr.tif", ".txt", "_README.md.txt"}


def test_page_in_place_of_a_layer(stack, download):
    """A server, or a filter, that gives out no rasters may still give out the archive."""
    job = stack.add_one(0)
    stack.service.faults.add(f"{job.archive.stem}_corr.tif", page(200, "Blocked", times=-1))
    assert download(LAYERS="corr")["DOWNLOADED"] == 1
    assert_complete(download.folder, job)
    assert download.leftovers() == []


def test_filter_that_refuses_a_layer(stack, download):
    """A layer that something on the way refuses is not one that the product lacks."""
    job = stack.add_one(0, layers=("unw_phase", "corr", "dem"))
    stack.service.faults.add(f"{job.archive.stem}_dem.tif", page(403, "Blocked", times=-1))
    with pytest.raises(RetrievalError, match=r"by a firewall or a web filter .*\(Blocked\)"):
        download(LAYERS="corr,dem")
    assert download.visible() == []


def test_filter_that_answers_everything(stack, download):
    job = stack.add_one(0)
    for name in (job.archive.name, *(f"{job.archive.stem}{end}" for end in (".txt", "_corr.tif"))):
        stack.service.faults.add(name, page(200, "Blocked", times=-1))
    with pytest.raises(
        RetrievalError, match=r"A web page \(Blocked\) arrives in place of \S+\.zip"
    ):
        download(LAYERS="corr")
    assert download.visible() == [] and download.leftovers() == []


def test_layer_that_does_not_end(stack, download):
    job = stack.add_one(0)
    job.record["files"][0]["size"] = job.archive.stat().st_size
    endless = Fault(content=b"II*\0" + b"x" * (1 << 22), kind="image/tiff", endless=True, times=-1)
    stack.service.faults.add(f"{job.archive.stem}_corr.tif", endless)
    # The archive has the layer, too, and a size.
    assert download(LAYERS="corr")["DOWNLOADED"] == 1
    assert_complete(download.folder, job)
    assert download.leftovers() == []
