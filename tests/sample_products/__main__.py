"""Make sample products from the command line: ``python -m tests.sample_products OUT``."""

from __future__ import annotations

import argparse
from pathlib import Path

from . import SampleSpec, write_products
from .spec import LAYERS


def main() -> None:
    """Read the options and write the products."""
    parser = argparse.ArgumentParser(prog="python -m tests.sample_products", description=__doc__)
    parser.add_argument("out", type=Path, help="folder that takes the products")
    parser.add_argument("--type", default="INSAR_GAMMA", choices=list(LAYERS))
    parser.add_argument("--products", type=int, default=6)
    parser.add_argument("--size", type=int, default=400, help="rows and columns")
    parser.add_argument("--spacing", type=int, help="pixel spacing in meters")
    parser.add_argument("--layers", nargs="+", help="suffixes of the layers; default: all")
    parser.add_argument("--share", type=float, default=1 / 3, help="share in the other UTM zone")
    parser.add_argument("--zip", action="store_true", help="write zips instead of folders")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--noise", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--sidecars", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--water-masked", action="store_true")
    parser.add_argument("--frames", type=int, default=1, choices=(1, 2))
    parser.add_argument("--scale", default="power", choices=("power", "amplitude", "decibel"))
    given = parser.parse_args()
    layers = None
    if given.layers:
        layers = tuple(name for part in given.layers for name in part.split(",") if name)
    spec = SampleSpec(
        product_type=given.type,
        products=given.products,
        rows=given.size,
        columns=given.size,
        spacing=given.spacing,
        layers=layers,
        neighbor_zone_share=given.share,
        zipped=given.zip,
        seed=given.seed,
        noise=given.noise,
        sidecars=given.sidecars,
        water_masked=given.water_masked,
        frames=given.frames,
        scale=given.scale,
    )
    for product in write_products(given.out, spec).products:
        rows, columns = product.shape
        print(f"EPSG:{product.epsg} {rows} x {columns} {product.path.name}")


if __name__ == "__main__":
    main()
