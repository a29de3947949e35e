"""RTC_GAMMA products."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from pyproj import Transformer

from . import names, rasters, shapefile, texts
from .backscatter import DECIBEL_NODATA, BackscatterTruth, sample
from .insar_gamma import PROCESSED
from .network import acquisition, place
from .scene import Fields, Scene
from .spec import SampleProduct

FRAME_SECONDS = 25
FRAME_OFFSET = 0.6
BACKSCATTER = ("VV", "VH")


def make(scene: Scene, index: int, part: tuple[int, int], folder: Path) -> SampleProduct:
    """Write one product into ``folder``; ``part`` is its acquisition and its frame."""
    spec = scene.spec
    date, frame = part
    time = acquisition(spec, date) + timedelta(seconds=FRAME_SECONDS * frame)
    shift = FRAME_OFFSET * (frame - (spec.frames - 1) / 2)
    placement = place(scene, index, residual=0.0, shift=shift, group=date)
    truth = BackscatterTruth(scene, placement, date)
    rng = np.random.default_rng([spec.seed, 7, index]) if spec.noise else None
    layers, power = sample(truth, rng)
    name = names.gamma_rtc(spec, index, time)
    target = folder / name
    target.mkdir(parents=True)
    colors = _decomposition(power)
    wanted = spec.layer_names
    nodata = {layer: _nodata(layer, spec.scale) for layer in wanted}
    for layer in wanted:
        _write_layer(target / f"{name}_{layer}.tif", layer, layers, colors, truth, nodata[layer])
    if spec.sidecars:
        about = texts.About(
            name,
            texts.zone_name(placement.epsg),
            spec.pixel,
            PROCESSED + timedelta(minutes=14 * index),
            (names.scene_granule(spec, time, "GRDH"),),
            time.year,
        )
        _write_sidecars(target, about, truth, power, colors, wanted)
    return SampleProduct(
        name=name,
        product_type=spec.product_type,
        path=rasters.pack(target) if spec.zipped else target,
        epsg=placement.epsg,
        transform=placement.transform,
        shape=placement.shape,
        reference_time=time,
        secondary_time=time,
        perpendicular_baseline=0.0,
        reference_pixel=None,
        layers=wanted,
        parameters={},
        nodata=nodata,
        evaluate=truth.evaluate,
    )


def _nodata(layer: str, scale: str) -> float | None:
    """Return the value that marks missing data in a layer."""
    if layer == "dem":
        return None
    return DECIBEL_NODATA if layer in BACKSCATTER and scale == "decibel" else 0.0


def _write_layer(
    path: Path,
    layer: str,
    layers: Fields,
    colors: np.ndarray,
    truth: BackscatterTruth,
    nodata: float | None,
) -> None:
    """Write one layer as HyP3 does: tiled, DEFLATE, with overviews in front of the data."""
    if layer == "rgb":
        values = colors
    else:
        kind = {"dem": np.int16, "ls_map": np.uint8}.get(layer, np.float32)
        missing = 0.0 if nodata is None else nodata
        values = layers[layer].astype(np.float32)
        values = np.where(np.isnan(values), np.float32(missing), values).astype(kind)
    rasters.write_cog(path, values, truth.placement.transform, truth.placement.epsg, nodata)


def _decomposition(power: Fields) -> np.ndarray:
    """Return a color image (3, rows, columns): surface, vegetation, and dark surface."""
    vv, vh = np.nan_to_num(power["VV"]), np.nan_to_num(power["VH"])
    bands = (np.sqrt(np.maximum(vv - 2.5 * vh, 0)) * 2.4, np.sqrt(vh) * 3, np.exp(-60 * vh) * 0.7)
    image = np.clip(np.stack([255 * band for band in bands]), 1, 255)
    return np.where(np.isnan(power["VV"]), 0, image).astype(np.uint8)


def _write_sidecars(
    target: Path,
    about: texts.About,
    truth: BackscatterTruth,
    power: Fields,
    colors: np.ndarray,
    wanted: tuple[str, ...],
) -> None:
    """Write README, log, outline, browse images and XML files."""
    spec, place_ = truth.scene.spec, truth.placement
    name = about.name
    (target / f"{name}.README.md.txt").write_text(
        texts.rtc_readme(about, spec.scale), encoding="utf-8"
    )
    (target / f"{name}.log").write_text(_log(about, spec.scale), encoding="utf-8")
    shapefile.write_polygon(target / f"{name}_shape", _outline(truth), place_.epsg, name)
    gray = np.nan_to_num(255 * rasters.stretch(np.sqrt(rasters.thinned(power["VV"]))))
    gray = gray.astype(np.uint8)
    images = {
        "": np.stack([gray, gray, gray]),
        "_rgb": np.stack([rasters.thinned(band) for band in colors]),
    }
    abstract = (
        f"Source Scene: {about.sources[0]}; Processing Date/Time: {about.processed.isoformat()}"
    )
    purpose = f"Sentinel-1 terrain-corrected backscatter, {about.spacing} m, gamma-0 {spec.scale}"
    described = [f"{name}_{layer}.tif" for layer in wanted]
    for kind, image in images.items():
        path = target / f"{name}{kind}.png"
        rasters.write_png(path, image, place_.transform, place_.epsg, place_.shape)
        rasters.write_kmz(target / f"{name}{kind}.kmz", path, place_.box)
        described.append(path.name)
    for item in described:
        text = texts.sidecar(about, item, purpose, abstract)
        (target / f"{item}.xml").write_text(text, encoding="utf-8")


def _outline(truth: BackscatterTruth) -> list[tuple[float, float]]:
    """Return the corners of the swath in the product's CRS, clockwise."""
    (first, last), (near, far) = truth.placement.footprint.along, truth.placement.footprint.reach
    along, reach = np.array([first, last, last, first]), np.array([near, near, far, far])
    longitude, latitude = truth.scene.track.ground(along, reach)
    to_map = Transformer.from_crs(4326, truth.placement.epsg, always_xy=True)
    corners = list(zip(*to_map.transform(longitude, latitude), strict=True))
    (ax, ay), (bx, by), (cx, cy), _ = corners
    clockwise = (bx - ax) * (cy - by) - (by - ay) * (cx - bx) < 0
    return corners if clockwise else corners[::-1]


