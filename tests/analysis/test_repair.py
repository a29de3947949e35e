"""Errors of unwrapping are repaired where the pairs tell of them, and nothing else is touched."""

import numpy as np
import pytest

from hyp3_stack.core.analysis.unwrapping.closure import ClosureStatistics
from hyp3_stack.core.analysis.unwrapping.islands import find_islands, label_regions
from hyp3_stack.core.analysis.unwrapping.repair import plan_repair, sample_step
from tests.sample_products.displacement import CYCLE, make_arrays

PIXEL = 80.0
ISLANDS = 4
SMOOTH = {"turbulent": 0.002}
ROUGH = {
    "mogi": 0.3,
    "linear": 0.1,
    "turbulent": 0.01,
    "stratified": 0.01,
    "ramp": 0.01,
    "looks": 3,
    "missing": 0.15,
}
"""Jumps between the islands of up to some cycles, which no bridge can tell from errors."""


def shifted(seed=0, share=0.05, **options):
    options = {"dates": 20, "shape": (40, 64), "islands": ISLANDS} | options
    return make_arrays(shifted=share, seed=seed, **options)


def repaired(stack, method, components=None):
    """Return the plan and the phase after it."""
    step = sample_step(stack.island.shape)
    found = [find_islands(phase, PIXEL, stack.reference, step, components) for phase in stack.phase]
    plan = plan_repair(stack.pairs, found, method)
    phase = stack.phase.copy()
    plan.apply(phase, slice(0, phase.shape[1]), slice(0, phase.shape[2]))
    return plan, phase


def left_cycles(stack, phase):
    """Return how many cycles are left on each (pair, island)."""
    taken = np.rint((stack.phase - phase) / CYCLE)
    columns = [np.nanmedian(taken[:, stack.island == n], axis=1) for n in range(ISLANDS)]
    return stack.cycles - np.stack(columns, axis=1)


def pixel_errors(stack, phase):
    counted = ClosureStatistics(stack.pairs, stack.days)
    counted.add(phase.reshape(len(phase), -1))
    return counted.errors


@pytest.mark.parametrize(
    "method, signals",
    [
        ("islands", SMOOTH),
        ("closure", SMOOTH),
        ("both", SMOOTH),
        ("closure", ROUGH),
        ("both", ROUGH),
    ],
)
def test_five_percent_of_islands_are_repaired(method, signals):
    wrong, mended, clean, touched = 0, 0, 0, 0
    for seed in range(3):
        stack = shifted(seed, **signals)
        plan, phase = repaired(stack, method)
        left, bad = left_cycles(stack, phase), stack.cycles != 0
        wrong, mended = wrong + bad.sum(), mended + (left[bad] == 0).sum()
        clean, touched = clean + (~bad).sum(), touched + (left[~bad] != 0).sum()
        assert plan.errors_after <= plan.errors_before
        assert pixel_errors(stack, phase) <= pixel_errors(stack, stack.phase)
    assert wrong > 15 and mended >= 0.95 * wrong and touched <= 0.001 * clean


@pytest.mark.parametrize("method", ["islands", "both", "closure"])
def test_delays_between_islands_are_no_errors(method):
    stack = shifted(share=0.0, **ROUGH | {"missing": 0.0})
    plan, phase = repaired(stack, method)
    assert plan.corrected == 0 and np.array_equal(phase, stack.phase, equal_nan=True)
    assert plan.errors_after == plan.errors_before == 0
    assert plan.refused > 0


def test_bridges_mend_a_network_that_is_mostly_wrong():
    stack = shifted(share=0.6, **SMOOTH)
    plan, phase = repaired(stack, "islands")
    assert plan.errors_before > 0.4 and plan.errors_after == 0
    assert np.abs(left_cycles(stack, phase)).max() == 0


def test_pairs_without_triangles_are_bridged():
    stack = shifted(share=0.3, neighbors=1, **SMOOTH)
    plan, phase = repaired(stack, "both")
    assert plan.refused == 0
    assert plan.corrected == np.count_nonzero(stack.cycles) > 5
    assert np.abs(left_cycles(stack, phase)).max() == 0


def test_none_changes_nothing_but_tells_of_the_errors():
    stack = shifted(**SMOOTH)
    plan, phase = repaired(stack, "none")
    assert np.array_equal(phase, stack.phase, equal_nan=True) and plan.corrected == 0
    assert plan.errors_after == plan.errors_before > 0


def test_a_single_triangle_blames_nobody():
    stack = shifted(dates=3, neighbors=2, share=0.0, **SMOOTH)
    stack.phase[1, stack.island == 2] += CYCLE
    plan, _ = repaired(stack, "closure")
    assert plan.corrected == 0 and plan.errors_before > 0
    plan, _ = repaired(stack, "islands")
    assert plan.corrected == 1 and plan.errors_after == 0


