"""Outputs are read back before they get their name: damage done meanwhile is found."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import h5py
import netCDF4
import numpy as np
import pytest
import zarr

from hyp3_stack.core.errors import OutputError
from hyp3_stack.core.run.reporter import SilentReporter
from hyp3_stack.core.tasks import build_stack
from tests.sample_products import SampleStack

GROUPS = ("spatially_optimized", "temporally_optimized")


class Damager(SilentReporter):
    """Changes an output after it was written, as a bad disk does."""

    def __init__(self, folder: Path, change: Callable[[Path], None]) -> None:
        super().__init__()
        self.folder = folder
        self.change = change
        self.changed = 0

    def info(self, text: str) -> None:
        super().info(text)
        if text.startswith("Reading the outputs back"):
            [partial] = self.folder.glob(".*.hyp3-partial-*/s.*")
            self.change(partial)
            self.changed += 1


def shift_x(path: Path) -> None:
    with netCDF4.Dataset(path, "a") as file:
        file["x"][:] = file["x"][:] + 40.0


def change_a_baseline(path: Path) -> None:
    with netCDF4.Dataset(path, "a") as file:
        file["perpendicular_baseline"][1] = 0.125


def change_a_name(path: Path) -> None:
    with netCDF4.Dataset(path, "a") as file:
        file["product_name"][0] = "S1AA"


def change_the_crs(path: Path) -> None:
    with netCDF4.Dataset(path, "a") as file:
        text = file["spatial_ref"].crs_wkt
        file["spatial_ref"].crs_wkt = text.replace("-123", "-117")


def clear_a_layer(path: Path) -> None:
    with netCDF4.Dataset(path, "a") as file:
        file.set_auto_mask(False)
        file["corr"][:] = np.nan


def flip_a_mask(path: Path) -> None:
    with netCDF4.Dataset(path, "a") as file:
        file.set_auto_mask(False)
        mask = file["water_mask"][:]
        file["water_mask"][:] = np.where(mask == 255, 255, 1 - np.minimum(mask, 1))


def change_the_temporal_group(path: Path) -> None:
    array = zarr.open_group(path, mode="r+", use_consolidated=False)[f"{GROUPS[1]}/unw_phase"]
    array[:] = array[:] + np.float32(1e-3)


def change_a_fill_value(path: Path) -> None:
    for name in (path / GROUPS[0] / ".zmetadata", path / ".zmetadata"):
        text = json.loads(name.read_text())
        for key, entry in text["metadata"].items():
            if key.endswith("corr/.zarray"):
                entry["fill_value"] = 0.0
        name.write_text(json.dumps(text))


def chunk_in_file(path: Path) -> tuple[int, int]:
    """Return position and size of the first chunk of the first pair: no sample is taken there."""
    with h5py.File(path, "r") as file:
        chunk = file["corr"].id.get_chunk_info(0)
        return chunk.byte_offset, chunk.size


def zero_bytes(path: Path) -> None:
    begin, size = chunk_in_file(path)
    with open(path, "r+b") as file:
        file.seek(begin + size // 2)
        file.write(bytes(size // 2))


def flip_a_bit(path: Path) -> None:
    begin, size = chunk_in_file(path)
    with open(path, "r+b") as file:
        file.seek(begin + size // 3)
        byte = file.read(1)[0]
        file.seek(begin + size // 3)
        file.write(bytes([byte ^ 4]))


def swap_pairs(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        one, two = (file["corr"].id.read_direct_chunk((step, 0, 0))[1] for step in (0, 1))
        file["corr"].id.write_direct_chunk((0, 0, 0), two)
        file["corr"].id.write_direct_chunk((1, 0, 0), one)


def lose_an_attribute_of_the_file(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        del file["unw_phase"].attrs["units"]


def cut_the_file(path: Path) -> None:
    os.truncate(path, path.stat().st_size * 2 // 3)


def chunk_file(path: Path, name: str = "corr/0.0.0") -> Path:
    return path / GROUPS[0] / name


def lose_a_chunk(path: Path) -> None:
    chunk_file(path).unlink()


def cut_a_chunk(path: Path) -> None:
    os.truncate(chunk_file(path), chunk_file(path).stat().st_size - 5)


def zero_a_chunk(path: Path) -> None:
    chunk_file(path).write_bytes(bytes(chunk_file(path).stat().st_size))


def flip_a_bit_of_a_chunk(path: Path) -> None:
    data = bytearray(chunk_file(path).read_bytes())
    data[-20] ^= 16
    chunk_file(path).write_bytes(data)


def swap_chunks(path: Path) -> None:
    one, two = chunk_file(path), chunk_file(path, "corr/1.0.0")
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)


def add_a_chunk(path: Path) -> None:
    """A later reader would take it for data of a larger stack, or of an empty place."""
    chunk_file(path, "corr/0.0.9").write_bytes(chunk_file(path).read_bytes())


def lose_a_chunk_of_series(path: Path) -> None:
    (path / GROUPS[1] / "unw_phase" / "0.0.0").unlink()


def lose_an_attribute(path: Path) -> None:
    text = json.loads((path / GROUPS[0] / "corr" / ".zattrs").read_text())
    del text["long_name"]
    (path / GROUPS[0] / "corr" / ".zattrs").write_text(json.dumps(text))


def lose_gathered_attributes(path: Path) -> None:
    text = json.loads((path / GROUPS[0] / ".zmetadata").read_text())
    del text["metadata"]["unw_phase/.zattrs"]["units"]
    (path / GROUPS[0] / ".zmetadata").write_text(json.dumps(text))


def change_the_document_of_an_array(path: Path) -> None:
    """Readers of what is gathered see nothing of it."""
    document = path / GROUPS[0] / "corr" / ".zarray"
    document.write_text(json.dumps({**json.loads(document.read_text()), "fill_value": 0.0}))


def flip_a_bit_of_a_shard(path: Path) -> None:
    shard = path / GROUPS[0] / "corr" / "c" / "0" / "0" / "0"
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(data)


NETCDF: dict[str, str] = {}
MAPS = {"ZARR": "s.zarr", "CHUNKING": "spatial", "LAYERS": "unw_phase,corr"}
SERIES = {**MAPS, "CHUNKING": "both"}
SHARDS = {**MAPS, "ZARR_FORMAT": "3", "SHARDING": "true"}


@pytest.mark.parametrize(
    ("options", "change", "part"),
    [
        (NETCDF, shift_x, "x"),
        (NETCDF, change_a_baseline, "perpendicular_baseline"),
        (NETCDF, change_a_name, "product_name"),
        (NETCDF, change_the_crs, "the coordinate reference system"),
        (NETCDF, clear_a_layer, "the layer corr"),
        (NETCDF, flip_a_mask, "the layer water_mask"),
        (NETCDF, zero_bytes, "the layer corr"),
        (NETCDF, flip_a_bit, "the layer corr"),
        (NETCDF, swap_pairs, "the layer corr"),
        (NETCDF, lose_an_attribute_of_the_file, "an attribute of unw_phase"),
        (NETCDF, cut_the_file, "the stack"),
        (MAPS, change_a_fill_value, "the fill value of corr"),
        (MAPS, lose_a_chunk, "the layer corr"),
        (MAPS, cut_a_chunk, "the layer corr"),
        (MAPS, zero_a_chunk, "the layer corr"),
        (MAPS, flip_a_bit_of_a_chunk, "the layer corr"),
        (MAPS, swap_chunks, "the layer corr"),
        (MAPS, add_a_chunk, "the layer corr"),
        (MAPS, lose_an_attribute, "an attribute of corr"),
        (MAPS, lose_gathered_attributes, "an attribute of unw_phase"),
        (MAPS, change_the_document_of_an_array, "the variable corr"),
        (SERIES, change_the_temporal_group, "the layer unw_phase"),
        (SERIES, lose_a_chunk_of_series, "the layer unw_phase"),
        (SHARDS, flip_a_bit_of_a_shard, "the layer corr"),
    ],
)
def test_damage_is_found(
    small: SampleStack,
    tmp_path: Path,
    options: dict[str, str],
    change: Callable[[Path], None],
    part: str,
) -> None:
    kind, name = ("ZARR", "s.zarr") if "ZARR" in options else ("NETCDF", "s.nc")
    given = {**options, "INPUT": str(small.folder), kind: str(tmp_path / name)}
    given["PRODUCTS"] = f"{small.products[0].name},{small.products[1].name}"
    reporter = Damager(tmp_path, change)
    with pytest.raises(OutputError) as caught:
        build_stack.run(given, None, reporter)
    assert reporter.changed == 1
    text = str(caught.value)
    assert text.startswith(f"{tmp_path / name} was written, but ")
    assert f"{part} does not read back as it should; the file was not kept" in text
    assert list(tmp_path.iterdir()) == []


def test_what_is_whole_passes(small: SampleStack, tmp_path: Path) -> None:
    reporter = Damager(tmp_path, lambda path: None)
    given = {"INPUT": str(small.folder), "NETCDF": str(tmp_path / "s.nc")}
    build_stack.run(given, None, reporter)
    assert reporter.changed == 1 and (tmp_path / "s.nc").is_file()
