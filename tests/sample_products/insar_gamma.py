"""INSAR_GAMMA products: names, parameter files and the set of files."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
from pyproj import Transformer

from . import names, rasters, texts
from .interferogram import PairTruth, Sampled, sample
from .network import acquisition, place, seconds_of
from .noise import independent_looks
from .orbit import HEIGHT, orbit_number
from .scene import Insar, Scene
from .spec import SampleProduct

PROCESSED = datetime(2025, 6, 1, 12, 0, 0, tzinfo=timezone.utc)
FIRST_LINE_SECONDS = 1.869576
AZIMUTH_SPACING, RANGE_SPACING = 13.95, 2.329562
FILTER = "0.6"


def looks_of(spacing: int) -> tuple[int, int]:
    """Return range and azimuth looks."""
    return (20, 4) if spacing >= 80 else (10, 2) if spacing >= 40 else (5, 1)


def make(scene: Scene, index: int, pair: tuple[int, int], folder: Path) -> SampleProduct:
    """Write one product into ``folder``."""
    spec = scene.spec
    times = tuple(acquisition(spec, part) for part in pair)
    days = tuple((time - acquisition(spec, 0)) / timedelta(days=1) for time in times)
    placement = place(scene, index, residual=spec.pixel / 2)
    insar = Insar(scene, placement.footprint, pair, days)
    looks = looks_of(spec.pixel)
    rng = np.random.default_rng([spec.seed, 7, index]) if spec.noise else None
    wanted = spec.layer_names
    drawn = wanted + (("unw_phase", "wrapped_phase", "amp") if spec.sidecars else ())
    sampled = sample(
        PairTruth(insar, placement), tuple(dict.fromkeys(drawn)), independent_looks(*looks), rng
    )
    name = names.gamma_insar(spec, index, *times)
    granules = tuple(names.scene_granule(spec, time) for time in times)
    parameters = _parameters(scene, sampled, times, granules)
    target = folder / name
    target.mkdir(parents=True)
    for layer in wanted:
        _write_layer(target / f"{name}_{layer}.tif", layer, sampled)
    text = "".join(f"{key}: {value}\n" for key, value in parameters.items())
    (target / f"{name}.txt").write_text(text, encoding="utf-8")
    if spec.sidecars:
        about = texts.About(
            name,
            texts.zone_name(placement.epsg),
            spec.pixel,
            PROCESSED + timedelta(minutes=17 * index),
            granules,
            times[0].year,
        )
        _write_sidecars(target, about, sampled, parameters, wanted)
    return SampleProduct(
        name=name,
        product_type=spec.product_type,
        path=rasters.pack(target) if spec.zipped else target,
        epsg=placement.epsg,
        transform=placement.transform,
        shape=placement.shape,
        reference_time=times[0],
        secondary_time=times[1],
        perpendicular_baseline=float(parameters["Baseline"]),
        reference_pixel=sampled.reference,
        layers=wanted,
        parameters=parameters,
        nodata={layer: 255.0 if layer == "water_mask" else 0.0 for layer in wanted},
        evaluate=sampled.truth.evaluate,
    )


def _write_layer(path: Path, layer: str, sampled: Sampled) -> None:
    """Write one layer as GAMMA does: uncompressed strips, 0 for no data, pixel is a point."""
    kind, nodata = (np.uint8, 255) if layer == "water_mask" else (np.float32, 0)
    values = np.nan_to_num(sampled.layers[layer].astype(np.float32), nan=0).astype(kind)
    place = sampled.truth.placement
    rasters.write_geotiff(path, values, place.transform, place.epsg, nodata, point=True)


def _parameters(
    scene: Scene,
    sampled: Sampled,
    times: tuple[datetime, datetime],
    granules: tuple[str, str],
) -> dict[str, str]:
    """Return the parameter file's entries."""
    spec, track, truth = scene.spec, scene.track, sampled.truth
    footprint, (row, column) = truth.placement.footprint, sampled.reference
    x, y = truth.placement.transform * (column + 0.5, row + 0.5)
    to_geographic = Transformer.from_crs(truth.placement.epsg, 4326, always_xy=True)
    longitude, latitude = to_geographic.transform(x, y)
    along, reach = (float(part) for part in track.swath(longitude, latitude))
    near, far = (float(track.slant_range(part)) for part in footprint.reach)
    first = times[0] + timedelta(
        seconds=FIRST_LINE_SECONDS + seconds_of(footprint.along[0] + spec.rows * spec.pixel)
    )
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    looks = looks_of(spec.pixel)
    line = (along - footprint.along[0]) / (AZIMUTH_SPACING * looks[1])
    pixel = (float(track.slant_range(reach)) - near) / (RANGE_SPACING * looks[0])
    direction = spec.direction.upper()
    return {
        "Reference Granule": granules[0],
        "Secondary Granule": granules[1],
        "Reference Pass Direction": direction,
        "Reference Orbit Number": f"{orbit_number(times[0])}",
        "Secondary Pass Direction": direction,
        "Secondary Orbit Number": f"{orbit_number(times[1])}",
        "Baseline": f"{truth.insar.baseline:.4f}",
        "UTC time": f"{(first - midnight).total_seconds():.6f}",
        "Heading": f"{np.degrees(track.heading):.7f}",
        "Spacecraft height": f"{HEIGHT:.10f}",
        "Earth radius at nadir": f"{track.radius:.4f}",
        "Slant range near": f"{near:.4f}",
        "Slant range center": f"{(near + far) / 2:.4f}",
        "Slant range far": f"{far:.4f}",
        "Range looks": f"{looks[0]}",
        "Azimuth looks": f"{looks[1]}",
        "INSAR phase filter": "adf",
        "Phase filter parameter": FILTER,
        "Resolution of output (m)": f"{spec.pixel}",
        "Range bandpass filter": "no",
        "Azimuth bandpass filter": "no",
        "DEM source": "GLO-30",
        "DEM resolution (m)": f"{2 * spec.pixel}",
        "Unwrapping type": "mcf",
        "Phase at reference point": f"{truth.constant:.5f}",
        "Azimuth line of the reference point in SAR space": f"{max(0, round(line))}",
        "Range pixel of the reference point in SAR space": f"{max(0, round(pixel))}",
        "Y coordinate of the reference point in the map projection": f"{y:.4f}",
        "X coordinate of the reference point in the map projection": f"{x:.4f}",
        "Latitude of the reference point (WGS84)": f"{latitude:.8f}",
        "Longitude of the reference point (WGS84)": f"{longitude:.7f}",
        "Unwrapping threshold": "none",
        "Speckle filter": "no",
    }


