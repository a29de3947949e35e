"""Closure of triangles finds the pairs whose unwrapping went wrong, and no others."""

import numpy as np
import pytest

from hyp3_stack.core.analysis.unwrapping.closure import ClosureStatistics
from hyp3_stack.core.network.pair_network import find_triangles
from tests.sample_products.displacement import CYCLE, make_arrays


def pixels(stack):
    return stack.phase.reshape(len(stack.pairs), -1)


def statistics(stack, phase=None):
    made = ClosureStatistics(stack.pairs, stack.days)
    return made, made.add(pixels(stack) if phase is None else phase)


def test_triangles_go_around():
    pairs = np.array([(0, 1), (0, 2), (1, 2), (1, 3), (2, 3), (3, 4)])
    triangles = find_triangles(pairs)
    assert triangles.tolist() == [[0, 2, 1], [2, 4, 3]]
    assert find_triangles(pairs[[0, 3]]).shape == (0, 3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_consistent_closes(dtype):
    stack = make_arrays(mogi=0.3, linear=0.1, turbulent=0.01, missing=0.2)
    counted, found = statistics(stack, pixels(stack).astype(dtype))
    assert counted.errors == 0 and found.errors.max() == 0
    assert not list(counted.worst_pairs())
    valid = ~np.isnan(pixels(stack))
    expected = sum(valid[list(sides)].all(axis=0) for sides in counted.triangles)
    assert np.array_equal(found.checked, expected)


def test_errors_are_counted_by_pixel_and_by_pair():
    stack = make_arrays(mogi=0.3)
    phase = pixels(stack).copy()
    phase[7, :100] += 2 * CYCLE
    counted, found = statistics(stack, phase)
    triangles = [number for number, sides in enumerate(counted.triangles) if 7 in sides]
    assert (found.errors[:100] == len(triangles)).all() and found.errors[100:].max() == 0
    assert found.share[:100] == pytest.approx(len(triangles) / len(counted.triangles))
    assert next(counted.worst_pairs()) == 7
    assert counted.blame[7] == counted.pair_share[7] == pytest.approx(100 / phase.shape[1])
    others = set(counted.triangles[triangles].ravel()) - {7}
    assert all(counted.pair_share[other] > 0 and counted.blame[other] == 0 for other in others)


def test_blocks_add_up_to_the_whole():
    stack = make_arrays(looks=5, missing=0.2, islands=2, shifted=0.2)
    whole, _ = statistics(stack)
    parts = [ClosureStatistics(stack.pairs, stack.days) for _ in range(2)]
    for number, part in enumerate(np.array_split(pixels(stack), 5, axis=1)):
        parts[number % 2].add(part)
    parts[0].merge(parts[1])
    assert whole.errors > 0
    for name in ("pixels", "wrong", "never_right", "triangle_pixels", "triangle_errors"):
        assert np.array_equal(getattr(parts[0], name), getattr(whole, name))
    assert np.allclose(parts[0].triangle_sum, whole.triangle_sum)


def test_the_third_pair_of_a_triangle_counts():
    """MintPy #574: a triangle whose long pair is wrong must not pass as closed."""
    stack = make_arrays(dates=3, neighbors=2, linear=0.1)
    assert stack.pairs.tolist() == [[0, 1], [0, 2], [1, 2]]
    for pair in range(3):
        phase = pixels(stack).copy()
        phase[pair] -= CYCLE
        counted, found = statistics(stack, phase)
        assert (found.errors == 1).all() and counted.share == 1


def test_pairs_without_a_triangle_are_named():
    stack = make_arrays(dates=6, neighbors=1)
    counted, found = statistics(stack)
    assert counted.unchecked.tolist() == list(range(5))
    assert np.isnan(counted.pair_share).all() and np.isnan(found.share).all()
    assert np.isnan(counted.fading)


def test_fading_of_short_pairs_is_told():
    """LiCSBAS #288: short pairs that all lag a little add up to a velocity nobody moved with."""
    stack = make_arrays(dates=8, linear=0.05)
    spans = stack.days[stack.pairs[:, 1]] - stack.days[stack.pairs[:, 0]]
    phase = pixels(stack) + np.where(spans == 12, 0.4, 0.0)[:, None]
    counted, found = statistics(stack, phase)
    clean, _ = statistics(stack)
    assert abs(clean.fading) < 1e-9
    # Two of the three pairs of 12, 12, 24 days lag, and one of those of 12, 24, 36.
    assert 0.4 < counted.fading < 0.8 and found.errors.max() == 0
    assert np.allclose(found.fading, counted.fading, atol=1e-6)
    assert np.nanmax(counted.triangle_sum / counted.triangle_pixels) == pytest.approx(0.8)
