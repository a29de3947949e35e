"""The plan: zone, lattice, extent, and what is copied, warped or left out."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import rasterio
import xarray as xr
import zarr
from pyproj import CRS, Transformer

from hyp3_stack.core.build.stack_request import StackRequest
from hyp3_stack.core.errors import GridError, InconsistentProductsError, InvalidParameterError
from hyp3_stack.core.grid.placement import Treatment
from hyp3_stack.core.grid.plan import GridOptions, Plan, make_plan
from hyp3_stack.core.inputs.raster_grid import Raster
from hyp3_stack.core.products.names import parse_name
from hyp3_stack.core.products.product import Product
from hyp3_stack.core.run.parameters import Extent
from hyp3_stack.core.selection.selection import SelectionOptions, select_products
from tests.running import Run, build, copy_products, harmonize, layer_file
from tests.sample_products import SampleProduct, SampleStack
from tests.truth import Positions, measure_shift, near_change


def found(number: int, raster: Raster) -> tuple[Product, Raster]:
    """Return a product with a raster, for plans that read no file."""
    name = f"S1AA_20230106T015136_20230118T015137_VVP012_INT80_G_ueF_{number:04X}"
    product = parse_name(name)
    assert product is not None
    return Product(product, Path(f"/{name}"), f"/{name}", ()), raster


def raster(epsg: int, left: float = 500040.0, top: float = 4000040.0, **size: int) -> Raster:
    return Raster(epsg, left, top, 80.0, size.get("width", 100), size.get("height", 90))


def plan_of(*rasters: Raster, **options: object) -> Plan:
    return make_plan([found(i, item) for i, item in enumerate(rasters)], GridOptions(**options))


def plan_folder(folder: Path, **options: object) -> Plan:
    selection = select_products(folder, SelectionOptions())
    return make_plan(selection.products, GridOptions(**options))


def projected_box(product: SampleProduct, epsg: int) -> tuple[float, float, float, float]:
    """Return left, bottom, right, top of a product in a CRS, from all pixels of its border."""
    rows, columns = product.shape
    along = np.linspace(0, columns, 4 * columns)
    down = np.linspace(0, rows, 4 * rows)
    column = np.concatenate([along, along, 0 * down, 0 * down + columns])
    row = np.concatenate([0 * along, 0 * along + rows, down, down])
    x, y = product.transform * (column, row)
    if epsg != product.epsg:
        x, y = Transformer.from_crs(product.epsg, epsg, always_xy=True).transform(x, y)
    return x.min(), y.min(), x.max(), y.max()


# --- the zone -----------------------------------------------------------------------------------


def test_the_zone_of_most_products_wins_whatever_their_size() -> None:
    plan = plan_of(raster(32611, width=5000), raster(32610), raster(32610))
    assert plan.grid.crs == "EPSG:32610"
    assert (plan.copied, plan.warped) == (2, 1)
    assert "most lie in WGS 84 / UTM zone 10N (EPSG:32610)" in plan.reasons[0]


def test_layers_of_a_product_do_not_count(small: SampleStack, tmp_path: Path) -> None:
    """Three products with one layer outvote two with many."""
    folders = copy_products(small, tmp_path)
    east = [p.name for p in small.products if p.epsg == 32611]
    west = [p.name for p in small.products if p.epsg == 32610]
    assert len(west) == 3 and len(east) == 1
    shutil.rmtree(tmp_path / west[2])
    assert plan_folder(tmp_path).grid.crs == "EPSG:32610"
    for folder in folders[:4]:
        if folder.name in west[:2]:
            for layer in ("corr", "water_mask"):
                layer_file(folder, layer).unlink()
    assert plan_folder(tmp_path).grid.crs == "EPSG:32610"


def test_one_zone_needs_no_reason() -> None:
    plan = plan_of(raster(32733), raster(32733, left=500040.0 + 800))
    assert plan.reasons == () and plan.warped == 0 and plan.grid.crs == "EPSG:32733"


def test_target_crs_overrides(small: SampleStack) -> None:
    plan = plan_folder(small.folder, target_crs="EPSG:32611")
    assert plan.grid.crs == "EPSG:32611"
    assert (plan.copied, plan.warped) == (1, 3)
    # The only native product gives the lattice.
    [native] = [item for item in plan.placements if item.treatment is Treatment.COPY]
    assert (native.raster.left - plan.grid.left) / 80 == native.column
    plan = plan_folder(small.folder, target_crs="EPSG:32612")
    assert (plan.copied, plan.warped) == (0, 4)
    assert (plan.grid.left % 80, plan.grid.top % 80) == (40, 40), "the lattice of GAMMA products"


@pytest.mark.parametrize(
    "crs",
    [
        "+proj=utm +zone=10 +ellps=clrk66",
        CRS.from_user_input("+proj=utm +zone=11 +ellps=intl").to_wkt(),
    ],
)
def test_target_crs_that_only_resembles_one_with_a_code(
    small: SampleStack, tmp_path: Path, crs: str
) -> None:
    plan = plan_folder(small.folder, target_crs=crs)
    assert plan.grid.epsg is None
    assert CRS.from_wkt(plan.grid.crs) == CRS.from_user_input(crs)
    options = {"STAC": True, "CHUNKING": "spatial", "LAYERS": "corr"}
    build(small.folder, ZARR=tmp_path / "s.zarr", TARGET_CRS=crs, **options)
    attributes = zarr.open_array(tmp_path / "s.zarr", path="spatially_optimized/corr").attrs
    assert "proj:code" not in attributes
    assert CRS.from_wkt(attributes["proj:wkt2"]) == CRS.from_user_input(crs)
    item = json.loads((tmp_path / "s.stac" / "s.json").read_text())["properties"]
    assert item.get("proj:code") is None
    assert CRS.from_wkt(item["proj:wkt2"]) == CRS.from_user_input(crs)
    assert isinstance(item["cube:dimensions"]["x"]["reference_system"], str)


@pytest.mark.parametrize("version", ["WKT1_GDAL", "WKT1_ESRI", "WKT2_2019"])
@pytest.mark.parametrize("epsg", [3413, 32610, 3857])
def test_target_crs_as_wkt_keeps_its_code(small: SampleStack, version: str, epsg: int) -> None:
    plan = plan_folder(small.folder, target_crs=CRS.from_epsg(epsg).to_wkt(version))
    assert plan.grid.epsg == epsg


def test_target_crs_that_is_the_same_in_other_words(small: SampleStack) -> None:
    plan = plan_folder(small.folder, target_crs="+proj=utm +zone=10 +datum=WGS84 +units=m")
    assert plan.grid.epsg == 32610
    assert (plan.copied, plan.warped) == (3, 1)


@pytest.mark.parametrize("crs", ["EPSG:999999", "UTM 10", "hello"])
def test_target_crs_that_is_none(small: SampleStack, crs: str) -> None:
    with pytest.raises(InvalidParameterError, match=f"TARGET_CRS is '{crs}'.*EPSG:32606"):
        plan_folder(small.folder, target_crs=crs)


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:2225", "EPSG:4978", "EPSG:5773"])
def test_target_crs_not_in_meters_on_a_map(small: SampleStack, crs: str) -> None:
    with pytest.raises(InvalidParameterError, match="TARGET_CRS .* is not a projected system in"):
        plan_folder(small.folder, target_crs=crs)


@pytest.mark.parametrize("crs", ["EPSG:32610+5773", "EPSG:32610+3855"])
def test_target_crs_with_heights(small: SampleStack, crs: str) -> None:
    with pytest.raises(InvalidParameterError, match="TARGET_CRS WGS 84 .* with heights.*alone"):
        plan_folder(small.folder, target_crs=crs)


def test_target_crs_that_does_not_reach_the_products(small: SampleStack) -> None:
    with pytest.raises(GridError, match="cannot be projected .* choose a TARGET_CRS"):
        plan_folder(small.folder, target_crs="+proj=gnom +lat_0=-34 +lon_0=60 +units=m")


# --- copied or warped ---------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.5, 0.25, 0.01])
def test_a_product_off_the_lattice_is_warped_not_copied(
    gamma: SampleStack, tmp_path: Path, share: float
) -> None:
    native = [product for product in gamma.products if product.epsg == 32610]
    folders = [tmp_path / "in" / product.name for product in native]
    for product, folder in zip(native, folders, strict=True):
        folder.mkdir(parents=True)
        for name in (f"{product.name}_dem.tif", f"{product.name}.txt"):
            shutil.copy(product.path / name, folder / name)
    moved = native[1]
    with rasterio.open(layer_file(folders[1], "dem"), "r+") as file:
        file.transform = file.transform * rasterio.Affine.translation(share, -share)
    run = build(tmp_path / "in", NETCDF=tmp_path / "s.nc", STATIC_LAYERS="per_pair")
    assert any("3 products are copied bit for bit, 1 are warped" in line for line in run.infos)
    assert any(
        f"warped: {moved.name} (it lies off the pixel lattice)" in line for line in run.infos
    )
    with xr.open_dataset(run.netcdf) as stack:
        pair = int(np.flatnonzero(stack.product_name.values == moved.name)[0])
        values = stack.dem.values[pair]
        x, y = stack.x.values, stack.y.values
    # The file says that its pixels lie farther east and north than the truth.
    where = Positions(x[::2] - share * 80, y[::2] - share * 80, 32610, 80.0)
    usable = ~near_change(where, moved, "water_mask", 1.5)
    right, up = measure_shift(where, moved, "dem", values[::2, ::2], usable)
    assert abs(right) < 0.02 and abs(up) < 0.02


def test_the_lattice_of_most_native_products_is_taken() -> None:
    odd = raster(32610, left=500000.0)
    plan = plan_of(odd, raster(32610), raster(32610, left=500040.0 + 80 * 7))
    assert [item.treatment for item in plan.placements] == [
        Treatment.WARP,
        Treatment.COPY,
        Treatment.COPY,
    ]
    assert plan.grid.left % 80 == 40


def test_two_pixel_sizes_are_refused(small: SampleStack, tmp_path: Path) -> None:
    folders = copy_products(small, tmp_path)
    for path in folders[2].glob("*.tif"):
        with rasterio.open(path, "r+") as file:
            file.transform = file.transform * rasterio.Affine.scale(0.5)
    with pytest.raises(InconsistentProductsError) as caught:
        build(tmp_path, NETCDF=tmp_path / "s.nc")
    text = str(caught.value)
    assert "2 pixel spacings" in text and "40 m: 1" in text and "80 m: 3" in text
    assert folders[2].name in text and "folder of their own" in text
    assert not (tmp_path / "s.nc").exists()


def test_layers_on_different_grids_are_refused(small: SampleStack, tmp_path: Path) -> None:
    folders = copy_products(small, tmp_path)
    with rasterio.open(layer_file(folders[0], "corr"), "r+") as file:
        file.transform = file.transform * rasterio.Affine.translation(1, 0)
    with pytest.raises(Exception, match=f"corr of {folders[0].name} lies on another grid"):
        build(tmp_path, NETCDF=tmp_path / "s.nc")


# --- the extent ---------------------------------------------------------------------------------


def test_union_covers_all_products_and_no_more(gamma: SampleStack) -> None:
    plan = plan_folder(gamma.folder)
    boxes = np.array([projected_box(product, 32610) for product in gamma.products])
    wanted = (*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0))
    for edge, least, outward in zip(plan.grid.bounds, wanted, (-1, -1, 1, 1), strict=True):
        assert -0.1 < outward * (edge - least) < 80.1
    assert (plan.grid.left % 80, plan.grid.top % 80) == _phase(gamma)


def test_intersection_is_covered_by_all_products(gamma: SampleStack) -> None:
    plan = plan_folder(gamma.folder, extent_mode="intersection")
    boxes = np.array([projected_box(product, 32610) for product in gamma.products])
    wanted = (*boxes[:, :2].max(axis=0), *boxes[:, 2:].min(axis=0))
    for edge, most, outward in zip(plan.grid.bounds, wanted, (-1, -1, 1, 1), strict=True):
        assert -0.1 < outward * (most - edge) < 80.1
    assert (plan.grid.left % 80, plan.grid.top % 80) == _phase(gamma)
    union = plan_folder(gamma.folder).grid
    assert plan.grid.width < union.width and plan.grid.height < union.height


def _phase(stack: SampleStack) -> tuple[float, float]:
    native = next(product for product in stack.products if product.epsg == 32610)
    return native.transform.c % 80, native.transform.f % 80


def test_intersection_that_is_empty() -> None:
    with pytest.raises(GridError, match="no area in common; use the extent mode union"):
        plan_of(
            raster(32610),
            raster(32610, left=500040.0 + 100 * 80),
            extent_mode="intersection",
        )
    one_column = plan_of(
        raster(32610), raster(32610, left=500040.0 + 99 * 80), extent_mode="intersection"
    )
    assert (one_column.grid.width, one_column.grid.height) == (1, 90)


@pytest.mark.parametrize("crs", [None, "EPSG:32610", "EPSG:4326", "EPSG:32611", "EPSG:3857"])
def test_extent_is_cut_out_in_whole_pixels(gamma: SampleStack, crs: str | None) -> None:
    whole = plan_folder(gamma.folder).grid
    left, bottom, right, top = whole.bounds
    center = (left + right) / 2, (bottom + top) / 2
    to_extent = Transformer.from_crs(32610, crs or 32610, always_xy=True)
    x, y = to_extent.transform(
        [center[0] - 2000, center[0] + 3000], [center[1] - 1500, center[1] + 2500]
    )
    extent = Extent(x[0], y[0], x[1], y[1], crs)
    grid = plan_folder(gamma.folder, extent=extent).grid
    # The grid holds the projected rectangle and is less than a pixel wider on each side.
    edge = np.linspace(0, 1, 400)
    rect_x = np.concatenate([x[0] + edge * (x[1] - x[0])] * 2 + [0 * edge + x[0], 0 * edge + x[1]])
    rect_y = np.concatenate([0 * edge + y[0], 0 * edge + y[1]] + [y[0] + edge * (y[1] - y[0])] * 2)
    inside_x, inside_y = to_extent.transform(rect_x, rect_y, direction="INVERSE")
    box = inside_x.min(), inside_y.min(), inside_x.max(), inside_y.max()
    for found_edge, wanted, outward in zip(grid.bounds, box, (-1, -1, 1, 1), strict=True):
        assert -0.1 < outward * (found_edge - wanted) < 80.1
    assert (grid.left - whole.left) % 80 == 0 and (whole.top - grid.top) % 80 == 0


def test_extent_leaves_out_what_lies_beyond() -> None:
    east = 500040.0 + 60 * 80
    both = raster(32610), raster(32610, left=east)
    extent = Extent(500040.0 + 100 * 80 + 5, 3999000.0, 9e5, 9e6)
    plan = plan_of(*both, extent=extent)
    [placement] = plan.placements
    assert placement.raster.left == east and placement.column == -40
    [left_out] = plan.left_out
    assert left_out.reason == "outside the grid"
    assert left_out.name.endswith("_0000")


@pytest.mark.parametrize(
    "extent",
    [
        "-180,180,-90,90 [EPSG:4326]",
        "-179.9,179.9,-89.9,89.9 [EPSG:4326]",
        "-20037508,20037508,-20048966,20048966 [EPSG:3857]",
        "-100000,2000000,0,9000000",
    ],
)
def test_an_extent_wider_than_the_products_takes_all(
    small: SampleStack, tmp_path: Path, extent: str
) -> None:
    given = {"INPUT": str(small.folder), "NETCDF": str(tmp_path / "s.nc"), "EXTENT": extent}
    grid = StackRequest.from_parameters(given).grid
    selection = select_products(small.folder, SelectionOptions())
    assert make_plan(selection.products, grid).grid == plan_folder(small.folder).grid


@pytest.mark.parametrize(
    "extent",
    [
        "-100,-99,34,35 [EPSG:4326]",
        "60,61,-35,-34 [EPSG:4326]",
        "100,200,100,200",
        "0,1,2,3 [+proj=ortho +lat_0=-34 +lon_0=60 +units=m]",
    ],
)
def test_an_extent_outside_the_products(small: SampleStack, tmp_path: Path, extent: str) -> None:
    with pytest.raises(GridError) as caught:
        build(small.folder, NETCDF=tmp_path / "s.nc", EXTENT=extent)
    numbers = re.search(r"which cover ([\d, ]+) \(xmin, xmax, ymin, ymax\)", str(caught.value))
    assert numbers, caught.value
    left, bottom, right, top = plan_folder(small.folder).grid.bounds
    assert [int(n) for n in numbers.group(1).split(", ")] == [left, right, bottom, top]
    assert not (tmp_path / "s.nc").exists()


ACROSS = 32660, 700000.0, 5767040.0
"""Zone, left and top of products across the antimeridian, near the Aleutian Islands."""


@pytest.mark.parametrize(
    ("degrees", "west", "east"),
    [
        ((179.95, -179.95), 179.95, 180.05),
        ((179.99, -179.0), 179.99, None),
        ((170.0, -179.99), None, 180.01),
        ((-179.99, 179.95), None, None),  # all around the Earth but for a strip
        ((179.95, 180.0), 179.95, 180.0),
        ((-180.0, -179.98), 180.0, 180.02),
        ((179.97, 180.04), 179.97, 180.04),  # written without the jump
        ((-180.03, -179.96), 179.97, 180.04),
    ],
)
def test_an_extent_across_the_antimeridian(
    degrees: tuple[float, float], west: float | None, east: float | None
) -> None:
    epsg, left, top = ACROSS
    products = [raster(epsg, left=left, top=top, width=300)]
    whole = plan_of(*products).grid
    extent = Extent(degrees[0], 51.0, degrees[1], 53.0, "EPSG:4326")
    grid = plan_of(*products, extent=extent).grid
    to_zone = Transformer.from_crs(4326, epsg, always_xy=True)
    for found, of_all, longitude, pick in (
        (grid.bounds[0], whole.bounds[0], west, min),
        (grid.bounds[2], whole.bounds[2], east, max),
    ):
        if longitude is None:
            assert found == of_all
        else:
            latitudes = Transformer.from_crs(epsg, 4326, always_xy=True).transform(
                [left] * 2, [whole.bounds[1], whole.bounds[3]]
            )[1]
            edges = to_zone.transform([longitude] * 2, latitudes)[0]
            assert abs(found - pick(edges)) < 200


@pytest.mark.parametrize("west", [-179.0, 100.0, 179.0])
def test_an_extent_beside_the_antimeridian(west: float) -> None:
    epsg, left, top = ACROSS
    extent = Extent(west, 51.0, west + 0.5, 53.0, "EPSG:4326")
    with pytest.raises(GridError, match="EXTENT lies outside the products"):
        plan_of(raster(epsg, left=left, top=top, width=300), extent=extent)


def test_an_extent_in_a_gap_between_products() -> None:
    apart = raster(32610), raster(32610, left=500040.0 + 80 * 1000)
    gap = Extent(500040.0 + 80 * 300, 3990000.0, 500040.0 + 80 * 400, 3999000.0)
    with pytest.raises(GridError, match="gap between the products"):
        plan_of(*apart, extent=gap)


def test_an_extent_outside_that_has_no_crs_says_so(small: SampleStack) -> None:
    degrees = -118.2, 35.3, -117.1, 36.1
    hint = r"write its own behind the numbers, such as \[EPSG:4326\], or choose an extent within\."
    with pytest.raises(GridError, match=hint):
        plan_folder(small.folder, extent=Extent(*degrees))
    with pytest.raises(GridError, match=r"zone \d+N; choose an extent within\.$"):
        plan_folder(small.folder, extent=Extent(10, 10, 11, 11, "EPSG:4326"))


def test_an_extent_in_an_unknown_crs(small: SampleStack) -> None:
    with pytest.raises(InvalidParameterError, match="EXTENT is given in 'EPSG:999999'"):
        plan_folder(small.folder, extent=Extent(0, 0, 1, 1, "EPSG:999999"))


def test_extent_and_intersection_together(gamma: SampleStack) -> None:
    common = plan_folder(gamma.folder, extent_mode="intersection").grid
    left, bottom, right, top = common.bounds
    inside = Extent(left + 400, bottom + 400, right + 9e5, top + 9e5)
    grid = plan_folder(gamma.folder, extent_mode="intersection", extent=inside).grid
    assert grid.bounds == (left + 400, bottom + 400, right, top)


# --- what the user is told ----------------------------------------------------------------------


def test_the_plan_is_told_before_work_starts(gamma: SampleStack, tmp_path: Path) -> None:
    run = build(
        gamma.folder, NETCDF=tmp_path / "s.nc", LAYERS="corr", START="2023-01-06", END="2023-02-01"
    )
    lines = run.infos
    first = next(i for i, line in enumerate(lines) if line.startswith("Grid: EPSG:32610"))
    checked = next(i for i, line in enumerate(lines) if "check them" in line)
    assert first < checked
    left_out = [line for line in lines if line.startswith("  left out:")]
    assert len(left_out) == 3
    assert all("(not within START and END)" in line for line in left_out)
    assert run.outputs["STEPS"] == 3 and run.outputs["SKIPPED"] == 3


def test_the_outputs_of_both_tasks_tell_the_grid(gamma: SampleStack, tmp_path: Path) -> None:
    plan = plan_folder(gamma.folder)
    run: Run = build(gamma.folder, NETCDF=tmp_path / "s.nc", LAYERS="corr")
    assert (run.outputs["WIDTH"], run.outputs["HEIGHT"]) == (plan.grid.width, plan.grid.height)
    done = harmonize(gamma.folder, tmp_path / "h", LAYERS="corr")
    assert done.outputs["CRS"] == "EPSG:32610"
    assert (done.outputs["COPIED"], done.outputs["WARPED"]) == (4, 2)
