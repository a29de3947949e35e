"""The plot of the dock: axes, curves, zoom, values under the cursor, pictures."""

import math
from datetime import datetime, timedelta, timezone
from xml.etree import ElementTree

import pytest
from qgis.core import QgsGeometry
from qgis.PyQt.QtCore import QEvent, QPoint, QPointF, Qt
from qgis.PyQt.QtGui import QImage, QMouseEvent, QWheelEvent
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QApplication, QDialogButtonBox

from hyp3_stack.processing_provider.time_series.places.place import Place
from hyp3_stack.processing_provider.time_series.plot.figure import Curve, Figure, View
from hyp3_stack.processing_provider.time_series.plot.plot import Plot
from hyp3_stack.processing_provider.time_series.plot.plot_files import write_png, write_svg
from hyp3_stack.processing_provider.time_series.plot.ticks import (
    date_ticks,
    number_ticks,
    symmetric_ticks,
)
from hyp3_stack.processing_provider.time_series.plot.value_limits import ValueLimitsDialog
from hyp3_stack.processing_provider.time_series.result_figure import figure_of
from hyp3_stack.processing_provider.time_series.series.picking import Picked, Result
from hyp3_stack.processing_provider.time_series.series.reader import Series

UTC = timezone.utc
BEGINS = [datetime(2023, 1, day, tzinfo=UTC) for day in (1, 13, 25)]
ENDS = [begin + timedelta(days=12) for begin in BEGINS]
CURVES = [
    Curve("A", "#ff0000", [1.0, math.nan, 3.0], [0.5, math.nan, 0.25]),
    Curve("B", "#0000ff", [2.0, 2.0, 2.0]),
]


@pytest.mark.parametrize(("scale", "of_ten"), [("power", 10), ("amplitude", 20)])
def test_backscatter_is_drawn_in_decibels_as_on_the_map(scale, of_ten):
    place = Place(QgsGeometry.fromWkt("POLYGON((0 0, 9 0, 9 9, 0 0))"), "EPSG:32610", "#ff0000")
    series = Series([0.1, math.nan, 0.01], [4, 0, 4], [0.01, math.nan, 0.002])
    given = ("VV_backscatter", "gamma nought", "", "EPSG:32610", 1, BEGINS, BEGINS, "s.nc", "")
    figure = figure_of(Result(*given, [Picked(place, series=series)], scale=scale))
    assert (figure.title, figure.units) == ("VV_backscatter (dB)", "dB")
    (curve,) = figure.curves
    assert curve.values == pytest.approx([-of_ten, math.nan, -2 * of_ten], nan_ok=True)
    step = of_ten * (math.log10(0.1001) - math.log10(0.0999)) / 0.0002
    assert curve.errors[0] == pytest.approx(0.01 * step, rel=1e-5)
    plain = figure_of(Result(*given, [Picked(place, series=series)]))
    assert (plain.title, plain.curves[0].values[0]) == ("VV_backscatter", 0.1)


@pytest.fixture
def make_plot():
    """Return a function that shows a plot of pairs, or of dates."""
    kept = []

    def make(begins=BEGINS, ends=ENDS, curves=CURVES, title="height (m)", units="m"):
        plot = Plot()
        plot.resize(500, 240)
        plot.show_figure(Figure(begins, ends, curves, title, units), "nothing")
        plot.grab()
        kept.append(plot)
        return plot

    return make


