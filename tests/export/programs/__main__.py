"""Runs the programs that exports are for on exports of generated products, and prints the outcome.

``python -m tests.export.programs``; ``make test-exports`` makes their environments first. MintPy
goes on from the step ``modify_network`` to the velocity, without edits, and loads harmonized
products of all types; InSAR Explorer reads a series from maps and from points. A program that is
not installed is listed as such; one that finds something else ends the run with status 1.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr
from pyproj import Transformer

from tests import checkout  # noqa: F401 - registers the package hyp3_stack
from tests.analysis.inverting import invert
from tests.export.exporting import export
from tests.running import build, harmonize
from tests.sample_products import SampleSpec, write_products

HERE = Path(__file__).parent
BUILT = HERE.parents[2] / "build"
MINTPY = BUILT / "mintpy" / "bin" / "python"
INSAR_EXPLORER = BUILT / "insar-explorer"
TYPES = ("INSAR_GAMMA", "INSAR_ISCE_BURST", "INSAR_ISCE_MULTI_BURST")

MOST_PIXELS, MOST_METERS = 0.01, 0.001
"""By how much a position may be off, and displacement, or velocity in a year."""

Finding = tuple[str, str, bool]
"""What was tried, what came of it, and whether that is right."""


def run(command: Sequence[str], folder: Path | None = None) -> str:
    """Run a program and return what it prints; its last words are the error where it fails."""
    environment = {**os.environ, "MPLBACKEND": "Agg", "QT_QPA_PLATFORM": "offscreen"}
    environment["PATH"] = f"{MINTPY.parent}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["no message"])[-1][:200])
    return done.stdout


def mintpy(kind: str, folder: Path) -> Iterator[Finding]:
    """Let MintPy invert pairs of a type, and compare with :mod:`hyp3_stack`'s own inversion."""
    samples = write_products(
        folder / "products",
        SampleSpec(product_type=kind, products=12, rows=90, columns=100),
    )
    stack = build(samples.folder, ZARR=folder / "pairs.zarr", REFERENCE_POINT="auto").zarr
    project = folder / "mintpy"
    export(stack, project, FORMAT="mintpy")
    command = [str(MINTPY), "-W", "ignore", "-m", "mintpy.cli.smallbaselineApp"]
    run([*command, "smallbaselineApp.cfg", "--start", "modify_network"], project)
    own = invert(stack, NETCDF=folder / "own.nc", MIN_TEMPORAL_COHERENCE="0").netcdf
    with xr.open_zarr(stack, group="spatially_optimized") as pairs:
        reference = [
            int(abs(pairs[axis].values - float(pairs[f"reference_point_{axis}"])).argmin())
            for axis in "yx"
        ]
    with xr.open_dataset(own) as displacement:
        series = displacement.displacement.values
        series = series - series[:, *reference][:, np.newaxis, np.newaxis]
        rows, columns = np.nonzero(np.isfinite(series[1]))
        row, column = int(rows[rows.size // 3]), int(columns[rows.size // 3])
        center = float(displacement.x[column]), float(displacement.y[row])
        spacing = float(displacement.x[1] - displacement.x[0])
        crs = displacement.spatial_ref.attrs["crs_wkt"]
    latitude, longitude = Transformer.from_crs(crs, "EPSG:4326").transform(*center)
    place = [str(project), repr(latitude), repr(longitude)]
    found = json.loads(run([str(MINTPY), "-W", "ignore", str(HERE / "read_mintpy.py"), *place]))
    shift = max(abs(one - other) for one, other in zip(found["center"], center, strict=True))
    with h5py.File(project / "timeseries.h5") as file:
        # MintPy chooses another reference date than the first.
        theirs = file["timeseries"][:] - file["timeseries"][0]
    with h5py.File(project / "maskTempCoh.h5") as file:
        kept = file["mask"][:].astype(bool) & np.isfinite(series[1])
    errors = (theirs - series)[:, kept]
    error = float(np.sqrt(np.mean(errors**2)))
    yield (
        f"MintPy {found['version']}, {kind}",
        f"velocity reached, {shift / spacing:.4f} pixels off, displacement in {kept.sum()} pixels "
        f"{1000 * error:.3f} mm (RMS) from that of hyp3:invertstack, reference {reference}",
        shift <= MOST_PIXELS * spacing
        and found["pixel"] == [row, column]
        and np.isfinite(found["velocity"])
        and error <= MOST_METERS
        and bool(kept.sum() > 100)
        and found["reference"] == reference,
    )
    products = Path(harmonize(samples.folder, folder / "harmonized").outputs["OUTPUT"])
    loader = ["-W", "ignore", "-m", "tests.benchmarks.peers.mintpy_loader"]
    run([str(MINTPY), *loader, str(products), str(folder / "loaded")])
    with h5py.File(folder / "loaded" / "inputs" / "ifgramStack.h5") as file:
        count = len(file["date"])
    yield (
        f"prep_hyp3, harmonized {kind}",
        f"{count} of {len(samples.products)} pairs",
        count == len(samples.products),
    )
    if kind == TYPES[0]:
        yield from _displacement(own, folder)


def _displacement(own: Path, folder: Path) -> Iterator[Finding]:
    """Let MintPy fit a velocity to exported displacement, and InSAR Explorer read a series."""
    project = folder / "displacement"
    export(own, project, FORMAT="mintpy")
    command = [str(MINTPY), "-W", "ignore", "-m", "mintpy.cli.timeseries2velocity"]
    run([*command, "timeseries.h5", "-o", "fitted.h5"], project)
    with h5py.File(project / "velocity.h5") as ours, h5py.File(project / "fitted.h5") as theirs:
        worst = float(np.nanmax(np.abs(ours["velocity"][:] - theirs["velocity"][:])))
    yield (
        "MintPy, displacement",
        f"its velocity of our series is {1000 * worst:.4f} mm/year off",
        worst <= MOST_METERS,
    )
    if (INSAR_EXPLORER / "insar_explorer").is_dir():
        yield _insar_explorer(own, folder)
    else:
        yield "InSAR Explorer", "not installed", True


def _insar_explorer(own: Path, folder: Path) -> Finding:
    target = folder / "insar_explorer"
    export(own, target, FORMAT="insar_explorer")
    with xr.open_dataset(own) as displacement:
        series = displacement.displacement.values * 1000
        row, column = (int(at[len(at) // 3]) for at in np.nonzero(np.isfinite(series[1])))
        center = float(displacement.x[column]), float(displacement.y[row])
        expected = series[:, row, column]
        velocity = float(displacement.velocity[row, column]) * 1000
    python = os.environ.get("QGIS_PYTHON", "/usr/bin/python3")
    given = [str(INSAR_EXPLORER), str(target), *map(str, center)]
    found: dict[str, Any] = json.loads(
        run([python, str(HERE / "read_insar_explorer.py"), *given]).splitlines()[-1]
    )
    errors = [
        float(np.abs(np.array([value for _, value in read]) - expected).max())
        for read in found["series"]
    ]
    errors += [abs(value - velocity) for value in found["velocity"]]
    passed = all(ok for ok, _ in found["checks"])
    return (
        f"InSAR Explorer {found['version']}",
        f"checks {'pass' if passed else found['checks']}, values "
        f"{max(errors):.5f} mm off, {found['crs'][0]}",
        passed and max(errors) < 1e-3 and len(set(found["crs"])) == 1,
    )


def main() -> None:
    """Try all and print the table."""
    if not MINTPY.exists():
        raise SystemExit("MintPy is not installed; run make test-exports.")
    good = True
    with tempfile.TemporaryDirectory(dir=BUILT) as temporary:
        for kind in TYPES:
            folder = Path(temporary) / kind.lower()
            folder.mkdir()
            try:
                for name, said, is_right in mintpy(kind, folder):
                    print(f"| {name} | {'' if is_right else 'WRONG: '}{said} |", flush=True)
                    good &= is_right
            except RuntimeError as error:
                print(f"| {kind} | FAILED: {error} |", flush=True)
                good = False
    sys.exit(not good)


if __name__ == "__main__":
    main()
