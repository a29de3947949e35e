"""Outputs are read back before they get their name: damage done meanwhile is found."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import netCDF4
import numpy as np
import pytest
import zarr

from hyp3_stack.core.errors import OutputError
from hyp3_stack.core.reporter import SilentReporter
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
        file["perpendicular_baseline"][2] = 0.125


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


def lose_chunks(path: Path) -> None:
    for group in GROUPS:
        for chunk in (path / group / "corr").glob("[0-9]*"):
            chunk.unlink()


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


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (shift_x, "x"),
        (change_a_baseline, "perpendicular_baseline"),
        (change_a_name, "product_name"),
        (change_the_crs, "the coordinate reference system"),
        (clear_a_layer, "the layer corr"),
        (flip_a_mask, "the layer water_mask"),
        (lose_chunks, "the layer corr"),
        (change_the_temporal_group, "the layer unw_phase"),
        (change_a_fill_value, "the fill value of corr"),
    ],
)
def test_damage_is_found(
    small: SampleStack, tmp_path: Path, change: Callable[[Path], None], part: str
) -> None:
    is_zarr = change in (lose_chunks, change_the_temporal_group, change_a_fill_value)
    output = tmp_path / ("s.zarr" if is_zarr else "s.nc")
    given = {"INPUT": str(small.folder), "ZARR" if is_zarr else "NETCDF": str(output)}
    reporter = Damager(tmp_path, change)
    with pytest.raises(OutputError) as caught:
        build_stack.run(given, None, reporter)
    assert reporter.changed == 1
    text = str(caught.value)
    assert text.startswith(f"{output} was written, but ")
    assert f"{part} does not read back as it should; the file was not kept" in text
    assert list(tmp_path.iterdir()) == []


def test_what_is_whole_passes(small: SampleStack, tmp_path: Path) -> None:
    reporter = Damager(tmp_path, lambda path: None)
    given = {"INPUT": str(small.folder), "NETCDF": str(tmp_path / "s.nc")}
    build_stack.run(given, None, reporter)
    assert reporter.changed == 1 and (tmp_path / "s.nc").is_file()
