"""Outputs and parameters that a build refuses before it reads a pixel."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

import pytest
import xarray as xr

from hyp3_stack.core.contract import SPATIAL_GROUP, TEMPORAL_GROUP
from hyp3_stack.core.errors import (
    InvalidParameterError,
    OutputError,
)
from hyp3_stack.core.run.reporter import SilentReporter
from hyp3_stack.core.tasks import build_stack
from tests.sample_products import SampleStack

from ..running import assert_one_sentence, build, copy_products, fingerprint, layer_file, leftovers


def refused(folder: Path, small: SampleStack, **given: Any) -> str:
    """Return the sentence of a run that must not begin to write."""
    before = fingerprint(folder)
    with pytest.raises(OutputError) as caught:
        build(small.folder, **given)
    assert_one_sentence(caught.value)
    assert fingerprint(folder) == before and not leftovers(folder)
    return str(caught.value)


def test_no_output_at_all(small: SampleStack, tmp_path: Path) -> None:
    assert "set NETCDF, ZARR" in refused(tmp_path, small)
    assert "set NETCDF, ZARR" in refused(tmp_path, small, NETCDF="", ZARR="  ")


def test_the_same_place_twice(small: SampleStack, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    for netcdf, zarr in (
        (tmp_path / "s", tmp_path / "s"),
        (tmp_path / "x" / ".." / "s", tmp_path / "s"),
        (tmp_path / "link" / "s", tmp_path / "s"),
    ):
        assert "NETCDF and ZARR are both" in refused(tmp_path, small, NETCDF=netcdf, ZARR=zarr)


def test_one_output_inside_the_other(small: SampleStack, tmp_path: Path) -> None:
    inner = tmp_path / "s.zarr" / "deep" / "s.nc"
    text = refused(tmp_path, small, NETCDF=inner, ZARR=tmp_path / "s.zarr")
    assert text.startswith(f"NETCDF is {inner}, which lies in ZARR")
    inner = tmp_path / "s.nc" / "s.zarr"
    text = refused(tmp_path, small, NETCDF=tmp_path / "s.nc", ZARR=inner)
    assert text.startswith(f"ZARR is {inner}, which lies in NETCDF")


def test_what_is_no_stack_is_not_replaced(small: SampleStack, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "data.csv").write_text("years of work")
    (tmp_path / "notes.txt").write_text("years of work")
    assert "not a Zarr store" in refused(tmp_path, small, ZARR=precious)
    assert "not a Zarr store" in refused(tmp_path, small, ZARR=tmp_path / "notes.txt")
    assert "which is a folder" in refused(tmp_path, small, NETCDF=precious)
    assert "is not a stack" in refused(tmp_path, small, NETCDF=tmp_path / "notes.txt")


def test_names_of_other_kinds_of_files(small: SampleStack, tmp_path: Path) -> None:
    for name in ("s.tif", "s.zarr", "s.JSON"):
        text = refused(tmp_path, small, NETCDF=tmp_path / name)
        assert text.startswith(f"NETCDF is {tmp_path / name}") and "ending in .nc" in text
    for name in ("s.nc", "s.TIF", "s.zip"):
        text = refused(tmp_path, small, ZARR=tmp_path / name)
        assert text.startswith(f"ZARR is {tmp_path / name}") and "ending in .zarr" in text


def test_stacks_of_others_are_not_replaced(small: SampleStack, tmp_path: Path) -> None:
    other = xr.Dataset({"a": ("x", [1.0])})
    other.to_netcdf(tmp_path / "other.nc")
    other.to_zarr(tmp_path / "other.zarr", consolidated=False)
    (tmp_path / "notes.html").write_text("years of work")
    made = {"NETCDF": tmp_path / "s.nc"}
    assert "NETCDF is" in refused(tmp_path, small, NETCDF=tmp_path / "other.nc")
    assert "ZARR is" in refused(tmp_path, small, ZARR=tmp_path / "other.zarr")
    text = refused(tmp_path, small, **made, REPORT=tmp_path / "notes.html")
    assert "REPORT is" in text and "is not a report that HyP3 Stack wrote" in text


@pytest.mark.parametrize("form", [2, 3])
def test_stores_of_others_with_groups_of_our_names_are_not_replaced(
    small: SampleStack, tmp_path: Path, form: Literal[2, 3]
) -> None:
    store = tmp_path / "s.zarr"
    other = xr.Dataset({"a": ("x", [1.0])}, attrs={"history": "years of work"})
    for group in (SPATIAL_GROUP, TEMPORAL_GROUP):
        other.to_zarr(store, group=group, zarr_format=form, consolidated=False)
    for append in (False, True):
        text = refused(tmp_path, small, ZARR=store, APPEND=append)
        assert text.startswith(f"ZARR is {store}") and "is not a Zarr store" in text


@pytest.mark.parametrize("form", ["2", "3"])
def test_what_lies_in_a_store_besides_the_stack_is_not_lost(
    small: SampleStack, tmp_path: Path, form: str
) -> None:
    store = tmp_path / "s.zarr"
    options = {"ZARR": store, "ZARR_FORMAT": form, "LAYERS": "corr", "CHUNKING": "spatial"}
    build(small.folder, **options)
    (store / "pam.aux.xml").write_text("<PAMDataset/>")
    build(small.folder, **options)
    (store / "notes.txt").write_text("years of work")
    for append in (False, True):
        text = refused(tmp_path, small, **options, APPEND=append)
        assert f"ZARR is {store}, which holds notes.txt" in text
    (store / "notes.txt").unlink()
    document = store / SPATIAL_GROUP / (".zattrs" if form == "2" else "zarr.json")
    for damaged in ("{", "[]", '{"attributes": 1}'):
        document.write_text(damaged)
        assert "is not a Zarr store" in refused(tmp_path, small, **options)


@pytest.mark.parametrize("name", ["NETCDF", "ZARR", "REPORT"])
def test_devices_and_pipes_are_no_outputs(small: SampleStack, tmp_path: Path, name: str) -> None:
    """Whoever opens a pipe waits until somebody opens its other end."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    given = {"NETCDF": tmp_path / "s.nc"} | {name: pipe}
    with pytest.raises(InvalidParameterError, match=f"{name} is .*neither a file nor a folder"):
        build(small.folder, **given)
    assert pipe.is_fifo() and list(tmp_path.iterdir()) == [pipe]


