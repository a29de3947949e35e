"""What the ASF catalog adds, from a catalog on 127.0.0.1 that knows the orbits."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
import xarray as xr

from hyp3_stack.core.assessment.assess import assess_stack
from hyp3_stack.core.errors import Canceled
from hyp3_stack.core.retrieval.catalog.enrichment import look_up_granules
from hyp3_stack.core.retrieval.catalog.state_vectors import Orbit, baselines
from hyp3_stack.core.run.reporter import SilentReporter
from hyp3_stack.core.tasks import build_stack
from tests.hyp3_server import Hyp3Service
from tests.running import StopAt

from ..written_stacks import Written

RADIUS = 7_070_000.0
RATE = 2 * np.pi / 5924.6
SPAN = 40.0

BURSTS = "https://sentinel1-burst.asf.alaska.edu"

OUT_OF_REACH = "https://127.0.0.1:9"

ONE_LAYER = {"LAYERS": "unw_phase", "MASKS": "false"}
"""For what the catalog says, which does not depend on pixels."""

RING = [(-120.5, 34.5), (-119.5, 34.5), (-119.5, 35.0), (-120.5, 35.0), (-120.5, 34.5)]


def circle(target: np.ndarray, offset: tuple[float, float], time: float) -> np.ndarray:
    """Return a position on a polar orbit that passes beside a target at time 0.

    ``offset`` shifts it upward and sideways in meters.
    """
    up = target / np.linalg.norm(target)
    along = np.array([0.0, 0.0, 1.0]) - up[2] * up
    along /= np.linalg.norm(along)
    side = np.cross(along, up)
    tilt = np.radians(7.0)
    start = np.cos(tilt) * up + np.sin(tilt) * side
    radius = RADIUS + offset[0]
    turned = np.cos(RATE * time) * start + np.sin(RATE * time) * along
    return radius * turned + offset[1] * np.cross(along, start)


def velocity(target: np.ndarray, offset: tuple[float, float], time: float) -> np.ndarray:
    step = 1e-3
    return (circle(target, offset, time + step) - circle(target, offset, time - step)) / (2 * step)


def orbit(target: np.ndarray, offset: tuple[float, float], begin: float = -SPAN / 2) -> Orbit:
    times = (begin, begin + SPAN)
    return Orbit(
        SPAN,
        np.array([circle(target, offset, time) for time in times]),
        np.array([velocity(target, offset, time) for time in times]),
    )


TARGET = np.array([-2_630_000.0, -4_540_000.0, 3_615_000.0])


@pytest.mark.parametrize("begin", [-SPAN / 2, -SPAN / 4, -3.0])
@pytest.mark.parametrize("offset", [(0.0, 0.0), (80.0, 0.0), (0.0, 150.0), (-40.0, -60.0)])
def test_baselines_of_known_orbits(offset: tuple[float, float], begin: float) -> None:
    reference, secondary = orbit(TARGET, (0.0, 0.0)), orbit(TARGET, offset, begin)
    found = baselines(reference, secondary, TARGET)
    assert found is not None
    first, second = circle(TARGET, (0.0, 0.0), 0.0), circle(TARGET, offset, 0.0)
    look = (TARGET - first) / np.linalg.norm(TARGET - first)
    across = np.cross(velocity(TARGET, (0.0, 0.0), 0.0), look)
    assert found[0] == pytest.approx((second - first) @ look, abs=0.2)
    expected = abs((second - first) @ across) / np.linalg.norm(across)
    assert found[1] == pytest.approx(expected, abs=0.2)


def test_an_orbit_far_away() -> None:
    near = orbit(TARGET, (0.0, 0.0))
    assert baselines(near, orbit(TARGET, (0.0, 0.0), begin=300.0), TARGET) is None


def start_of(name: str) -> datetime:
    """Return the start that a granule's name tells."""
    found = re.search(r"_(\d{8}T\d{6})_", name)
    assert found is not None
    return datetime.strptime(found[1], "%Y%m%dT%H%M%S")


def length_of(name: str) -> int:
    return 3 if name.endswith("-BURST") else 29


