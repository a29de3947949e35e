"""What stacks say of their lattice, in any coordinate system."""

from __future__ import annotations

import shutil
from pathlib import Path

import netCDF4
import pytest
import xarray as xr

from tests.running import build, copy_products
from tests.sample_products import SampleStack
from tests.written_stacks import verdicts

HYP3 = (
    "the lattice of HyP3's own products: pixels of 80 m, centers at multiples of the spacing in "
    "UTM coordinates; "
)
POLAR = "WGS 84 / NSIDC Sea Ice Polar Stereographic North"


def convention(path: Path) -> str:
    with xr.open_dataset(path) as stack:
        return stack.attrs["gridding_convention"]


@pytest.mark.parametrize(
    ("count", "fate"),
    [
        (2, "all products are copied to it value for value"),
        (4, "3 of 4 products are copied to it value for value, the others resampled"),
    ],
)
def test_the_lattice_of_hyp3(small: SampleStack, tmp_path: Path, count: int, fate: str) -> None:
    copy_products(small, tmp_path / "in", count)
    path = build(tmp_path / "in", NETCDF=tmp_path / "s.nc").netcdf
    assert convention(path) == HYP3 + fate
    found = verdicts(path)
    assert found["gridconv", "threshold"].status == "met"
    assert found["gridconv", "goal"].explanation == (
        "edges lie half a pixel off; HyP3's own lattice is kept, so that products on it are copied"
    )


def test_appended_steps_count_as_they_were_made(small: SampleStack, tmp_path: Path) -> None:
    folders = copy_products(small, tmp_path / "in")
    last = folders[-1].rename(tmp_path / folders[-1].name)
    build(tmp_path / "in", NETCDF=tmp_path / "s.nc")
    last.rename(folders[-1])
    path = build(tmp_path / "in", NETCDF=tmp_path / "s.nc", APPEND=True).netcdf
    assert convention(path).endswith("3 of 4 products are copied to it value for value, the others "
                                     "resampled")  # fmt: skip


@pytest.fixture(scope="module")
def polar(small: SampleStack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("polar") / "s.nc"
    return build(small.folder, NETCDF=path, TARGET_CRS="EPSG:3413").netcdf


def test_another_coordinate_system(polar: Path) -> None:
    assert convention(polar) == (
        "a lattice of its own: pixels of 80 m, centers at multiples of the spacing in coordinates "
        f"of {POLAR}; all products are resampled to it"
    )
    found = verdicts(polar)
    threshold = found["gridconv", "threshold"]
    assert threshold.status == "met"
    assert not [text for text in threshold.evidence if "UTM" in text or "HyP3" in text]
    assert threshold.evidence[-1] == f"edges lie 0.5, 0.5 pixels off multiples in {POLAR}"
    assert found["gridconv", "goal"].explanation == (
        f"the tiles of 100 km are those of UTM, the stack is in {POLAR}"
    )


def test_a_coordinate_system_without_a_name(small: SampleStack, tmp_path: Path) -> None:
    crs = "+proj=laea +lat_0=35 +lon_0=-118 +datum=WGS84 +units=m"
    path = build(small.folder, NETCDF=tmp_path / "s.nc", TARGET_CRS=crs).netcdf
    assert "in coordinates of the CRS in crs_wkt; all" in convention(path)


def test_a_convention_of_another_coordinate_system(polar: Path, tmp_path: Path) -> None:
    """As stacks were written before."""
    shutil.copy(polar, tmp_path / "old.nc")
    with netCDF4.Dataset(tmp_path / "old.nc", "a") as file:
        file.gridding_convention = HYP3
    found = verdicts(tmp_path / "old.nc")["gridconv", "threshold"]
    assert found.status == "not met"
    assert found.explanation == f"gridding_convention speaks of UTM, the CRS is {POLAR}"
