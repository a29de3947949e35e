"""INSAR_ISCE_BURST and INSAR_ISCE_MULTI_BURST products."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from . import names, rasters, texts
from .insar_gamma import AZIMUTH_SPACING, PROCESSED, RANGE_SPACING, looks_of
from .interferogram import PairTruth, Sampled, sample
from .network import acquisition, place, seconds_of
from .noise import independent_looks
from .orbit import orbit_number
from .scene import Insar, Scene
from .spec import SampleProduct

PACKAGED_HEIGHT = 693000.0
PACKAGED_RADIUS = 6337286.638938101
BURST_SECONDS = 2.758273
FIRST_LINE_SECONDS = 0.412304
MOST_RADAR_LINES = 1500


def make(scene: Scene, index: int, pair: tuple[int, int], folder: Path) -> SampleProduct:
    """Write one product into ``folder``."""
    spec = scene.spec
    multi = spec.product_type == "INSAR_ISCE_MULTI_BURST"
    times = tuple(acquisition(spec, part) for part in pair)
    days = tuple((time - acquisition(spec, 0)) / timedelta(days=1) for time in times)
    placement = place(scene, index, residual=0.0, stagger=multi)
    insar = Insar(scene, placement.footprint, pair, days)
    rng = np.random.default_rng([spec.seed, 7, index]) if spec.noise else None
    looks = looks_of(spec.pixel)
    wanted = spec.layer_names
    drawn = wanted + (("unw_phase", "wrapped_phase", "amp") if spec.sidecars else ())
    sampled = sample(
        PairTruth(insar, placement, isce=True),
        tuple(dict.fromkeys(drawn)),
        independent_looks(*looks),
        rng,
    )
    if multi:
        name = names.multi_burst(spec, index, *times)
        granules = tuple(", ".join(names.multi_burst_granules(spec, time)) for time in times)
    else:
        name = names.single_burst(spec, index, *times)
        burst = names.burst_number(times[0])
        granules = tuple(names.burst_granule(spec, burst, 2, time) for time in times)
    parameters = _parameters(scene, sampled, times, granules, multi)
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
        readme = texts.isce_readme(about, spec.water_masked)
        (target / f"{name}_README.md.txt").write_text(readme, encoding="utf-8")
        _write_images(target, name, sampled, multi)
        if not multi:
            _write_radar(target, name, scene, insar)
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
        reference_pixel=None,
        layers=wanted,
        parameters=parameters,
        nodata={layer: 255.0 if layer == "water_mask" else 0.0 for layer in wanted},
        evaluate=sampled.truth.evaluate,
    )


def _write_layer(path: Path, layer: str, sampled: Sampled) -> None:
    """Write one layer as the burst workflow does: tiled, LZW, 0 for no data."""
    kind, nodata = (np.uint8, 255) if layer == "water_mask" else (np.float32, 0)
    values = np.nan_to_num(sampled.layers[layer].astype(np.float32), nan=0).astype(kind)
    place_ = sampled.truth.placement
    rasters.write_geotiff(
        path, values, place_.transform, place_.epsg, nodata, tiled=True, compress="lzw"
    )


def _radar_size(scene: Scene, insar: Insar) -> tuple[int, int]:
    """Return lines and samples of the multilooked burst in radar geometry."""
    looks = looks_of(scene.spec.pixel)
    along, reach = insar.footprint.along, insar.footprint.reach
    near, far = (float(scene.track.slant_range(part)) for part in reach)
    lines = round((along[1] - along[0]) / (AZIMUTH_SPACING * looks[1]))
    samples = round((far - near) / (RANGE_SPACING * looks[0]))
    return min(max(lines, 8), MOST_RADAR_LINES), min(max(samples, 8), MOST_RADAR_LINES)


def _parameters(
    scene: Scene,
    sampled: Sampled,
    times: tuple[datetime, datetime],
    granules: tuple[str, str],
    multi: bool,
) -> dict[str, str]:
    """Return the parameter file's entries."""
    spec, track, insar = scene.spec, scene.track, sampled.truth.insar
    near, far = (float(track.slant_range(part)) for part in insar.footprint.reach)
    seconds = seconds_of(insar.footprint.along[0] + spec.rows * spec.pixel)
    first = times[0] + timedelta(seconds=FIRST_LINE_SECONDS + seconds)
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    looks = looks_of(spec.pixel)
    direction = spec.direction.upper()
    entries = {
        "Reference Granule": granules[0],
        "Secondary Granule": granules[1],
        "Reference Pass Direction": direction,
        "Reference Orbit Number": f"{orbit_number(times[0])}",
        "Secondary Pass Direction": direction,
        "Secondary Orbit Number": f"{orbit_number(times[1])}",
        "Baseline": f"{insar.baseline}",
        "UTC time": f"{(first - midnight).total_seconds()}",
        "Heading": f"{np.degrees(track.heading)}",
        "Spacecraft height": f"{PACKAGED_HEIGHT}",
        "Earth radius at nadir": f"{PACKAGED_RADIUS}",
        "Slant range near": f"{near}",
        "Slant range center": f"{(near + far) / 2}",
        "Slant range far": f"{far}",
        "Range looks": f"{looks[0]}",
        "Azimuth looks": f"{looks[1]}",
        "INSAR phase filter": "yes",
        "Phase filter parameter": "0.5",
        "Range bandpass filter": "no",
        "Azimuth bandpass filter": "no",
        "DEM source": "GLO_30",
        "DEM resolution (m)": "30",
        "Unwrapping type": "snaphu_mcf",
        "Speckle filter": "yes",
        "Water mask": "yes" if spec.water_masked else "no",
    }
    if multi:
        return entries
    lines, samples = _radar_size(scene, insar)
    stop = first + timedelta(seconds=BURST_SECONDS)
    return entries | {
        "Radar n lines": f"{lines}",
        "Radar n samples": f"{samples}",
        "Radar first valid line": "1",
        "Radar n valid lines": f"{lines - 2}",
        "Radar first valid sample": "1",
        "Radar n valid samples": f"{samples - 2}",
        "Multilook azimuth time interval": f"{0.0020555563 * looks[1]}",
        "Multilook range pixel size": f"{RANGE_SPACING * looks[0]}",
        "Radar sensing stop": stop.replace(tzinfo=None).isoformat(timespec="microseconds"),
    }


