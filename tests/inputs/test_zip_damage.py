"""Every task checks the zips that it reads; ``tests/faults/zips.py`` damages them everywhere."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from hyp3_stack.core.errors import StackError
from tests.sample_products import SampleStack

from ..running import assert_one_sentence, build, harmonize, samples, zip_product

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> SampleStack:
    """Two tiny products with all small files."""
    return samples(
        tmp_path_factory,
        products=2,
        rows=40,
        columns=44,
        neighbor_zone_share=0,
        layers=("unw_phase", "corr", "lv_theta", "water_mask"),
    )


@pytest.fixture(scope="module", params=[zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED], ids=str)
def zips(
    two: SampleStack, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> tuple[Path, ...]:
    """The products as zips, stored and packed."""
    folder = tmp_path_factory.mktemp("zips")
    return tuple(
        zip_product(product.path, folder / f"{product.name}.zip", request.param)
        for product in two.products
    )


@pytest.mark.parametrize("task", ["build", "skip", "append", "harmonize", "temporal", "warped"])
def test_every_task_checks_what_it_reads(zips: tuple[Path, ...], tmp_path: Path, task: str) -> None:
    damaged = bytearray(zips[1].read_bytes())
    with zipfile.ZipFile(zips[1]) as file:
        member = file.getinfo(f"{zips[1].stem}/{zips[1].stem}_corr.tif")
    damaged[member.header_offset + 150 + member.compress_size * 2 // 3] ^= 4
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / zips[0].name).symlink_to(zips[0])
    bad = folder / zips[1].name
    output = tmp_path / "s.nc"
    if task == "append":
        build(folder, NETCDF=output)
    before = output.read_bytes() if output.exists() else None
    bad.write_bytes(damaged)
    if task == "skip":
        run = build(folder, NETCDF=output, ON_BAD_PRODUCT="skip")
        assert (run.outputs["STEPS"], run.outputs["SKIPPED"]) == (1, 1)
        [said] = [text for text in run.warnings if "corr.tif" in text]
        assert str(bad) in said and zips[1].stem in said
        return
    with pytest.raises(StackError) as caught:
        if task == "harmonize":
            harmonize(folder, tmp_path / "out")
        elif task == "append":
            build(folder, NETCDF=output, APPEND=True)
        elif task == "temporal":
            build(folder, ZARR=tmp_path / "s.zarr", CHUNKING="temporal")
        else:
            crs = "EPSG:32610" if task == "warped" else None
            build(folder, NETCDF=output, **({"TARGET_CRS": crs} if crs else {}))
    assert_one_sentence(caught.value, zips[1].stem, f"{zips[1].stem}_corr.tif", str(bad))
    assert "retrieve the product again" in str(caught.value)
    assert (output.read_bytes() if output.exists() else None) == before
    assert not (tmp_path / "out" / zips[1].stem).exists()
    assert not (tmp_path / "s.zarr").exists()
