"""How long it takes to find, check and describe 1,000 products: ``make bench-scan``.

Everything that comes before the first pixel: finding the products, reading their parameter files,
opening their rasters, the comparison of their settings, the plan, and the lazy dataset. Each run is
a process of its own and its time includes the start of Python.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from .jobs import Contender, repeat, seconds
from .products import sample_products

STAGES = ("plan", "dataset")


def prepare(folder: Path, stage: str) -> None:
    """Plan a stack, and describe it as a dataset if that is the stage."""
    from tests import checkout  # noqa: F401, PLC0415 - registers the package hyp3_stack

    # isort: split
    from hyp3_stack.core.build.stack_plan import plan_stack
    from hyp3_stack.core.build.stack_request import StackRequest
    from hyp3_stack.core.dataset.dataset import stack_dataset
    from hyp3_stack.core.dataset.stack_layer import stack_layers
    from hyp3_stack.core.pixels.source import StackSource
    from hyp3_stack.core.pixels.values import ValueOptions
    from hyp3_stack.core.run.reporter import SilentReporter

    begin = time.perf_counter()
    request = StackRequest.from_parameters({"INPUT": str(folder), "NETCDF": "/tmp/none.nc"})
    planned = plan_stack(
        request.folder, request.selection, request.grid, request.build, SilentReporter()
    )
    print(f"plan: {time.perf_counter() - begin:.2f} s")
    if stage == "dataset":
        plan = planned.plan
        source = StackSource.of(
            plan.grid, [(placement,) for placement in plan.placements], ValueOptions()
        )
        layers = stack_layers(planned.layers, "once")
        dataset = stack_dataset(source, layers)
        print(f"dataset: {time.perf_counter() - begin:.2f} s, {dict(dataset.sizes)}")


def main() -> None:
    """Time both stages on folders and on zips."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--products", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--prepare", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.prepare:
        prepare(Path(given.prepare[0]), given.prepare[1])
        return
    print(f"{given.products} products with all layers of 40 x 40 pixels\n")
    print("| products are | until the plan (s) | until the dataset (s) |")
    print("|---|---|---|")
    for form in ("folders", "zips"):
        products = sample_products(given.products, 40, (), zipped=form == "zips")
        runs = [
            Contender(
                stage,
                [sys.executable, "-m", "tests.benchmarks.scan", "--prepare", str(products), stage],
                (),
            )
            for stage in STAGES
        ]
        with tempfile.TemporaryDirectory() as temporary:
            costs = repeat(runs, Path(temporary), given.runs)
        plan, dataset = (seconds(costs[stage]) for stage in STAGES)
        print(f"| {form} | {plan:.1f} | {dataset:.1f} |", flush=True)


if __name__ == "__main__":
    main()
