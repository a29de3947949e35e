"""One product on disk: what its name says, and where its files are."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path

from ..errors import InputChangedError, ProductError
from ..inputs.packed import PackedFile
from ..inputs.zipped import open_zip, zipped_files
from ..machine.stamps import Stamps, find_change
from .layers import Layer
from .names import ProductName
from .nodata import LayerNote
from .parameter_file import SIDES, ParameterFile
from .product_types import ProductType


@dataclass(frozen=True)
class Readme:
    """Facts of a product's README that no other file holds; None where it has none."""

    processed: datetime | None = None
    plugin_version: str | None = None
    software_version: str | None = None
    granules: tuple[str, ...] = ()


_ZIPS = "/vsizip/"


@dataclass(frozen=True)
class Product:
    """A product found on disk, not yet opened."""

    name: ProductName  # what its name says
    location: Path  # the product folder or the zip file
    prefix: str  # GDAL path of the folder that holds the files, ``/vsizip/...`` for a zip
    files: tuple[str, ...]  # names of all files of the product
    # Its parameter file; None where the product has none.
    parameters: ParameterFile | None = field(default=None, compare=False)
    readme: Readme = field(default=Readme(), compare=False)  # what its README says
    # Notes of other programs beside its layers, by layer.
    notes: Mapping[str, LayerNote] = field(default_factory=dict, compare=False)
    # Its files as they were before anything of them was read.
    stamps: Stamps = field(default_factory=dict, compare=False)

    def __str__(self) -> str:
        return self.name.text

    @cached_property
    def type(self) -> ProductType:
        """The row of its type."""
        return self.name.type

    @cached_property
    def layers(self) -> Mapping[str, Layer]:
        """The stackable layers that the product holds, in table order."""
        present = set(self.files)
        return {
            name: layer
            for name, layer in self.type.layers.items()
            if f"{self.name.text}_{name}.tif" in present
        }

    def granules(self, side: int) -> tuple[str, ...]:
        """Return the granule names of the reference (0) or secondary (1) acquisition."""
        if not self.type.has_parameter_file:
            return () if side else self.readme.granules
        return () if self.parameters is None else self.parameters.names(f"{SIDES[side]} Granule")

    @property
    def source_granules(self) -> tuple[str, ...]:
        """The names of all granules behind the product."""
        return (*self.granules(0), *self.granules(1))

    def number(self, variable: str) -> float | None:
        """Return a number of the parameter file by the variable of a stack that holds it.

        None where no file has it, and where files of the type hold a constant in its place.
        """
        key = self.type.parameters.get(variable)
        return None if self.parameters is None or key is None else self.parameters.number(key)

    def entry(self, key: str) -> str | None:
        """Return a text of the parameter file, None where no file has it."""
        return None if self.parameters is None else self.parameters.text(key)

    def is_ascending(self, side: int = 0) -> bool | None:
        """Return whether the satellite flew north on one side of a pair, None where unknown."""
        direction = self.entry(f"{SIDES[side]} Pass Direction") or ""
        return {"ASCENDING": True, "DESCENDING": False}.get(direction.upper())

    @property
    def is_zipped(self) -> bool:
        """Whether no part of a file can be read without unpacking what lies before it."""
        return self.prefix.startswith(_ZIPS)

    def stored_layer(self, name: str) -> str | None:
        """Return the layer that holds what is asked for: itself, or what it is computed from."""
        layer = self.type.layers.get(name)
        candidates = (name, None if layer is None else layer.computed_from)
        return next((candidate for candidate in candidates if candidate in self.layers), None)

    def layer_path(self, layer: str) -> str:
        """Return the GDAL path of a layer's GeoTIFF."""
        return f"{self.prefix}/{self.name.text}_{layer}.tif"

    def packed(self, layer: str) -> PackedFile | None:
        """Open a layer's GeoTIFF in its zip; None where the product is a folder.

        Raises
        ------
        ProductError
            If the zip is damaged.
        OSError
            If the system does not let it be read.
        """
        if not self.is_zipped:
            return None
        name = f"{self.name.text}_{layer}.tif"
        try:
            with open_zip(self.location) as archive:
                member = zipped_files(archive, self.name.text)[1][name]
                return PackedFile(archive, member, self.name.text)
        except (zipfile.BadZipFile, KeyError) as error:
            raise ProductError(
                f"The zip {self.location} of {self} cannot be read ({error}); retrieve the product "
                "again.",
                self.name.text,
            ) from error

    def file(self, layer: str) -> Path:
        """Return the file of the system that holds a layer: its GeoTIFF, or the zip."""
        return self.location if self.is_zipped else Path(self.layer_path(layer))


def check_unchanged(products: Iterable[Product]) -> None:
    """Check that products are what they were when they were found.

    Raises
    ------
    InputChangedError
        If a file was replaced, written to or removed since: what was read of it, and when, does not
        belong together.
    """
    owners = {path: product for product in products for path in product.stamps}
    found = find_change({path: product.stamps[path] for path, product in owners.items()})
    if found is not None:
        path, change = found
        raise InputChangedError(
            f"{owners[path]} was changed while it was read ({change}); run again when nothing "
            f"writes to {owners[path].location} any more."
        )


def gdal_zip(path: Path) -> str:
    """Return the GDAL path of a zip.

    Braces let GDAL take paths in which another folder ends in .zip; it counts them, so that they
    cannot hold a path with an odd one.
    """
    depth = 0
    for letter in str(path):
        depth += {"{": 1, "}": -1}.get(letter, 0)
        if depth < 0:
            break
    return f"{_ZIPS}{path}" if depth else f"{_ZIPS}{{{path}}}"
