"""A user's session in QGIS's window: build, load, play, click the map, save, move, reopen."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray

from hyp3_stack.core.contract import DIALOGS

from .conftest import BACKSCATTER, PICTURES, SPEC

pytestmark = pytest.mark.slow

PAIRS = SPEC.products
FILE, STORE, INVERTED = "my stack", "my store", "my displacement"
IN_TIME = {"unw_phase", "corr", "wrapped_phase"}
ONCE = {"dem", "water_mask"}
RENDERERS = {"singlebandpseudocolor", "paletted"}

Session = dict[str, Any]
Clicked = Callable[[str], Session]

each_group = pytest.mark.parametrize("group", [FILE, STORE])


@pytest.fixture(scope="module")
def stack(session: Session) -> xarray.Dataset:
    """The stack, read without QGIS and GDAL."""
    path = Path(session["folder"]) / "moved" / f"{FILE}.nc"
    with xarray.open_dataset(path, decode_coords="all") as opened:
        return opened.load()


@pytest.fixture(scope="module")
def inverted(session: Session) -> xarray.Dataset:
    """The displacement stack, read without QGIS and GDAL."""
    with xarray.open_dataset(Path(session["folder"]) / "moved" / f"{INVERTED}.nc") as opened:
        return opened.load()


@pytest.fixture
def clicked(session: Session) -> Clicked:
    """Return a function that gives what the dock showed after a click, by the click's name."""
    found = {click["name"]: click for click in session["clicks"]}
    return found.__getitem__


def same(values: list[float | None], expected: Any) -> bool:
    ours = [math.nan if value is None else value for value in values]
    return np.allclose(ours, expected, rtol=1e-6, atol=1e-6, equal_nan=True)


