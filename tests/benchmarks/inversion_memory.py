"""Peak memory of an inversion: ``make bench-inversion_memory``.

The stack has series only, so that islands are sought in maps that no chunk holds. Its pairs beyond
the first six are links to these under other dates. The peak is what the system counts for the
finished process (``ru_maxrss``).
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from .jobs import Contender, build_job, core_job, measure, megabytes, repeat
from .products import linked_products

LAYERS = ("unw_phase", "corr")


def inversion(name: str, folder: Path, memory: str, **parameters: str) -> Contender:
    """Return an inversion of ``stack.zarr`` to ``displacement.zarr``."""
    given = {"INPUT": str(folder / "stack.zarr"), "ZARR": str(folder / "displacement.zarr")}
    given |= {"MEMORY": memory, "MIN_TEMPORAL_COHERENCE": "0", **parameters}
    return core_job(name, "invertstack", [folder / "displacement.zarr"], **given)


def main() -> None:
    """Build the stack once, invert it with and without a repair, and print peaks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--products", type=int, default=60)
    parser.add_argument("--size", type=int, default=2450)
    parser.add_argument("--memory", default="1000", help="value of the parameter MEMORY")
    given = parser.parse_args()
    products = linked_products(given.products, given.size, LAYERS)
    with tempfile.TemporaryDirectory(dir=products.parent) as temporary:
        folder = Path(temporary)
        layers = ",".join(LAYERS)
        layout = {"ZARR": "stack.zarr", "CHUNKING": "temporal"}
        measure(build_job("stack", products, folder, LAYERS=layers, **layout), folder)
        runs = [
            inversion("without repair", folder, given.memory),
            inversion("REPAIR=both", folder, given.memory, REPAIR="both"),
        ]
        costs = repeat(runs, folder, 1)
    print(f"{given.products} pairs of {given.size}^2 pixels, MEMORY={given.memory}\n")
    print("| | peak MB | CPU seconds |\n|---|---|---|")
    for run in runs:
        print(f"| {run.name} | {megabytes(costs[run.name]):.0f} | {costs[run.name][0].cpu:.0f} |")


if __name__ == "__main__":
    main()