@pytest.mark.parametrize("method", ["islands", "closure", "both"])
def test_pairs_that_share_no_island_are_left_alone(method):
    stack = shifted()
    stack.phase[0] = np.nan
    stack.phase[1][stack.island > 0] = np.nan
    stack.phase[2][stack.island == 0] = np.nan
    plan, phase = repaired(stack, method)
    assert np.array_equal(np.isnan(phase), np.isnan(stack.phase))
    assert plan.errors_after <= plan.errors_before
    none = [find_islands(one, PIXEL / 100, stack.reference, 3) for one in stack.phase]
    plan = plan_repair(stack.pairs, none, method)
    assert plan.corrected == plan.islands == 0 and plan.errors_before == 0.0


@pytest.mark.parametrize("method", ["islands", "closure", "both"])
def test_no_connected_components_are_needed(method):
    """MintPy #832 and #1252, hyp3 #1174: INSAR_GAMMA has none, and bridging failed there."""
    stack = shifted(**SMOOTH)
    _, phase = repaired(stack, method, components=None)
    assert np.abs(left_cycles(stack, phase)).max() == 0


@pytest.mark.parametrize("dtype", [np.float32, np.int16])
def test_components_part_what_phase_does_not(dtype):
    """MintPy #1453: HyP3's components are float rasters, and the reference may lie on none."""
    stack = shifted(**SMOOTH)
    for pair, phase in enumerate(stack.phase):
        whole = np.where(np.isnan(phase), 0.0, phase)  # phase everywhere, as ISCE has it
        phase[...] = whole + CYCLE * (stack.island < 0) * (pair % 2)
    components = (stack.island + 1).astype(dtype)
    plan, phase = repaired(stack, "both", components)
    assert plan.corrected == np.count_nonzero(stack.cycles)
    assert np.abs(left_cycles(stack, phase)).max() == 0
    # All islands are judged by the largest where the reference is on none of them.
    lone = components.copy()
    lone[lone == 1] = 0
    lone[stack.reference] = 0
    found = find_islands(stack.phase[0], PIXEL, stack.reference, 1, lone)
    assert found.reference == 0 and found.cycles.size == ISLANDS


def test_what_is_taken_off_does_not_depend_on_blocks():
    stack = shifted(**SMOOTH)
    plan, whole = repaired(stack, "both")
    pieces = stack.phase.astype(np.float32)
    for rows in (slice(0, 7), slice(7, 40)):
        for columns in (slice(0, 10), slice(10, 33), slice(33, 64)):
            plan.apply(pieces[:, rows, columns], rows, columns)
    assert plan.corrected > 0 and np.allclose(pieces, whole, atol=1e-4, equal_nan=True)


def test_a_jump_that_is_not_whole_is_refused():
    stack = shifted(share=0.0, linear=0.001)
    phase = stack.phase[0].copy()
    phase[stack.island == 1] += 0.45 * CYCLE
    found = find_islands(phase, PIXEL, stack.reference, 1)
    assert found.refused.sum() == 1 and not found.cycles[1:].any()
    phase[stack.island == 1] += 1.5 * CYCLE
    found = find_islands(phase, PIXEL, stack.reference, 1)
    assert not found.refused.any() and sorted(found.cycles[1:]) == [0, 0, 0, 2]


def test_a_slope_is_no_jump():
    stack = shifted(share=0.0, linear=0.001)
    slope = np.arange(64) * 1.1  # across the gap of three columns more than half a cycle
    phase = np.where(np.isnan(stack.phase[0]), np.nan, slope)
    found = find_islands(phase, PIXEL, stack.reference, 1)
    assert not found.refused.any() and not found.cycles.any()


def test_small_islands_are_left_alone():
    phase = np.full((60, 60), np.nan)
    phase[:, :40] = 1.0
    phase[10:20, 45:55] = 1.0 + CYCLE  # 0.64 square kilometers
    found = find_islands(phase, PIXEL, (30, 20), 1)
    assert found.cycles.size == 2 and not found.runs.size
    found = find_islands(phase, 2 * PIXEL, (30, 20), 1)
    assert found.cycles.tolist() == [0, 0, 1]


def test_regions_are_four_connected():
    picture = [
        "1.1.111",
        "1.1.1.1",
        "111.1.1",
        ".....2.",
        "11111.2",
        "1...1..",
        "1.111..",
    ]
    values = np.array([[int(cell) if cell != "." else 0 for cell in row] for row in picture])
    labels = label_regions(values)
    assert [int(n) for n in labels[0]] == [1, 0, 1, 0, 2, 2, 2]
    assert labels[3, 5] == 3 and labels[4, 6] == 5 and labels.max() == 5
    assert (labels[4:, :5][values[4:, :5] > 0] == 4).all()
    assert ((labels > 0) == (values > 0)).all()
    # A spiral of one pixel's width is one region.
    spiral = np.zeros((41, 41), int)
    for ring in range(0, 20, 2):
        spiral[ring, ring : 41 - ring] = spiral[40 - ring, ring : 41 - ring] = 1
        spiral[ring : 41 - ring, 40 - ring] = spiral[ring + 2 : 41 - ring, ring] = 1
        spiral[ring + 2, ring : ring + 2] = 1
    assert label_regions(spiral).max() == 1
    assert label_regions(np.zeros((5, 5))).max() == 0
