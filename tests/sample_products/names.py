"""Names of granules and products."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from .orbit import orbit_number
from .spec import SampleSpec

SLICE_SECONDS = 27


def stamp(time: datetime) -> str:
    """Return a time as names hold it."""
    return time.strftime("%Y%m%dT%H%M%S")


def product_id(spec: SampleSpec, index: int) -> str:
    """Return four hexadecimal digits."""
    rng = np.random.default_rng([spec.seed, 4, index, sum(map(ord, spec.product_type))])
    return f"{rng.integers(0x10000):04X}"


def scene_granule(spec: SampleSpec, time: datetime, kind: str = "SLC_", dual: str = "DV") -> str:
    """Return the name of an IW granule (``kind`` is ``SLC_`` or ``GRDH``)."""
    orbit = orbit_number(time)
    rng = np.random.default_rng([spec.seed, 5, int(time.timestamp())])
    stop = time + timedelta(seconds=SLICE_SECONDS)
    take, unique = rng.integers(0x40000, 0x60000), rng.integers(0x10000)
    return f"S1A_IW_{kind}_1S{dual}_{stamp(time)}_{stamp(stop)}_{orbit:06d}_{take:06X}_{unique:04X}"


def burst_granule(spec: SampleSpec, burst: int, swath: int, time: datetime) -> str:
    """Return the name of a burst granule."""
    rng = np.random.default_rng([spec.seed, 6, int(time.timestamp()) // 3600])
    unique = rng.integers(0x10000)
    return f"S1_{burst:06d}_IW{swath}_{stamp(time)}_VV_{unique:04X}-BURST"


def gamma_insar(spec: SampleSpec, index: int, reference: datetime, secondary: datetime) -> str:
    """Return the name of an INSAR_GAMMA product."""
    mask = "w" if spec.water_masked else "u"
    days = (secondary.date() - reference.date()).days
    return (
        f"S1AA_{stamp(reference)}_{stamp(secondary)}_VVP{days:03d}_INT{spec.pixel}"
        f"_G_{mask}eF_{product_id(spec, index)}"
    )
