"""Rate of the network inversion: pixels a second on one core, without reading and writing."""

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import argparse  # noqa: E402
import time  # noqa: E402

import numpy as np  # noqa: E402

from tests import checkout  # noqa: E402, F401 - registers the package hyp3_stack

# isort: split
from hyp3_stack.core.analysis.inversion import Inversion  # noqa: E402
from hyp3_stack.core.analysis.phase_variance import variance_weights  # noqa: E402
from tests.analysis.networks import days, neighbors  # noqa: E402


def stack(network, pixels, missing, rng):
    """Return phases and coherences as a stack has them, float32 with NaN."""
    motion = np.cumsum(rng.normal(0.1, 0.5, (network.date_count, pixels)), axis=0)
    phase = (network.incidence() @ motion).astype(np.float32)
    coherence = rng.beta(4, 2, phase.shape).astype(np.float32)
    phase += rng.normal(0.0, 0.3, phase.shape).astype(np.float32)
    phase[rng.random(phase.shape) < missing] = np.nan
    return phase, coherence


def main():
    """Print the rates of what a pixel goes through."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dates", type=int, default=100)
    parser.add_argument("--pixels", type=int, default=20_000)
    parser.add_argument("--missing", type=float, default=0.15)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    rng = np.random.default_rng(1)
    for name, yearly in (("3 nearest", False), ("3 nearest and a year later", True)):
        network = neighbors(days(given.dates), yearly=yearly)
        phase, coherence = stack(network, given.pixels, given.missing, rng)
        begin = time.perf_counter()
        weights = variance_weights(coherence, 41)
        weighting = time.perf_counter() - begin
        line = np.linalg.pinv(np.stack([np.ones(network.date_count), network.years], 1))[1]
        print(f"{name}: {network.date_count} dates, {network.pair_count} pairs")
        for label, inversion in (
            ("solved", Inversion(network)),
            ("with the variance of the velocity", Inversion(network, functionals=line[None])),
            ("with linear gaps", Inversion(network, linear_gaps=True)),
        ):
            best = np.inf
            for _ in range(given.runs):
                begin = time.process_time()
                inversion.solve(phase, weights)
                best = min(best, time.process_time() - begin)
            print(f"  {label:36} {given.pixels / best:10,.0f} pixels/s")
        print(f"  {'weights from coherence':36} {given.pixels / weighting:10,.0f} pixels/s")


if __name__ == "__main__":
    main()
