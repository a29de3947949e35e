"""Reading the parameters of a job by name and type."""

from __future__ import annotations

import math
import os
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from hyp3_stack.core.contract import PARAMETERS, ROWS
from hyp3_stack.core.errors import InvalidParameterError
from hyp3_stack.core.parameters.parameter import Kind
from hyp3_stack.core.run.parameters import Extent, Parameters
from hyp3_stack.core.run.reporter import SilentReporter
from hyp3_stack.core.tasks import (
    assess_stack,
    build_stack,
    download_products,
    find_jobs,
    harmonize_products,
    prepare_stack,
)


@pytest.mark.parametrize(
    ("task", "name", "meant"),
    [
        ("buildstack", "ON_BAD_PRODUCTS", "ON_BAD_PRODUCT"),
        ("buildstack", "netcdf", "NETCDF"),
        ("buildstack", "MERGEPASSES", "MERGE_PASSES"),
        ("preparestack", "JOBTYPE", "JOB_TYPE"),
        ("findjobs", "Start", "START"),
        ("downloadproducts", "KEEP_ZIP", "KEEP_ZIPS"),
        ("harmonizeproducts", "EXTENTMODE", "EXTENT_MODE"),
        ("assessstack", "JASON", "JSON"),
    ],
)
def test_a_mistyped_name_is_not_ignored(task: str, name: str, meant: str) -> None:
    known = {known: None for known in PARAMETERS[task]}
    Parameters(known, task)
    with pytest.raises(InvalidParameterError) as caught:
        Parameters({**known, name: "x"}, task)
    assert str(caught.value) == (
        f"{name} (write {meant}, if that is meant) is not a parameter of {task}; correct or remove "
        "what is not known."
    )


def test_all_unknown_names_are_told() -> None:
    with pytest.raises(
        InvalidParameterError, match="^CHUNK_SIZES .*CHUNK_SIZE.*, WHATEVER are not"
    ):
        Parameters({"WHATEVER": 1, "CHUNK_SIZES": 2}, "buildstack")


@pytest.mark.parametrize(
    ("task", "given"),
    [
        (build_stack, {"INPUT": "x", "NETCFD": "s.nc"}),
        (prepare_stack, {"FOLDER": "x", "NETCFD": "s.nc"}),
        (harmonize_products, {"INPUT": "x", "OUT": "y"}),
        (find_jobs, {"OUTPUTS": "x"}),
        (download_products, {"OUTPUTS": "x"}),
        (assess_stack, {"INPUTS": "x"}),
    ],
)
def test_tasks_refuse_unknown_names_first(task: Any, given: dict[str, str]) -> None:
    with pytest.raises(InvalidParameterError, match="not a parameter of"):
        task.run(given, None, SilentReporter())


def given(name: str, value: Any) -> Parameters:
    return Parameters({name: value}, "preparestack")


@pytest.mark.parametrize("nothing", [None, "", "   ", "\n"])
def test_nothing_is_the_default(nothing: Any) -> None:
    names = PARAMETERS["preparestack"]
    for parameters in (
        Parameters(dict.fromkeys(names, nothing), "preparestack"),
        Parameters({}, "preparestack"),
    ):
        assert parameters.text("PROJECT") is None
        assert parameters.text("API_URL") == "https://hyp3-api.asf.alaska.edu"
        assert parameters.number("CHUNK_SIZE") == 4.0
        assert parameters.flag("APPEND") is False
        assert parameters.flag("MASKS") is True
        assert parameters.names("LAYERS") == ()
        assert parameters.day("START") is None
        assert parameters.path("NETCDF") is None
        assert parameters.extent("EXTENT") is None
        assert parameters.choice("CHUNKING") == "both"
        with pytest.raises(InvalidParameterError, match="The parameter FOLDER is missing"):
            parameters.path("FOLDER", required=True)


READERS = {
    Kind.CHOICE: Parameters.choice,
    Kind.FLAG: Parameters.flag,
    Kind.NUMBER: Parameters.number,
    Kind.INTEGER: Parameters.number,
}


@pytest.mark.parametrize("task", ROWS)
def test_defaults_are_values_that_are_taken(task: str) -> None:
    for name, row in ROWS[task].items():
        if row.kind is Kind.NUMBER and row.default is None and not row.required:
            assert Parameters({}, task).optional_number(name) is None
        elif row.kind in READERS and not row.required:
            assert READERS[row.kind](Parameters({}, task), name) == row.default


