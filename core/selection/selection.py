"""Chooses the products of a stack and accounts for every one that is left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from ..errors import (
    InconsistentProductsError,
    InvalidParameterError,
    NoProductsError,
    ProductError,
)
from ..inputs.raster_grid import Raster
from ..products.layers import Layer
from ..products.names import ProductName, parse_name
from ..products.opening import common_raster, renamed_layers
from ..products.product import Product, check_unchanged
from ..products.product_types import PRODUCT_TYPES
from ..products.scan import READERS, Scan, scan_folder
from .acquisition_times import acquisition_times, product_identity
from .consistency import gap_warnings
from .passes import pass_starts
from .reruns import group_reruns, superseded_reason

_FLAWS_SHOWN = 3


@dataclass(frozen=True)
class LeftOut:
    """A product that does not go into the stack, and why (one clause)."""

    name: str
    reason: str


@dataclass(frozen=True)
class SelectionOptions:
    """What the user asks for; see the parameters of ``hyp3:buildstack``.

    ``layers`` are names of layers or of stack variables, empty for all. ``skip_bad`` leaves bad
    products out instead of stopping. ``without`` names products found bad while they were read.
    ``known`` names the products of a stack that is appended to by their identity; with it, there
    may be nothing new. ``held`` names its layers; others of its products are not looked at.
    ``merge_passes`` takes the frames of a pass for one acquisition.
    """

    product_type: str = "auto"
    layers: tuple[str, ...] = ()
    start: date | None = None
    end: date | None = None
    skip_bad: bool = False
    without: frozenset[str] = frozenset()
    only: frozenset[str] | None = None
    known: Mapping[tuple[object, ...], str] | None = None
    held: tuple[str, ...] = ()
    merge_passes: bool = False


@dataclass(frozen=True)
class Selection:
    """Products that belong in one stack."""

    product_type: str  # their type
    # Each with the grid that its layers share, in the order of the scan.
    products: tuple[tuple[Product, Raster], ...]
    layers: tuple[Layer, ...]  # layers of the stack, in table order
    left_out: tuple[LeftOut, ...]  # all other products of the folder and why
    warnings: tuple[str, ...]  # sentences for the user


def select_products(folder: Path, options: SelectionOptions) -> Selection:
    """Find the products of a folder that make one stack.

    Returns
    -------
    Selection
        At least one product and one layer.

    Raises
    ------
    NoProductsError
        If no product is found or left.
    InconsistentProductsError
        If the folder holds several product types and none was chosen.
    InvalidParameterError
        If a layer is unknown.
    ProductError
        If a product is bad and bad products stop the run.
    InputChangedError
        If one is replaced meanwhile.
    """
    scan = scan_folder(folder)
    if options.only is not None:
        scan = _named(folder, scan, options.only)
    return _Chooser(folder, scan, options).choose()


def _named(folder: Path, scan: Scan, names: frozenset[str]) -> Scan:
    """Return what is left of a scan if only some products are wanted."""
    products = tuple(item for item in scan.products if item.name.text in names)
    damaged = tuple(item for item in scan.damaged if item.name in names)
    found = {item.name.text for item in products} | {item.name for item in damaged}
    if not found:
        raise NoProductsError(
            f"{folder} holds none of the products that PRODUCTS names; check the names and the "
            "folder."
        )
    missing = tuple(f"{name} is not in {folder}." for name in sorted(names - found))
    return Scan(products, damaged, (*scan.notes, *missing))


class _Chooser:
    """Narrows a scan down, keeping account."""

    def __init__(self, folder: Path, scan: Scan, options: SelectionOptions) -> None:
        self._folder = folder
        self._scan = scan
        self._options = options
        self._left_out = [LeftOut(name, "not taken") for name in scan.near]
        self._warnings: list[str] = list(scan.notes)
        self._known = 0

    def choose(self) -> Selection:
        product_type = self._product_type()
        passes = self._pass_starts()
        products = []
        for product in self._scan.products:
            times = passes.get(product.name.text) or acquisition_times(product)
            identity = product_identity(product)
            if self._is_asked_for(product.name, product_type, times, identity):
                products.append(product)
        for damaged in self._scan.damaged:
            name = parse_name(damaged.name)
            if name is not None and self._is_asked_for(
                name, product_type, name.times, name.identity
            ):
                self._bad(ProductError(damaged.reason, damaged.name))
        groups = group_reruns(products)
        layers = self._layers(product_type, [group[0] for group in groups])
        opened = self._open(groups, layers)
        if not (opened or self._known):
            raise NoProductsError(self._nothing_left())
        self._warnings += _flaws([product for product, _ in opened])
        if self._options.known is None:  # else the layers are those of the stack
            self._warnings += gap_warnings([product for product, _ in opened], layers)
        if not self._options.layers:
            self._warnings += _renamed([product for product, _ in opened])
        return Selection(
            product_type, tuple(opened), layers, tuple(self._left_out), tuple(self._warnings)
        )

    def _pass_starts(self) -> dict[str, tuple[datetime, ...]]:
        """Return when acquisitions began of which the frames are merged, by product name."""
        if not self._options.merge_passes:
            return {}
        names = [item.name for item in self._scan.products if not item.name.is_insar]
        return {text: (start,) for text, start in pass_starts(names).items()}

    def _product_type(self) -> str:
        names = [product.name for product in self._scan.products]
        names += [
            name for damaged in self._scan.damaged if (name := parse_name(damaged.name)) is not None
        ]
        types = Counter(name.product_type for name in names)
        wanted = self._options.product_type
        listed = ", ".join(f"{count} {kind}" for kind, count in sorted(types.items()))
        if wanted != "auto":
            if not any(wanted in name.job_types for name in names):
                raise NoProductsError(
                    f"There are no {wanted} products in {self._folder}, but {listed}; choose one "
                    "of these types or another folder."
                )
            return wanted
        if len(types) > 1:
            raise InconsistentProductsError(
                f"{self._folder} holds several product types ({listed}); choose one by "
                "PRODUCT_TYPE."
            )
        return next(iter(types))

    def _is_asked_for(
        self,
        name: ProductName,
        product_type: str,
        times: Sequence[datetime],
        identity: tuple[object, ...],
    ) -> bool:
        if name.text in self._options.without:
            self._left_out.append(LeftOut(name.text, "damaged"))
            return False
        if product_type not in name.job_types:
            self._left_out.append(LeftOut(name.text, f"of type {name.product_type}"))
            return False
        start, end = self._options.start, self._options.end
        days = [time.date() for time in times]
        if (start is not None and min(days) < start) or (end is not None and max(days) > end):
            self._left_out.append(LeftOut(name.text, "not within START and END"))
            return False
        known = (self._options.known or {}).get(identity)
        if known is not None:
            self._known += 1
            if known != name.text:
                self._left_out.append(LeftOut(name.text, f"the stack holds {known}"))
                self._warnings.append(
                    f"{name.text} holds the same acquisitions as {known}, which the stack keeps; "
                    "build a new stack to replace it."
                )
            return False
        return True

    def _layers(self, product_type: str, products: Sequence[Product]) -> tuple[Layer, ...]:
        table = PRODUCT_TYPES[product_type].layers
        if not self._options.layers and self._options.held:
            return tuple(layer for name, layer in table.items() if name in self._options.held)
        if not self._options.layers:
            present = {layer for product in products for layer in product.layers}
            return tuple(layer for name, layer in table.items() if name in present)
        by_name = PRODUCT_TYPES[product_type].by_name
        unknown = [name for name in self._options.layers if name not in by_name]
        if unknown:
            raise InvalidParameterError(
                f"LAYERS names {', '.join(unknown)}, which {product_type} products do not have; "
                f"choose from {', '.join(table)}."
            )
        wanted = {by_name[name].name for name in self._options.layers}
        return tuple(layer for name, layer in table.items() if name in wanted)

    def _open(
        self, groups: Sequence[Sequence[Product]], layers: Sequence[Layer]
    ) -> list[tuple[Product, Raster]]:
        """Open of each group the newest product that is not bad."""
        names = tuple(layer.name for layer in layers)
        demanded = bool(self._options.layers)
        wanted = names if demanded or self._options.held else None

        def open_one(product: Product) -> Raster | ProductError:
            held = names if demanded else tuple(filter(product.stored_layer, names))
            try:
                if product.type.has_parameter_file and product.parameters is None:
                    raise ProductError(
                        f"{product} lacks its parameter file {product}.txt; retrieve the product "
                        "again."
                    )
                return common_raster(product, held, wanted)
            except ProductError as error:
                # One that is replaced while it is looked at is not damaged.
                check_unchanged([product])
                return error

        def open_group(group: Sequence[Product]) -> list[Raster | ProductError]:
            results: list[Raster | ProductError] = []
            for product in group:
                results.append(open_one(product))
                if isinstance(results[-1], Raster) or not self._options.skip_bad:
                    break
            return results

        if len(groups) <= READERS:
            # A thread would read PROJ's database first, which takes longer than some products.
            all_results = list(map(open_group, groups))
        else:
            with ThreadPoolExecutor(READERS) as pool:
                all_results = list(pool.map(open_group, groups))
        opened = []
        for group, results in zip(groups, all_results, strict=True):
            for product, result in zip(group, results, strict=False):
                if isinstance(result, ProductError):
                    self._bad(ProductError(str(result), product.name.text))
                else:
                    opened.append((product, result))
                    self._leave_duplicates(group, product)
        return opened

    def _leave_duplicates(self, group: Sequence[Product], used: Product) -> None:
        """Account for the products of a group that come after the one in use."""
        place = group.index(used)
        if place:
            self._warnings.append(
                f"{used} holds the same acquisitions as {group[0]} and is used instead."
            )
        for product in group[place + 1 :]:
            reason, sentence = superseded_reason(product, used)
            self._left_out.append(LeftOut(product.name.text, reason))
            self._warnings.append(sentence)

    def _bad(self, error: ProductError) -> None:
        """Stop for a bad product, or leave it out and say so."""
        if not self._options.skip_bad:
            raise error
        self._warnings.append(f"Left out: {error}")
        self._left_out.append(LeftOut(error.product or "", "damaged or incomplete"))

    def _nothing_left(self) -> str:
        reasons = Counter(item.reason for item in self._left_out)
        listed = "; ".join(f"{count} {reason}" for reason, count in reasons.items())
        return (
            f"None of the products in {self._folder} is left ({listed}); loosen the filters or "
            "choose another folder."
        )


def _renamed(products: Sequence[Product]) -> list[str]:
    """Return sentences on layers that may be there under another name."""
    found: dict[str, list[str]] = {}
    for product in products:
        for layer, file in renamed_layers(product).items():
            found.setdefault(layer, []).append(file)
    return [
        f"The layer {layer} of {len(files)} of {len(products)} products is not taken from a file "
        f"of another name (such as {files[0]}); give the file HyP3's name if it is that layer."
        for layer, files in found.items()
    ]


def _flaws(products: Sequence[Product]) -> list[str]:
    """Return sentences on parameter files that are not as HyP3 writes them."""
    found = [
        f"The parameter file of {product} {'; it '.join(product.parameters.flaws[:_FLAWS_SHOWN])}."
        for product in products
        if product.parameters is not None and product.parameters.flaws
    ]
    more = len(found) - _FLAWS_SHOWN
    if more > 0:
        found[_FLAWS_SHOWN:] = [f"{more} more parameter files are not as HyP3 writes them."]
    return found
