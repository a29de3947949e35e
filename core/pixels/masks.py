"""Which pixels of a step are valid, and why others are not: made from layers of the products."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..machine.blocks import cached_bands
from ..products.layers import (
    COHERENCE,
    COMPONENTS,
    LAYOVER_SHADOW,
    MASK_FILL,
    UNWRAPPED_PHASE,
    WATER_MASK,
    Layer,
    LayerKind,
    Role,
)

LOW_COHERENCE = 0.1
"""Coherence below which HyP3 leaves pixels out of unwrapping (HyP3 InSAR guide); it applies it to
the coherence after filtering, which is not delivered."""

NO_DATA, VALID, INVALID = 0, 1, 2

_LAYOVER_BITS, _SHADOW_BITS = 4, 16
_INSAR_INPUTS = (COHERENCE, UNWRAPPED_PHASE, WATER_MASK, COMPONENTS)

DATA_MASK = Layer(
    "data_mask",
    LayerKind.CATEGORICAL,
    "1",
    "validity of the pixel",
    role=Role.QUALITY,
    missing=None,
    attributes={
        "standard_name": "quality_flag",
        "flag_values": [NO_DATA, VALID, INVALID],
        "flag_meanings": "no_data valid invalid",
    },
)
"""Not a layer of products: it is made while they are read."""

_INSAR_REASONS = Layer(
    "mask_reason",
    LayerKind.CATEGORICAL,
    "1",
    "reasons why the pixel may not be used",
    role=Role.QUALITY,
    missing=None,
    attributes={
        "standard_name": "status_flag",
        "flag_masks": [1, 2, 4, 8, 16],
        "flag_meanings": "no_data not_unwrapped water low_coherence in_no_component",
        "comment": f"low_coherence: corr below {LOW_COHERENCE}; water and in_no_component only "
        "where the product has a water mask and connected components; HyP3 delivers no layover "
        "and shadow of interferograms",
    },
)

_RTC_REASONS = replace(
    _INSAR_REASONS,
    attributes={
        "standard_name": "status_flag",
        "flag_masks": [1, 2, 4, 8],
        "flag_meanings": "no_data layover shadow polarization_missing",
    },
)

MASK_NAMES = (DATA_MASK.name, _INSAR_REASONS.name)


def mask_inputs(layers: Sequence[Layer]) -> tuple[Layer, ...]:
    """Return the layers of a stack that its masks are made from; empty where they do not suffice.

    Interferograms need coherence and unwrapped phase, backscatter needs layover and shadow.
    """
    names = {layer.name for layer in layers}
    if {COHERENCE, UNWRAPPED_PHASE} <= names:
        return tuple(layer for layer in layers if layer.name in _INSAR_INPUTS)
    if LAYOVER_SHADOW in names and any(layer.is_backscatter for layer in layers):
        return tuple(
            layer for layer in layers if layer.is_backscatter or layer.name == LAYOVER_SHADOW
        )
    return ()


def mask_layers(inputs: Sequence[Layer]) -> tuple[Layer, ...]:
    """Return the masks that are made from given inputs."""
    if not inputs:
        return ()
    is_insar = any(layer.name == COHERENCE for layer in inputs)
    return DATA_MASK, _INSAR_REASONS if is_insar else _RTC_REASONS


class Classifier:
    """Takes the inputs of one block one by one, so that they need not be in memory together."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self._shape = shape
        self._reason = np.zeros(shape, "uint8")
        self._missing: dict[str, NDArray[np.bool_]] = {}

    def add(self, layer: Layer, block: NDArray[Any]) -> None:
        """Take one input, shape (rows, columns)."""
        is_value = not layer.is_mask
        if is_value:
            self._missing[layer.name] = np.empty(self._shape, bool)
        for part in cached_bands(block.shape):
            values, reason = block[part], self._reason[part]
            if is_value:
                np.isnan(values, out=self._missing[layer.name][part])
            if layer.name == COHERENCE:
                # Comparisons with NaN are false.
                reason |= _flag(values < LOW_COHERENCE, 8)
            elif layer.name == WATER_MASK:
                reason |= _flag(values == 0, 4)
            elif layer.name == COMPONENTS:
                reason |= _flag(values == 0, 16)
            elif layer.name == LAYOVER_SHADOW:
                known = values != MASK_FILL
                reason |= _flag((values & _LAYOVER_BITS != 0) & known, 2)
                reason |= _flag((values & _SHADOW_BITS != 0) & known, 4)

    def masks(self) -> Mapping[str, NDArray[np.uint8]]:
        """Return ``data_mask`` and ``mask_reason``."""
        data_mask = np.empty(self._shape, "uint8")
        for part in cached_bands(self._shape):
            reason = self._reason[part]
            missing = {name: values[part] for name, values in self._missing.items()}
            no_data, invalid = _judge(missing, reason)
            reason |= _flag(no_data, 1)
            # NO_DATA, VALID, INVALID are 0, 1, 2; sums are quicker than assignments by mask.
            np.add(np.logical_not(no_data).view("uint8"), invalid.view("uint8"), data_mask[part])
        return dict(zip(MASK_NAMES, (data_mask, self._reason), strict=True))


def _judge(
    missing: Mapping[str, NDArray[np.bool_]], reason: NDArray[np.uint8]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return where there are no data and where they are invalid; adds to the reasons."""
    everything = np.ones(reason.shape, bool)
    if UNWRAPPED_PHASE in missing or COHERENCE in missing:
        unwrapped = missing.get(UNWRAPPED_PHASE, everything)
        no_data = unwrapped & missing.get(COHERENCE, everything)
        invalid: NDArray[np.bool_] = unwrapped & ~no_data
        reason |= _flag(invalid, 2)
        return no_data, invalid
    layers = list(missing.values()) or [everything]
    no_data = np.logical_and.reduce(layers)
    some = np.logical_or.reduce(layers) & ~no_data
    invalid = (reason & 6 != 0) & ~no_data
    reason |= _flag(some, 8)
    return no_data, invalid


def _flag(where: NDArray[np.bool_], bit: int) -> NDArray[np.uint8]:
    """Return a bit where it applies; numpy multiplies bytes faster than it shifts them."""
    return where.view("uint8") * np.uint8(bit)


def outside(shape: tuple[int, int]) -> Mapping[str, NDArray[np.uint8]]:
    """Return the masks of a block that no product reaches."""
    return Classifier(shape).masks()