class Catalog(Hyp3Service):
    """A catalog whose entries tell as much as those of ASF."""

    center = TARGET

    def granules(self, name: str) -> list[dict[str, Any]]:
        items = list(super().granules(name))
        for item in items:
            umm = item["umm"]
            start = start_of(name)
            offset = (0.5 * start.day, 2.0 * start.day)
            attributes = umm["AdditionalAttributes"]
            for kind, function in (("POSITION", circle), ("VELOCITY", velocity)):
                # Fractions of seconds differ, so that times cut to seconds would show.
                for word, time in (("PRE", -SPAN / 2), ("POST", SPAN / 2 + 0.25)):
                    vector = function(self.center, offset, time)
                    moment = start + timedelta(seconds=13.5 + time)
                    text = ",".join([*(f"{number:.6f}" for number in vector), f"{moment}Z"])
                    attributes.append({"Name": f"SV_{kind}_{word}", "Values": [text]})
            umm["DataGranule"]["ProductionDateTime"] = f"{start + timedelta(hours=3):%FT%TZ}"
            umm["TemporalExtent"]["RangeDateTime"] = {
                "BeginningDateTime": f"{start:%FT%TZ}",
                "EndingDateTime": f"{start + timedelta(seconds=length_of(name)):%FT%TZ}",
            }
            umm["PGEVersionClass"] = {"PGEVersion": "003.61"}
            if name.endswith("-BURST"):
                umm["RelatedUrls"] = [
                    {"Type": "USE SERVICE API", "URL": f"{BURSTS}/{name}.{kind}"}
                    for kind in ("tiff", "xml")
                ]
        return items


@pytest.fixture(scope="module")
def catalog() -> Iterator[Catalog]:
    with Catalog() as service:
        yield service


@pytest.fixture
def reachable(catalog: Catalog, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Catalog:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("HYP3_STACK_CACHE", str(tmp_path / "cache"))
    for name, value in catalog.environment.items():
        monkeypatch.setenv(name, value)
    return catalog


def enrich(stack: Written, folder: Path, **more: Any) -> tuple[xr.Dataset, SilentReporter]:
    reporter = SilentReporter()
    folder.mkdir(exist_ok=True)
    given = {"INPUT": str(stack.samples.folder), "NETCDF": str(folder / "s.nc"), "ENRICH": "true"}
    build_stack.run({**given, **more}, None, reporter)
    return xr.load_dataset(folder / "s.nc"), reporter


def know(catalog: Catalog, stack: Written, ring: list[tuple[float, float]] = RING) -> None:
    plain = stack.open()
    if "scene_center_longitude" in plain:
        from pyproj import Transformer

        to_fixed = Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)
        center = (float(plain.scene_center_longitude), float(plain.scene_center_latitude), 0.0)
        catalog.center = np.array(to_fixed.transform(*center))
    names = " ".join(plain.source_granules.values.astype(str)).split()
    for name in names:
        catalog.scenes[name] = (35, True, ring)


def test_times_of_state_vectors_are_whole(reachable: Catalog) -> None:
    name = "S1A_IW_SLC__1SDV_20190610T135156_20190610T135223_027617_031DEB_3AFD"
    reachable.know_scenes([name])
    orbit_of = look_up_granules([name], SilentReporter())[name].orbit
    assert orbit_of is not None and orbit_of.seconds == SPAN + 0.25


