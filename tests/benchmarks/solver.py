"""Pixels a second that one core solves, without reading and writing: ``make bench-solver``.

100 dates, each paired with the next three, and the same with some pairs of a year; weights of all
sizes, and 15 % of the pairs missing in each pixel.
"""

from __future__ import annotations

import os
import time

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np

import tests.checkout  # noqa: F401 - registers the package hyp3_stack
from hyp3_stack.core.analysis.solver.inversion import Inversion
from tests.analysis.networks import days, neighbors, observations

DATES, PIXELS, RUNS = 100, 20_000, 3


def main() -> None:
    """Solve random networks and print the best of some runs, in seconds of the processor."""
    print("| pairs | pixels a second and core |\n|---|---|")
    for yearly in (False, True):
        network = neighbors(days(DATES), yearly=yearly)
        phase, weights, _ = observations(network, PIXELS, np.random.default_rng(1))
        inversion, best = Inversion(network), np.inf
        for _ in range(RUNS):
            begin = time.process_time()
            inversion.solve(phase, weights)
            best = min(best, time.process_time() - begin)
        print(f"| {network.pair_count} | {PIXELS / best:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
