"""Builds stacks, lets every reader that is there read a pixel of each, and prints a table.

``python -m tests.readers``; ``make test-readers`` makes the environments of readers first. Expected
values come from the products, expected text and CRS from their names and zone. A reader
that is not installed is listed as such; one that reads something else, fails or dies ends the run
with status 1.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import rasterio
import xarray as xr

from tests import checkout  # noqa: F401 - registers the package hyp3_stack
from tests.running import build, harmonize
from tests.sample_products import SampleSpec, SampleStack, write_products

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1]
BUILT = CHECKOUT / "build"
GROUP = "spatially_optimized"
KINDS = {"INSAR_GAMMA": ("unw_phase", "unw_phase"), "RTC_GAMMA": ("VV_backscatter", "VV")}
"""Variable and layer that are read, by product type."""

EPSG = 32610
MODULES = {"xarray (newest)": "xarray", "odc-geo": "odc", "GDAL of QGIS": "osgeo"}
"""Modules of readers in Python, where they have other names."""

NOT_THERE = 127
"""Status of a program that cannot be started."""


@dataclass(frozen=True)
class Stack:
    """A written stack and what a reader has to find in it."""

    kind: str
    form: str
    path: Path
    layer: str
    place: tuple[int, int, int]
    value: float
    text: str

    @property
    def group(self) -> str:
        return "" if self.form == "NetCDF" else GROUP


@dataclass(frozen=True)
class Reader:
    """A program: how it is started, and which forms it reads."""

    name: str
    command: Sequence[str]
    forms: tuple[str, ...]
    root: Path | None = None


def stacks(folder: Path) -> Iterator[Stack]:
    """Build all stacks."""
    for kind, (layer, file) in KINDS.items():
        samples = write_products(
            folder / kind.lower(), SampleSpec(product_type=kind, products=3, rows=60, columns=70)
        )
        for form, options in (
            ("NetCDF", {"NETCDF": folder / f"{kind}.nc"}),
            ("Zarr 2", {"ZARR": folder / f"{kind}-2.zarr", "ZARR_FORMAT": "2"}),
            ("Zarr 3", {"ZARR": folder / f"{kind}-3.zarr", "ZARR_FORMAT": "3"}),
        ):
            run = build(samples.folder, **options)
            path = run.netcdf if form == "NetCDF" else run.zarr
            yield Stack(kind, form, path, layer, *expected(samples, path, form, file))


def expected(
    samples: SampleStack, path: Path, form: str, file: str
) -> tuple[tuple[int, int, int], float, str]:
    """Return a place of a product that is copied, its value there, and the first product's name."""
    options = {} if form == "NetCDF" else {"engine": "zarr", "group": GROUP}
    with xr.open_dataset(path, **options) as stack:
        names = stack.product_name.values.tolist()
        products = {product.name: product.path for product in samples.products}
        for step, name in enumerate(names):
            with rasterio.open(products[name] / f"{name}_{file}.tif") as raster:
                if raster.crs.to_epsg() != EPSG:
                    continue
                values = raster.read(1)
                rows, columns = np.nonzero(values)
                middle = len(rows) // 2
                x, y = raster.xy(rows[middle], columns[middle])
                row, column = (
                    int(abs(stack[axis].values - at).argmin()) for axis, at in (("y", y), ("x", x))
                )
                value = float(values[rows[middle], columns[middle]])
                return (step, row, column), value, names[0]
    raise RuntimeError("no product is copied")


