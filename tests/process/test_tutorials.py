"""The commands of the tutorials, run as they stand, one after the other.

Only the address of the service is added, which here is one on this machine.
"""

import re
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

from tests.hyp3_server import Hyp3Service, jobs_from_archives
from tests.sample_products import SampleSpec, write_products

from .conftest import LIMIT_SECONDS, ROOT

pytestmark = pytest.mark.qgis

BLOCK = re.compile(r"^```(bash|python)\n(.*?)^```", re.DOTALL | re.MULTILINE)
ONLINE = re.compile(r"(hyp3:(?:findjobs|downloadproducts|preparestack) --)")


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """The service that the tutorials assume, with a project of each kind."""
    folder = tmp_path_factory.mktemp("service")
    small = {"rows": 120, "columns": 130, "zipped": True}
    write_products(
        folder / "my project", SampleSpec(products=3, layers=("unw_phase", "corr"), **small)
    )
    write_products(
        folder / "flood",
        SampleSpec(products=3, product_type="RTC_GAMMA", layers=("VV", "VH", "ls_map"), **small),
    )
    with Hyp3Service() as running:
        running.add(*jobs_from_archives(folder.rglob("*.zip")))
        yield running


@pytest.fixture
def follow(qgis_environment, service, tmp_path):
    """Return a function that runs the commands of a tutorial in an empty folder."""
    environ = {
        **qgis_environment,
        **service.environment,
        "HYP3_STACK_CACHE": str(tmp_path / "cache"),
        "EARTHDATA_TOKEN": service.accounts.token(service.user.name),
    }

    def run(tutorial):
        text = (ROOT / "docs" / "tutorials" / tutorial).read_text(encoding="utf-8")
        blocks = BLOCK.findall(text)
        assert blocks
        for language, code in blocks:
            code = ONLINE.sub(rf"\1 API_URL={service.url}", code)
            program = ["bash", "-euc"] if language == "bash" else [sys.executable, "-c"]
            done = subprocess.run(
                [*program, code],
                cwd=tmp_path,
                env=environ,
                capture_output=True,
                text=True,
                timeout=LIMIT_SECONDS,
            )
            assert done.returncode == 0, f"{code}\n{done.stdout}\n{done.stderr}"
        return tmp_path

    return run


def test_your_project(follow):
    folder = follow("your-project.md")
    assert (folder / "jobs.gpkg").is_file()
    assert "Sentinel-1" in (folder / "stack.html").read_text(encoding="utf-8")
    with xr.open_dataset(folder / "stack.nc") as stack:
        assert stack.sizes["pair"] == 3
    assert (folder / "stack.zarr" / "temporally_optimized").is_dir()


def test_backscatter(follow):
    folder = follow("backscatter.md")
    with xr.open_zarr(folder / "rtc.zarr", group="temporally_optimized") as stack:
        assert stack["VV_backscatter"].attrs["units"] == "0.1 lg(re 1)"
        assert stack.sizes["time"] == 3


def test_from_pairs_to_velocity(follow, tmp_path):
    layers = ("unw_phase", "corr", "lv_theta", "lv_phi", "dem", "water_mask")
    write_products(
        tmp_path / "products", SampleSpec(products=6, rows=120, columns=130, layers=layers)
    )
    folder = follow("velocity.md")
    assert "velocity" in (folder / "displacement.html").read_text(encoding="utf-8")
    with xr.open_dataset(folder / "displacement.nc") as stack:
        assert np.isfinite(stack["velocity"]).sum() > 1000
