"""Names of granules and products."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from .orbit import orbit_number, relative_orbit
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


def burst_number(time: datetime) -> int:
    """Return a burst id that lies on the track of an acquisition."""
    return round((relative_orbit(orbit_number(time)) - 1) * 375887 / 175) + 207


def single_burst(spec: SampleSpec, index: int, reference: datetime, secondary: datetime) -> str:
    """Return the name of an INSAR_ISCE_BURST product."""
    return (
        f"S1_{burst_number(reference):06d}_IW2_{reference:%Y%m%d}_{secondary:%Y%m%d}_VV"
        f"_INT{spec.pixel}_{product_id(spec, index)}"
    )


def multi_burst(spec: SampleSpec, index: int, reference: datetime, secondary: datetime) -> str:
    """Return the name of an INSAR_ISCE_MULTI_BURST product (two bursts in IW2, two in IW3)."""
    first = burst_number(reference)
    path = relative_orbit(orbit_number(reference))
    return (
        f"S1_{path:03d}_000000s1n00-{first:06d}s2n02-{first + 1:06d}s3n02_IW"
        f"_{reference:%Y%m%d}_{secondary:%Y%m%d}_VV_INT{spec.pixel}_{product_id(spec, index)}"
    )


def multi_burst_granules(spec: SampleSpec, time: datetime) -> list[str]:
    """Return the granules of such a product for one acquisition."""
    first = burst_number(time)
    return [
        burst_granule(spec, first + swath - 2 + step, swath, time + timedelta(seconds=3 * step))
        for swath in (2, 3)
        for step in (0, 1)
    ]


def gamma_rtc(spec: SampleSpec, index: int, time: datetime) -> str:
    """Return the name of an RTC_GAMMA product."""
    return (
        f"S1A_IW_{stamp(time)}_DVP_RTC{spec.pixel}_G_g{spec.scale[0]}uned_{product_id(spec, index)}"
    )
