"""HyP3 product names: what each token says, for every type that can be stacked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from functools import lru_cache

from .layers import Delivery
from .product_types import PRODUCT_TYPES, ProductType

_SCALES = {"p": "power", "a": "amplitude", "d": "decibel"}
_RADIOMETRIES = {"g": "gamma0", "s": "sigma0"}


@dataclass(frozen=True)
class ProductName:
    """The facts that a product's name carries."""

    text: str  # the name, which is also the stem of each of the product's files
    # HyP3 job type that makes such products; that of single bursts also where one burst has the
    # form of the names of several.
    product_type: str
    # UTC start times: reference and secondary of an interferogram, one time for RTC.
    times: tuple[datetime, ...]
    days_only: bool  # True where the name holds dates without times of day (ISCE products)
    # Platform of each time (``S1A`` ...), None where the name does not say.
    platforms: tuple[str | None, ...]
    # ``VV``/``HH`` of an interferogram; transmit polarization and ``S``/``D`` of RTC (``DV``).
    polarization: str
    spacing: float  # pixel spacing in meters
    # What separates this ground footprint from others in the name (burst ids, corner coordinates);
    # empty where the name does not say.
    footprint: str
    product_id: str  # four hexadecimal digits, not unique between orders
    # ``P`` precise, ``R`` restituted, ``O`` predicted, None where the name does not say.
    orbit_type: str | None
    relative_orbit: int | None  # path number where the name holds it
    # Letters of processing options where the name holds them, such as ``ueF`` or ``gpuned``.
    options: str
    # Types of the jobs that make products with such names: of single bursts, two.
    job_types: tuple[str, ...]

    @property
    def type(self) -> ProductType:
        """The row of its type."""
        return PRODUCT_TYPES[self.product_type]

    @property
    def is_insar(self) -> bool:
        """Whether the product is an interferogram."""
        return self.type.is_insar

    def option(self, name: str) -> str | None:
        """Return the letter of a processing option, None where the name does not say."""
        return dict(zip(self.type.options, self.options, strict=False)).get(name)

    @property
    def scale(self) -> str | None:
        """``power``, ``amplitude`` or ``decibel`` of RTC backscatter."""
        return _SCALES.get(self.option("scale") or "")

    @property
    def radiometry(self) -> str | None:
        """``gamma0`` or ``sigma0`` of RTC backscatter."""
        return _RADIOMETRIES.get(self.option("radiometry") or "")

    def label_of(self, times: Sequence[datetime]) -> str:
        """Return ``<reference>_<secondary>`` (or the one time) in the form of the name."""
        form = "%Y%m%d" if self.days_only else "%Y%m%dT%H%M%S"
        return "_".join(time.strftime(form) for time in times)

    @property
    def main_layers(self) -> tuple[str, ...]:
        """The layers without which it is not a product of its type."""
        return self.type.delivered(self.polarization, Delivery.MAIN)

    @property
    def identity(self) -> tuple[object, ...]:
        """What two products share when one is a re-run of the other, as far as names show."""
        return self.identity_of(self.times)

    def identity_of(self, times: Sequence[datetime]) -> tuple[object, ...]:
        """Return what a re-run shares, where files say when the acquisitions began.

        Backscatter of another scale or radiometry is another quantity, never a re-run.
        """
        return (
            self.product_type,
            tuple(time.date() if self.days_only else time for time in times),
            self.polarization,
            self.footprint,
            self.spacing,
            "" if self.is_insar else self.options,
        )

    @property
    def ground(self) -> str | None:
        """Bursts of the product, None where the name has none (or corners, which are rounded)."""
        return self.footprint if self.footprint[:1].isdigit() else None


_SWATH = re.compile(r"(\d{6})s(\d)n(\d{2})")


_FORMS = [(pattern, row) for row in PRODUCT_TYPES.values() for pattern in row.names]
_IN_ANY_CASE = [re.compile(pattern.pattern, re.IGNORECASE) for pattern, _ in _FORMS]


@lru_cache(maxsize=1 << 14)  # asked again by every filter and column of thousands of jobs
def parse_name(text: str) -> ProductName | None:
    """Read a product name: that of a folder, or the stem of a zip, without any path.

    Returns
    -------
    ProductName or None
        None where ``text`` is not the name of a stackable HyP3 product, also when its dates are
        no dates, or those of a pair whose reference, always the earlier one at HyP3, is not.
    """
    for pattern, row in _FORMS:
        match = pattern.fullmatch(text)
        if match:
            try:
                return _read(text, row, match.groupdict())
            except ValueError:
                return None
    return None


def _read(text: str, row: ProductType, token: dict[str, str]) -> ProductName:
    times = tuple(_utc(token[key]) for key in ("first", "second") if key in token)
    if times[-1] <= times[0] and row.is_insar:
        raise ValueError("the reference is not earlier")
    letters = (token.get("first_platform"), token.get("second_platform"))
    name = ProductName(
        text=text,
        product_type=row.name,
        times=times,
        days_only="T" not in token["first"],
        platforms=tuple(f"S1{letter}" if letter else None for letter in letters[: len(times)]),
        polarization=token["polarization"],
        spacing=float(token["spacing"]),
        footprint=token.get("footprint", ""),
        product_id=token["id"],
        orbit_type=token.get("orbit"),
        relative_orbit=int(token["path"]) if "path" in token else None,
        options=token.get("options", ""),
        job_types=(row.name,),
    )
    bursts = [
        f"{lowest}_IW{swath}"
        for lowest, swath, count in _SWATH.findall(name.footprint)
        for _ in range(int(count))
    ]
    if row.of_one_burst is None or len(bursts) != 1:
        return name
    # It is the same burst under either name.
    types = (row.of_one_burst, row.name)
    return replace(name, product_type=types[0], footprint=bursts[0], job_types=types)


def _utc(text: str) -> datetime:
    form = "%Y%m%dT%H%M%S" if "T" in text else "%Y%m%d"
    return datetime.strptime(text, form).replace(tzinfo=timezone.utc)


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
