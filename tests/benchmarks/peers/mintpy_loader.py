"""MintPy's loader: HyP3 products on one grid into its HDF5 stack, as ``load_data.py`` is run."""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path

import mintpy
from mintpy.cli import load_data

TEMPLATE = """\
mintpy.load.processor = hyp3
mintpy.load.unwFile = {products}/*/*_unw_phase.tif
mintpy.load.corFile = {products}/*/*_corr.tif
mintpy.load.demFile = {first}/*_dem.tif
mintpy.load.incAngleFile = {first}/*_lv_theta.tif
mintpy.load.azAngleFile = {first}/*_lv_phi.tif
mintpy.load.waterMaskFile = {first}/*_water_mask.tif
mintpy.load.compression = {compression}
"""


def main() -> None:
    """Load a folder of products."""
    parser = argparse.ArgumentParser()
    parser.add_argument("products", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--compression", choices=("no", "lzf", "gzip"), default="no")
    given = parser.parse_args()
    products = given.products.resolve()
    given.output.mkdir()
    # MintPy writes beside its template and takes relative names from there.
    os.chdir(given.output)
    first = min(path for path in products.iterdir() if path.is_dir())
    text = TEMPLATE.format(products=products, first=first, compression=given.compression)
    Path("hyp3.txt").write_text(text)
    shutil.copy(Path(mintpy.__file__).parent / "defaults" / "smallbaselineApp.cfg", ".")
    load_data.main(["-t", "smallbaselineApp.cfg", "hyp3.txt"])
    for name in ("ifgramStack.h5", "geometryGeo.h5"):
        if not Path("inputs", name).is_file():
            raise SystemExit(f"MintPy did not write {name}.")


if __name__ == "__main__":
    main()
