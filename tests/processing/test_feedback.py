"""How long a run will take is told in words that change seldom; cancel ends every core task."""

import threading

import pytest
from osgeo import gdal
from qgis.core import QgsProcessingFeedback

from hyp3_stack.processing_provider.process.feedback import RunFeedback

from .conftest import LAYERS, make_products


class Texts(QgsProcessingFeedback):
    def __init__(self):
        super().__init__(False)
        self.texts = []

    def setProgressText(self, text):
        self.texts.append(text)


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_the_time_left_is_told_seldom():
    texts, clock = Texts(), Clock()
    feedback = RunFeedback(texts, clock)
    for second in range(601):  # ten minutes at an even pace
        clock.now = float(second)
        feedback.setProgress(second / 6.0)
    assert texts.progress() == 100.0
    assert texts.texts == [
        "About 10 minutes left.",
        "About 5 minutes left.",
        "About 4 minutes left.",
        "About 3 minutes left.",
        "About 2 minutes left.",
        "About one minute left.",
        "Less than a minute left.",
    ]


@pytest.mark.parametrize(
    ("elapsed", "percent", "text"),
    [
        (3600.0, 50.0, "About 60 minutes left."),
        (3600.0, 25.0, "About 3 hours left."),
        (60.0, 1.0, "About 2 hours left."),
    ],
)
def test_long_runs_are_told_in_hours(elapsed, percent, text):
    texts, clock = Texts(), Clock()
    feedback = RunFeedback(texts, clock)
    clock.now = elapsed
    feedback.setProgress(percent)
    assert texts.texts == [text]


def test_nothing_is_told_too_early_or_at_the_end():
    texts, clock = Texts(), Clock()
    feedback = RunFeedback(texts, clock)
    for second, percent in ((1.0, 50.0), (60.0, 0.0), (60.0, 100.0)):
        clock.now = second
        feedback.setProgress(percent)
    assert texts.texts == []


class CancelAt(QgsProcessingFeedback):
    """Cancels as soon as some progress was made, from another thread as QGIS's button does."""

    def __init__(self, percent):
        super().__init__(False)
        self._percent = percent
        self.progressChanged.connect(self._look)

    def _look(self, percent):
        if percent >= self._percent and not self.isCanceled():
            thread = threading.Thread(target=self.cancel)
            thread.start()
            thread.join()


@pytest.fixture(scope="module")
def large_products(tmp_path_factory):
    """Products that take long enough to be interrupted."""
    folder = tmp_path_factory.mktemp("large") / "products"
    return make_products(folder, "--products", 6, "--size", 200)


@pytest.mark.parametrize(
    ("name", "outputs"),
    [("buildstack", ("NETCDF", "ZARR")), ("harmonizeproducts", ("OUTPUT",))],
)
@pytest.mark.parametrize("percent", [0.5, 30.0])
def test_cancel_ends_the_run_and_leaves_nothing_partial(
    algorithm, context, core_python, large_products, tmp_path, name, outputs, percent
):
    feedback = CancelAt(percent)
    parameters = {"INPUT": str(large_products), **{key: str(tmp_path / key) for key in outputs}}
    _, ok = algorithm(name).run(parameters, context, feedback)
    assert not ok
    assert "The run was canceled" in feedback.textLog()
    # What a build keeps for the next attempt is hidden.
    visible = [path for path in tmp_path.iterdir() if not path.name.startswith(".")]
    left = [path for top in visible for path in (top, *top.rglob("*")) if path.is_file()]
    if name == "buildstack" or percent < 1.0:
        assert left == []
    # Products that were finished before the cancel are whole.
    folders = {path.parent for path in left}
    assert all(len(list(folder.glob("*.tif"))) == len(LAYERS) for folder in folders)
    assert not any(gdal.Open(str(path)) is None for path in left if path.suffix == ".tif")