@pytest.mark.parametrize(
    ("value", "expected"),
    [(True, True), (False, False), (1, True), (0, False), (" Yes ", True), ("FALSE", False)],
)
def test_flags(value: Any, expected: bool) -> None:
    assert given("MASKS", value).flag("MASKS") is expected
    assert given("APPEND", value).flag("APPEND") is expected


def test_the_home_of_nobody() -> None:
    with pytest.raises(InvalidParameterError) as caught:
        given("NETCDF", "~nobody-of-that-name/x").path("NETCDF")
    assert str(caught.value) == (
        "NETCDF is ~nobody-of-that-name/x, but the home folder that ~ stands for is not known; "
        "give the path without ~."
    )


DEEP: list[Any] = []
for _ in range(50_000):
    DEEP = [DEEP]

STRANGE = [
    *(DEEP, {"bounds": DEEP}, [DEEP]),
    *(
        True,
        10**400,
        -(10**400),
        math.nan,
        math.inf,
        [],
        [[]],
        [None],
        {},
        {"a": {}},
        {"bounds": 1},
    ),
    *({"bounds": [0, 0, 10**400, 1]}, {"bounds": [0, 0, 1, 1], "crs": 5}, {"bounds": "1234"}),
    *("a" * 300, "a/" * 3000, "\0", "a\ud800", ["a\ud800"], "9" * 5000, "1e400", "0,1,0,1 [\0"),
]


@pytest.mark.parametrize("value", STRANGE, ids=range(len(STRANGE)))
def test_strange_values_are_taken_or_refused_in_one_short_sentence(value: Any) -> None:
    for read, name in (
        (Parameters.text, "PROJECT"),
        (Parameters.choice, "SCALE"),
        (Parameters.flag, "MASKS"),
        (Parameters.number, "CHUNK_SIZE"),
        (Parameters.names, "LAYERS"),
        (Parameters.day, "START"),
        (Parameters.path, "NETCDF"),
        (Parameters.output, "NETCDF"),
        (Parameters.folder, "FOLDER"),
        (Parameters.extent, "EXTENT"),
    ):
        try:
            read(given(name, value), name)
        except InvalidParameterError as error:
            text = str(error)
            text.encode()
            assert name in text and text.endswith(".") and len(text) < 7000


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's files")
def test_paths_that_cannot_be_used(tmp_path: Path) -> None:
    loop, pipe = tmp_path / "loop", tmp_path / "pipe"
    loop.symlink_to(loop)
    os.mkfifo(pipe)
    for path, words in (
        (tmp_path / ("a" * 300), "too long"),
        ("a/" * 3000, "too long"),
        (loop, "symbolic links"),
        (pipe, "neither a file nor a folder"),
        ("/dev/full", "neither a file nor a folder"),
    ):
        for read in (Parameters.path, Parameters.output, Parameters.folder):
            with pytest.raises(InvalidParameterError, match=f"^FOLDER is .*{words}"):
                read(given("FOLDER", str(path)), "FOLDER")


def test_numbers_and_their_range() -> None:
    assert given("CHUNK_SIZE", "1e-2").number("CHUNK_SIZE") == 0.01
    assert given("CHUNK_SIZE", 512).number("CHUNK_SIZE") == 512
    for value in ("x", [], {}, "1,5"):
        with pytest.raises(InvalidParameterError, match="has to be a number"):
            given("CHUNK_SIZE", value).number("CHUNK_SIZE")
    assert given("MEMORY", "1e3").integer("MEMORY") == 1000
    with pytest.raises(InvalidParameterError, match="^MEMORY is 1000.5, .* a whole number"):
        given("MEMORY", 1000.5).integer("MEMORY")
    for value in ("nan", "inf", -1, 0.009, 513):
        with pytest.raises(InvalidParameterError, match="between 0.01 and 512"):
            given("CHUNK_SIZE", value).number("CHUNK_SIZE")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a,b", ("a", "b")),
        (" b , a ,, b", ("b", "a")),
        (["a ", " ", "b", "a"], ("a", "b")),
        (("x",), ("x",)),
        (7, ("7",)),
        (",", ()),
    ],
)
def test_lists(value: Any, expected: tuple[str, ...]) -> None:
    assert given("LAYERS", value).names("LAYERS") == expected


