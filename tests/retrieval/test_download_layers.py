"""Single layers of products, where the server gives them out."""

import zipfile

from tests.hyp3_server import make_job

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
    assert download(LAYERS="corr,dem")["SKIPPED"] == 2
    assert stack.service.log.files() == []


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