def readers() -> Iterator[Reader]:
    """Return all readers, whether they are there or not."""
    python = str(HERE / "read.py")
    every, stores = ("NetCDF", "Zarr 2", "Zarr 3"), ("Zarr 2", "Zarr 3")
    own, peers = sys.executable, str(BUILT / "readers" / "venv" / "bin" / "python")
    for name in ("xarray", "zarr", "netCDF4", "h5py", "rasterio"):
        forms = {"xarray": every, "zarr": stores, "rasterio": ("NetCDF", "Zarr 2")}
        yield Reader(name, (own, python, name), forms.get(name, ("NetCDF",)))
    for name in ("xarray", "h5netcdf", "tensorstore", "odc-geo"):
        forms = {"tensorstore": stores, "h5netcdf": ("NetCDF",)}
        label = f"{name} (newest)" if name == "xarray" else name
        yield Reader(label, (peers, python, name), forms.get(name, every))
    # Node looks for packages beside a script.
    script = BUILT / "readers" / "node" / "read.mjs"
    if script.parent.is_dir():
        shutil.copy(HERE / "read.mjs", script)
    yield Reader("zarrita", ("node", str(script)), stores)
    yield Reader("stars (R)", ("Rscript", str(HERE / "read.R")), ("NetCDF",))
    yield Reader("CDO", ("cdo",), ("NetCDF",))
    yield Reader("NCO", ("ncks",), ("NetCDF",))
    yield Reader("ncdump", ("ncdump",), ("NetCDF",))
    qgis_python = os.environ.get("QGIS_PYTHON", "/usr/bin/python3")
    yield Reader("GDAL of QGIS", (qgis_python, python, "GDAL"), ("NetCDF", "Zarr 2"))
    for name in ("qgis-ltr", "qgis-newest"):
        root = BUILT / name
        # Format 3 needs GDAL 3.11.
        forms = every if name == "qgis-newest" else ("NetCDF", "Zarr 2")
        command = ("chroot", str(root), "python3", "/srv/readers/read.py", "GDAL")
        yield Reader(f"GDAL of build/{name}", command, forms, root)


def read_by_mintpy(folder: Path) -> tuple[str, str, bool]:
    """Let MintPy load harmonized products, as it reads no stacks; the same as :func:`read`."""
    python = BUILT / "mintpy" / "bin" / "python"
    if not python.exists():
        return "", "not installed", True
    products = harmonize(folder / "insar_gamma", folder / "harmonized").outputs["OUTPUT"]
    loader = ["-W", "ignore", "-m", "tests.benchmarks.peers.mintpy_loader"]
    done = _run([str(python), *loader, str(products), str(folder / "mintpy")])
    version = _run([str(python), "-c", "import mintpy; print(mintpy.__version__)"]).stdout.strip()
    if done.returncode != 0:
        return version, f"FAILED: {(done.stderr.strip().splitlines() or [''])[-1][:120]}", False
    inputs = folder / "mintpy" / "inputs"
    with h5py.File(inputs / "ifgramStack.h5") as pairs, h5py.File(inputs / "geometryGeo.h5") as one:
        phases = {tuple(d): p for d, p in zip(pairs["date"][:], pairs["unwrapPhase"], strict=True)}
        angles = one["incidenceAngle"][:]
    is_right, any_phase = True, np.zeros(angles.shape, bool)
    for path in Path(products).glob("*/*_unw_phase.tif"):
        with rasterio.open(path) as raster:
            values = raster.read(1)
        days = tuple(part[:8].encode() for part in path.name.split("_")[1:3])
        is_right &= np.array_equal(np.nan_to_num(phases[days]), values)
        any_phase |= values != 0
    lacking = (any_phase & ~(np.nan_to_num(angles) != 0)).sum() / any_phase.sum()
    if not is_right:
        return version, "WRONG: other phase", False
    if lacking:
        return version, f"WRONG: {lacking:.1%} of the pixels with phase have no look angles", False
    return version, "read; every pixel with phase has look angles", True


def read(reader: Reader, stack: Stack) -> tuple[str, str, bool]:
    """Let a reader read a stack; return its version, what came of it, and whether that is right."""
    path = stack.path
    if reader.root is not None:
        path = _bring(stack.path, reader.root)
    place = [str(number) for number in stack.place]
    if reader.name in ("CDO", "NCO", "ncdump"):
        return _read_by_tool(reader, stack)
    group = [] if reader.name == "stars (R)" else [stack.group]
    done = _run([*reader.command, str(path), *group, stack.layer, *place])
    if done.returncode != 0:
        # What a reader that is there lacks for our stacks is not that the reader is missing.
        missing = done.returncode == NOT_THERE or (
            f"No module named '{MODULES.get(reader.name, reader.name)}'" in done.stderr
        )
        missing |= "there is no package called ‘stars’" in done.stderr
        missing |= reader.root is not None and not (reader.root / "complete").exists()
        last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        return "", "not installed" if missing else f"FAILED: {last[:120]}", missing
    found = json.loads(done.stdout.splitlines()[-1])
    problems = [
        f"{key} is {found[key]}"
        for key, right in (("value", stack.value), ("epsg", EPSG), ("text", stack.text))
        if found[key] is not None and found[key] != right
    ]
    notes = _warnings(done.stderr)
    if found.get("unread"):
        notes.append(f"{len(found['unread'])} arrays of text are not read")
    return found["version"], _findings_text(problems, notes), not problems


