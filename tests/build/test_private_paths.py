"""What is published does not tell where on whose computer it was made."""

from __future__ import annotations

import shutil
from pathlib import Path

import xarray as xr

from hyp3_stack.core.run.reporter import SilentReporter
from hyp3_stack.core.tasks import assess_stack
from tests.sample_products import SampleStack

from ..running import build


def test_no_folder_of_the_user_gets_into_what_is_published(
    small: SampleStack, tmp_path: Path
) -> None:
    home = tmp_path / "home of jane"
    shutil.copytree(small.folder, home / "products")
    given = {"NETCDF": home / "s.nc", "ZARR": home / "s.zarr", "REPORT": home / "s.html"}
    build(home / "products", **given, STAC=True, LAYERS="corr")
    assess_stack.run(
        {"INPUT": f"{home}/s.zarr", "OUTPUT": f"{home}/a.html", "JSON": f"{home}/a.json"},
        None,
        SilentReporter(),
    )
    written = [path for path in home.rglob("*") if path.is_file() and "products" not in path.parts]
    assert {path.suffix for path in written} >= {".nc", ".html", ".json"}
    for path in written:
        assert b"home of jane" not in path.read_bytes(), path
    with xr.open_dataset(home / "s.nc") as stack:
        assert "INPUT=products LAYERS=corr NETCDF=s.nc REPORT=s.html" in stack.attrs["history"]
