"""Reading the parameters of a job by name and type."""

from __future__ import annotations

import math
import os
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from hyp3_stack.core.contract import PARAMETERS
from hyp3_stack.core.errors import InvalidParameterError
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


def given(value: Any) -> Parameters:
    return Parameters({"NAME": value})


@pytest.mark.parametrize("nothing", [None, "", "   ", "\n"])
def test_nothing_is_the_default(nothing: Any) -> None:
    for parameters in (given(nothing), Parameters({})):
        assert parameters.text("NAME") is None
        assert parameters.text("NAME", "x") == "x"
        assert parameters.number("NAME") is None
        assert parameters.number("NAME", 4.0) == 4.0
        assert parameters.flag("NAME") is False
        assert parameters.flag("NAME", True) is True
        assert parameters.names("NAME") == ()
        assert parameters.day("NAME") is None
        assert parameters.path("NAME") is None
        assert parameters.extent("NAME") is None
        assert parameters.choice("NAME", ("a", "b"), "b") == "b"
        with pytest.raises(InvalidParameterError, match="The parameter NAME is missing"):
            parameters.path("NAME", required=True)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(True, True), (False, False), (1, True), (0, False), (" Yes ", True), ("FALSE", False)],
)
def test_flags(value: Any, expected: bool) -> None:
    assert given(value).flag("NAME", not expected) is expected


def test_the_home_of_nobody() -> None:
    with pytest.raises(InvalidParameterError) as caught:
        given("~nobody-of-that-name/x").path("NAME")
    assert str(caught.value) == (
        "NAME is ~nobody-of-that-name/x, but the home folder that ~ stands for is not known; give "
        "the path without ~."
    )


@pytest.mark.parametrize("value", ["a\0b.nc", "a\ud800b.nc", ["/tmp/s.nc"], {}, 5, True])
def test_what_is_no_path(value: Any) -> None:
    with pytest.raises(InvalidParameterError, match=r"^NAME is .*(no name|one path)") as it:
        given(value).path("NAME")
    str(it.value).encode()


@pytest.mark.parametrize("value", ["maybe", 2, [], {}, 0.5])
def test_what_is_no_flag(value: Any) -> None:
    with pytest.raises(InvalidParameterError, match="NAME .* true or false"):
        given(value).flag("NAME")


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
    parameters = given(value)
    for read in (
        parameters.text,
        lambda name: parameters.choice(name, ("x", "y"), "x"),
        parameters.flag,
        lambda name: parameters.number(name, 1.0, 0.0, 9.0),
        parameters.names,
        parameters.day,
        parameters.path,
        parameters.output,
        parameters.folder,
        parameters.extent,
    ):
        try:
            read("NAME")
        except InvalidParameterError as error:
            text = str(error)
            text.encode()
            assert "NAME" in text and text.endswith(".") and len(text) < 7000


@pytest.mark.parametrize("value", [10**400, -(10**400), "1e400"])
def test_numbers_beyond_all_bounds(value: Any) -> None:
    with pytest.raises(InvalidParameterError, match="has to lie between 0 and 10"):
        given(value).number("NAME", minimum=0, maximum=10)


@pytest.mark.parametrize(
    "value", [[], {}, {"a": 1}, [1], True, "a\0", "a\ud800"], ids=lambda value: repr(value)
)
def test_what_is_no_text(value: Any) -> None:
    with pytest.raises(InvalidParameterError, match="^NAME is .*(to be text|no name can have)"):
        given(value).text("NAME")


@pytest.mark.parametrize("value", [{}, {"a": 1}, [["a"]], ["a", None], [{}], True, [True]])
def test_what_is_no_list(value: Any) -> None:
    with pytest.raises(InvalidParameterError, match="NAME is .* a list of words with commas"):
        given(value).names("NAME")


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
        for read in (given(str(path)).path, given(str(path)).output, given(str(path)).folder):
            with pytest.raises(InvalidParameterError, match=f"^NAME is .*{words}"):
                read("NAME")


def test_numbers_and_their_range() -> None:
    assert given("1e-2").number("NAME") == 0.01
    assert given(5).number("NAME", minimum=5, maximum=5) == 5
    for value in ("x", [], {}, "1,5"):
        with pytest.raises(InvalidParameterError, match="has to be a number"):
            given(value).number("NAME")
    for value in ("nan", "inf", -1, 11):
        with pytest.raises(InvalidParameterError, match="between 0 and 10"):
            given(value).number("NAME", minimum=0, maximum=10)


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
    assert given(value).names("NAME") == expected


def test_days_and_periods() -> None:
    assert given("2023-02-28").day("NAME") == date(2023, 2, 28)
    assert given(" 2023-02-28T23:59:59Z").day("NAME") == date(2023, 2, 28)
    for value in ("2023-02-29", "28.02.2023", "2023-2-8", "tomorrow"):
        with pytest.raises(InvalidParameterError, match="date like 2021-02-28"):
            given(value).day("NAME")
    same = Parameters({"START": "2023-02-28", "END": "2023-02-28"})
    assert same.period() == (date(2023, 2, 28), date(2023, 2, 28))
    assert Parameters({"END": "2023-02-28"}).period() == (None, date(2023, 2, 28))
    with pytest.raises(InvalidParameterError, match="START .* lies after END .*; swap them"):
        Parameters({"START": "2023-03-01", "END": "2023-02-28"}).period()


def test_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert given("~/s.nc").path("NAME") == tmp_path / "s.nc"
    assert given("s.nc").path("NAME") == tmp_path / "s.nc"
    assert given(str(tmp_path)).folder("NAME") == tmp_path
    with pytest.raises(InvalidParameterError, match="there is no such folder"):
        given(str(tmp_path / "none")).folder("NAME")


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
    assert given(value).extent("NAME") == expected


@pytest.mark.parametrize(
    "value",
    ["1,2,3", "1,2,3,4,5", "a,b,c,d", "1 3 2 4", {"bounds": [1, 2, 3]}, {"bounds": None}, {}],
)
def test_what_is_no_extent(value: Any) -> None:
    with pytest.raises(InvalidParameterError, match=r"xmin,xmax,ymin,ymax \[EPSG:code\]"):
        given(value).extent("NAME")


@pytest.mark.parametrize(
    "value",
    [
        "3,1,2,4",
        "3,1,2,4 [EPSG:32606]",
        "3,1,2,4 [EPSG:0]",
        "1,2,4,3",
        "170,170,1,2 [EPSG:4326]",
        "179,-170,2,1 [EPSG:4326]",
        "400,-170,1,2 [EPSG:4326]",
        "5e8,-5e8,1,2 [EPSG:4326]",
    ],
)
def test_extents_the_wrong_way_round(value: str) -> None:
    with pytest.raises(InvalidParameterError, match="maxima have to be greater than its minima"):
        given(value).extent("NAME")
