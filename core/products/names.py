"""HyP3 product names: what each token says, for every type that can be stacked."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone

INSAR_GAMMA = "INSAR_GAMMA"
INSAR_ISCE_BURST = "INSAR_ISCE_BURST"
INSAR_ISCE_MULTI_BURST = "INSAR_ISCE_MULTI_BURST"
RTC_GAMMA = "RTC_GAMMA"

POLARIZATIONS = {"SV": ("VV",), "SH": ("HH",), "DV": ("VV", "VH"), "DH": ("HH", "HV")}
"""What the letters in names of backscatter products and of scenes stand for."""


@dataclass(frozen=True)
class ProductName:
    """The facts that a product's name carries.

    Parameters
    ----------
    text
        The name, which is also the stem of each of the product's files.
    product_type
        HyP3 job type that makes such products; that of single bursts also where one burst has the
        form of the names of several.
    times
        UTC start times: reference and secondary of an interferogram, one time for RTC.
    days_only
        True where the name holds dates without times of day (ISCE products).
    platforms
        Platform of each time (``S1A`` ...), None where the name does not tell.
    polarization
        ``VV``/``HH`` of an interferogram; transmit polarization and ``S``/``D`` of RTC (``DV``).
    spacing
        Pixel spacing in meters.
    footprint
        What separates this ground footprint from others in the name (burst ids, corner
        coordinates); empty where the name does not tell.
    product_id
        Four hexadecimal digits, not unique between orders.
    orbit_type
        ``P`` precise, ``R`` restituted, ``O`` predicted, None where the name does not tell.
    relative_orbit
        Path number where the name holds it.
    options
        Letters of processing options where the name holds them, such as ``ueF`` or ``gpuned``.
    """

    text: str
    product_type: str
    times: tuple[datetime, ...]
    days_only: bool
    platforms: tuple[str | None, ...]
    polarization: str
    spacing: float
    footprint: str
    product_id: str
    orbit_type: str | None = None
    relative_orbit: int | None = None
    options: str = ""

    @property
    def is_insar(self) -> bool:
        """Whether the product is an interferogram."""
        return self.product_type != RTC_GAMMA

    @property
    def scale(self) -> str | None:
        """``power``, ``amplitude`` or ``decibel`` of RTC backscatter."""
        if self.product_type != RTC_GAMMA:
            return None
        return {"p": "power", "a": "amplitude", "d": "decibel"}[self.options[1]]

    @property
    def radiometry(self) -> str | None:
        """``gamma0`` or ``sigma0`` of RTC backscatter."""
        if self.product_type != RTC_GAMMA:
            return None
        return {"g": "gamma0", "s": "sigma0"}[self.options[0]]

    def label_of(self, times: Sequence[datetime]) -> str:
        """Return ``<reference>_<secondary>`` (or the one time) in the form of the name."""
        form = "%Y%m%d" if self.days_only else "%Y%m%dT%H%M%S"
        return "_".join(time.strftime(form) for time in times)

    @property
    def job_types(self) -> tuple[str, ...]:
        """Types of the jobs that make products with such names: of single bursts, two."""
        is_multi = _MULTI_BURST.fullmatch(self.text) is not None
        kinds = (self.product_type, INSAR_ISCE_MULTI_BURST if is_multi else self.product_type)
        return tuple(dict.fromkeys(kinds))

    @property
    def main_layers(self) -> tuple[str, ...]:
        """The layers that every product of the type has."""
        return ("unw_phase", "corr") if self.is_insar else POLARIZATIONS[self.polarization]

    @property
    def identity(self) -> tuple[object, ...]:
        """What two products share when one is a re-run of the other, as far as names tell."""
        return self.identity_of(self.times)

    def identity_of(self, times: Sequence[datetime]) -> tuple[object, ...]:
        """Return what a re-run shares, where files tell when the acquisitions began.

        Backscatter of another scale or radiometry is another quantity, never a re-run.
        """
        options = self.options if self.product_type == RTC_GAMMA else ""
        return (
            self.product_type,
            tuple(time.date() if self.days_only else time for time in times),
            self.polarization,
            self.footprint,
            self.spacing,
            options,
        )

    @property
    def ground(self) -> str | None:
        """Bursts of the product, None where the name tells none (or corners, which are rounded)."""
        return self.footprint if self.footprint[:1].isdigit() else None


def _utc(text: str) -> datetime:
    form = "%Y%m%dT%H%M%S" if "T" in text else "%Y%m%d"
    return datetime.strptime(text, form).replace(tzinfo=timezone.utc)


_GAMMA = re.compile(
    r"S1(?P<reference>[A-D])(?P<secondary>[A-D])_(?P<first>\d{8}T\d{6})_(?P<second>\d{8}T\d{6})"
    r"_(?P<polarization>VV|HH)(?P<orbit>[PRO])\d{3,}_INT(?P<spacing>\d+)_G"
    r"_(?P<options>[uw][ec][123F])_(?P<id>[0-9A-F]{4})"
)
_BURST = re.compile(
    r"S1_(?P<footprint>\d{6}_IW[123])_(?P<first>\d{8})_(?P<second>\d{8})"
    r"_(?P<polarization>VV|HH)_INT(?P<spacing>\d{2})_(?P<id>[0-9A-F]{4})"
)
_MULTI_BURST = re.compile(
    r"S1_(?P<path>\d{3})_(?P<footprint>\d{6}s1n\d{2}-\d{6}s2n\d{2}-\d{6}s3n\d{2})_IW"
    r"_(?P<first>\d{8})_(?P<second>\d{8})"
    r"_(?P<polarization>VV|HH)_INT(?P<spacing>\d{2})_(?P<id>[0-9A-F]{4})"
)
_SWATH = re.compile(r"(\d{6})s(\d)n(\d{2})")
# The merged bursts of hyp3-isce2 before 4.0 name a southwest and a northeast corner.
_MERGED_BURSTS = re.compile(
    r"(?P<platform>S1[A-D])_(?P<path>\d{3})"
    r"_(?P<footprint>[EW]\d{3}_\d_[NS]\d{2}_\d_[EW]\d{3}_\d_[NS]\d{2}_\d)"
    r"_(?P<first>\d{8})_(?P<second>\d{8})"
    r"_(?P<polarization>VV|HH)_INT(?P<spacing>\d{2})_(?P<id>[0-9A-F]{4})"
)
_RTC = re.compile(
    r"(?P<platform>S1[A-D])_(?P<mode>IW|EW|S[1-6])_(?P<first>\d{8}T\d{6})"
    r"_(?P<polarization>[SD][VH])(?P<orbit>[PRO])_RTC(?P<spacing>\d{2})_G"
    r"_(?P<options>[gs][pda][uw][nf][ec][dm])_(?P<id>[0-9A-F]{4})"
)


def _gamma(text: str, token: dict[str, str]) -> ProductName:
    return ProductName(
        text=text,
        product_type=INSAR_GAMMA,
        times=(_utc(token["first"]), _utc(token["second"])),
        days_only=False,
        platforms=(f"S1{token['reference']}", f"S1{token['secondary']}"),
        polarization=token["polarization"],
        spacing=float(token["spacing"]),
        footprint="",
        product_id=token["id"],
        orbit_type=token["orbit"],
        options=token["options"],
    )


def _isce(product_type: str) -> Callable[[str, dict[str, str]], ProductName]:
    def make(text: str, token: dict[str, str]) -> ProductName:
        return ProductName(
            text=text,
            product_type=product_type,
            times=(_utc(token["first"]), _utc(token["second"])),
            days_only=True,
            platforms=(token.get("platform"), None),
            polarization=token["polarization"],
            spacing=float(token["spacing"]),
            footprint=token["footprint"],
            product_id=token["id"],
            relative_orbit=int(token["path"]) if "path" in token else None,
        )

    return make


def _multi_burst(text: str, token: dict[str, str]) -> ProductName:
    """Return what a name of one or more bursts says; one is the same burst under either name."""
    name = _isce(INSAR_ISCE_MULTI_BURST)(text, token)
    bursts = [
        (lowest, swath)
        for lowest, swath, count in _SWATH.findall(token["footprint"])
        for _ in range(int(count))
    ]
    if len(bursts) != 1:
        return name
    [(burst, swath)] = bursts
    return replace(name, product_type=INSAR_ISCE_BURST, footprint=f"{burst}_IW{swath}")


def _rtc(text: str, token: dict[str, str]) -> ProductName:
    return ProductName(
        text=text,
        product_type=RTC_GAMMA,
        times=(_utc(token["first"]),),
        days_only=False,
        platforms=(token["platform"],),
        polarization=token["polarization"],
        spacing=float(token["spacing"]),
        footprint="",
        product_id=token["id"],
        orbit_type=token["orbit"],
        options=token["options"],
    )


_FORMS: tuple[tuple[re.Pattern[str], Callable[[str, dict[str, str]], ProductName]], ...] = (
    (_GAMMA, _gamma),
    (_BURST, _isce(INSAR_ISCE_BURST)),
    (_MULTI_BURST, _multi_burst),
    (_MERGED_BURSTS, _isce(INSAR_ISCE_MULTI_BURST)),
    (_RTC, _rtc),
)


def parse_name(text: str) -> ProductName | None:
    """Read a product name.

    Parameters
    ----------
    text
        A folder name or the stem of a zip file, without any path.

    Returns
    -------
    ProductName or None
        None where ``text`` is not the name of a stackable HyP3 product, also when its dates are
        no dates.
    """
    for pattern, make in _FORMS:
        match = pattern.fullmatch(text)
        if match:
            try:
                return make(text, match.groupdict())
            except ValueError:
                return None
    return None


def leading_name(text: str) -> ProductName | None:
    """Read the product name that a text begins with.

    Parameters
    ----------
    text
        Name of a file of a product, or of a folder or zip that something renamed.

    Returns
    -------
    ProductName or None
        None where it begins with none, or where the name is only a part of a longer word.
    """
    for pattern, _ in _FORMS:
        match = pattern.match(text)
        if match and not text[match.end() : match.end() + 1].isalnum():
            return parse_name(match.group())
    return None


def resembles_name(text: str) -> bool:
    """Return whether a product name stands anywhere in a text, in whatever case."""
    return any(pattern.search(text) for pattern in _IN_ANY_CASE)


_IN_ANY_CASE = [re.compile(pattern.pattern, re.IGNORECASE) for pattern, _ in _FORMS]