def test_inputs_are_never_replaced(small: SampleStack, tmp_path: Path) -> None:
    folders = copy_products(small, tmp_path / "in")
    before = fingerprint(tmp_path)
    for given in (
        {"NETCDF": layer_file(folders[0], "corr")},
        {"NETCDF": folders[0] / f"{folders[0].name}.txt"},
        {"NETCDF": folders[0]},
        {"ZARR": folders[0]},
        {"ZARR": layer_file(folders[0], "corr")},
        {"ZARR": tmp_path / "in"},
        {"ZARR": tmp_path},
        {"NETCDF": tmp_path / "in"},
    ):
        with pytest.raises(OutputError) as caught:
            build(tmp_path / "in", **given)
        assert_one_sentence(caught.value, str(next(iter(given.values()))))
        assert fingerprint(tmp_path) == before


@pytest.mark.parametrize("name", ["NETCDF", "ZARR", "REPORT"])
def test_names_that_no_disk_takes(small: SampleStack, tmp_path: Path, name: str) -> None:
    given = {"NETCDF": tmp_path / "s.nc", name: tmp_path / ("n" * 295)}
    with pytest.raises(InvalidParameterError, match=rf"^{name} is .*; give a shorter name\.$"):
        build(small.folder, **given)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["below a file", "too long by the mark"])
def test_paths_that_cannot_be_written(small: SampleStack, tmp_path: Path, kind: str) -> None:
    (tmp_path / "file").write_text("a file")
    start = {
        "below a file": tmp_path / "file" / "s",
        "too long by the mark": tmp_path / ("n" * 245),
    }[kind]
    for name, suffix in (("NETCDF", ".nc"), ("ZARR", ".zarr"), ("REPORT", ".html")):
        path = start.with_suffix(suffix)
        text = refused(tmp_path, small, **{"NETCDF": tmp_path / "s.nc", name: path})
        assert f"{path} cannot be written" in text
        assert text.endswith(
            "; choose another folder or change its permissions."
            if kind == "below a file"
            else "; choose a shorter name."
        )


def test_folders_of_outputs_are_made(small: SampleStack, tmp_path: Path) -> None:
    run = build(small.folder, NETCDF=tmp_path / "a" / "b" / "s.nc", LAYERS="corr")
    assert run.netcdf.is_file()