def _read_by_tool(reader: Reader, stack: Stack) -> tuple[str, str, bool]:
    step, row, column = stack.place
    x, y, path = f"{column + 1},{column + 1}", f"{row + 1},{row + 1}", str(stack.path)
    dimension = "pair" if stack.kind.startswith("INSAR") else "time"
    command, version = {
        "CDO": (
            ["cdo", "-s", "-outputf,%.9g", f"-selindexbox,{x},{y}", f"-seltimestep,{step + 1}"]
            + [f"-selname,{stack.layer}", path],
            ["cdo", "--version"],
        ),
        "NCO": (
            ["ncks", "-H", "-C", "-s", "%.9g\n", "-v", stack.layer, "-d", f"{dimension},{step}"]
            + ["-d", f"y,{row}", "-d", f"x,{column}", path],
            ["ncks", "--version"],
        ),
        "ncdump": (["ncdump", "-v", "product_name", path], ["ncdump"]),
    }[reader.name]
    done = _run(command)
    if done.returncode == NOT_THERE:
        return "", "not installed", True
    said = _run(version)
    words = (said.stdout + said.stderr).replace(",", " ").split()
    number = next((word for word in words if word[:1].isdigit() and "." in word), "")
    if done.returncode != 0:
        return number, f"FAILED: {done.stderr.strip()[-120:]}", False
    if reader.name == "ncdump":
        right = stack.text in done.stdout
    else:
        right = np.isclose(float(done.stdout.split()[-1]), stack.value, rtol=1e-7)
    return (
        number,
        _findings_text([] if right else ["other value"], _warnings(done.stderr)),
        bool(right),
    )


def _bring(path: Path, root: Path) -> Path:
    """Copy stack and script to where another system finds them."""
    target = root / "srv" / "readers"
    if root.is_dir() and not (target / path.name).exists():
        target.mkdir(exist_ok=True)
        shutil.copy(HERE / "read.py", target)
        copy = shutil.copytree if path.is_dir() else shutil.copy
        copy(path, target / path.name)
    return Path("/srv/readers") / path.name


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, capture_output=True, text=True, timeout=300, env=_environment()
        )
    except FileNotFoundError:
        return subprocess.CompletedProcess(command, NOT_THERE, "", "")


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONWARNINGS": "default", "LC_ALL": "C.UTF-8"}


def _warnings(text: str) -> list[str]:
    """Return kinds of warnings, without those of Python's own libraries on each other."""
    lines = [line for line in text.splitlines() if "arning" in line and "  warn" not in line]
    known = ("numpy.ndarray size changed", "PendingDeprecation", "DeprecationWarning")
    return sorted({line.split("!")[0][:90] for line in lines if not any(k in line for k in known)})


def _findings_text(problems: Sequence[str], notes: Sequence[str]) -> str:
    if problems:
        return "WRONG: " + "; ".join(problems)
    if len(notes) > 1:
        return f"read; {len(notes)} kinds of warnings"
    return "; ".join(["read", *notes])


def main() -> int:
    """Read everything with everything."""
    failed = 0
    with tempfile.TemporaryDirectory(prefix="readers-") as temporary:
        made = list(stacks(Path(temporary)))
        print("| reader | version | stack | result |\n|---|---|---|---|")
        for reader in readers():
            for stack in made:
                if stack.form in reader.forms:
                    version, said, is_right = read(reader, stack)
                    failed += not is_right
                    print(f"| {reader.name} | {version} | {stack.kind}, {stack.form} | {said} |")
                    sys.stdout.flush()
        version, said, is_right = read_by_mintpy(Path(temporary))
        failed += not is_right
        print(f"| MintPy | {version} | INSAR_GAMMA, harmonized products | {said} |")
        for name in ("qgis-ltr", "qgis-newest"):
            shutil.rmtree(BUILT / name / "srv" / "readers", ignore_errors=True)
    print(f"\n{failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