def turn_wheel(plot, place, notches, key=Qt.KeyboardModifier.NoModifier):
    wheel = QWheelEvent(
        QPointF(place),
        QPointF(plot.mapToGlobal(place)),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        key,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    plot.wheelEvent(wheel)
    plot.grab()


def move_mouse(plot, place, button=Qt.MouseButton.NoButton):
    """Move as a display would: QTest moves over windows only that show."""
    event = QMouseEvent(
        QEvent.Type.MouseMove,
        QPointF(place),
        Qt.MouseButton.NoButton,
        button,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(plot, event)


def point_of(plot, curve, step):
    (dot,) = [dot for dot in plot.dots() if (dot.curve, dot.step) == (curve, step)]
    return QPoint(round(dot.x), round(dot.y))


@pytest.mark.parametrize("low", [-1e6, -3.7, -0.002, 0.0, 5.0, 123.4])
@pytest.mark.parametrize("span", [1e-5, 0.03, 0.9, 1.0, 17.3, 4e4])
@pytest.mark.parametrize("most", [2, 5, 11])
def test_numbers_on_the_axis_are_few_round_and_distinct(low, span, most):
    ticks, decimals = number_ticks(low, low + span, most)
    assert len(ticks) <= most + 1
    assert all(low - 1e-6 * span <= tick <= low + span * (1 + 1e-6) for tick in ticks)
    labels = [f"{tick:.{decimals}f}" for tick in ticks]
    assert len(set(labels)) == len(labels)
    if span / max(1.0, abs(low)) > 1e-6:
        assert all(
            float(label) == pytest.approx(tick, abs=1e-9 * max(1, abs(low)))
            for label, tick in zip(labels, ticks)  # noqa: B905
        )


@pytest.mark.parametrize(
    ("largest", "expected"),
    [(7.7, (7.0, 0)), (1.0, (1.0, 0)), (0.0349, (0.03, 2)), (250, (200, 0))],
)
def test_few_numbers_around_zero(largest, expected):
    (low, zero, high), decimals = symmetric_ticks(largest)
    assert (high, decimals) == (pytest.approx(expected[0]), expected[1])
    assert (low, zero) == (-high, 0.0)


@pytest.mark.parametrize("days", [1, 12, 60, 400, 1500, 4000, 20000])
def test_days_on_the_axis_are_few_and_inside(days):
    begin = datetime(2019, 11, 30, 6, 3, tzinfo=UTC)
    end = begin + timedelta(days=days)
    ticks = date_ticks(begin, end, 8)
    assert 1 <= len(ticks) <= 9
    assert all(begin <= moment <= end for moment, _ in ticks)
    assert [moment for moment, _ in ticks] == sorted({moment for moment, _ in ticks})
    assert len({label for _, label in ticks}) == len(ticks)


def test_the_plot_draws_a_dot_for_each_value_in_its_color(make_plot):
    plot = make_plot()
    image = plot.grab().toImage()
    dots = plot.dots()
    expected = [(0, 0), (0, 2), (1, 0), (1, 1), (1, 2)]
    assert [(dot.curve, dot.step) for dot in dots] == expected
    for dot in dots:
        assert image.pixelColor(round(dot.x), round(dot.y)).name() == CURVES[dot.curve].color
    heights = {(dot.curve, dot.step): dot.y for dot in dots}
    assert heights[0, 2] < heights[1, 2] < heights[0, 0]


@pytest.mark.parametrize("count", [0, 1])
def test_the_plot_takes_dates_few_or_none(count):
    dates = [datetime(2023, 1, 1, tzinfo=UTC)] * count
    plot = Plot()
    plot.resize(40, 30)
    plot.show_figure(Figure(dates, dates, [Curve("A", "#ff0000", [1.0] * count)], "m"), "nothing")
    assert not plot.grab().isNull()
    assert len(plot.dots()) == count


def test_values_under_the_cursor_are_those_of_all_curves(make_plot):
    figure = make_plot().figure
    assert figure.describe(2) == (
        "2023-01-25 – 2023-02-06",
        [("#ff0000", "A: 3 ± 0.25 m"), ("#0000ff", "B: 2 m")],
    )
    assert figure.describe(1)[1] == [("#0000ff", "B: 2 m")]


@pytest.mark.parametrize("is_dates", [False, True])
def test_the_cursor_shows_values_near_it(make_plot, is_dates):
    plot = make_plot(ends=BEGINS if is_dates else ENDS)
    before = plot.grab().toImage()
    near = point_of(plot, 1, 1)
    move_mouse(plot, near)
    assert plot.grab().toImage() != before
    move_mouse(plot, near + QPoint(0, 60))
    # Dates are meant above and below their values, too; pairs overlap.
    assert (plot.grab().toImage() == before) == (not is_dates)
    move_mouse(plot, QPoint(2, 2))
    assert plot.grab().toImage() == before


def test_a_click_on_a_value_tells_its_step(make_plot):
    plot, told = make_plot(), []
    plot.step_clicked.connect(told.append)
    place = point_of(plot, 0, 2)
    QTest.mouseClick(plot, Qt.MouseButton.LeftButton, pos=place)
    QTest.mouseClick(plot, Qt.MouseButton.LeftButton, pos=place - QPoint(0, 40) * -1)
    assert told == [2]


def test_the_wheel_zooms_in_time_around_the_cursor(make_plot):
    plot = make_plot()
    place, all_times = point_of(plot, 1, 1), plot.figure.extent()[0]
    turn_wheel(plot, place, 2)
    begin, end = plot.view.times
    assert (end - begin) / (all_times[1] - all_times[0]) == pytest.approx(0.64)
    assert plot.view.values is None
    assert abs(point_of(plot, 1, 1).x() - place.x()) <= 1
    # However far it is turned, there are days and values to see.
    for notches in (60, -200):
        turn_wheel(plot, place, notches)
        begin, end = plot.view.times
        assert timedelta(days=1.9) < end - begin <= 2.01 * (all_times[1] - all_times[0])
    QTest.mouseDClick(plot, Qt.MouseButton.LeftButton, pos=place)
    assert plot.view == View()


@pytest.mark.parametrize("key", ["NoModifier", "ControlModifier"])
def test_over_the_axis_or_with_a_key_the_wheel_zooms_values(make_plot, key):
    plot = make_plot()
    place = point_of(plot, 1, 1)
    if key == "NoModifier":
        place.setX(5)
    turn_wheel(plot, place, 2, getattr(Qt.KeyboardModifier, key))
    low, high = plot.view.values
    whole = plot.figure.extent()[1]
    assert (high - low) / (whole[1] - whole[0]) == pytest.approx(0.64)
    assert low < 2.0 < high and plot.view.times is None
    turn_wheel(plot, place, 5, getattr(Qt.KeyboardModifier, key))
    assert {dot.curve for dot in plot.dots()} == {1}, "what is beyond the limits does not show"


def test_dragging_moves_and_stays_near_the_values(make_plot):
    plot = make_plot()
    place = point_of(plot, 1, 1)
    turn_wheel(plot, place, 3)
    before = point_of(plot, 1, 1)
    drag(plot, before, before + QPoint(30, 12))
    after = point_of(plot, 1, 1)
    assert abs(after.x() - before.x() - 30) <= 1 and abs(after.y() - before.y() - 12) <= 1
    for _ in range(30):
        drag(plot, QPoint(100, 100), QPoint(480, 100))
    begin, end = plot.view.times
    whole = plot.figure.extent()[0]
    assert whole[0] <= begin + (end - begin) / 2 <= whole[1]


def drag(plot, begin, end):
    QTest.mousePress(plot, Qt.MouseButton.LeftButton, pos=begin)
    for place in (begin + (end - begin) / 2, end):
        move_mouse(plot, place, Qt.MouseButton.LeftButton)
    QTest.mouseRelease(plot, Qt.MouseButton.LeftButton, pos=end)
    plot.grab()


def test_what_is_shown_stays_with_the_same_steps_and_values(make_plot):
    plot = make_plot()
    view = View((BEGINS[0], BEGINS[2]), (0.0, 9.0))
    plot.set_view(view)
    plot.show_figure(Figure(BEGINS, ENDS, CURVES[1:], "height (m)", "m"))
    assert plot.view == view
    plot.show_figure(Figure(BEGINS, ENDS, CURVES, "corr"))
    assert plot.view == View(view.times, None)
    plot.show_figure(Figure(BEGINS[1:], ENDS[1:], CURVES, "corr"))
    assert plot.view == View()


def test_the_context_menu_has_what_the_dock_adds(make_plot):
    plot = make_plot()
    show_all, limits, *others = plot.menu().actions()
    assert (show_all.isEnabled(), limits.isEnabled(), others) == (False, True, [])
    plot.set_view(View(None, (0.0, 9.0)))
    show_all = plot.menu().actions()[0]
    assert show_all.isEnabled()
    show_all.trigger()
    assert plot.view == View()


def test_limits_of_values_are_asked_for():
    dialog = ValueLimitsDialog((-1.5, 2.0), "height (m)")
    ok = dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Ok)
    assert dialog.limits() == (-1.5, 2.0) and ok.isEnabled()
    dialog.low.setValue(3.0)
    assert not ok.isEnabled(), "the lowest is above the highest"
    dialog.automatic.setChecked(True)
    assert dialog.limits() is None and ok.isEnabled()


def test_a_picture_is_what_shows_on_white_with_names(make_plot, tmp_path):
    plot = make_plot()
    write_png(plot, tmp_path / "p.png")
    image = QImage(str(tmp_path / "p.png"))
    assert (image.width(), image.height()) == (1000, 480)
    assert image.pixelColor(2, 470).name() == "#ffffff"
    colors = {image.pixelColor(x, y).name() for x in range(1000) for y in range(0, 480, 2)}
    assert {curve.color for curve in CURVES} <= colors


def test_an_svg_has_the_dots_and_the_names_as_text(make_plot, tmp_path):
    plot = make_plot()
    write_svg(plot, tmp_path / "p.svg")
    root = ElementTree.parse(tmp_path / "p.svg").getroot()
    assert root.attrib["viewBox"] == "0 0 500 240"
    space = "{http://www.w3.org/2000/svg}"
    texts = {text.text.strip() for text in root.iter(f"{space}text")}
    assert {"A", "B", "height (m)"} <= texts
    groups = [group for group in root.iter(f"{space}g") if group.get("fill") == "#ff0000"]
    # One for the name, two for the values.
    assert sum(len(list(group.iter(f"{space}circle"))) for group in groups) == 3


def test_a_picture_that_cannot_be_written_is_an_error(make_plot, tmp_path):
    for write, name in ((write_png, "p.png"), (write_svg, "p.svg")):
        with pytest.raises(OSError):
            write(make_plot(), tmp_path / "missing" / name)
