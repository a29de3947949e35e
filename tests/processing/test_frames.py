"""Time steps from pair to pair and from date to date, and what it shows is said."""

import pytest
from qgis.core import (
    Qgis,
    QgsDateTimeRange,
    QgsInterval,
    QgsProject,
    QgsRasterLayer,
    QgsTemporalNavigationObject,
)
from qgis.gui import QgsMapCanvas
from qgis.PyQt import sip
from qgis.PyQt.QtGui import QColor, QImage, QPainter

from hyp3_stack.processing_provider.layers.frames.map_frames import (
    bands_in_time,
    frames_of,
    shown_band,
)
from hyp3_stack.processing_provider.layers.frames.playing import (
    let_play,
    prepare_playing,
    show_band,
)
from hyp3_stack.processing_provider.layers.raster_layers import make_layer
from hyp3_stack.processing_provider.layers.stack_description import open_stack
from hyp3_stack.processing_provider.time_series.frame_bar import FrameBar
from hyp3_stack.processing_provider.time_series.frame_label import draw_texts, frame_texts
from hyp3_stack.processing_provider.time_series.frame_pictures import save_frames

from .conftest import layer_of

PAIRS, DATES = 6, 4
LABEL, DARK = 45, 60
"""Rows of an image that the label takes, and how light its text is at most."""

each_format = pytest.mark.parametrize("kind", [0, 1], ids=["netcdf", "zarr"])


@pytest.fixture
def canvas(qgis_application):
    """A map with a Temporal Controller."""
    made = QgsMapCanvas()
    made.controller = QgsTemporalNavigationObject()
    made.setTemporalController(made.controller)
    made.controller.updateTemporalRange.connect(made.setTemporalRange)
    yield made
    made.setLayers([])
    sip.delete(made)


@each_format
def test_a_pair_is_described_by_its_dates_baselines_and_coherence(stack_files, kind):
    stack = open_stack(stack_files[kind])
    frames = frames_of(make_layer(stack, stack.variables["unw_phase"]))
    assert len(frames) == PAIRS
    for step, frame in enumerate(frames):
        begin, end = stack.begins[step], stack.ends[step]
        assert frame.dates == f"{begin:%Y-%m-%d} to {end:%Y-%m-%d}"
        days = round((end - begin).total_seconds() / 86400)
        baseline, coherence = stack.perpendicular_baselines[step], stack.mean_coherences[step]
        assert abs(baseline) > 1 and 0 < coherence < 1
        assert frame.details == (
            f"{days} days, perpendicular baseline {baseline:.0f} m, mean coherence {coherence:.2f}"
        )
    assert frames_of(make_layer(stack, stack.variables["dem"])) == []


def test_dates_have_no_baselines(displacement_files):
    frames = frames_of(layer_of(displacement_files[0], "displacement"))
    assert [frame.details for frame in frames] == [""] * DATES
    assert frames[0].dates == "2023-01-06"


@each_format
def test_a_saved_layer_keeps_them(stack_files, kind, tmp_path):
    layer = layer_of(stack_files[kind], "corr")
    expected = frames_of(layer)
    project = QgsProject()
    project.addMapLayer(layer)
    assert project.write(str(tmp_path / "project.qgz"))
    project.clear()
    again = QgsProject()
    assert again.read(str(tmp_path / "project.qgz"))
    (layer,) = again.mapLayers().values()
    assert frames_of(layer) == expected


@pytest.mark.parametrize(("which", "name"), [("pairs", "unw_phase"), ("dates", "displacement")])
def test_the_project_plays_at_once(stack_files, displacement_files, which, name):
    layer = layer_of((stack_files if which == "pairs" else displacement_files)[0], name)
    project = QgsProject()
    prepare_playing(layer, project)
    settings, ranges = project.timeSettings(), layer.temporalProperties().fixedRangePerBand()
    assert settings.timeStepUnit() == Qgis.TemporalUnit.IrregularStep
    assert settings.temporalRange().begin() == min(item.begin() for item in ranges.values())
    assert settings.temporalRange().end() == max(item.end() for item in ranges.values())


def test_a_layer_without_time_leaves_the_project_alone(stack_files):
    project = QgsProject()
    prepare_playing(layer_of(stack_files[0], "dem"), project)
    assert project.timeSettings().temporalRange().isInfinite()


@each_format
def test_each_band_can_be_shown(stack_files, kind, canvas):
    layer = layer_of(stack_files[kind], "unw_phase")
    assert shown_band(layer, canvas.mapSettings()) == 1, "without time, the first"
    for band in (3, 1, PAIRS, 2):
        show_band(layer, band, canvas)
        assert shown_band(layer, canvas.mapSettings()) == band
    assert canvas.controller.totalFrameCount() == PAIRS


def test_what_a_map_without_time_covers_is_not_named(stack_files, canvas):
    phase, heights = (layer_of(stack_files[0], name) for name in ("unw_phase", "dem"))
    root = QgsProject().layerTreeRoot()
    for layers, count in (([phase], 1), ([phase, heights], 1), ([heights, phase], 0)):
        canvas.setLayers(layers)
        assert len(frame_texts(canvas.mapSettings(), root)) == count
    canvas.setLayers([])


