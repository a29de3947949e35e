"""How a stack is stored, as the log and the report tell it."""

from __future__ import annotations

import math
from pathlib import Path

import netCDF4
import pytest
import zarr

from hyp3_stack.core.assessment.assess import assess_stack
from hyp3_stack.core.assessment.page import assessment_page
from hyp3_stack.core.files.chunking import Layout, amount
from tests.running import Run, build
from tests.sample_products import SampleStack

GROUPS = ("spatially_optimized", "temporally_optimized")


def test_numbers_of_a_known_layout() -> None:
    maps = Layout("maps", (30, 2140, 2131), (1, 714, 712))
    assert (maps.for_map, maps.for_series, maps.count) == (9, 30, 270)
    assert maps.megabytes == pytest.approx(2.033472)
    assert maps.describe() == (
        "maps serves maps: chunks of 1 x 714 x 712 (steps x rows x columns, 2.0 MB), 270 for a "
        "layer; a map reads 9 chunks (18.3 MB), the series of a pixel 30 chunks (61.0 MB)."
    )
    series = Layout("series", (30, 2140, 2131), (30, 180, 178), (30, 360, 356))
    assert (series.for_map, series.for_series, series.count) == (144, 1, 144)
    assert "serves series of pixels" in series.describe()
    assert ", in shards of 30 x 360 x 356, 144 for a layer" in series.describe()
    assert "the series of a pixel 1 chunk (3.8 MB)" in series.describe()
    assert "maps and series" in Layout("all", (3, 9, 9), (3, 9, 9)).purpose
    assert [amount(size) for size in (0.00123, 1.26, 99.6, 1234.5)] == [
        "0.001 MB", "1.3 MB", "100 MB", "1,234 MB",
    ]  # fmt: skip


@pytest.fixture(scope="module")
def run(small: SampleStack, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("layout")
    return build(
        small.folder,
        NETCDF=folder / "s.nc",
        ZARR=folder / "s.zarr",
        REPORT=folder / "s.html",
        ZARR_FORMAT="3",
        SHARDING=True,
        CHUNK_SIZE=0.01,
        LAYERS="unw_phase,corr",
        KEEP_BITS="corr=7",
    )


def test_the_log_tells_what_is_on_disk(run: Run) -> None:
    def line(label: str) -> str:
        [found] = [text for text in run.infos if text.startswith(f"{label} serves")]
        return found

    with netCDF4.Dataset(run.netcdf) as file:
        chunks = file["corr"].chunking()
    assert f"chunks of {' x '.join(map(str, chunks))} (" in line("NetCDF")
    for group, purpose in zip(GROUPS, ("maps", "series of pixels"), strict=True):
        array = zarr.open_array(run.zarr, path=f"{group}/corr", mode="r")
        text = line(group)
        assert f"{group} serves {purpose}: " in text
        assert f"chunks of {' x '.join(map(str, array.chunks))} (" in text
        assert f"in shards of {' x '.join(map(str, array.shards))}, {array.nchunks} for" in text
        whole = [-(-size // part) for size, part in zip(array.shape, array.chunks, strict=True)]
        assert f"a map reads {math.prod(whole[1:])} chunk" in text
        assert f"the series of a pixel {whole[0]} chunk" in text


def test_the_report_shows_each_layout(run: Run) -> None:
    page = Path(run.outputs["REPORT"]).read_text()
    assert "<h2>Layout</h2>" in page and "<td>s.nc</td><td>maps</td>" in page
    for group, purpose in zip(GROUPS, ("maps", "series of pixels"), strict=True):
        assert f"<td>s.zarr/{group}</td><td>{purpose}</td>" in page
    assert "corr to 7 bits" in page
    assessment = assess_stack(run.zarr)
    assert [layout.label for layout in assessment.layouts] == [f"s.zarr/{g}" for g in GROUPS]
    for layout, group in zip(assessment.layouts, GROUPS, strict=True):
        array = zarr.open_array(run.zarr, path=f"{group}/unw_phase", mode="r")
        assert layout.shape == array.shape and layout.chunks == array.chunks
        assert layout.shards == array.shards and layout.itemsize == 4
        assert f"<td>{layout.label}</td>" in assessment_page(assessment)


def test_plain_stores_have_no_shards(built: Run) -> None:
    for layout in assess_stack(built.zarr).layouts:
        assert layout.shards is None and layout.count == layout.for_map * layout.for_series
