"""Products with chosen signals hold what the truth of an inversion says, in HyP3's own format."""

import numpy as np
import pytest

from tests.running import samples
from tests.sample_products import Signals
from tests.sample_products.ground_truth import ground_truth
from tests.sample_products.scene import PHASE_PER_METER
from tests.truth import stored

QUIET = {"motion": 0.0, "turbulent": 0.0, "stratified": 0.0, "height_error": 0.0}
SMALL = {
    "products": 6,
    "rows": 60,
    "columns": 70,
    "noise": False,
    "sidecars": False,
    "neighbor_zone_share": 0.0,
}
LAYERS = ("unw_phase", "corr", "conncomp")


def phases(stack, product):
    """Return stored phase and the truth's motion and delay between its dates."""
    phase = stored(product, "unw_phase").astype(float)
    truth = ground_truth(stack.spec, *product.centers(), product.epsg)
    sides = [truth.times.index(t) for t in (product.reference_time, product.secondary_time)]
    moved, delayed = (
        series[sides[1]] - series[sides[0]] for series in (truth.displacement, truth.delay)
    )
    error = -truth.height_error * product.perpendicular_baseline
    return np.where(phase == 0, np.nan, phase), moved, delayed, error


@pytest.mark.parametrize(
    "signals",
    [
        Signals(**QUIET, linear=0.2),
        Signals(**QUIET, annual=0.05),
        Signals(**QUIET, linear=0.01, step=0.08, step_day=20),
        Signals(**QUIET, ramp=5.0),
        Signals(**QUIET | {"motion": 1.0, "turbulent": 1.0, "stratified": 1.0}),
    ],
    ids=["linear", "annual", "step", "ramp", "weather"],
)
def test_phase_is_motion_and_delay(tmp_path_factory, signals):
    stack = samples(tmp_path_factory, signals=signals, layers=LAYERS[:2], **SMALL)
    spreads = []
    for product in stack.products:
        phase, moved, delayed, _ = phases(stack, product)
        rest = phase / -PHASE_PER_METER - moved - delayed
        assert np.nanstd(rest) < 1e-6
        spreads.append(np.nanstd(phase))
    assert max(spreads) > 0.3


def test_error_of_heights_goes_with_the_baseline(tmp_path_factory):
    signals = Signals(**QUIET | {"height_error": 3.0})
    stack = samples(tmp_path_factory, signals=signals, layers=LAYERS[:2], **SMALL)
    for product in stack.products:
        phase, _, _, error = phases(stack, product)
        seen = ~np.isnan(phase)
        slope, _ = np.polyfit(error[seen], phase[seen] / -PHASE_PER_METER, 1)
        assert 1 / slope == pytest.approx(850e3 * np.sin(np.radians(38.5)), rel=0.1)


@pytest.mark.parametrize("kind", ["INSAR_GAMMA", "INSAR_ISCE_BURST"])
def test_one_side_of_the_river_is_shifted(tmp_path_factory, kind):
    signals = Signals(**QUIET, linear=0.01, river=600.0, shifted=0.5)
    layers = LAYERS[:2] if kind == "INSAR_GAMMA" else LAYERS
    stack = samples(tmp_path_factory, product_type=kind, signals=signals, layers=layers, **SMALL)
    jumps = []
    for product in stack.products:
        phase, *_ = phases(stack, product)
        components = None if kind == "INSAR_GAMMA" else stored(product, "conncomp")
        if components is not None:
            assert set(np.unique(components)) <= {0.0, 1.0, 2.0, 3.0}
            sides = [np.nanmedian(phase[components == number]) for number in (1, 2)]
        else:
            sides = [np.nanmin(phase), np.nanmax(phase)]
        jumps.append(abs(round((sides[1] - sides[0]) / (2 * np.pi))))
    assert sorted(set(jumps)) == [0, 1]


def test_gaps_take_their_share_of_the_land(tmp_path_factory):
    signals = Signals(gaps=0.2)
    layers = ("unw_phase", "water_mask")
    stack = samples(tmp_path_factory, signals=signals, layers=layers, **SMALL)
    plain = samples(tmp_path_factory, layers=layers, **SMALL)
    lost, patterns = [], []
    for product, whole in zip(stack.products, plain.products, strict=True):
        before, after = (stored(one, "unw_phase") != 0 for one in (whole, product))
        assert not (after & ~before)[1:-1, 1:-1].sum() > 1  # another reference point
        land = stored(product, "water_mask") == 1
        lost.append((before & ~after & land).sum() / (before & land).sum())
        patterns.append(after.tobytes())
    assert np.mean(lost) == pytest.approx(0.2, abs=0.07) and len(set(patterns)) == len(patterns)
