"""From products to displacement, against plain NumPy that shares nothing with the core.

Products get phases of a known motion with noise, coherence and gaps; they are read again with
rasterio, and each pixel is solved with LAPACK.
"""

import re

import numpy as np
import pytest
import rasterio
import xarray as xr

from tests.running import build
from tests.sample_products import SampleSpec, write_products

from .inverting import invert

WAVELENGTH = 0.055465763
YEAR = 365.25


def days_of(product):
    days = re.findall(r"_(\d{4})(\d{2})(\d{2})", product.name)[:2]
    return [np.datetime64("-".join(day)) for day in days]


def approach(day, x, y):
    """Return how far the ground has come nearer to the satellite, in meters."""
    years = (day - np.datetime64("2023-01-01")) / np.timedelta64(1, "D") / YEAR
    return 0.15 * years * np.sin(x / 700) * np.cos(y / 900) + 0.01 * np.sin(9 * years + x / 500)


def raster(product, layer):
    return next(product.glob(f"*_{layer}.tif"))


def spoil(products, rng):
    """Write phases into the products: what grows with the distance from the satellite."""
    for product in products:
        first, last = days_of(product)
        with rasterio.open(raster(product, "unw_phase")) as file:
            profile, transform = file.profile, file.transform
        row, column = np.indices((profile["height"], profile["width"]))
        x, y = transform * (column + 0.5, row + 0.5)
        farther = approach(first, x, y) - approach(last, x, y)
        phase = 4 * np.pi / WAVELENGTH * farther + rng.normal(0, 0.3, x.shape) + rng.normal()
        phase[rng.random(x.shape) < 0.15] = 0
        corr = rng.uniform(0.1, 0.98, x.shape)
        for layer, values in (("unw_phase", phase), ("corr", corr)):
            with rasterio.open(raster(product, layer), "w", **profile) as file:
                file.write(values.astype("float32"), 1)


def read(product, layer, x, y):
    """Return a layer on the grid of the result, NaN where HyP3 has 0."""
    found = np.full((y.size, x.size), np.nan)
    with rasterio.open(raster(product, layer)) as file:
        values, transform = file.read(1).astype(float), file.transform
    left, top = transform * (0.5, 0.5)
    row, column = (np.rint((y[0] - top) / 80), np.rint((left - x[0]) / 80))
    place = np.s_[int(row) : int(row) + len(values), int(column) : int(column) + len(values[0])]
    found[place] = np.where(values == 0, np.nan, values)
    return found


@pytest.mark.parametrize("kind", ["INSAR_GAMMA", "INSAR_ISCE_BURST"])
def test_every_pixel_is_that_of_lapack(kind, tmp_path):
    folder = tmp_path / "products"
    folder.mkdir()
    write_products(
        folder,
        SampleSpec(
            product_type=kind,
            products=12,
            rows=40,
            columns=40,
            noise=False,
            sidecars=False,
            neighbor_zone_share=0.0,
            layers=("unw_phase", "corr"),
        ),
    )
    products = sorted(path for path in folder.iterdir() if path.is_dir())
    spoil(products, np.random.default_rng(4))
    built = build(folder, NETCDF=tmp_path / "pairs.nc")
    run = invert(
        built.netcdf, NETCDF=tmp_path / "d.nc", WEIGHTS="coherence", MIN_TEMPORAL_COHERENCE=0
    )
    dataset = xr.open_dataset(run.netcdf)
    x, y = dataset.x.values, dataset.y.values
    phase, corr = (
        np.stack([read(product, layer, x, y) for product in products])
        for layer in ("unw_phase", "corr")
    )
    x0, y0, radius = map(float, run.outputs["REFERENCE"].split()[0].split(","))
    inside = np.hypot(x - x0, y[:, None] - y0) <= radius
    reference = phase[:, inside]
    complete = np.isfinite(reference).all(axis=0)
    assert complete.any()
    phase -= np.median(reference[:, complete], axis=1)[:, None, None]
    pairs = [days_of(product) for product in products]
    days = np.unique(pairs)
    years = (days - days[0]) / np.timedelta64(1, "D") / YEAR
    spans = np.array([(days[:-1] >= a) & (days[1:] <= b) for a, b in pairs]) * np.diff(years)
    displacement, velocity, coherence, valid_pairs = (
        dataset[name].values
        for name in ("displacement", "velocity", "temporal_coherence", "valid_pairs")
    )
    checked = referred = 0
    for row, column in np.ndindex(*phase.shape[1:]):
        valid = np.isfinite(phase[:, row, column])
        found = displacement[:, row, column]
        if valid_pairs[row, column] != valid.sum():
            # The pixel to which HyP3 refers a product has a phase of 0, which is a value.
            referred += 1
            continue
        if not valid.any():
            assert np.isnan(found).all()
            continue
        weight = np.sqrt(corr[valid, row, column])[:, None]
        observed = phase[valid, row, column]
        velocities = np.linalg.lstsq(spans[valid] * weight, observed * weight[:, 0], rcond=1e-10)[0]
        moved = np.append(0.0, np.cumsum(velocities * np.diff(years)))
        moved *= -WAVELENGTH / (4 * np.pi)
        assert np.abs(found - moved).max() < 5e-8
        slope = np.polynomial.polynomial.polyfit(years, moved, 1)[1]
        # The times of acquisitions differ by a second from one orbit to the next.
        assert abs(velocity[row, column] - slope) < 2e-6
        rest = observed - spans[valid] @ velocities
        assert abs(coherence[row, column] - abs(np.exp(1j * rest).mean())) < 1e-6
        checked += 1
    assert checked > 1000 and referred <= len(products)
    # Toward the satellite is positive.
    last = approach(days[-1], x, y[:, None]) - approach(days[0], x, y[:, None])
    known = (dataset.gap_count == 0).values
    assert np.corrcoef(last[known], displacement[-1][known])[0, 1] > 0.9