def test_interferograms(gamma_stack: Written, reachable: Catalog, tmp_path: Path) -> None:
    know(reachable, gamma_stack)
    found, reporter = enrich(gamma_stack, tmp_path / "out")
    assert reporter.warnings == []
    assert set(found.source_software_version.values.astype(str)) == {"003.61"}
    hours = (found.source_processing_time - found.acquisition_time) / np.timedelta64(1, "h")
    np.testing.assert_allclose(hours, 3.0)
    seconds = (found.acquisition_end_time - found.acquisition_time) / np.timedelta64(1, "s")
    np.testing.assert_allclose(seconds, 29.0)
    assert all(str(text).startswith("POLYGON ((-120.5") for text in found.source_footprint.values)
    for number in range(found.sizes["pair"]):
        pair = found.isel(pair=number)
        ends = [
            datetime.fromtimestamp(int(time.astype("int64") // 10**9), timezone.utc).day
            for time in (pair.reference_time.values, pair.secondary_time.values)
        ]
        places = [circle(reachable.center, (0.5 * day, 2.0 * day), 0.0) for day in ends]
        look = reachable.center - places[0]
        expected = (places[1] - places[0]) @ look / np.linalg.norm(look)
        assert float(pair.parallel_baseline) == pytest.approx(expected, abs=0.2)
    before, after = assess_stack(gamma_stack.netcdf), assess_stack(tmp_path / "out" / "s.nc")
    assert after.count("met") == before.count("met") + 2 == 32
    assert after.problems == ()


@pytest.mark.parametrize("kind", ["INSAR_ISCE_BURST", "INSAR_ISCE_MULTI_BURST"])
def test_bursts(stacks: dict[str, Written], kind: str, reachable: Catalog, tmp_path: Path) -> None:
    """Names of bursts tell neither satellite nor end; an acquisition can have several of them."""
    stack = stacks[kind]
    know(reachable, stack)
    found, reporter = enrich(stack, tmp_path / "out")
    assert reporter.warnings == []
    groups = [text.split() for text in found.source_granules.values.astype(str)]
    several = kind == "INSAR_ISCE_MULTI_BURST"
    assert all((len(names) > 1) == several for names in groups)
    for number, names in enumerate(groups):
        one = found.isel(acquisition=number)
        starts = [start_of(name) for name in names]
        assert one.acquisition_end_time == np.datetime64(max(starts) + timedelta(seconds=3))
        assert one.source_processing_time == np.datetime64(max(starts) + timedelta(hours=3))
        urls = [f"{BURSTS}/{name}.tiff" for name in names]
        assert str(one.source_url.values).split() == urls
        assert str(one.source_footprint.values).count("POLYGON") == len(names)
    assert set(found.satellite.values.astype(str)) == {"Sentinel-1A"}
    assert set(found.source_software_version.values.astype(str)) == {"003.61"}
    for number in range(found.sizes["pair"]):
        pair = found.isel(pair=number)
        days = [
            int(time.astype("datetime64[D]").astype(object).day)
            for time in (pair.reference_time.values, pair.secondary_time.values)
        ]
        places = [circle(reachable.center, (0.5 * day, 2.0 * day), 0.0) for day in days]
        look = reachable.center - places[0]
        expected = (places[1] - places[0]) @ look / np.linalg.norm(look)
        assert float(pair.parallel_baseline) == pytest.approx(expected, abs=0.2)
    before, after = assess_stack(stack.netcdf), assess_stack(tmp_path / "out" / "s.nc")
    newly = {
        item.requirement["number"]
        for old, item in zip(before.items, after.items, strict=True)
        if item.is_threshold and item.verdict.status == "met" != old.verdict.status
    }
    assert newly == {"1.6.6", "1.7.16"}
    assert after.problems == ()


def test_backscatter(rtc_stack: Written, reachable: Catalog, tmp_path: Path) -> None:
    know(reachable, rtc_stack)
    enrich(rtc_stack, tmp_path / "out")
    after = assess_stack(tmp_path / "out" / "s.nc")
    assert after.count("met") == assess_stack(rtc_stack.netcdf).count("met") + 1 == 29


def test_asked_once(gamma_stack: Written, reachable: Catalog, tmp_path: Path) -> None:
    know(reachable, gamma_stack)
    first, _ = enrich(gamma_stack, tmp_path / "out", **ONE_LAYER)
    asked = len(reachable.log.of("catalog"))
    second, _ = enrich(gamma_stack, tmp_path / "out", **ONE_LAYER)
    assert len(reachable.log.of("catalog")) == asked
    xr.testing.assert_equal(first, second)
    shutil.rmtree(tmp_path / "cache")
    enrich(gamma_stack, tmp_path / "out", **ONE_LAYER)
    assert len(reachable.log.of("catalog")) > asked


def test_never_fatal(
    gamma_stack: Written, reachable: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYP3_STACK_CMR_URL", OUT_OF_REACH)
    found, reporter = enrich(gamma_stack, tmp_path / "out", **ONE_LAYER)
    assert len(reporter.warnings) == 1 and "out of reach" in reporter.warnings[0]
    assert "source_processing_time" not in found
    assert np.isnan(found.parallel_baseline).all()


def test_a_catalog_that_knows_nothing(
    gamma_stack: Written, reachable: Catalog, tmp_path: Path
) -> None:
    reachable.scenes.clear()
    found, reporter = enrich(gamma_stack, tmp_path / "out", **ONE_LAYER)
    assert reporter.warnings == []
    assert "source_footprint" not in found


def test_off_by_default(gamma_stack: Written, reachable: Catalog, tmp_path: Path) -> None:
    before = len(reachable.log.of("catalog"))
    enrich(gamma_stack, tmp_path / "out", ENRICH="", **ONE_LAYER)
    assert len(reachable.log.of("catalog")) == before


@pytest.mark.parametrize("how", ["offline", "without", "in format 3"])
def test_what_the_catalog_told_stays_when_more_is_appended(
    gamma_stack: Written,
    reachable: Catalog,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    how: str,
) -> None:
    know(reachable, gamma_stack)
    *most, _ = [item.name for item in gamma_stack.samples.products]
    given = {
        "INPUT": str(gamma_stack.samples.folder),
        "PRODUCTS": ",".join(most),
        "APPEND": "true",
        "GROW": "true",
        "CHUNKING": "spatial",
        **ONE_LAYER,
    }
    if how == "in format 3":
        given |= {"ZARR": str(tmp_path / "s.zarr"), "ZARR_FORMAT": "3"}
    else:
        given["NETCDF"] = str(tmp_path / "s.nc")

    def made() -> xr.Dataset:
        if how == "in format 3":
            return xr.open_zarr(tmp_path / "s.zarr", group="spatially_optimized").load()
        return xr.load_dataset(tmp_path / "s.nc")

    build_stack.run(
        {**given, "ENRICH": "true", "PRODUCTS": ",".join(most[:2])}, None, SilentReporter()
    )
    before = made()
    monkeypatch.setenv("HYP3_STACK_CMR_URL", OUT_OF_REACH)
    shutil.rmtree(tmp_path / "cache")
    reporter = SilentReporter()
    build_stack.run(given | ({"ENRICH": "true"} if how == "offline" else {}), None, reporter)
    asked = "made without what only the catalog knows" if how == "offline" else "set ENRICH to ask"
    assert [text for text in reporter.warnings if asked in text]
    after = made()
    pairs = after.swap_dims(pair="product_name").sel(product_name=before.product_name.values)
    assert after.sizes["pair"] == 4 and before.parallel_baseline.notnull().all()
    np.testing.assert_array_equal(pairs.parallel_baseline, before.parallel_baseline)
    assert after.parallel_baseline.isnull().sum() == 2
    old = after.swap_dims(acquisition="acquisition_time").sel(
        acquisition_time=before.acquisition_time.values
    )
    for name in ("source_footprint", "source_processing_time", "source_software_version"):
        np.testing.assert_array_equal(old[name], before[name])
        assert after[name].attrs == before[name].attrs
    assert "not provided" in after.source_footprint.values


@pytest.mark.parametrize("first", ["offline", "online"])
def test_a_build_goes_on_whatever_the_catalog_tells_by_then(
    gamma_stack: Written,
    reachable: Catalog,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    first: str,
) -> None:
    know(reachable, gamma_stack)
    (tmp_path / "out").mkdir()
    zarr = str(tmp_path / "out" / "s.zarr")
    given = {"INPUT": str(gamma_stack.samples.folder), "ZARR": zarr, "ENRICH": "true"} | ONE_LAYER
    urls = [OUT_OF_REACH, reachable.environment["HYP3_STACK_CMR_URL"]]
    before, after = urls if first == "offline" else reversed(urls)
    monkeypatch.setenv("HYP3_STACK_CMR_URL", before)
    with pytest.raises(Canceled):
        build_stack.run(given, None, StopAt(60))
    monkeypatch.setenv("HYP3_STACK_CMR_URL", after)
    shutil.rmtree(tmp_path / "cache", ignore_errors=True)
    reporter = SilentReporter()
    build_stack.run(given, None, reporter)
    assert any(text.startswith("Going on") for text in reporter.infos)
    for group in ("spatially_optimized", "temporally_optimized"):
        with xr.open_zarr(zarr, group=group) as made:
            is_told = first == "offline"
            assert ("source_footprint" in made) == is_told
            assert made.unw_phase.notnull().any()
            if is_told:
                assert made.parallel_baseline.notnull().all()


def test_outlines_across_the_antimeridian(
    gamma_stack: Written, reachable: Catalog, tmp_path: Path
) -> None:
    east = [(179.5, 52.0), (-179.0, 52.0), (-179.0, 53.0), (179.5, 53.0), (179.5, 52.0)]
    know(reachable, gamma_stack, east)
    stack, _ = enrich(gamma_stack, tmp_path, **ONE_LAYER)
    outline = shapely.from_wkt(str(stack.source_footprint.values[0]))
    assert outline.geom_type == "MultiPolygon"
    assert outline.area == pytest.approx(1.5)