def _write_images(target: Path, name: str, sampled: Sampled, multi: bool) -> None:
    """Write the browse image, and the overlays that products of several bursts have."""
    place_ = sampled.truth.placement
    small = {key: rasters.thinned(values) for key, values in sampled.layers.items()}
    shade = rasters.stretch(np.sqrt(small["amp"]))
    images = {"unw_phase": rasters.cycle_colors(small["unw_phase"], shade, 6 * np.pi)}
    if multi:
        images["wrapped_phase"] = rasters.cycle_colors(small["wrapped_phase"], shade, 2 * np.pi)
        gray = np.nan_to_num(255 * shade).astype(np.uint8)
        images["amp"] = np.stack([gray, gray, gray])
    for kind, colors in images.items():
        image = target / f"{name}_{kind}.png"
        rasters.write_png(image, colors, place_.transform, place_.epsg, place_.shape)
        if kind != "unw_phase":
            rasters.write_kmz(image.with_suffix(".kmz"), image, place_.box)
            image.unlink()
        image.with_name(image.name + ".aux.xml").unlink(missing_ok=True)


def _write_radar(target: Path, name: str, scene: Scene, insar: Insar) -> None:
    """Write the files in radar geometry, which have no CRS and another size."""
    lines, samples = _radar_size(scene, insar)
    along = np.linspace(*insar.footprint.along, lines)
    reach = np.linspace(*insar.footprint.reach, samples)
    grid = np.meshgrid(along, reach, indexing="ij")
    longitude, latitude = scene.track.ground(*grid)
    fields = insar.fields(longitude.ravel(), latitude.ravel())
    phase = insar.layers(fields)["phase"].reshape(lines, samples)
    incidence = np.degrees(fields["incidence"]).reshape(lines, samples)
    azimuth = np.degrees(fields["lv_phi"]).reshape(lines, samples) - 90
    layers = {
        "wrapped_phase": np.exp(1j * phase).astype(np.complex64),
        "lat": latitude,
        "lon": longitude,
        "los": np.stack([incidence, azimuth]).astype(np.float32),
    }
    for layer, values in layers.items():
        path = target / f"{name}_{layer}_rdr.tif"
        rasters.write_geotiff(path, values, None, None, 0, tiled=True, compress="lzw")