def _log(about: texts.About, scale: str) -> str:
    """Return a processing log with the lines that readers look for."""
    granule = about.sources[0]
    start = about.processed - timedelta(minutes=12)
    options = {
        "SAFE directory": f"{granule}.SAFE",
        "Output resolution": f"{about.spacing}.0",
        "Radiometry": "gamma0",
        "Scale": scale,
        "Speckle filter": "False",
        "DEM matching": "False",
        "Include DEM": "True",
        "Include inc. angle map": "True",
        "Include scattering area": "True",
        "Include RGB decomposition": "True",
        "Orbit file": f"S1A_OPER_AUX_POEORB_OPOD_{granule[17:25]}.EOF",
        "Output name": about.name,
        "DEM name": "copernicus",
    }
    image = granule.lower()[:3] + "-iw-grd-vv.tiff"
    lines = ["Parameters for this run:"]
    lines += [f"    {label:<26}: {value}" for label, value in options.items()]
    lines += [
        f"Running command: par_S1_GRD {image} annotation.xml calibration.xml noise.xml VV.par VV",
        "Proc: sensor: S1A IW IW1 VV",
        "Proc: azimuth angle: 90.0000 (right looking)",
        "Finished: par_S1_GRD",
        "number of range looks: 6",
        "number of azimuth looks: 6",
        "Running command: mk_geo_radcal2 VV.mgrd VV.mgrd.par dem dem.par geo 0",
        "Proc: range-azimuth pixel area (rps*azps): 100.000000 [m^2]",
        "Finished: mk_geo_radcal2",
        f"GeoTIFF software version: GAMMA {texts.GAMMA_RELEASE}",
    ]
    return "".join(
        f"{_stamp(start + timedelta(seconds=9 * number))} - INFO - {line}\n"
        for number, line in enumerate(lines)
    )


def _stamp(time: datetime) -> str:
    """Return a log line's time stamp (12-hour clock)."""
    return time.strftime("%m/%d/%Y %I:%M:%S %p")
