"""Networks of pairs and phases with weights and gaps, for tests of the inversion."""

import numpy as np

from hyp3_stack.core.network.pair_network import PairNetwork


def days(count, rng=None):
    """Dates every 12 days; irregular with a generator of random numbers."""
    steps = np.full(count, 12) if rng is None else rng.choice([6, 12, 18, 24], count)
    return np.datetime64("2020-01-01T05:30:00", "ns") + np.cumsum(steps).astype("timedelta64[D]")


def neighbors(times, span=3, yearly=False):
    """Pairs of each date with its next ones, and with that a year later."""
    pairs = [
        (one, other)
        for one in range(len(times))
        for other in range(one + 1, min(one + span + 1, len(times)))
    ]
    if yearly:
        pairs += [(one, one + 30) for one in range(0, len(times) - 30, 5)]
    one, other = np.array(sorted(pairs)).T
    return PairNetwork.of_pairs(times[one], times[other])


def observations(network, pixels, rng, missing=0.15, noise=0.5):
    """Phases and weights of shape (pairs, pixels), with gaps, and the phases of the dates."""
    truth = np.cumsum(rng.normal(0.2, 1.0, (network.date_count, pixels)), axis=0)
    truth -= truth[0]
    phase = network.incidence() @ truth + rng.normal(0, noise, (network.pair_count, pixels))
    phase[rng.random(phase.shape) < missing] = np.nan
    weights = rng.uniform(0.3, 300.0, phase.shape)
    return phase.astype(np.float32), weights.astype(np.float32), truth
