"""From products with errors and delays to displacement without them, and the report on it."""

import re

import numpy as np
import pytest
import xarray as xr

from hyp3_stack.core.analysis.island_survey import survey_islands
from hyp3_stack.core.analysis.pair_selection import select_pairs
from hyp3_stack.core.contract import SPATIAL_GROUP, TEMPORAL_GROUP
from hyp3_stack.core.errors import InvalidParameterError, OutputError
from hyp3_stack.core.files.written_stack import open_stack
from hyp3_stack.core.run.reporter import SilentReporter
from tests.running import assert_one_sentence, build, samples
from tests.sample_products import Signals
from tests.sample_products.ground_truth import ground_truth

from .inverting import invert

QUIET = {"motion": 0.0, "turbulent": 0.0, "stratified": 0.0, "height_error": 0.0, "linear": 0.1}
LAYERS = ("unw_phase", "corr", "conncomp", "dem", "lv_theta")
RIVER = Signals(**QUIET, river=600.0, shifted=0.15)


def stack_of(factory, signals, *forms, kind="INSAR_GAMMA", layers=LAYERS, **options):
    """Return a sample stack and its build in some forms."""
    given = {
        "products": 18,
        "rows": 60,
        "columns": 64,
        "noise": False,
        "sidecars": False,
        "neighbor_zone_share": 0.0,
        "seed": 3,
    }
    if kind == "INSAR_GAMMA":
        layers = tuple(name for name in layers if name != "conncomp")
    stack = samples(factory, product_type=kind, signals=signals, layers=layers, **given | options)
    folder = factory.mktemp("pairs")
    return stack, build(stack.folder, **{form: folder / f"pairs.{form}" for form in forms})


def error(stack, run):
    """Return displacement less the truth where the network is connected, and its dataset."""
    dataset = xr.open_dataset(run.netcdf)
    area, _, crs = run.outputs["REFERENCE"].partition(" ")
    x0, y0, radius = map(float, area.split(","))
    x, y = np.meshgrid(dataset.x, dataset.y)
    truth = ground_truth(stack.spec, x, y, int(re.sub(r"\D", "", crs)))
    moved = (
        truth.displacement
        - truth.displacement[:, np.hypot(x - x0, y - y0) <= radius].mean(axis=1)[:, None, None]
    )
    known = (dataset.gap_count == 0).values & (dataset["mask"] == 0).values
    return (dataset.displacement.values - moved)[:, known], dataset, truth


@pytest.fixture(scope="module", params=["INSAR_GAMMA", "INSAR_ISCE_BURST"])
def parted(request, tmp_path_factory):
    """Interferograms that a river parts, some of them with a cycle more beyond it."""
    return stack_of(tmp_path_factory, RIVER, "NETCDF", "ZARR", kind=request.param, products=12)


def test_a_river_does_not_split_the_displacement(parted, tmp_path):
    """MintPy #1339, and #832, #1252 and #1453: repaired with connected components and without."""
    stack, built = parted
    source = built.zarr if "conncomp" in stack.spec.layers else built.netcdf
    # Phase in the river is on no island, so that nothing repairs it.
    options = {"MIN_TEMPORAL_COHERENCE": 0.0, "MIN_COHERENCE": 0.16}
    run = invert(source, NETCDF=tmp_path / "none.nc", **options)
    spoiled, *_ = error(stack, run)
    assert any("do not close by whole cycles; most to blame: 2023-" in text for text in run.infos)
    run = invert(source, NETCDF=tmp_path / "both.nc", REPAIR="both", **options)
    repaired, dataset, _ = error(stack, run)
    assert np.abs(spoiled).max() > 5e-3 > 1e-4 > np.quantile(np.abs(repaired), 0.99)
    assert np.nanmax(dataset.closure_error_share.where(dataset.gap_count == 0)) == 0
    assert any("whole cycles are taken off" in text for text in run.infos)
    assert any("No triangle checks the unwrapping of 2023-" in text for text in run.infos)
    assert "whole cycles" in dataset.attrs["unwrapping_repair"]


def test_islands_do_not_depend_on_how_maps_are_read(parted, tmp_path):
    _, built = parted
    found = []
    for group, megabytes, folder in (
        (TEMPORAL_GROUP, 1, None),
        (TEMPORAL_GROUP, 1, tmp_path),
        (TEMPORAL_GROUP, 331, tmp_path),
        (TEMPORAL_GROUP, 4000, tmp_path),
        (SPATIAL_GROUP, 4000, None),
    ):
        with open_stack(built.zarr, group) as stack:
            selection = select_pairs(stack, "unw_phase", None, None, None)
            phases = np.zeros(selection.pairs.size)
            found.append(
                survey_islands(selection, phases, (30, 30), megabytes, 2, SilentReporter(), folder)
            )
            assert not list(tmp_path.iterdir())
    for other in found[1:]:
        for one, two in zip(found[0], other, strict=True):
            assert np.array_equal(one.cycles, two.cycles) and np.array_equal(one.runs, two.runs)
            assert np.array_equal(one.sampled_phase, two.sampled_phase, equal_nan=True)
    assert any(islands.cycles.size > 2 for islands in found[0])