def test_days_and_periods() -> None:
    assert given("START", "2023-02-28").day("START") == date(2023, 2, 28)
    assert given("START", " 2023-02-28T23:59:59Z").day("START") == date(2023, 2, 28)
    for value in ("2023-02-29", "28.02.2023", "2023-2-8", "tomorrow"):
        with pytest.raises(InvalidParameterError, match="date like 2021-02-28"):
            given("START", value).day("START")
    same = Parameters({"START": "2023-02-28", "END": "2023-02-28"}, "findjobs")
    assert same.period() == (date(2023, 2, 28), date(2023, 2, 28))
    assert Parameters({"END": "2023-02-28"}, "findjobs").period() == (None, date(2023, 2, 28))
    with pytest.raises(InvalidParameterError, match="START .* lies after END .*; swap them"):
        Parameters({"START": "2023-03-01", "END": "2023-02-28"}, "findjobs").period()


def test_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert given("NETCDF", "~/s.nc").path("NETCDF") == tmp_path / "s.nc"
    assert given("NETCDF", "s.nc").path("NETCDF") == tmp_path / "s.nc"
    assert given("FOLDER", str(tmp_path)).folder("FOLDER") == tmp_path
    with pytest.raises(InvalidParameterError, match="there is no such folder"):
        given("FOLDER", str(tmp_path / "none")).folder("FOLDER")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1,3,2,4", Extent(1, 2, 3, 4)),
        ("1,3,2,4 [EPSG:4326]", Extent(1, 2, 3, 4, "EPSG:4326")),
        (" -1.5e2 , 3, 2,4[EPSG:32606] ", Extent(-150, 2, 3, 4, "EPSG:32606")),
        ({"bounds": [1, 2, 3, 4]}, Extent(1, 2, 3, 4)),
        ({"bounds": ["1", 2, 3.5, 4], "crs": "EPSG:3857"}, Extent(1, 2, 3.5, 4, "EPSG:3857")),
        ({"bounds": [1, 2, 3, 4], "crs": ""}, Extent(1, 2, 3, 4)),
        ("179.9,-179.9,51,52 [EPSG:4326]", Extent(179.9, 51, -179.9, 52, "EPSG:4326")),
        (
            {"bounds": [170, 51, -160, 52], "crs": "OGC:CRS84"},
            Extent(170, 51, -160, 52, "OGC:CRS84"),
        ),
    ],
)
def test_extents(value: Any, expected: Extent) -> None:
    assert given("EXTENT", value).extent() == expected


REFUSED: dict[tuple[str, str], list[Any]] = {
    ("NETCDF", "^NETCDF is .*(no name|one path)"): [
        *("a\0b.nc", "a\ud800b.nc", ["/tmp/s.nc"], {}, 5, True),
    ],
    ("MASKS", "^MASKS is .* true or false"): ["maybe", 2, [], {}, 0.5],
    ("CHUNK_SIZE", "has to lie between 0.01 and 512"): [10**400, -(10**400), "1e400"],
    ("PROJECT", "^PROJECT is .*(to be text|no name can have)"): [
        *([], {}, {"a": 1}, [1], True, "a\0", "a\ud800"),
    ],
    ("LAYERS", "^LAYERS is .* a list of words separated by commas"): [
        *({}, {"a": 1}, [["a"]], ["a", None], [{}], True, [True]),
    ],
    ("EXTENT", r"xmin,xmax,ymin,ymax \[EPSG:code\]"): [
        *("1,2,3", "1,2,3,4,5", "a,b,c,d", "1 3 2 4"),
        *({"bounds": [1, 2, 3]}, {"bounds": None}, {}),
    ],
    ("EXTENT", "maxima have to be greater than its minima"): [
        *("3,1,2,4", "3,1,2,4 [EPSG:32606]", "3,1,2,4 [EPSG:0]", "1,2,4,3"),
        *("170,170,1,2 [EPSG:4326]", "179,-170,2,1 [EPSG:4326]"),
        *("400,-170,1,2 [EPSG:4326]", "5e8,-5e8,1,2 [EPSG:4326]"),
    ],
}
"""Values by parameter and what is said of them."""


@pytest.mark.parametrize(
    ("name", "words", "value"),
    [(*key, value) for key, values in REFUSED.items() for value in values],
    ids=lambda value: ascii(value)[:40],
)
def test_what_is_no_value_of_a_parameter(name: str, words: str, value: Any) -> None:
    read = {
        "NETCDF": Parameters.path,
        "MASKS": Parameters.flag,
        "CHUNK_SIZE": Parameters.number,
        "PROJECT": Parameters.text,
        "LAYERS": Parameters.names,
        "EXTENT": Parameters.extent,
    }[name]
    with pytest.raises(InvalidParameterError, match=words) as caught:
        read(given(name, value), name)
    str(caught.value).encode()
