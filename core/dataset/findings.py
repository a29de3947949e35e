"""What is known of a stack only when all its pixels were read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import xarray as xr
from numpy.typing import NDArray

from ..grid.lattice import Grid
from ..metadata.geospatial import outline_attributes
from ..pixels.survey import Findings

DIFFERENCE = "largest_difference_between_products"
"""Attribute of a layer that is stored once: how much products differ in it."""


@dataclass(frozen=True)
class Additions:
    """What is added to a stack that was laid out."""

    # Values of small variables, which were laid out without, by name.
    values: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    # Attributes of variables, by name of the variable.
    attributes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    of_stack: Mapping[str, Any] = field(default_factory=dict)  # attributes of the stack

    @classmethod
    def of(
        cls, dataset: xr.Dataset, grid: Grid, findings: Findings, differences: Mapping[str, float]
    ) -> Additions:
        """Return what the pixels showed.

        Parameters
        ----------
        dataset
            The stack as it was laid out.
        findings
            What was learned from the pixels.
        differences
            Largest difference between products, by name of the layer.
        """
        statistics = findings.statistics.items()
        outline = findings.outline
        return cls(
            {name: values for name, values in statistics if name in dataset},
            {name: {DIFFERENCE: value} for name, value in differences.items()},
            outline_attributes(grid, outline) if outline.size else {},
        )

    def add_to(self, dataset: xr.Dataset) -> None:
        """Add everything to a dataset."""
        dataset.attrs.update(self.of_stack)
        for name, attributes in self.attributes.items():
            dataset[name].attrs.update(attributes)
        for name, values in self.values.items():
            dataset[name].values = values