def seconds(ranges: list[list[int]]) -> list[list[int]]:
    return [[band, begin // 1000, end // 1000] for band, begin, end in ranges]


def test_the_first_start_offers_the_core_environment(session: Session) -> None:
    assert "core environment" in session["first_message"]
    assert "Set up now" in session["first_buttons"]
    assert "core environment" not in session["message_with_environment"]


def test_the_demo_is_in_the_menu(session: Session) -> None:
    assert {"unw_phase", "corr", "dem"} <= set(session["demo"]["layers"])
    assert session["demo"]["colors"] > 100
    assert session["demo"]["room"] >= 0, "names of layers are cut off"


def test_outputs_are_in_sight_on_a_laptop(session: Session) -> None:
    for name, seen in session["in_sight"].items():
        assert all(seen.values()), name


def test_help_in_the_window_needs_no_command_line(session: Session) -> None:
    for text in session["helps"].values():
        assert "command line" not in text.lower().replace("from the command line", "")
        assert "qgis_process" not in text


def test_help_in_the_window_names_fields(session: Session) -> None:
    for algorithm, text in session["helps"].items():
        names = {row.name for row in DIALOGS[algorithm]} - {"STAC"}
        assert not names & set(re.findall(r"[A-Z_]+", text)), algorithm


def test_the_login_takes_one_line_and_opens_the_form_of_the_documents(session: Session) -> None:
    assert len(session["heights"]) >= 5 and max(session["heights"]) < 60
    assert {"Name", "Username", "Password"} <= set(session["login_labels"])


def test_layers_are_chosen_from_those_of_the_folder(session: Session) -> None:
    assert {text.split(" ")[0] for text in session["offered_layers"]} == {
        "unw_phase",
        "corr",
        "lv_theta",
        "lv_phi",
        "dem",
        "water_mask",
    }
    assert session["chosen_layers"] == "unw_phase,corr"


def test_the_reference_point_comes_from_the_map(session: Session) -> None:
    assert session["hidden_for_the_map"]
    place, _, code = session["chosen_point"].partition(" ")
    x, y, crs = session["clicked_point"]
    assert code == f"[{crs}]"
    assert np.allclose([float(part) for part in place.split(",")], [x, y], rtol=0, atol=200)


def test_a_batch_that_loads_nothing_loads_nothing(session: Session) -> None:
    assert session["layers_after_batch"] == 0


def test_a_batch_makes_what_it_can(session: Session) -> None:
    assert session["batch_rows"] == 2
    folder = Path(session["folder"]) / "moved"
    with xarray.open_dataset(folder / "one.nc") as one:
        assert "corr" in one and "dem" not in one
    assert not (folder / "none.nc").exists()
    assert "There are no HyP3 products in" in session["batch_log"]


@each_group
def test_the_legend_names_the_period(session: Session, group: str) -> None:
    legend = session["legend"][group]
    labels = {legend[name] for name in IN_TIME - {"unw_phase"}}
    assert len(labels) == 1
    assert labels.pop().startswith(f"{PAIRS} pairs, 2023-01-06 to 2023-")
    assert legend["unw_phase"] == f"pair 1 of {PAIRS}: 2023-01-06 to 2023-01-18", "it shows"


def test_the_dialogs_run_to_their_end(session: Session) -> None:
    names = ("buildstack", "buildstack", "loadstack", "invertstack")
    assert session["runs"] == [[name, True] for name in names]


def test_building_loads_the_layers(session: Session) -> None:
    assert set(session["built_layers"]) >= IN_TIME | ONCE


def test_the_first_map_shows_one_layer_and_says_which_pair(session: Session) -> None:
    assert session["visible_of_built"] == ["unw_phase"]
    ((first, second),) = session["label_of_built"]
    assert first == "unw_phase: 2023-01-06 to 2023-01-18"
    assert second.startswith(f"pair 1 of {PAIRS}, 12 days, perpendicular baseline -")
    assert " m, mean coherence 0." in second


def test_a_stack_plays_at_once_where_another_one_was_played(session: Session) -> None:
    ranges = session["layers"][FILE]["unw_phase"]["ranges"]
    assert session["frames_of_built"] == sorted(begin for _, begin, _ in ranges)


def test_backscatter_shows_and_plays_by_date(session: Session) -> None:
    assert session["visible_of_backscatter"] == ["VV_backscatter"]
    frames = session["backscatter"]
    dates = BACKSCATTER.products
    assert frames["distinct_bands"] == dates
    assert [frame["band"] for frame in frames["shown"]] == list(range(1, dates + 1))
    days = [f"2023-01-{6 + 12 * step:02d}" for step in range(2)]
    for number, (frame, day) in enumerate(zip(frames["shown"], days, strict=False), start=1):
        assert frame["label"] == [[f"VV_backscatter: {day}", f"date {number} of {dates}"]]
        assert frame["legend"] == f"date {number} of {dates}: {day}"


def test_the_dock_offers_what_is_loaded(session: Session) -> None:
    assert session["hint_before"].startswith("Load a stack")
    names = dict(zip(session["layers"][FILE], session["tree"][FILE], strict=True))
    in_time = [text for name, text in names.items() if name not in ONCE]
    assert session["offered"] == [f"{FILE}: {text}" for text in in_time]


def test_each_stack_is_one_group(session: Session) -> None:
    assert set(session["tree"]) == {FILE, STORE}
    for group in (FILE, STORE):
        assert len(session["tree"][group]) == len(session["layers"][group])


@each_group
def test_layers_have_one_band_a_pair_and_a_renderer_that_plays(
    session: Session, group: str
) -> None:
    layers = session["layers"][group]
    assert set(layers) >= IN_TIME | ONCE
    for name, layer in layers.items():
        assert layer["valid"]
        assert layer["renderer"] in RENDERERS
        assert layer["active"] == (name not in ONCE)
        assert layer["bands"] == (1 if name in ONCE else PAIRS)
        if layer["active"]:
            ranges = sorted(layer["ranges"], key=lambda item: item[1])
            assert sorted(band for band, _, _ in ranges) == list(range(1, PAIRS + 1))
            assert all(a[2] == b[1] for a, b in zip(ranges, ranges[1:], strict=False))


@each_group
def test_every_pair_is_one_frame_of_the_temporal_controller(
    session: Session, stack: xarray.Dataset, group: str
) -> None:
    frames = session["frames"][group]
    assert frames["distinct_bands"] == PAIRS
    assert [frame["number"] for frame in frames["shown"]] == list(range(PAIRS))
    order = np.argsort(stack["time"].values, kind="stable") + 1
    middles = stack["time"].values[np.argsort(stack["time"].values, kind="stable")]
    shown = [frame["band"] for frame in frames["shown"]]
    assert sorted(shown) == list(range(1, PAIRS + 1))
    # Middles that differ by seconds only share a cell of time in the order of their bands.
    apart = [
        index
        for index in range(PAIRS)
        if all(
            abs(middles[index] - other) > np.timedelta64(12, "h")
            for place, other in enumerate(middles)
            if place != index
        )
    ]
    assert [shown[index] for index in apart] == [int(order[index]) for index in apart]


@each_group
def test_each_frame_names_its_pair(session: Session, stack: xarray.Dataset, group: str) -> None:
    assert session["time_step"] == "source timestamps", "as loading has set it"
    for frame in session["frames"][group]["shown"]:
        pair = stack.isel(pair=frame["band"] - 1)
        dates = " to ".join(
            str(pair[name].values.astype("datetime64[D]"))
            for name in ("reference_time", "secondary_time")
        )
        ((first, second),) = frame["label"]
        assert first == f"unw_phase: {dates}"
        assert second.startswith(f"pair {frame['band']} of {PAIRS}, ")
        assert f"baseline {float(pair['perpendicular_baseline']):.0f} m" in second
        assert second.endswith(f"mean coherence {float(pair['coherence_mean']):.2f}")
        assert frame["legend"] == f"pair {frame['band']} of {PAIRS}: {dates}"


def test_the_displacement_shows_and_plays_by_date(
    session: Session, inverted: xarray.Dataset
) -> None:
    assert session["visible_of_inverted"] == ["displacement"]
    assert session["legend_of_velocity"] == "red is toward the satellite"
    dates = inverted.sizes["time"]
    assert session["frames"][INVERTED]["distinct_bands"] == dates
    bands = [frame["band"] for frame in session["frames"][INVERTED]["shown"]]
    assert bands == list(range(1, dates + 1)), "each date is one frame"


def test_a_click_on_the_velocity_draws_the_displacement(
    session: Session, inverted: xarray.Dataset
) -> None:
    first, second, *_ = session["displacement_clicks"]
    assert (first["variable"], first["units"]) == ("displacement", "m")
    assert [len(shown["points"]) for shown in (first, second)] == [1, 2]
    for point in second["points"]:
        at = {"y": point["row"], "x": point["column"]}
        assert same(point["values"], inverted["displacement"].isel(at).values)
    velocity, error = (
        1000 * float(inverted[name].isel(at)) for name in ("velocity", "velocity_standard_error")
    )
    assert f"velocity {velocity:.1f} ± {error:.1f} mm/year" in second["description"]
    height = 1000 * float(inverted["step_20230125"].isel(at))
    assert f"step of {height:.1f} mm on 2023-01-25" in second["description"]
    assert f"{int(inverted['valid_pairs'].isel(at))} of {PAIRS} pairs" in second["description"]


def test_another_reference_is_a_click(session: Session) -> None:
    _, before, after, masked, _ = session["displacement_clicks"]
    changes = [
        np.subtract(one["values"], other["values"])
        for one, other in zip(before["points"], after["points"], strict=True)
    ]
    assert np.allclose(changes[0], changes[1], atol=1e-12)
    assert np.abs(changes[0]).max() > 1e-4
    assert after["markers"] == before["markers"] + 1
    assert session["tool_after_reference"]
    assert masked["points"][0]["reason"] == "masked"
    assert masked["description"].startswith("Point 1 is masked, because no pair has phase here.")


def test_pairs_are_inverted_at_a_click_as_invertstack_does(
    session: Session, inverted: xarray.Dataset
) -> None:
    *_, shown = session["displacement_clicks"]
    (point,) = shown["points"]
    expected = inverted["displacement"].isel(y=point["row"], x=point["column"]).values
    radian = inverted.attrs["wavelength"] / (4 * math.pi)
    assert np.allclose(point["values"], expected, rtol=0, atol=2e-4 * radian)


def test_the_tool_is_active(session: Session) -> None:
    assert session["tool"]


@pytest.mark.parametrize("name", ["first", "other instead", "second", "third"])
def test_a_click_shows_the_values_of_the_file(
    clicked: Clicked, stack: xarray.Dataset, name: str
) -> None:
    shown = clicked(name)
    assert (shown["variable"], shown["units"], shown["window"]) == ("unw_phase", "radian", 1)
    for point in shown["points"]:
        expected = stack["unw_phase"].values[:, point["row"], point["column"]]
        assert np.isfinite(expected).any()
        assert same(point["values"], expected)
    finite = sum(value is not None for point in shown["points"] for value in point["values"])
    assert shown["dots"] == finite > 0


def test_the_click_meets_the_pixel_under_it(clicked: Clicked, stack: xarray.Dataset) -> None:
    (point,) = clicked("first")["points"]
    rows, columns = stack["unw_phase"].shape[1:]
    assert abs(point["row"] - int(rows * 0.5)) <= 1
    assert abs(point["column"] - int(columns * 0.5)) <= 1


def test_a_click_replaces_and_with_a_key_adds(clicked: Clicked) -> None:
    for name, count in (("first", 1), ("other instead", 1), ("second", 2), ("third", 3)):
        shown = clicked(name)
        assert len(shown["points"]) == len(shown["legend"]) == shown["markers"] == count
    colors = [point["color"] for point in clicked("third")["points"]]
    assert len(set(colors)) == 3
    assert clicked("second")["points"] == clicked("third")["points"][:2]


def test_a_window_is_averaged(clicked: Clicked, stack: xarray.Dataset) -> None:
    shown = clicked("window of 5")
    assert shown["window"] == 5
    for point in shown["points"]:
        row, column = point["row"], point["column"]
        block = stack["unw_phase"].values[:, row - 2 : row + 3, column - 2 : column + 3]
        assert same(point["values"], np.nanmean(block.astype("f8"), axis=(1, 2)))


def test_a_store_is_read_from_its_group_for_series(clicked: Clicked, stack: xarray.Dataset) -> None:
    shown = clicked("corr of the store")
    assert (shown["variable"], shown["group"]) == ("corr", "temporally_optimized")
    for point in shown["points"]:
        row, column = point["row"], point["column"]
        block = stack["corr"].values[:, row - 2 : row + 3, column - 2 : column + 3]
        assert same(point["values"], np.nanmean(block.astype("f8"), axis=(1, 2)))


def test_the_dock_follows_the_active_layer_and_averages_angles_as_angles(
    clicked: Clicked, stack: xarray.Dataset
) -> None:
    shown = clicked("wrapped phase")
    assert shown["variable"] == "wrapped_phase"
    for point in shown["points"]:
        row, column = point["row"], point["column"]
        block = stack["wrapped_phase"].values[:, row - 2 : row + 3, column - 2 : column + 3]
        vector = np.nanmean(np.exp(1j * block.astype("f8")), axis=(1, 2))
        assert same(point["values"], np.angle(vector))


def test_the_table_holds_what_is_drawn(session: Session, clicked: Clicked) -> None:
    rows = list(csv.DictReader(io.StringIO(session["clipboard"]), delimiter="\t"))
    points = clicked("wrapped phase")["points"]
    assert len(rows) == PAIRS * len(points)
    for row in rows:
        point = points[int(row["point"]) - 1]
        value = point["values"][int(row["step"]) - 1]
        assert (row["value"] == "") == (value is None)
        if value is not None:
            assert float(row["value"]) == pytest.approx(value)
        assert row["reference_time"] < row["secondary_time"]
        assert (int(row["row"]), int(row["column"])) == (point["row"], point["column"])


def test_no_data_and_outside_are_said(clicked: Clicked) -> None:
    outside, nothing = clicked("outside"), clicked("no data")
    assert outside["points"][0]["reason"] == "outside of the stack"
    assert outside["hint"] == "The point lies outside of the stack."
    assert nothing["points"][0]["reason"] == "no data"
    assert nothing["hint"] == "The stack has no data at this point."
    assert outside["dots"] == nothing["dots"] == 0
    assert nothing["points"][0]["values"] == [None] * PAIRS


def test_clearing_leaves_nothing(session: Session) -> None:
    assert session["after_clearing"] == [0, 0, 0]


def test_a_map_in_degrees_meets_the_same_pixel(session: Session, clicked: Clicked) -> None:
    (there,), (here,) = session["in_degrees"]["points"], clicked("first")["points"]
    assert (there["row"], there["column"]) == (here["row"], here["column"])
    assert there["values"] == here["values"]
    assert session["in_degrees"]["markers"] == 1


def inside(shares: list[list[float]], stack: xarray.Dataset) -> np.ndarray:
    """Return which pixels of the stack lie in the area that was drawn, by their centers."""
    rows, columns = stack["unw_phase"].shape[1:]
    corners = [(int(columns * x) + 0.5, int(rows * y) + 0.5) for x, y in shares]
    y, x = np.mgrid[:rows, :columns] + 0.5
    sides = [
        (b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0])
        for a, b in zip(corners, corners[1:] + corners[:1], strict=True)
    ]
    signs = np.sign(sides)
    found: np.ndarray = (signs >= 0).all(axis=0) | (signs <= 0).all(axis=0)
    return found


def test_an_area_has_mean_and_deviation_of_its_pixels(
    session: Session, stack: xarray.Dataset
) -> None:
    drawn, coherent, again = session["areas"]
    chosen = inside(session["corners"], stack)
    phase = stack["unw_phase"].values[:, chosen].astype("f8")
    certain = stack["corr"].values[:, chosen] >= session["least_coherence"]
    # A click meets a pixel of the screen, so that corners are off by a part of a pixel.
    assert drawn["size"] == pytest.approx(chosen.sum(), rel=0.02)
    assert drawn["points"][1]["values"] == pytest.approx(np.nanmean(phase, axis=1), abs=0.1)
    assert drawn["deviations"] == pytest.approx(np.nanstd(phase, axis=1), abs=0.1)
    kept = (np.isfinite(phase) & certain).sum(axis=1)
    assert coherent["counts"] == pytest.approx(kept, abs=0.03 * drawn["size"])
    assert sum(coherent["counts"]) < sum(drawn["counts"])
    assert again["points"] == drawn["points"]
    assert f"Area 2: {drawn['size']} pixels, " in drawn["description"]


def test_the_plot_zooms_and_has_a_menu(session: Session) -> None:
    has_zoomed, dots = session["zoomed"]
    assert has_zoomed and 0 < dots < session["areas"][-1]["dots"]
    assert session["frame_text"].startswith(f"Pair {session['clicked_step'] + 1} of {PAIRS}: ")
    assert session["plot_menu"] == [
        "Show all",
        "Limits of the values…",
        "Copy the values as a table",
        "Save the values as CSV…",
        "Copy the plot as an image",
        "Save the plot as PNG or SVG…",
    ]


def test_places_come_back_with_the_project(session: Session) -> None:
    restored, before = session["restored"], session["areas"][-1]
    assert str(Path(session["folder"]) / "moved") in restored["source"]
    assert restored["variable"] == before["variable"]
    assert restored["points"] == before["points"]
    assert restored["markers"] == 1, "the area is an outline"


def test_a_moved_project_opens_again(session: Session, stack: xarray.Dataset) -> None:
    assert session["points_in_new_project"] == 0
    moved = str(Path(session["folder"]) / "moved")
    assert set(session["reopened"]) == {FILE, STORE}
    for group, layers in session["reopened"].items():
        assert set(layers) == set(session["layers"][group])
        for name, layer in layers.items():
            before = session["layers"][group][name]
            assert moved in layer["source"]
            for key in ("valid", "bands", "renderer", "active"):
                assert layer[key] == before[key]
            # A project file keeps whole seconds.
            assert seconds(layer["ranges"]) == seconds(before["ranges"])
    rows, columns = stack["unw_phase"].shape[1:]
    expected = stack["unw_phase"].values[0, int(rows * 0.5), int(columns * 0.5)]
    assert session["sample_of_reopened_store"] == pytest.approx(expected)


def test_the_plugin_goes_without_a_trace(session: Session) -> None:
    assert session["unloaded"]
    assert session["left_behind"] == []


def test_qgis_ends_well_with_files_open(session: Session) -> None:
    assert session["exit"] == 0
    assert "Traceback" not in session["said"]


@pytest.mark.parametrize(
    "name",
    [
        "dialog_buildstack",
        "first_map",
        "first_displacement",
        "log_buildstack",
        "playing_stack",
        "playing_store",
        "playing_backscatter",
        "series",
        "velocity",
        "playing_displacement",
        "displacement",
        "pairs_inverted",
        "area",
        "area_zoomed",
    ],
)
def test_pictures_are_there_to_look_at(session: Session, name: str) -> None:
    assert (PICTURES / f"{name}.png").stat().st_size > 20_000
