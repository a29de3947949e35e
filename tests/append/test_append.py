"""Appending: the same stack as if all products had been there at once, and nothing lost."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from hyp3_stack.core.errors import (
    Canceled,
    InconsistentProductsError,
    InvalidParameterError,
    OutputError,
)
from hyp3_stack.core.tasks import build_stack
from tests.sample_products import SampleStack

from ..build.interrupted import MADE_ANEW, views
from ..running import Run, StopAt, build, contents, copy_products, leftovers, samples

pytestmark = pytest.mark.slow

ANEW = {*MADE_ANEW, "hyp3_stack_json"}


def outputs(folder: Path) -> dict[str, str]:
    return {"NETCDF": str(folder / "s.nc"), "ZARR": str(folder / "s.zarr")}


def netcdf(folder: Path) -> dict[str, str]:
    """Return one output, where others would show nothing more."""
    return {"NETCDF": str(folder / "s.nc")}


def one_group(folder: Path) -> dict[str, str]:
    return outputs(folder) | {"CHUNKING": "spatial"}


def one_group_of(folder: Path, copy: Path, left_out: str) -> Path:
    """Copy outputs without one of the two groups of the store."""
    return Path(shutil.copytree(folder, copy, ignore=shutil.ignore_patterns(left_out)))


def assert_same(folder: Path, other: Path, exact: bool = True) -> None:
    """Compare values and attributes; facts of the scene may come from another product.

    Layers without steps keep what they had: with ``exact`` unset, some pixels may come from a
    warped product although a copied one is there by now.
    """
    for (name, one), (_, two) in zip(views(folder), views(other), strict=True):
        assert set(one.variables) == set(two.variables), name
        for variable in one.variables:
            found, expected = one[variable], two[variable]
            assert found.dims == expected.dims, (name, variable)
            if found.dims == () and found.dtype.kind == "f":
                np.testing.assert_allclose(found, expected, rtol=1e-3, err_msg=str(variable))
            elif found.dims == ("y", "x") and found.dtype.kind == "f" and not exact:
                assert (found.values == expected.values).mean() + found.isnull().mean() > 0.99
            else:
                np.testing.assert_array_equal(found, expected, err_msg=f"{name} {variable}")
                facts, others = (
                    {key: repr(value) for key, value in item.attrs.items()}
                    for item in (found, expected)
                )
                largest = "largest_difference_between_products"
                assert facts | {largest: ""} == others | {largest: ""}, (name, variable)
        changed = {key for key in one.attrs if repr(one.attrs[key]) != repr(two.attrs.get(key))}
        assert changed <= ANEW, changed


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> SampleStack:
    """Six interferograms with layers of every kind, two of them in the neighboring zone."""
    layers = ("unw_phase", "corr", "vert_disp", "lv_theta", "lv_phi", "water_mask")
    return samples(tmp_path_factory, products=6, rows=70, columns=75, noise=False, layers=layers)


@pytest.fixture(scope="module")
def whole(network: SampleStack, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Path]:
    """All products at once."""
    folder = tmp_path_factory.mktemp("whole")
    return build(network.folder, **outputs(folder)), folder


def in_steps(
    stack: SampleStack,
    folder: Path,
    cuts: list[list[int]],
    kinds: Callable[[Path], dict[str, str]] = netcdf,
    **given: Any,
) -> tuple[Run, Path]:
    """Append products group by group; those of earlier groups are gone by then."""
    out = folder / "out"
    run = None
    for number, cut in enumerate(cuts):
        products = folder / f"in{number}"
        products.mkdir(parents=True)
        for index in cut:
            path = stack.products[index].path
            shutil.copytree(path, products / path.name)
        run = build(products, APPEND=True, **kinds(out), **given)
        shutil.rmtree(products)
    assert run is not None
    return run, out


def test_three_steps_equal_one_build(
    network: SampleStack, whole: tuple[Run, Path], tmp_path: Path
) -> None:
    """The order is that of the dates, not that of the steps; warped products come in between."""
    run, out = in_steps(network, tmp_path, [[1, 3], [0, 5], [2, 4]], one_group, GROW=True)
    assert run.outputs["STEPS"] == 6
    expected = one_group_of(whole[1], tmp_path / "whole", "temporally_optimized")
    assert_same(out, expected, exact=False)
    assert not leftovers(out)
    with xr.open_dataset(run.netcdf) as stack:
        assert stack.attrs["history"].count("hyp3:buildstack") == 3


def test_the_grid_stays_unless_it_may_grow(
    network: SampleStack, whole: tuple[Run, Path], tmp_path: Path
) -> None:
    run, _ = in_steps(network, tmp_path, [[0], [1, 2, 3, 4, 5]])
    first = build(
        network.products[0].path.parent, NETCDF=tmp_path / "x.nc", PRODUCTS=network.products[0].name
    )
    assert run.outputs["STEPS"] == 6
    assert [run.outputs[key] for key in ("WIDTH", "HEIGHT")] == [
        first.outputs[key] for key in ("WIDTH", "HEIGHT")
    ]
    with xr.open_dataset(run.netcdf) as stack, xr.open_dataset(whole[0].netcdf) as all_of_it:
        there = all_of_it.sel(x=stack.x, y=stack.y)
        for name in ("unw_phase", "corr", "mask_reason"):
            np.testing.assert_array_equal(stack[name].values, there[name].values)


def test_nothing_new_changes_nothing(network: SampleStack, whole: tuple[Run, Path]) -> None:
    first, folder = whole
    before = contents(folder)
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    again = build(network.folder, **outputs(folder), APPEND=True, GROW=True)
    assert any(text.startswith("Nothing is new") for text in again.infos)
    assert again.outputs == first.outputs
    assert contents(folder) == before
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == times


@pytest.mark.parametrize("kept", ["NETCDF", "ZARR", "series"])
def test_an_output_that_is_missing_is_made(
    network: SampleStack, whole: tuple[Run, Path], tmp_path: Path, kept: str
) -> None:
    """From the other one: no product is read."""
    given = outputs(tmp_path)
    folder = tmp_path / "in"
    copy_products(network, folder)
    if kept == "NETCDF":
        shutil.copy(whole[0].netcdf, tmp_path)
    elif kept == "ZARR":
        shutil.copytree(whole[0].zarr, given["ZARR"])
    else:
        build(folder, ZARR=given["ZARR"], CHUNKING="temporal")
    for path in folder.rglob("*_unw_phase.tif"):
        path.write_bytes(b"lost")
    run = build(folder, **given, APPEND=True)
    assert run.outputs["STEPS"] == 6
    assert_same(tmp_path, whole[1])


@pytest.mark.parametrize(
    ("options", "kinds"),
    [
        (
            {"LAYERS": "unw_phase,corr,lv_theta,lv_phi", "LOOK_VECTORS": True, "MASKS": False},
            netcdf,
        ),
        ({"STATIC_LAYERS": "per_pair", "KEEP_BITS": "8"}, one_group),
    ],
    ids=["layers", "values"],
)
def test_options_hold_for_what_is_appended(
    network: SampleStack,
    whole: tuple[Run, Path],
    tmp_path: Path,
    options: dict[str, Any],
    kinds: Callable[[Path], dict[str, str]],
) -> None:
    order = sorted(range(6), key=lambda index: network.products[index].name)
    with xr.open_dataset(whole[0].netcdf) as stack:
        has_phase = stack.unw_phase.notnull().all("pair")
        rows, columns = np.nonzero(has_phase.values)
        point = float(stack.x[columns[0]]), float(stack.y[rows[0]])
    options = options | {"REFERENCE_POINT": f"{point[0]},{point[1]}"}
    build(network.folder, **kinds(tmp_path / "whole"), **options)
    _, out = in_steps(network, tmp_path, [order[:3], order[3:]], kinds, GROW=True, **options)
    assert_same(out, tmp_path / "whole")


def passes(stack: SampleStack) -> list[list[int]]:
    """Return the numbers of the products of each day."""
    days: dict[str, list[int]] = {}
    for index, product in enumerate(stack.products):
        days.setdefault(product.name.split("_")[2][:8], []).append(index)
    return [*days.values()]


def test_backscatter_with_merged_passes(tmp_path_factory: pytest.TempPathFactory) -> None:
    stack = samples(
        tmp_path_factory, product_type="RTC_GAMMA", products=6, frames=2, rows=60, columns=70
    )
    folder = tmp_path_factory.mktemp("rtc")
    options = {"MERGE_PASSES": True, "SCALE": "decibel"}
    build(stack.folder, **one_group(folder / "whole"), **options)
    first, second, third = passes(stack)
    _, out = in_steps(stack, folder, [[*first, *third], second], one_group, GROW=True, **options)
    assert_same(out, folder / "whole", exact=False)
    with pytest.raises(InconsistentProductsError, match="a frame of a pass that .* holds already"):
        in_steps(stack, folder / "half", [[*first, second[0]], [second[1]]], **options)


def test_canceled_and_continued(
    network: SampleStack, whole: tuple[Run, Path], tmp_path: Path
) -> None:
    """Readers see the old stack until the new one is complete."""
    given = outputs(tmp_path / "out") | {"APPEND": True, "GROW": True, "CHUNKING": "temporal"}
    few = tmp_path / "few"
    copy_products(network, few, 3)
    build(few, **given)
    before = contents(tmp_path / "out")
    with pytest.raises(Canceled, match="same job again"):
        build_stack.run({"INPUT": str(network.folder), **given}, None, StopAt(60))
    now = contents(tmp_path / "out")
    assert {name: data for name, data in now.items() if "partial" not in name} == before
    run = build(network.folder, **given)
    assert any(text.startswith("Going on") for text in run.infos)
    expected = one_group_of(whole[1], tmp_path / "whole", "spatially_optimized")
    assert_same(tmp_path / "out", expected)


def refused(kind: type[Exception], match: str, folder: Path, **given: Any) -> None:
    with pytest.raises(kind, match=match) as caught:
        build(folder, APPEND=True, **given)
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)


def test_what_does_not_fit_is_refused(small: SampleStack, tmp_path: Path) -> None:
    folder, one = small.folder, netcdf(tmp_path)
    build(folder, **one, LAYERS="unw_phase,corr", PRODUCTS=small.products[0].name)
    before = contents(tmp_path)
    bad = InvalidParameterError
    rounded = {"KEEP_BITS": "7,corr=8"}
    refused(bad, "LAYERS asks for corr, but", folder, **one, LAYERS="corr")
    refused(bad, "MASKS is False, but .* with True", folder, **one, MASKS=False)
    refused(bad, "RESAMPLING is nearest", folder, **one, RESAMPLING="nearest")
    refused(bad, "KEEP_BITS is 7,corr=8, but .* with nothing", folder, **one, **rounded)
    refused(bad, "TARGET_CRS is EPSG:32633", folder, **one, TARGET_CRS="EPSG:32633")
    refused(bad, "PRODUCT_TYPE is RTC_GAMMA", folder, **one, PRODUCT_TYPE="RTC_GAMMA")
    with pytest.raises(bad, match="set APPEND as well"):
        build(folder, **one, GROW=True)
    plain = tmp_path / "plain.nc"
    xr.Dataset({"a": ("x", [1.0])}).to_netcdf(plain)
    refused(OutputError, "is not a stack that hyp3:buildstack", folder, NETCDF=plain)
    plain.unlink()
    assert contents(tmp_path) == before


def test_a_reprocessed_product_does_not_replace(network: SampleStack, tmp_path: Path) -> None:
    given = netcdf(tmp_path / "out") | {"APPEND": True}
    folder = tmp_path / "in"
    [first] = copy_products(network, folder, 1)
    build(folder, **given)
    other = f"{first.name[:-4]}FFFF"
    for path in first.iterdir():
        path.rename(first / path.name.replace(first.name, other))
    first.rename(folder / other)
    run = build(folder, **given)
    assert run.outputs["SKIPPED"] == 1 and run.outputs["STEPS"] == 1
    assert any("which the stack keeps" in text for text in run.warnings)
