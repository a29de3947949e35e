"""What to make, and what was made."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import numpy as np
from affine import Affine
from pyproj import Transformer

LAYERS = {
    "INSAR_GAMMA": (
        "unw_phase",
        "corr",
        "amp",
        "water_mask",
        "wrapped_phase",
        "los_disp",
        "vert_disp",
        "lv_theta",
        "lv_phi",
        "inc_map",
        "inc_map_ell",
        "dem",
    ),
    "INSAR_ISCE_BURST": (
        "unw_phase",
        "wrapped_phase",
        "corr",
        "conncomp",
        "dem",
        "lv_theta",
        "lv_phi",
        "water_mask",
    ),
    "INSAR_ISCE_MULTI_BURST": (
        "unw_phase",
        "wrapped_phase",
        "corr",
        "conncomp",
        "dem",
        "lv_theta",
        "lv_phi",
        "water_mask",
        "amp",
    ),
    "RTC_GAMMA": ("VV", "VH", "ls_map", "dem", "inc_map", "area", "rgb"),
}
"""Layers a product can have, by product type, under the suffixes of their files."""

TRUTH_CHUNK, RECENT_POINTS = 400_000, 600_000
"""Points at which all layers are computed at once, and of which they are kept: layers are asked for
one after another, at the same points."""

Known = tuple[np.ndarray, dict[str, np.ndarray]]


@dataclass(frozen=True)
class Signals:
    """What is in the phase of interferograms, and what is missing or wrong in it.

    Parameters
    ----------
    motion, turbulent, stratified, height_error
        Factors on the motion of volcano and fault, on the parts of the troposphere and on the error
        of the DEM that every scene has.
    linear
        Largest velocity (m/year) of a smooth field of subsidence and uplift.
    annual
        Amplitude (m) of a vertical yearly cycle, largest in the east.
    step, step_day
        Uplift (m) south of the fault on a day after the first acquisition.
    ramp
        Standard deviation (rad from edge to edge) of a plane in each acquisition.
    river
        Width (m) of a strip without coherence along the fault, which parts the valid phase.
    shifted
        Share of the pairs that have one cycle more or less north of the fault.
    gaps
        Share of the land that has no coherence, in other patches in each pair.
    """

    motion: float = 1.0
    turbulent: float = 1.0
    stratified: float = 1.0
    height_error: float = 1.0
    linear: float = 0.0
    annual: float = 0.0
    step: float = 0.0
    step_day: float = 30.0
    ramp: float = 0.0
    river: float = 0.0
    shifted: float = 0.0
    gaps: float = 0.0


@dataclass(frozen=True)
class SampleSpec:
    """What ``write_products`` shall make.

    Parameters
    ----------
    product_type
        One of the keys of ``LAYERS``.
    products
        Number of products: pairs of the network, or acquisitions times ``frames`` (RTC).
    rows, columns
        Nominal size in pixels; every product differs from it by some tens of pixels.
    spacing
        Pixel spacing in meters; None stands for 80 (InSAR) or 30 (RTC).
    layers
        Suffixes of the layers to write; None stands for all that such a product can have.
    neighbor_zone_share
        Share of the products that lies in the UTM zone east of the scene's main zone.
    zipped
        Write ``NAME.zip`` with the product folder inside, instead of the folder.
    noise
        Add noise (phase, coherence, speckle) to the truth.
    seed
        Another seed is another landscape, weather and set of product ids.
    water_masked
        Order option: phase is removed over water.
    start
        UTC day of the first acquisition; the others follow every 12 days.
    direction
        ``ascending`` or ``descending``.
    longitude, latitude
        Center of the scene in degrees; the main zone is the one west of the longitude.
    scale
        RTC only: ``power``, ``amplitude`` or ``decibel``.
    frames
        RTC only: granules per pass, 1 or 2.
    sidecars
        Write README, browse images and XML files too.
    signals
        InSAR only: what is in the phase.
    """

    product_type: str = "INSAR_GAMMA"
    products: int = 6
    rows: int = 300
    columns: int = 320
    spacing: int | None = None
    layers: tuple[str, ...] | None = None
    neighbor_zone_share: float = 1 / 3
    zipped: bool = False
    noise: bool = True
    seed: int = 0
    water_masked: bool = False
    start: date = date(2023, 1, 6)
    direction: str = "ascending"
    longitude: float = -120.0
    latitude: float = 34.72
    scale: str = "power"
    frames: int = 1
    sidecars: bool = True
    signals: Signals = Signals()

    def __post_init__(self) -> None:
        """Refuse what no generator could make."""
        if self.product_type not in LAYERS:
            raise ValueError(f"no sample of type {self.product_type!r}")
        unknown = set(self.layers or ()) - set(LAYERS[self.product_type])
        if unknown:
            raise ValueError(f"{self.product_type} has no layers {sorted(unknown)}")
        if min(self.rows, self.columns) < 40 or self.products < 1:
            raise ValueError("samples have at least 40 rows, 40 columns and 1 product")
        if self.scale not in ("power", "amplitude", "decibel") or self.frames not in (1, 2):
            raise ValueError("scale is power, amplitude or decibel, frames is 1 or 2")
        if self.direction not in ("ascending", "descending"):
            raise ValueError("direction is ascending or descending")

    @property
    def is_insar(self) -> bool:
        """Whether products are pairs."""
        return self.product_type.startswith("INSAR")

    @property
    def pixel(self) -> int:
        """Pixel spacing in meters."""
        return self.spacing or (80 if self.is_insar else 30)

    @property
    def layer_names(self) -> tuple[str, ...]:
        """Suffixes of the layers to write, in the order of ``LAYERS``."""
        names = LAYERS[self.product_type]
        if self.layers is None:
            if self.product_type.startswith("INSAR_ISCE") and not self.water_masked:
                return tuple(name for name in names if name != "water_mask")
            return names
        return tuple(name for name in names if name in self.layers)

    @property
    def zones(self) -> tuple[int, int]:
        """EPSG codes of the main zone and of its eastern neighbor."""
        west = int((self.longitude - 0.01) // 6 + 30) % 60 + 1
        base = 32600 if self.latitude >= 0 else 32700
        return base + west, base + west % 60 + 1


@dataclass(frozen=True)
class SampleProduct:
    """One product on disk, and its truth.

    Parameters
    ----------
    name
        Product name, without suffix.
    product_type
        HyP3 job type.
    path
        Product folder, or the zip.
    epsg
        Code of the product's UTM zone.
    transform
        GDAL's geotransform as ``Affine`` (edge of the first pixel; also a tuple a, b, c, d, e, f).
    shape
        Rows, columns.
    reference_time, secondary_time
        Start times as in the product or granule names, UTC. For RTC both are the acquisition.
    perpendicular_baseline
        Meters, signed; 0 for RTC.
    reference_pixel
        Row and column where GAMMA's ``unw_phase`` is zero, None for the other types.
    layers
        Suffixes of the layers on disk.
    parameters
        The parameter file's entries (empty for RTC).
    nodata
        Value that marks missing data, by layer; None where every value counts.
    """

    name: str
    product_type: str
    path: Path
    epsg: int
    transform: Affine
    shape: tuple[int, int]
    reference_time: datetime
    secondary_time: datetime
    perpendicular_baseline: float
    reference_pixel: tuple[int, int] | None
    layers: tuple[str, ...]
    parameters: dict[str, str]
    nodata: dict[str, float | None]
    evaluate: Callable[[np.ndarray, np.ndarray], dict[str, np.ndarray]] = field(
        repr=False, compare=False
    )

    def truth(self, layer: str, x: np.ndarray, y: np.ndarray, epsg: int) -> np.ndarray:
        """Return the noise-free value of a layer at map positions.

        Parameters
        ----------
        layer
            Suffix of the layer.
        x, y
            Positions in meters, arrays of one shape (or that broadcast to one).
        epsg
            Code of the CRS of ``x`` and ``y``.

        Returns
        -------
        numpy.ndarray
            float64, NaN where the product has no data.
        """
        east, north = np.broadcast_arrays(np.asarray(x, float), np.asarray(y, float))
        shape = east.shape
        east, north = np.ascontiguousarray(east).ravel(), np.ascontiguousarray(north).ravel()
        result = np.empty(east.size)
        for first in range(0, east.size, TRUTH_CHUNK):
            part = slice(first, first + TRUTH_CHUNK)
            held, layers = self._known(east[part], north[part], epsg)
            result[part] = np.where(held, layers[layer], np.nan)
        return result.reshape(shape)

    def _known(self, east: np.ndarray, north: np.ndarray, epsg: int) -> Known:
        """Return which points lie on the raster and all layers there, as many are asked for."""
        key = (id(self), epsg, east.tobytes(), north.tobytes())
        if key not in _RECENT:
            _RECENT[key] = self, self._compute(east, north, epsg)
            while sum(held.size for _, (held, _) in _RECENT.values()) > RECENT_POINTS:
                _RECENT.popitem(last=False)
        _RECENT.move_to_end(key)
        return _RECENT[key][1]

    def _compute(self, x: np.ndarray, y: np.ndarray, epsg: int) -> Known:
        layers = self.evaluate(*Transformer.from_crs(epsg, 4326, always_xy=True).transform(x, y))
        if epsg != self.epsg:
            x, y = Transformer.from_crs(epsg, self.epsg, always_xy=True).transform(x, y)
        columns = (x - self.transform.c) / self.transform.a
        rows = (y - self.transform.f) / self.transform.e
        held = (columns >= 0) & (columns < self.shape[1]) & (rows >= 0) & (rows < self.shape[0])
        return held, layers

    def centers(self) -> tuple[np.ndarray, np.ndarray]:
        """Return x (1, columns) and y (rows, 1) of the product's own pixel centers."""
        rows, columns = self.shape
        x = self.transform.c + (np.arange(columns) + 0.5) * self.transform.a
        y = self.transform.f + (np.arange(rows) + 0.5) * self.transform.e
        return x[None, :], y[:, None]


_RECENT: OrderedDict[tuple[int, int, bytes, bytes], tuple[SampleProduct, Known]] = OrderedDict()
"""Those asked for last; as they hold their product, its id stays its own."""


@dataclass(frozen=True)
class SampleStack:
    """All products of one call, in the order of their names' times."""

    folder: Path
    spec: SampleSpec
    products: tuple[SampleProduct, ...]