def _write_sidecars(
    target: Path,
    about: texts.About,
    sampled: Sampled,
    parameters: dict[str, str],
    wanted: tuple[str, ...],
) -> None:
    """Write README, browse images and XML files."""
    name, place = about.name, sampled.truth.placement
    readme = texts.gamma_insar_readme(
        about,
        FILTER,
        sampled.truth.insar.scene.spec.water_masked,
        float(parameters["Longitude of the reference point (WGS84)"]),
        float(parameters["Latitude of the reference point (WGS84)"]),
    )
    (target / f"{name}.README.md.txt").write_text(readme, encoding="utf-8")
    small = {key: rasters.thinned(values) for key, values in sampled.layers.items()}
    shade = rasters.stretch(np.sqrt(small["amp"]))
    images = {
        "color_phase": rasters.cycle_colors(small["wrapped_phase"], shade, 2 * np.pi),
        "unw_phase": rasters.cycle_colors(small["unw_phase"], shade, 6 * np.pi),
    }
    abstract = (
        f"Reference Scene: {about.sources[0]}; Secondary Scene: {about.sources[1]}; "
        f"Processing Date/Time: {about.processed.isoformat()}"
    )
    purpose = f"Sentinel-1 interferogram, {about.spacing} m, adaptive filter {FILTER}"
    for kind, colors in images.items():
        image = target / f"{name}_{kind}.png"
        rasters.write_png(image, colors, place.transform, place.epsg, place.shape)
        rasters.write_kmz(image.with_suffix(".kmz"), image, place.box)
        text = texts.sidecar(about, image.name, purpose, abstract)
        image.with_name(image.name + ".xml").write_text(text, encoding="utf-8")
    for layer in wanted:
        path = target / f"{name}_{layer}.tif"
        text = texts.sidecar(about, path.name, f"{purpose}: {layer}", abstract)
        path.with_name(path.name + ".xml").write_text(text, encoding="utf-8")
