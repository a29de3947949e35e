"""How the time of a build grows with products, pixels and layers: ``make bench-growth``.

One of the three grows at a time, by doubling. The exponent is that of a power law through all
points, after the time of the smallest possible build was taken off: 1 is growth in proportion.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

from .jobs import build_job, repeat, seconds
from .products import FOLDER, LAYERS, sample_products
from .run import Contender

OUTPUTS = {"NETCDF": "stack.nc", "ZARR": "stack.zarr"}
PER_STEP = ("unw_phase", "corr", "amp", "wrapped_phase", "los_disp", "vert_disp", "inc_map", "dem")


def cases(products: int, size: int, doublings: int) -> dict[str, list[tuple[float, dict]]]:
    """Return by what grows: amounts, and the products and layers of a build."""
    steps = range(doublings + 1)
    base = {"number": products, "size": size, "layers": LAYERS}
    sides = [round(size * 2 ** (step / 2)) for step in steps]
    return {
        "products": [(products * 2**step, base | {"number": products * 2**step}) for step in steps],
        "pixels": [(side**2, base | {"size": side}) for side in sides],
        "layers": [
            (2**step, base | {"layers": PER_STEP[: 2**step]})
            for step in steps
            if 2**step <= len(PER_STEP)
        ],
    }


def job(name: str, folder: Path, number: int, size: int, layers: tuple[str, ...]) -> Contender:
    """Return a build of both outputs with each layer in every pair."""
    # One folder of products for all choices of layers, so that less has to be made.
    ordered = PER_STEP if set(layers) <= set(PER_STEP) else LAYERS
    products = sample_products(number, size, ordered)
    given = {"LAYERS": ",".join(layers), "STATIC_LAYERS": "per_pair", **OUTPUTS}
    return build_job(name, products, folder, **given)


def exponent(amounts: list[float], times: list[float]) -> float:
    """Return the slope of a line through the logarithms."""
    return float(np.polyfit(np.log(amounts), np.log(np.maximum(times, 0.01)), 1)[0])


def main() -> None:
    """Run builds of growing size and print times and exponents."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--products", type=int, default=8)
    parser.add_argument("--size", type=int, default=1000)
    parser.add_argument("--doublings", type=int, default=3)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER) as temporary:
        folder = Path(temporary)
        smallest = job("smallest", folder, 1, 40, LAYERS)
        fixed = seconds(repeat([smallest], folder, given.runs)["smallest"])
        print(f"The smallest build takes {fixed:.2f} s, which is taken off below.\n")
        print("| grows | amounts | seconds | exponent |")
        print("|---|---|---|---|")
        for what, listed in cases(given.products, given.size, given.doublings).items():
            jobs = [job(str(amount), folder, **options) for amount, options in listed]
            costs = repeat(jobs, folder, given.runs)
            times = [seconds(costs[item.name]) - fixed for item in jobs]
            amounts = [amount for amount, _ in listed]
            told = ", ".join(f"{amount / 1e6:g} M" if amount > 1e5 else f"{amount}"
                             for amount in amounts)  # fmt: skip
            print(
                f"| {what} | {told} | {', '.join(f'{time:.2f}' for time in times)} "
                f"| {exponent(amounts, times):.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
