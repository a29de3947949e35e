"""Static layers of harmonized products are complete wherever any product has them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from hyp3_stack.core.errors import OutputError, ProductError
from hyp3_stack.core.files.static_fill import StaticMap, fills_of
from hyp3_stack.core.grid.plan import GridOptions, make_plan
from hyp3_stack.core.machine.blocks import BAND_BYTES
from hyp3_stack.core.raster.layer_reader import gdal_environment
from hyp3_stack.core.run.reporter import SilentReporter
from hyp3_stack.core.selection.selection import SelectionOptions, select_products
from tests.build.disk import mounted
from tests.running import (
    Run,
    contents,
    copy_products,
    damage_layer,
    harmonize,
    layer_file,
    leftovers,
    pack_product,
    samples,
    traced_peak,
)
from tests.sample_products import SampleStack
from tests.truth import Positions, difference

from .conftest import STATIC, folder_of

EPSG = 32610


@pytest.fixture(scope="module")
def angles(tmp_path_factory: pytest.TempPathFactory) -> SampleStack:
    """Three small interferograms that cover different ground, one in the neighboring zone."""
    return samples(
        tmp_path_factory,
        products=3,
        rows=60,
        columns=64,
        noise=False,
        layers=("unw_phase", "lv_theta", "water_mask"),
        sidecars=False,
    )


def read(folder: Path, layer: str) -> np.ndarray:
    with rasterio.open(layer_file(folder, layer)) as file:
        return file.read(1)


def positions(folder: Path, layer: str, step: int = 1) -> Positions:
    with rasterio.open(layer_file(folder, layer)) as file:
        rows, columns = np.arange(0, file.height, step), np.arange(0, file.width, step)
        x, _ = file.transform * (columns + 0.5, 0)
        _, y = file.transform * (0, rows + 0.5)
        return Positions(x, y, EPSG, file.transform.a)


def held(folder: Path, layer: str) -> np.ndarray:
    """Return where a file has data."""
    with rasterio.open(layer_file(folder, layer)) as file:
        return file.read(1) != file.nodata


def test_every_pixel_with_phase_has_geometry_in_every_product(
    gamma: SampleStack, harmonized: Run
) -> None:
    folders = [folder_of(harmonized) / product.name for product in gamma.products]
    phases = [held(folder, "unw_phase") for folder in folders]
    anywhere = np.logical_or.reduce(phases)
    assert min(phase[anywhere].mean() for phase in phases) < 0.9, "products must leave gaps"
    for layer in STATIC:
        there = [held(folder, layer) for folder in folders]
        for one in there:
            np.testing.assert_array_equal(one, there[0], err_msg=layer)
        assert there[0][anywhere].all(), layer


@pytest.mark.parametrize("layer", STATIC)
def test_what_is_filled_is_true(gamma: SampleStack, harmonized: Run, layer: str) -> None:
    """Warped values lie within the truth of the pixels around, all others are the truth."""
    step = 3
    folders = [folder_of(harmonized) / product.name for product in gamma.products]
    places = positions(folders[0], layer, step)
    around = np.stack(
        [
            np.fmax.reduce([places.truth(p, layer, right, up) for p in gamma.products])
            for right in (-1.0, 0.0, 1.0)
            for up in (-1.0, 0.0, 1.0)
        ]
    )
    copied = [product for product in gamma.products if product.epsg == EPSG]
    from_copied = np.any([np.isfinite(places.truth(p, layer)) for p in copied], axis=0)
    low, high = around.min(axis=0), around.max(axis=0)
    for product, folder in zip(gamma.products, folders, strict=True):
        values = read(folder, layer)[::step, ::step].astype(float)
        here = held(folder, layer)[::step, ::step]
        filled = here & np.isnan(places.truth(product, layer)) & np.isfinite(low)
        assert filled.sum() > 50
        tolerance = 1e-6 * np.abs(around[4][filled]) + 1e-6
        assert (values[filled] >= low[filled] - tolerance).all()
        assert (values[filled] <= high[filled] + tolerance).all()
        # Copied products come before warped ones, which may grow by half a pixel at their edges.
        exact = np.abs(difference(values, around[4], layer))[filled] <= tolerance
        assert exact[from_copied[filled]].mean() >= (1.0 if product.epsg == EPSG else 0.95)


def test_water_stays_water(gamma: SampleStack, harmonized: Run) -> None:
    """0 is water, 1 is land, and 255 is declared where no product tells."""
    water = []
    for product in gamma.products:
        with rasterio.open(layer_file(folder_of(harmonized) / product.name, "water_mask")) as file:
            assert file.nodata == 255 and file.dtypes == ("uint8",)
            values = file.read(1)
        assert set(np.unique(values)) == {0, 1, 255}
        water.append(values == 0)
        own = read(product.path, "water_mask")
        if product.epsg == EPSG:
            assert water[-1].sum() > (own == 0).sum(), "filled from others"
    assert np.logical_or.reduce(water).sum() < 1.05 * min(item.sum() for item in water)


def test_a_product_alone_and_products_without_gaps_stay_as_they_are(
    angles: SampleStack, tmp_path: Path
) -> None:
    copy_products(angles, tmp_path / "one", 1)
    harmonize(tmp_path / "one", tmp_path / "out")
    name = angles.products[0].name
    for layer in angles.spec.layers or ():
        np.testing.assert_array_equal(
            read(tmp_path / "out" / name, layer), read(angles.products[0].path, layer)
        )
    # Water masks cover whole rasters, so that an intersection has no gaps.
    harmonize(angles.folder, tmp_path / "cut", EXTENT_MODE="intersection", LAYERS="water_mask")
    with rasterio.open(layer_file(tmp_path / "cut" / name, "water_mask")) as file:
        values, transform = file.read(1), file.transform
    column, row = ~angles.products[0].transform * (transform.c, transform.f)
    own = read(angles.products[0].path, "water_mask")[int(row) :, int(column) :]
    np.testing.assert_array_equal(values, own[: len(values), : values.shape[1]])


@pytest.mark.parametrize("zipped", [False, True])
def test_products_that_lack_a_static_layer_stay_without(
    angles: SampleStack, tmp_path: Path, zipped: bool
) -> None:
    folders = copy_products(angles, tmp_path / "in")
    layer_file(folders[1], "lv_theta").unlink()
    for folder in folders if zipped else ():
        pack_product(folder)
    out = tmp_path / "out"
    harmonize(tmp_path / "in", out)
    assert not layer_file(out / folders[1].name, "lv_theta").exists()
    first, last = (held(out / folders[place].name, "lv_theta") for place in (0, 2))
    np.testing.assert_array_equal(first, last)
    assert first.sum() > (read(angles.products[0].path, "lv_theta") != 0).sum()
    assert not leftovers(out) and len(list(out.iterdir())) == 3


def other_orbit(text: str) -> str:
    number = next(line for line in text.splitlines() if line.startswith("Reference Orbit"))
    return text.replace(number, f"Reference Orbit Number: {int(number.split()[-1]) + 3}")


def other_direction(text: str) -> str:
    return text.replace("Pass Direction: ASCENDING", "Pass Direction: DESCENDING")


def untold(text: str) -> str:
    kept = [line for line in text.splitlines() if "Orbit" not in line and "Granule" not in line]
    return "\n".join(kept)


@pytest.mark.parametrize("change", [other_orbit, other_direction, untold])
def test_angles_are_not_taken_from_another_line_of_sight(
    angles: SampleStack, tmp_path: Path, change: Callable[[str], str]
) -> None:
    folders = copy_products(angles, tmp_path / "in")
    parameters = folders[0] / f"{folders[0].name}.txt"
    text = parameters.read_text()
    assert change(text) != text
    parameters.write_text(change(text))
    harmonize(tmp_path / "in", tmp_path / "out")
    alone = read(tmp_path / "out" / folders[0].name, "lv_theta")
    own = read(folders[0], "lv_theta")
    np.testing.assert_array_equal(np.sort(alone[alone != 0]), np.sort(own[own != 0]))
    others = [held(tmp_path / "out" / folder.name, "lv_theta") for folder in folders[1:]]
    np.testing.assert_array_equal(*others)


def test_a_damaged_layer_stops_before_anything_is_written(
    angles: SampleStack, tmp_path: Path
) -> None:
    folders = copy_products(angles, tmp_path / "in")
    damage_layer(layer_file(folders[2], "lv_theta"))
    with pytest.raises(ProductError, match=f"lv_theta of {folders[2].name} is damaged"):
        harmonize(tmp_path / "in", tmp_path / "out")
    assert contents(tmp_path / "out") == {} and not leftovers(tmp_path / "out")


@pytest.fixture
def far(angles: SampleStack, tmp_path: Path) -> list[Path]:
    """Two products that lie far apart, on a large grid."""
    folders = copy_products(angles, tmp_path / "in", 2)
    for path in folders[1].glob("*.tif"):
        with rasterio.open(path, "r+") as file:
            file.transform = Affine.translation(600 * 80.0, -40_000 * 80.0) * file.transform
    return folders


def test_what_fills_gaps_has_to_fit_on_the_disk(far: list[Path], tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "size=60m") as disk:
        with pytest.raises(OutputError, match=r"6\d MB free, but the outputs need about 1\d\d MB"):
            harmonize(tmp_path / "in", disk / "out", LAYERS="lv_theta")
        assert list(disk.iterdir()) == []


def test_memory_is_that_of_blocks(far: list[Path], tmp_path: Path) -> None:
    """However large the grid is."""
    selection = select_products(tmp_path / "in", SelectionOptions(layers=("lv_theta",)))
    plan = make_plan(selection.products, GridOptions())
    [fill] = fills_of(plan, selection.layers)
    assert fill.bytes_on(plan.grid) > 6 * BAND_BYTES
    written = StaticMap(fill, plan.grid, tmp_path / "map")
    written.reserve()
    with traced_peak() as peak:
        with gdal_environment():
            for rows in written.blocks():
                written.write(rows, "auto", SilentReporter())
        block = np.zeros((300, plan.grid.width), "float32")
        written.fill_gaps(block, plan.grid.height - 300, outside=0.0)
        assert peak() < 3 * BAND_BYTES
    theta = read(far[1], "lv_theta")
    np.testing.assert_array_equal(block[block != 0], theta[theta != 0])
