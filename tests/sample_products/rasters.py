"""Files as HyP3's tools leave them: GeoTIFFs, browse images and zips."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import numpy as np
import rasterio
import rasterio.shutil
from affine import Affine
from rasterio.crs import CRS
from rasterio.enums import Resampling

BROWSE_PIXELS = 512


def write_geotiff(
    path: Path,
    values: np.ndarray,
    transform: Affine | None,
    epsg: int | None,
    nodata: float | None,
    point: bool = False,
    **options: object,
) -> None:
    """Write one GeoTIFF.

    Parameters
    ----------
    values
        (rows, columns) or (bands, rows, columns).
    point
        Tag the file AREA_OR_POINT=Point; GDAL then stores the tie point of the pixel's center.
    options
        Creation options of GDAL's driver, in lower case.
    """
    bands = values if values.ndim == 3 else values[None]
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        count=bands.shape[0],
        height=bands.shape[1],
        width=bands.shape[2],
        dtype=bands.dtype.name,
        crs=None if epsg is None else CRS.from_epsg(epsg),
        transform=transform,
        nodata=nodata,
        **options,
    ) as target:
        if point:
            target.update_tags(AREA_OR_POINT="Point")
        target.write(bands)


def write_cog(
    path: Path, values: np.ndarray, transform: Affine, epsg: int, nodata: float | None
) -> None:
    """Write a tiled DEFLATE GeoTIFF (pixel is a point) with averaged overviews before the data."""
    draft = path.with_name(path.stem + ".draft.tif")
    write_geotiff(draft, values, transform, epsg, nodata, point=True)
    with rasterio.open(draft, "r+") as target:
        target.build_overviews((2, 4, 8, 16), Resampling.average)
    options = {"tiled": True, "compress": "deflate", "copy_src_overviews": True}
    rasterio.shutil.copy(draft, path, driver="GTiff", **options)
    draft.unlink()


def thinned(values: np.ndarray) -> np.ndarray:
    """Return every n-th row and column, so that at most ``BROWSE_PIXELS`` a side are left."""
    step = _browse_step(values.shape)
    return values[::step, ::step]


def _browse_step(shape: tuple[int, ...]) -> int:
    """Return the step from raster to browse image."""
    return -(-max(shape) // BROWSE_PIXELS)


def write_png(
    path: Path, colors: np.ndarray, transform: Affine, epsg: int, shape: tuple[int, int]
) -> None:
    """Write a thinned image (3, rows, columns) with its position in ``<path>.aux.xml``.

    Black is transparent; ``transform`` and ``shape`` are those of the full raster.
    """
    small = np.ascontiguousarray(colors)
    step = _browse_step(shape)
    opaque = np.where(small.any(axis=0), 255, 0).astype(np.uint8)
    with rasterio.open(
        path,
        "w",
        driver="PNG",
        count=4,
        height=small.shape[1],
        width=small.shape[2],
        dtype="uint8",
        crs=CRS.from_epsg(epsg),
        transform=transform * Affine.scale(step),
    ) as target:
        target.write(np.concatenate([small, opaque[None]]))


def write_kmz(path: Path, image: Path, box: tuple[float, float, float, float]) -> None:
    """Write an overlay of an image; ``box`` is west, south, east, north in degrees."""
    west, south, east, north = box
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<kml xmlns="http://www.opengis.net/kml/2.2"><Document><GroundOverlay>'
        f"<name>{image.stem}</name><Icon><href>{image.name}</href></Icon><LatLonBox>"
        f"<north>{north:.6f}</north><south>{south:.6f}</south><east>{east:.6f}</east>"
        f"<west>{west:.6f}</west></LatLonBox></GroundOverlay></Document></kml>\n"
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("doc.kml", text)
        archive.write(image, image.name)


def cycle_colors(phase: np.ndarray, shade: np.ndarray, cycle: float) -> np.ndarray:
    """Return colors (3, rows, columns) that repeat every ``cycle``; shade is 0..1, NaN black."""
    turn = np.nan_to_num(phase) / cycle * 2 * np.pi
    parts = [0.5 + 0.5 * np.cos(turn + offset) for offset in (0.0, 2.1, 4.2)]
    bright = np.nan_to_num(0.25 + 0.75 * shade) * np.isfinite(phase)
    return np.clip(255 * np.stack(parts) * bright, 0, 255).astype(np.uint8)


def stretch(values: np.ndarray) -> np.ndarray:
    """Return values scaled from their 2nd..98th percentile to 0..1."""
    good = values[np.isfinite(values)]
    low, high = np.percentile(good, [2, 98]) if good.size else (0.0, 1.0)
    return np.clip((values - low) / max(high - low, 1e-9), 0, 1)


def pack(folder: Path) -> Path:
    """Replace a product folder by a zip that holds it, and return the zip's path."""
    target = folder.with_name(folder.name + ".zip")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.mkdir(folder.name)
        for path in sorted(folder.iterdir()):
            archive.write(path, f"{folder.name}/{path.name}")
    shutil.rmtree(folder)
    return target