@pytest.fixture(scope="module")
def delayed(tmp_path_factory):
    """Interferograms with delays in proportion to height, planes and errors of the heights."""
    signals = Signals(**QUIET | {"stratified": 1.0, "height_error": 3.0, "linear": 0.002}, ramp=4.0)
    return stack_of(tmp_path_factory, signals, "NETCDF", direction="descending", products=24)


def test_corrections_are_layers_that_can_be_taken_back(delayed, tmp_path):
    stack, built = delayed
    plain, raw, _ = error(stack, invert(built.netcdf, NETCDF=tmp_path / "raw.nc"))
    run = invert(
        built.netcdf,
        NETCDF=tmp_path / "corrected.nc",
        TROPOSPHERE="height",
        DERAMP="linear",
        DEM_ERROR="true",
    )
    corrected, dataset, truth = error(stack, run)
    names = ("troposphere_correction", "ramp_correction", "dem_error_correction")
    assert {*names, "dem_error"} <= set(dataset.variables)
    back = dataset.displacement + sum(dataset[name] for name in names)
    both = np.isfinite(raw.displacement.values) & np.isfinite(back.values)
    assert both.sum() > 1000
    assert np.abs(back.values - raw.displacement.values)[both].max() < 1e-6
    for name in names:
        known = np.isfinite(dataset[name].values)
        assert not dataset[name].values[0][known[0]].any()
        assert "take it back" in dataset[name].attrs["comment"]
    assert np.var(corrected) < 0.1 * np.var(plain)


def test_residual_height_comes_with_products(tmp_path_factory, tmp_path):
    signals = Signals(**QUIET | {"height_error": 5.0})
    stack, built = stack_of(tmp_path_factory, signals, "NETCDF")
    for dem_error in ("false", "true"):
        run = invert(built.netcdf, NETCDF=tmp_path / f"{dem_error}.nc", DEM_ERROR=dem_error)
        rest, dataset, truth = error(stack, run)
        assert (np.abs(rest).max() < 1e-4) == (dem_error == "true")
    known = (dataset.gap_count == 0).values & (dataset["mask"] == 0).values
    area = run.outputs["REFERENCE"].partition(" ")[0].split(",")
    x, y = np.meshgrid(dataset.x, dataset.y)
    inside = np.hypot(x - float(area[0]), y - float(area[1])) <= float(area[2])
    height = -truth.height_error + np.median(truth.height_error[inside])
    difference = dataset.dem_error.values[known] - height[known]
    assert np.std(height[known]) > 2 and np.abs(difference).max() < 0.1


@pytest.mark.parametrize(
    "wanted, words",
    [
        ({"TROPOSPHERE": "height"}, ("TROPOSPHERE", "no layer dem")),
        ({"DEM_ERROR": "true"}, ("DEM_ERROR", "no layer lv_theta")),
    ],
)
def test_what_a_stack_lacks_is_named(wanted, words, small_stack, tmp_path):
    with pytest.raises(InvalidParameterError) as caught:
        invert(small_stack.netcdf, NETCDF=tmp_path / "out.nc", **wanted)
    assert_one_sentence(caught.value, *words)
    assert not list(tmp_path.glob("*.nc"))


@pytest.mark.parametrize("parted", ["INSAR_GAMMA"], indirect=True)
def test_the_report_tells_what_a_repair_would_do(parted, tmp_path):
    _, built = parted
    report = tmp_path / "report.html"
    run = invert(built.zarr, ZARR=tmp_path / "d.zarr", REPORT=report)
    assert run.outputs["REPORT"] == str(report)
    page = report.read_text(encoding="utf-8")
    assert "REPAIR would do" in page and "Pairs with unwrapping errors" in page
    assert page.count("<svg") == 1 + 6 + 1 + 1  # network, series, dates, temporal coherence
    assert page.count("data:image/png;base64,") == 2
    assert "mm/year" in page and "positive toward the satellite" in page
    assert "red toward the satellite, blue away" in page  # as the layers in QGIS show it
    # It may be replaced by another report, but nothing else is.
    run = invert(built.netcdf, NETCDF=tmp_path / "e.nc", REPORT=report, REPAIR="both")
    assert "Repair of unwrapping:" in report.read_text(encoding="utf-8")
    other = tmp_path / "page.html"
    other.write_text("mine")
    with pytest.raises(OutputError):
        invert(built.netcdf, NETCDF=tmp_path / "f.nc", REPORT=other)
    assert other.read_text() == "mine"
