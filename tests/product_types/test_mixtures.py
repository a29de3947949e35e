"""What belongs in one stack: refusals that say how to split, and warnings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hyp3_stack.core.errors import InconsistentProductsError, NoProductsError, ProductError
from tests.running import Run, build
from tests.sample_products import SampleProduct

from .conftest import Stacker, stored
from .edited import copy_as, replace_entry

SMALL = {"rows": 60, "columns": 60, "products": 3, "neighbor_zone_share": 0.0}
GAMMA = SMALL | {"layers": ("unw_phase", "corr")}
BURST = SMALL | {"product_type": "INSAR_ISCE_BURST", "layers": ("unw_phase", "corr")}
MULTI = BURST | {"product_type": "INSAR_ISCE_MULTI_BURST"}
RTC = SMALL | {"product_type": "RTC_GAMMA", "layers": ("VV", "VH", "ls_map")}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "products"


def samples(stacker: Stacker, options: dict) -> tuple[SampleProduct, ...]:
    return stacker(options).samples.products


def mix(
    stacker: Stacker,
    folder: Path,
    options: dict,
    names: tuple[str, str] | None = None,
    **changed: object,
) -> None:
    """Copy two samples, the second with changes, also of a part of its name."""
    first, second = samples(stacker, options)[:2]
    copy_as(first, folder)
    copy_as(second, folder, renamed(second, *names) if names else None, **changed)


def refused(folder: Path, *words: str, **parameters: object) -> str:
    """Return the sentence of a refusal, which names all words and what to do."""
    target = folder.parent / "stack.nc"
    with pytest.raises(InconsistentProductsError) as error:
        build(folder, NETCDF=target, **parameters)
    sentence = str(error.value)
    for word in words:
        assert word in sentence, sentence
    assert re.search(r"; (put|choose) ", sentence), "it has to say what to do"
    assert sentence.endswith(".")
    assert not target.exists()
    return sentence


def accepted(folder: Path, **parameters: object) -> Run:
    run = build(folder, NETCDF=folder.parent / "stack.nc", **parameters)
    assert run.outputs["STEPS"] >= 2
    return run


def renamed(product: SampleProduct, old: str, new: str) -> str:
    assert old in product.name
    return product.name.replace(old, new)


@pytest.mark.parametrize(
    ("one", "other"), [(GAMMA, BURST), (GAMMA, RTC), (BURST, MULTI), (MULTI, GAMMA)]
)
def test_types(stacker: Stacker, folder: Path, one: dict, other: dict) -> None:
    """Lattices and coherences of GAMMA and ISCE differ; one stack never has both."""
    for options in (one, other):
        for product in samples(stacker, options):
            copy_as(product, folder)
    kinds = [options.get("product_type", "INSAR_GAMMA") for options in (one, other)]
    refused(folder, "3 " + kinds[0], "3 " + kinds[1], "PRODUCT_TYPE")
    run = accepted(folder, PRODUCT_TYPE=kinds[1])
    assert run.outputs["STEPS"] == 3 and run.outputs["SKIPPED"] == 3
    stack = stored(folder.parent / "stack.nc")
    assert stack.attrs["product_type"] == kinds[1]
    spacing = abs(float(stack.x[1] - stack.x[0]))
    on_edges = (float(stack.x[0]) - spacing / 2) % spacing == 0
    assert on_edges == (kinds[1] != "INSAR_GAMMA")
    missing = next(kind for kind in ("RTC_GAMMA", "INSAR_ISCE_BURST") if kind not in kinds)
    with pytest.raises(NoProductsError, match=f"There are no {missing} products"):
        build(folder, NETCDF=folder.parent / "other.nc", PRODUCT_TYPE=missing)


def test_polarization_of_pairs(stacker: Stacker, folder: Path) -> None:
    mix(stacker, folder, GAMMA, ("_VVP", "_HHP"))
    name = renamed(samples(stacker, GAMMA)[1], "_VVP", "_HHP")
    refused(folder, "polarization", "VV: 1", "HH: 1", name)


def test_path(stacker: Stacker, folder: Path) -> None:
    orbit = samples(stacker, GAMMA)[1].parameters["Reference Orbit Number"]
    mix(stacker, folder, GAMMA, parameters={"Reference Orbit Number": str(int(orbit) + 1)})
    refused(folder, "differ in their path")


OLD_FILE = {
    f"{side} {key}": None
    for side in ("Reference", "Secondary")
    for key in ("Orbit Number", "Pass Direction")
}
"""Entries that parameter files made before hyp3-gamma 5.1 lack."""


@pytest.mark.parametrize("first_is_old", [False, True])
def test_path_in_old_parameter_files(stacker: Stacker, folder: Path, first_is_old: bool) -> None:
    """It follows from the absolute orbit in the name of the source granule."""
    first, second = samples(stacker, GAMMA)[:2]
    copy_as(first, folder, parameters=OLD_FILE if first_is_old else None)
    granule = second.parameters["Reference Granule"]
    orbit = int(granule.split("_")[-3])
    target = copy_as(second, folder, parameters=OLD_FILE)
    accepted(folder).netcdf.unlink()
    replace_entry(target, "Reference Granule", granule.replace(f"_{orbit:06d}_", "_041000_"))
    refused(folder, "differ in their path", "153: 1", second.name)


def test_satellites_on_one_path(stacker: Stacker, folder: Path) -> None:
    """Sentinel-1A orbit 61237 and Sentinel-1C orbit 4461 are on path 90, as ASF says."""
    first, second = samples(stacker, GAMMA)[:2]
    copy_as(first, folder, parameters={"Reference Orbit Number": "61237"})
    name = renamed(second, "S1AA", "S1CA")
    copy_as(second, folder, name=name, parameters={"Reference Orbit Number": "4461"})
    assert accepted(folder).warnings == []


def test_direction(stacker: Stacker, folder: Path) -> None:
    mix(stacker, folder, GAMMA, parameters={"Reference Pass Direction": "DESCENDING"})
    refused(folder, "pass direction", "ASCENDING: 1", "DESCENDING: 1")


def test_old_products_that_do_not_tell(stacker: Stacker, folder: Path) -> None:
    """Pass direction and orbit came with version 5.1; what is not told is not compared."""
    unknown = ("Reference Pass Direction", "Reference Orbit Number", "Azimuth looks")
    mix(stacker, folder, GAMMA, parameters=dict.fromkeys(unknown))
    assert accepted(folder).warnings == []


@pytest.mark.parametrize("options", [BURST, MULTI])
def test_bursts(stacker: Stacker, folder: Path, options: dict) -> None:
    second = samples(stacker, options)[1]
    burst = re.search(r"\d{6}(?=_IW2|s2n02)", second.name).group()
    mix(stacker, folder, options, (burst, f"{int(burst) + 1:06d}"))
    refused(folder, "bursts", "other ground")


def test_corners_of_old_merged_bursts_may_differ(stacker: Stacker, folder: Path) -> None:
    """They are rounded to a tenth of a degree, on either side of which a burst may begin."""
    for product, west in zip(samples(stacker, MULTI), "334", strict=True):
        first, second = product.name.split("_IW_")[1].split("_")[:2]
        name = f"S1A_064_W120_{west}_N34_6_W119_8_N34_9_{first}_{second}_VV_INT80_7EB5"
        copy_as(product, folder, name)
    run = accepted(folder)
    assert run.outputs["STEPS"] == 3 and run.warnings == []


@pytest.mark.parametrize("key", ["Range looks", "Azimuth looks"])
def test_looks(stacker: Stacker, folder: Path, key: str) -> None:
    mix(stacker, folder, BURST, parameters={key: "9"})
    refused(folder, key.lower(), "9: 1, such as")


def test_spacing(stacker: Stacker, folder: Path) -> None:
    for options in (GAMMA, GAMMA | {"spacing": 40}):
        for product in samples(stacker, options)[:2]:
            copy_as(product, folder)
    sentence = refused(folder)
    assert "looks" in sentence or "spacings" in sentence
    for other in ("RTC_20", "RTC_30"):
        assert other not in sentence


def test_spacing_of_backscatter(stacker: Stacker, folder: Path) -> None:
    for options in (RTC, RTC | {"spacing": 20}):
        for product in samples(stacker, options)[:2]:
            copy_as(product, folder)
    refused(folder, "2 pixel spacings", "20 m: 2", "30 m: 2", "folder of their own")


def test_radiometry(stacker: Stacker, folder: Path) -> None:
    mix(stacker, folder, RTC, ("_G_gpuned", "_G_spuned"))
    refused(folder, "radiometry", "gamma0: 1", "sigma0: 1")


def test_single_and_dual_polarization(stacker: Stacker, folder: Path) -> None:
    mix(stacker, folder, RTC, ("_DVP", "_SVP"))
    for path in folder.glob("*_SVP_*/*_VH.tif"):
        path.unlink()
    refused(folder, "polarization", "VV and VH: 1", "VV: 1", "LAYERS", "(VV)")
    with pytest.raises(ProductError, match="_SVP_.* has no layer VH"):
        build(folder, NETCDF=folder.parent / "stack.nc", LAYERS="VV,VH")
    for layers in ("VV", "VV_backscatter,ls_map", "ls_map"):
        assert accepted(folder, LAYERS=layers).outputs["STEPS"] == 2


def test_transmit_polarization(stacker: Stacker, folder: Path) -> None:
    mix(stacker, folder, RTC, ("_DVP", "_DHP"))
    for path in folder.glob("*_DHP_*/*_V[VH].tif"):
        path.rename(path.with_name(path.name.replace("_VV.", "_HH.").replace("_VH.", "_HV.")))
    sentence = refused(folder, "VV and VH: 1", "HH and HV: 1")
    assert "LAYERS" not in sentence


def warned(run: Run, *words: str) -> None:
    [sentence] = run.warnings
    for word in words:
        assert word in sentence, sentence


@pytest.mark.parametrize(
    ("options", "changed", "words"),
    [
        (GAMMA, {"parameters": {"Phase filter parameter": "0.2"}}, "phase filter|0.2: 1|0.6: 1"),
        (GAMMA, {"names": ("_ueF_", "_weF_")}, "water masking|no: 1|yes: 1"),
        (BURST, {"parameters": {"Water mask": "yes"}}, "water masking|no: 1|yes: 1"),
        (GAMMA, {"parameters": {"DEM source": "NED13"}}, "elevation model|GLO-30: 1|NED13: 1"),
        (GAMMA, {"readme": ("version 9.0.5", "version main")}, "plugin version|main: 1"),
        (RTC, {"names": ("gpuned", "gpufed")}, "speckle filter"),
        (RTC, {"names": ("gpuned", "gpunem")}, "DEM matching"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_warned_of(
    stacker: Stacker, folder: Path, options: dict, changed: dict, words: str
) -> None:
    mix(stacker, folder, options, **changed)
    warned(accepted(folder), *words.split("|"))


def test_equal_numbers_in_other_words(stacker: Stacker, folder: Path) -> None:
    mix(stacker, folder, GAMMA, parameters={"Phase filter parameter": "0.60"})
    assert accepted(folder).warnings == []


@pytest.mark.parametrize(
    ("version", "masks"), [("8.0.3", True), ("8.1.0", False), ("10.0.0", False), ("v7.2", True)]
)
def test_plugin_versions(stacker: Stacker, folder: Path, version: str, masks: bool) -> None:
    changed = ("plugin version 9.0.5", f"plugin version {version}")
    mix(stacker, folder, GAMMA, readme=changed)
    warnings = accepted(folder).warnings
    assert any("plugin version" in text and f"{version}: 1" in text for text in warnings)
    assert any("water mask source" in text for text in warnings) == masks
    assert len(warnings) == 1 + masks


def test_paths_of_backscatter(stacker: Stacker, folder: Path) -> None:
    """Terrain-corrected backscatter of several paths can be compared, with care."""
    second = samples(stacker, RTC)[1]
    orbit = re.search(r"_(\d{6})_", (second.path / f"{second.name}.README.md.txt").read_text())
    other = f"_{int(orbit.group(1)) + 3:06d}_"
    mix(stacker, folder, RTC, readme=(orbit.group(), other))
    warned(accepted(folder), "path", "other directions")


def test_frames_that_share_little_ground(stacker: Stacker, folder: Path) -> None:
    first, *_ = samples(stacker, GAMMA)
    for product in samples(stacker, GAMMA):
        copy_as(product, folder)
    [moved] = samples(stacker, GAMMA | {"products": 1, "latitude": 34.755, "seed": 5})
    copy_as(moved, folder, renamed(moved, "015136_", "015201_"))
    run = accepted(folder)
    warned(run, "2 frames", "3, such as " + first.name, "1, such as", "folder of its own")
    assert run.outputs["STEPS"] == 4


def test_sizes_that_differ_as_usual_are_one_frame(stacker: Stacker) -> None:
    assert stacker(GAMMA).run.warnings == []


def test_reruns(stacker: Stacker, folder: Path) -> None:
    """Of two orders of one acquisition the newer one counts, for every type."""
    for options in (GAMMA, BURST, MULTI, RTC):
        place = folder / options.get("product_type", "INSAR_GAMMA")
        first, second = samples(stacker, options)[:2]
        copy_as(second, place)
        old = copy_as(first, place)
        newer = first.name[:-4] + "FFFF"
        copy_as(first, place, newer, readme=("Date/Time: 2025", "Date/Time: 2026"))
        run = build(place, NETCDF=folder / "stack.nc")
        assert run.outputs["STEPS"] == 2 and run.outputs["SKIPPED"] == 1
        warned(run, old.name, newer, "newer")
        stack = stored(folder / "stack.nc")
        assert newer in stack.product_name.values and old.name not in stack.product_name.values


def test_one_scene_with_and_without_speckle_filter(stacker: Stacker, folder: Path) -> None:
    first = samples(stacker, RTC)[0]
    copy_as(first, folder)
    copy_as(first, folder, renamed(first, "gpuned", "gpufed"))
    with pytest.raises(InconsistentProductsError, match="processed in two ways; put"):
        build(folder, NETCDF=folder.parent / "stack.nc")