# --- parameters ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "parts"),
    [
        ({"INPUT": ""}, ["INPUT is missing"]),
        ({"INPUT": "/no/such/folder"}, ["/no/such/folder", "no such folder"]),
        ({"INPUT": __file__}, ["no such folder"]),
        ({"CHUNK_SIZE": "big"}, ["CHUNK_SIZE", "'big'", "number"]),
        ({"CHUNK_SIZE": 0}, ["CHUNK_SIZE", "between"]),
        ({"CHUNK_SIZE": "nan"}, ["CHUNK_SIZE", "between"]),
        ({"CHUNK_SIZE": 1e9}, ["CHUNK_SIZE", "between"]),
        ({"MEMORY": "much"}, ["MEMORY", "'much'", "number"]),
        ({"MEMORY": 0}, ["MEMORY", "between 450 and"]),
        ({"MEMORY": 449}, ["MEMORY", "between 450 and"]),
        ({"MEMORY": "nan"}, ["MEMORY", "between"]),
        ({"MEMORY": -1000}, ["MEMORY", "between"]),
        ({"MEMORY": 1e9}, ["MEMORY", "between"]),
        ({"CHUNKING": "cubic"}, ["CHUNKING", "spatial, temporal, both"]),
        ({"ZARR_FORMAT": "4"}, ["ZARR_FORMAT", "2, 3"]),
        ({"STATIC_LAYERS": "never"}, ["STATIC_LAYERS", "once, per_pair"]),
        ({"ON_BAD_PRODUCT": "cry"}, ["ON_BAD_PRODUCT", "stop, skip"]),
        ({"EXTENT_MODE": "all"}, ["EXTENT_MODE", "union, intersection"]),
        ({"RESAMPLING": "magic"}, ["RESAMPLING", "auto, nearest, bilinear, cubic"]),
        ({"PRODUCT_TYPE": "insar"}, ["PRODUCT_TYPE", "INSAR_GAMMA"]),
        ({"START": "yesterday"}, ["START", "date like"]),
        ({"END": "2023-02-30"}, ["END", "date like"]),
        ({"START": "2023-03-01", "END": "2023-02-01"}, ["START", "END", "swap"]),
        ({"EXTENT": "1,2,3"}, ["EXTENT", "xmin,xmax,ymin,ymax"]),
        ({"EXTENT": "a,b,c,d"}, ["EXTENT", "xmin,xmax,ymin,ymax"]),
        ({"EXTENT": "2,1,3,4"}, ["EXTENT", "maxima"]),
        ({"EXTENT": "nan,1,3,4"}, ["EXTENT", "xmin,xmax,ymin,ymax"]),
        ({"EXTENT": {"bounds": [1, 2]}}, ["EXTENT", "xmin,xmax,ymin,ymax"]),
        ({"EXTENT": {"crs": "EPSG:4326"}}, ["EXTENT", "xmin,xmax,ymin,ymax"]),
        ({"LAYERS": "corr,height"}, ["LAYERS", "height", "unw_phase"]),
        ({"LAYERS": 5}, ["LAYERS", "5"]),
    ],
)
def test_bad_parameters(
    small: SampleStack, tmp_path: Path, given: dict[str, Any], parts: list[str]
) -> None:
    parameters = {"INPUT": str(small.folder), "NETCDF": str(tmp_path / "s.nc")} | given
    with pytest.raises(InvalidParameterError) as caught:
        build_stack.run(parameters, None, SilentReporter())
    assert_one_sentence(caught.value, *parts)
    assert list(tmp_path.iterdir()) == []


def test_forms_of_parameters_that_mean_the_same(small: SampleStack, tmp_path: Path) -> None:
    usual = {
        "LAYERS": "corr,unw_phase",
        "EXTENT": "769000,772000,3846000,3849000 [EPSG:32610]",
        "START": "2023-01-06",
        "ZARR_FORMAT": "2",
        "CHUNK_SIZE": 1,
    }
    forms = (
        {"LAYERS": [" corr", "unw_phase", "corr"], "ZARR_FORMAT": 2, "CHUNK_SIZE": "1.0"},
        {"LAYERS": " unw_phase , corr ,", "START": "2023-01-06T23:59:59"},
        {"EXTENT": {"bounds": [769000, 3846000, 772000, 3849000], "crs": "EPSG:32610"}},
        {"EXTENT": " 769000.0 , 772000,3846000,3849000", "TARGET_CRS": "  "},
        {"END": None, "PRODUCT_TYPE": "", "RESAMPLING": "auto"},
    )
    expected = build(small.folder, NETCDF=tmp_path / "usual.nc", **usual).outputs
    for number, form in enumerate(forms):
        path = tmp_path / f"{number}.nc"
        found = build(small.folder, NETCDF=path, **{**usual, **form}).outputs
        for name in ("STEPS", "SKIPPED", "CRS", "WIDTH", "HEIGHT"):
            assert found[name] == expected[name], (form, name)
        assert [source.rsplit(":")[-1] for source in found["LAYERS"]] == [
            "unw_phase",
            "corr",
            "data_mask",
            "mask_reason",
        ]
