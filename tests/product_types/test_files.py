"""Files that come with products: names, texts, times, zips, and what is no layer."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from hyp3_stack.core.products.scan import scan_folder
from hyp3_stack.core.selection.acquisition_times import acquisition_times
from tests.running import build, copy_products

from .conftest import Built, Stacker, stored
from .edited import copy_as, replace_entry

CONSTANTS = ("693000", "6337286.6")
"""What ISCE products hold in place of the height of the satellite and the radius of the Earth."""


def name_time(name: str) -> np.datetime64:
    return np.datetime64(name).astype("datetime64[ns]")


def decoded(path: Path) -> xr.Dataset:
    with xr.open_dataset(path, decode_coords="all") as stack:
        return stack.load()


def instants(*times: object) -> np.ndarray:
    return np.array([np.datetime64(time.replace(tzinfo=None), "ns") for time in times])


def test_times_of_day(built: Built) -> None:
    """ISCE names hold days; the granules of the parameter file tell the time."""
    stack = decoded(built.run.netcdf)
    starts = instants(*(product.reference_time for product in built.products))
    if built.dimension == "time":
        np.testing.assert_array_equal(stack.time, starts)
        return
    ends = instants(*(product.secondary_time for product in built.products))
    np.testing.assert_array_equal(stack.reference_time, starts)
    np.testing.assert_array_equal(stack.secondary_time, ends)
    np.testing.assert_array_equal(stack.time, starts + (ends - starts) // 2)
    days = (ends - starts) / np.timedelta64(1, "D")
    np.testing.assert_allclose(stack.temporal_baseline, days, rtol=0, atol=1e-9)
    assert starts[0].astype("datetime64[h]") != starts[0].astype("datetime64[D]")
    baselines = [product.perpendicular_baseline for product in built.products]
    np.testing.assert_array_equal(stack.perpendicular_baseline, baselines)
    parts = "Ymd" if "ISCE" in built.samples.spec.product_type else "Y"
    length = 17 if parts == "Ymd" else 31
    assert {len(label) for label in stack.pair_label.values} == {length}
    first = str(stack.attrs["time_coverage_start"])
    assert first.startswith(f"{built.products[0].reference_time:%Y-%m-%dT%H:%M}")


@pytest.mark.parametrize("kind", ["INSAR_ISCE_BURST", "INSAR_ISCE_MULTI_BURST"])
def test_constants_of_isce_are_not_passed_on(stacker: Stacker, tmp_path: Path, kind: str) -> None:
    built = stacker({"product_type": kind, "rows": 60, "columns": 60, "products": 3})
    product = built.products[0]
    text = (product.path / f"{product.name}.txt").read_text()
    assert all(constant in text for constant in CONSTANTS)
    for name, variable in built.stack.variables.items():
        if variable.dims[-2:] != ("y", "x"):
            written = json.dumps(np.asarray(variable.values).astype(str).tolist())
            written += json.dumps({key: str(value) for key, value in variable.attrs.items()})
            assert not any(constant in written for constant in CONSTANTS), name
    # The parameter files are kept word for word as provenance; nothing else may hold them.
    attributes = {key: str(value) for key, value in built.stack.attrs.items()}
    attributes.pop("hyp3_parameters_json", None)
    assert not any(constant in json.dumps(attributes) for constant in CONSTANTS)


def test_files_in_radar_geometry_are_no_layers(stacker: Stacker) -> None:
    built = stacker({"product_type": "INSAR_ISCE_BURST", "rows": 60, "columns": 60})
    product = built.products[0]
    assert len(list(product.path.glob("*_rdr.tif"))) == 4
    for found in scan_folder(built.samples.folder).products:
        assert any(name.endswith("_wrapped_phase_rdr.tif") for name in found.files)
        assert not any("rdr" in name or name in ("lat", "lon", "los") for name in found.layers)
    assert not any("rdr" in str(name) for name in built.stack.variables)


def test_a_product_of_nothing_but_radar_geometry(stacker: Stacker, tmp_path: Path) -> None:
    samples = stacker({"product_type": "INSAR_ISCE_BURST", "rows": 60, "columns": 60}).samples
    [path] = copy_products(samples, tmp_path / "products", 1)
    for layer in path.glob("*.tif"):
        if "_rdr" not in layer.name:
            layer.unlink()
    with pytest.raises(Exception, match=f"{path.name} holds no layer") as error:
        build(tmp_path / "products", NETCDF=tmp_path / "stack.nc")
    assert type(error.value).__name__ == "ProductError"


@pytest.mark.parametrize(
    ("granules", "expected"),
    [
        # As written before hyp3-isce2#291: merged scenes instead of bursts.
        (
            "S1A_IW_SLC__1SSV_20230106T015138_20230106T015200_046653_059789_1234",
            "2023-01-06T01:51:38",
        ),
        # The earliest burst counts, in whatever order they are written.
        (
            "S1_136232_IW3_20230106T015141_VV_238F-BURST, "
            "S1_136231_IW2_20230106T015139_VV_238F-BURST",
            "2023-01-06T01:51:39",
        ),
        # A list may run over midnight: only bursts of the day in the name count.
        (
            "S1_136232_IW3_20230107T000001_VV_238F-BURST, "
            "S1_136231_IW2_20230106T235959_VV_238F-BURST",
            "2023-01-06T23:59:59",
        ),
        ("something else", "2023-01-06T00:00:00"),
        (None, "2023-01-06T00:00:00"),
    ],
)
def test_lists_of_granules(
    stacker: Stacker, tmp_path: Path, granules: str | None, expected: str
) -> None:
    multi = {"product_type": "INSAR_ISCE_MULTI_BURST", "rows": 60, "columns": 60}
    product = stacker(multi).samples.products[0]
    copy_as(product, tmp_path, parameters={"Reference Granule": granules})
    [found] = scan_folder(tmp_path).products
    assert instants(acquisition_times(found)[0])[0] == name_time(expected)


@pytest.mark.parametrize("merged", [True, False])
def test_old_names(stacker: Stacker, tmp_path: Path, merged: bool) -> None:
    """Merged bursts before hyp3-isce2 4.0 were named after corners; their layers are the same."""
    multi = {"product_type": "INSAR_ISCE_MULTI_BURST", "rows": 60, "columns": 60}
    built = stacker(multi)
    folder = tmp_path / "products"
    for product in built.products:
        first, second = product.name.split("_IW_")[1].split("_")[:2]
        path = "S1A_064_E053_1_N27_3_E054_1_N27_8" if merged else "S1_064_000000s1n00-1"
        if not merged:
            path = "S1_064_000000s1n00-056069s2n04-000000s3n00_IW"
        copy_as(product, folder, f"{path}_{first}_{second}_VV_INT80_{product.name[-4:]}")
    run = build(folder, NETCDF=tmp_path / "stack.nc")
    assert run.outputs["STEPS"] == len(built.products) and run.warnings == []
    stack = stored(tmp_path / "stack.nc")
    for layer in ("unw_phase", "corr", "conncomp", "dem", "amp"):
        np.testing.assert_array_equal(stack[layer], built.stack[layer])
    assert stack.attrs["product_type"] == "INSAR_ISCE_MULTI_BURST"


def test_utctime_and_other_spellings(stacker: Stacker, tmp_path: Path) -> None:
    """Until late 2021 the key was UTCtime; keys added since are missing in such products."""
    gamma = stacker({"rows": 60, "columns": 60, "layers": ("unw_phase", "corr")})
    product = gamma.samples.products[0]
    later = (
        "Reference Pass Direction",
        "Slant range near",
        "Spacecraft height",
        "Phase at reference point",
    )
    path = copy_as(product, tmp_path / "products", parameters=dict.fromkeys(later))
    value = product.parameters["UTC time"]
    replace_entry(path, "UTC time", None)
    text = path / f"{path.name}.txt"
    text.write_text(text.read_text() + f"UTCtime: {value}\n")
    [found] = scan_folder(tmp_path / "products").products
    assert found.parameters.number("UTC time") == float(value)
    assert found.parameters.text("Reference Pass Direction") is None
    assert build(tmp_path / "products", NETCDF=tmp_path / "stack.nc").outputs["STEPS"] == 1


def test_values_with_colons(stacker: Stacker) -> None:
    burst = stacker({"product_type": "INSAR_ISCE_BURST", "rows": 60, "columns": 60})
    product = burst.samples.products[0]
    [found] = [p for p in scan_folder(burst.samples.folder).products if p.name.text == product.name]
    stop = found.parameters.text("Radar sensing stop")
    assert re.fullmatch(r"2023-01-06T01:51:\d\d\.\d{6}", stop)


def test_readme_of_each_type(built: Built) -> None:
    for product in scan_folder(built.samples.folder).products:
        assert product.readme.processed is not None and product.readme.processed.year == 2025
        isce = "ISCE" in product.name.product_type
        assert product.readme.plugin_version == ("4.1.4" if isce else "9.0.5")
        assert product.readme.software_version == ("2.6.3" if isce else "20240627")
    versions = str(built.stack.attrs.get("hyp3_plugin_versions", ""))
    assert not versions or versions == ("4.1.4" if isce else "9.0.5")
