"""Every pair or date has a time of its own in the Temporal Controller."""

from datetime import datetime, timedelta, timezone

import pytest

from hyp3_stack.processing_provider.layers.frames.band_times import band_ranges

START = datetime(2021, 1, 1, 1, 51, 36, tzinfo=timezone.utc)
DAY = timedelta(days=1)


def days(*numbers):
    return [START + number * DAY for number in numbers]


def network(acquisitions, neighbors, jitter=0.0):
    """Return reference and secondary times of a small-baseline network."""
    times = [
        START + 12 * DAY * number + timedelta(seconds=jitter * (-1) ** number)
        for number in range(acquisitions)
    ]
    pairs = [
        (times[i], times[j])
        for i in range(acquisitions)
        for j in range(i + 1, min(acquisitions, i + neighbors + 1))
    ]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def assert_partition(ranges, begin, end):
    """Ranges follow each other without gap or overlap, and none is empty."""
    ordered = sorted(ranges)
    assert ordered[0][0] == begin
    assert ordered[-1][1] == end
    for (_, first_end), (second_begin, _) in zip(ordered, ordered[1:], strict=False):
        assert first_end == second_begin
    assert all(begin < end for begin, end in ranges)


@pytest.mark.parametrize("jitter", [0.0, 0.7, 3.0])
@pytest.mark.parametrize("neighbors", [1, 2, 3, 5])
@pytest.mark.parametrize("acquisitions", [2, 3, 10, 60])
def test_pairs_partition_their_span(acquisitions, neighbors, jitter):
    begins, ends = network(acquisitions, neighbors, jitter)
    ranges = band_ranges(begins, ends)
    assert len(ranges) == len(begins)
    assert_partition(ranges, min(begins), max(ends))
    # No frame is so short that a step of a day would jump over it.
    assert min(end - begin for begin, end in ranges) >= DAY


def test_a_chain_of_pairs_is_shown_around_its_middles():
    begins, ends = days(0, 12, 24), days(12, 24, 36)
    edges = days(0, 12, 24, 36)
    assert band_ranges(begins, ends) == list(zip(edges, edges[1:], strict=False))


def test_pairs_with_one_middle_share_its_time_in_order():
    # (0, 36) and (12, 24) have the same middle.
    begins, ends = days(0, 0, 12, 24), days(12, 36, 24, 36)
    ranges = band_ranges(begins, ends)
    assert ranges[1][1] == ranges[2][0]
    assert ranges[1][1] - ranges[1][0] == ranges[2][1] - ranges[2][0]
    assert_partition(ranges, *days(0, 36))


def test_one_pair_lasts_from_reference_to_secondary():
    assert band_ranges(days(0), days(12)) == [tuple(days(0, 12))]


def test_dates_last_until_the_next_date():
    dates = days(0, 12, 36, 48)
    assert band_ranges(dates, dates) == list(zip(dates, days(12, 36, 48, 60), strict=True))


def test_a_lone_date_has_a_length():
    ((begin, end),) = band_ranges(days(0), days(0))
    assert begin == START
    assert end > begin


def test_frames_of_one_pass_share_its_time():
    frames = [START, START + timedelta(seconds=25), START + 12 * DAY]
    ranges = band_ranges(frames, frames)
    assert_partition(ranges, START, START + 24 * DAY)
    assert ranges[0][1] - ranges[0][0] == 6 * DAY


def test_order_of_the_bands_does_not_matter():
    begins, ends = network(8, 3)
    forward = band_ranges(begins, ends)
    backward = band_ranges(begins[::-1], ends[::-1])
    assert sorted(forward) == sorted(backward)


def test_nothing():
    assert band_ranges([], []) == []
