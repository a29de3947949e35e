"""Damage anywhere in a zip never costs a pixel or a fact without a word.

The number of zips is that of ``HYP3_STACK_DAMAGED_ZIPS``.
"""

from __future__ import annotations

import os
import random
import struct
import zipfile
from pathlib import Path

import pytest
import xarray as xr

from hyp3_stack.core.errors import StackError
from tests.sample_products import SampleStack

from .running import assert_one_sentence, build, harmonize, samples, zip_product

SEED = 17
NUMBER = int(os.environ.get("HYP3_STACK_DAMAGED_ZIPS", "12"))


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


def facts(path: Path) -> xr.Dataset:
    """Return what a stack holds, without what tells when and from which files it was made."""
    with xr.open_dataset(path) as stack:
        kept = stack.load()
    kept.attrs = {
        name: value
        for name, value in kept.attrs.items()
        if name not in ("history", "id", "hyp3_stack_record") and not name.startswith("date_")
    }
    return kept


def places(archive: Path) -> dict[str, list[range]]:
    """Return the bytes of a zip by what they are."""
    found: dict[str, list[range]] = {"data": [], "headers": [], "text": [], "directory": []}
    with zipfile.ZipFile(archive) as file:
        for member in file.infolist():
            file.fp.seek(member.header_offset + 26)  # type: ignore[union-attr]
            lengths = struct.unpack("<HH", file.fp.read(4))  # type: ignore[union-attr]
            begin = member.header_offset + 30 + sum(lengths)
            kind = "data" if member.filename.endswith(".tif") else "text"
            if member.filename.endswith((".tif", ".txt")):
                found[kind].append(range(begin, begin + member.compress_size))
                found["headers"].append(range(member.header_offset, begin))
        found["directory"] = [range(file.start_dir, archive.stat().st_size)]
    return found


@pytest.mark.slow
def test_single_bits(zips: tuple[Path, ...], tmp_path: Path) -> None:
    good = facts(build(zips[0].parent, NETCDF=tmp_path / "good.nc").netcdf)
    chance = random.Random(SEED)
    content = zips[0].read_bytes()
    kinds = places(zips[0])
    refused = 0
    for number in range(NUMBER):
        kind = list(kinds)[number % len(kinds)]
        place = chance.choice(chance.choice(kinds[kind]))
        bit = chance.randrange(8)
        damaged = bytearray(content)
        damaged[place] ^= 1 << bit
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / zips[0].name).write_bytes(damaged)
        (folder / zips[1].name).symlink_to(zips[1])
        what = f"seed {SEED}, zip {number}: bit {bit} of byte {place} ({kind})"
        try:
            run = build(folder, NETCDF=folder / "s.nc")
        except StackError as error:
            refused += 1
            assert_one_sentence(error, zips[0].stem)
            assert not (folder / "s.nc").exists(), what
            continue
        # Some bits mean nothing: times of files, what fills up the last byte of packed data.
        found = facts(run.netcdf)
        assert found.identical(good), what
    assert refused >= NUMBER // 2


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