def test_stacks_of_other_dates_do_not_run_together(stack_files, displacement_files, canvas):
    pairs = layer_of(stack_files[0], "unw_phase")
    dates = layer_of(displacement_files[0], "displacement")
    for layer, count in ((pairs, PAIRS), (dates, DATES), (pairs, PAIRS)):
        show_band(layer, 2, canvas)
        assert canvas.controller.totalFrameCount() == count
        assert shown_band(layer, canvas.mapSettings()) == 2


@pytest.fixture
def playing(canvas):
    """A Temporal Controller that plays already."""
    canvas.controller.setNavigationMode(QgsTemporalNavigationObject.NavigationMode.Animated)
    return canvas.controller


def test_a_stack_plays_whole_after_another_one(stack_files, displacement_files, playing):
    pairs = layer_of(stack_files[0], "unw_phase")
    dates = layer_of(displacement_files[0], "displacement")
    for layer, count in ((pairs, PAIRS), (dates, DATES), (pairs, PAIRS)):
        let_play(layer, playing)
        assert playing.totalFrameCount() == count
        ranges = layer.temporalProperties().fixedRangePerBand().values()
        assert {item.begin() for item in ranges} == {
            playing.dateTimeRangeForFrameNumber(frame).begin() for frame in range(count)
        }
    assert playing.navigationMode() == QgsTemporalNavigationObject.NavigationMode.Animated


def test_what_a_user_has_set_stays_while_it_shows_the_stack(stack_files, playing):
    layer = layer_of(stack_files[0], "unw_phase")
    let_play(layer, playing)
    whole, month = playing.temporalExtents(), QgsInterval(1, Qgis.TemporalUnit.Months)
    playing.setFrameDuration(month)
    wide = QgsDateTimeRange(whole.begin().addDays(-40), whole.end().addDays(40))
    playing.setTemporalExtents(wide)
    let_play(layer, playing)
    assert (playing.frameDuration(), playing.temporalExtents()) == (month, wide)
    playing.setFrameDuration(QgsInterval(1, Qgis.TemporalUnit.Hours))
    let_play(layer, playing)
    assert playing.totalFrameCount() == PAIRS, "QGIS begins with hours"
    playing.setTemporalExtents(QgsDateTimeRange(whole.begin().addDays(5), whole.end()))
    let_play(layer, playing)
    assert playing.temporalExtents() == whole
    assert playing.totalFrameCount() == PAIRS


def test_the_bar_steps_through_time_and_says_what_is_shown(stack_files, canvas):
    layer = layer_of(stack_files[0], "unw_phase")
    bar = FrameBar(canvas)
    bar.set_layer(layer)
    ranges = layer.temporalProperties().fixedRangePerBand()
    order = sorted(ranges, key=lambda band: ranges[band].begin())
    bar.slider.setValue(1)
    shown = []
    for _ in range(1, PAIRS):
        shown.append(shown_band(layer, canvas.mapSettings()))
        frame = frames_of(layer)[shown[-1] - 1]
        assert bar.text.text() == f"Pair {shown[-1]} of {PAIRS}: {frame.dates}, {frame.details}"
        bar.next_button.click()
    assert shown == order[1:]
    assert not bar.next_button.isEnabled()
    bar.previous_button.click()
    assert shown_band(layer, canvas.mapSettings()) == order[-2]
    bar.show_step(0)
    assert shown_band(layer, canvas.mapSettings()) == 1
    # A step of the Temporal Controller moves the slider.
    canvas.controller.setCurrentFrameNumber(3)
    assert bar.slider.value() == 3
    bar.detach()


def test_each_frame_is_saved_with_its_label(stack_files, canvas, tmp_path):
    layer = layer_of(stack_files[0], "unw_phase")
    canvas.resize(500, 400)
    canvas.setDestinationCrs(layer.crs())
    canvas.setLayers([layer])
    canvas.setExtent(layer.extent())
    assert save_frames(layer, canvas, tmp_path) == ""
    pictures = sorted(tmp_path.glob("*.png"))
    assert [path.name for path in pictures] == [f"unw_phase_{n:04d}.png" for n in range(PAIRS)]
    for path, band in zip(pictures, bands_in_time(layer)):  # noqa: B905 - Python 3.9
        saved, expected = QImage(str(path)), QImage(500, LABEL, QImage.Format.Format_ARGB32)
        expected.fill(0)
        painter = QPainter(expected)
        frame = frames_of(layer)[band - 1]
        details = f"pair {band} of {PAIRS}, {frame.details}"
        draw_texts(painter, [(f"unw_phase: {frame.dates}", details)], canvas.font())
        painter.end()
        is_ink = [
            [
                QColor(image.pixel(x, y)).lightness() < DARK and image.pixelColor(x, y).alpha() > 0
                for x in range(20, 250)
                for y in range(15, LABEL)
            ]
            for image in (saved, expected)
        ]
        assert sum(is_ink[1]) > 200
        assert is_ink[0] == is_ink[1]
    problem = save_frames(layer, canvas, pictures[0])
    assert problem.startswith(f"The images cannot be written into {pictures[0]}; ")


def test_the_bar_is_hidden_without_steps_and_outlives_its_layer(stack_files, canvas):
    bar = FrameBar(canvas)
    for layer in (None, layer_of(stack_files[0], "dem"), QgsRasterLayer("none", "none", "gdal")):
        bar.set_layer(layer)
        assert bar.isHidden()
    layer = layer_of(stack_files[0], "corr")
    bar.set_layer(layer)
    assert not bar.isHidden()
    sip.delete(layer)
    assert bar.isHidden()
    bar.follow()
    bar.detach()
