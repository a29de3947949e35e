"""Builds that are canceled at many moments, through the QGIS side's end of the protocol."""

import sys
import threading
import time

import pytest

from hyp3_stack.processing_provider.process.core_process import (
    CANCEL_GRACE,
    KILL_GRACE,
    CoreCanceledError,
    run_core,
)
from tests.sample_products import SampleSpec, write_products

from .recorder import Recorder

MARGIN = 3.0
"""Seconds for a loaded machine to notice what it should; the rest is bound by clocks of ours."""

MOMENTS = {
    "start": 0.0,
    "imports": 0.7,
    "scan": "Looking for HyP3 products",
    "plan": "products; layers:",
    "maps": 20.0,
    "series": 65.0,
    "check": "Reading the outputs back",
    "report": "The stack is complete",
}

EARLY = ("start", "imports", "scan", "plan")
"""What lies so far from the end that the run cannot be complete when it hears of the cancel."""


@pytest.fixture(scope="module")
def products(tmp_path_factory):
    """Interferograms that take some seconds to stack."""
    folder = tmp_path_factory.mktemp("products")
    layers = ("unw_phase", "corr", "water_mask")
    write_products(folder, SampleSpec(products=4, rows=300, columns=300, layers=layers))
    return folder


class Canceling(Recorder):
    """Cancels after some seconds, at a message, or at a percentage, and notes when."""

    def __init__(self, moment):
        super().__init__()
        self._moment = moment
        self.time = None
        if isinstance(moment, float) and moment < 1.0:
            threading.Timer(moment, self.cancel).start()

    def cancel(self):
        if self.time is None:
            self.time = time.monotonic()
            self.canceled = True

    def pushInfo(self, info):
        super().pushInfo(info)
        if isinstance(self._moment, str) and self._moment in info:
            self.cancel()

    def setProgress(self, progress):
        super().setProgress(progress)
        if isinstance(self._moment, float) and self._moment >= 1.0 and progress >= self._moment:
            self.cancel()


@pytest.mark.parametrize("moment", MOMENTS)
def test_cancel_ends_a_build_soon(products, tmp_path, moment):
    feedback = Canceling(MOMENTS[moment])
    finals = {name: tmp_path / file for name, file in
              (("NETCDF", "s.nc"), ("ZARR", "s.zarr"), ("REPORT", "r.html"))}  # fmt: skip
    given = {"INPUT": str(products), **{name: str(path) for name, path in finals.items()}}
    outputs = None
    try:
        outputs = run_core(sys.executable, "buildstack", given, feedback)
    except CoreCanceledError:
        pass
    took = time.monotonic() - feedback.time
    assert took < CANCEL_GRACE + KILL_GRACE + MARGIN
    standing = {name for name, path in finals.items() if path.exists()}
    if outputs is None:
        assert not standing
    else:
        assert moment not in EARLY
        assert {"NETCDF", "ZARR"} <= standing == standing & set(outputs)
    # Nothing else that a user sees.
    visible = {path for path in tmp_path.iterdir() if not path.name.startswith(".")}
    assert visible == {finals[name] for name in standing}
