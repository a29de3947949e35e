"""Frames: whether the products of a stack show the same ground."""

from __future__ import annotations

from collections.abc import Sequence

from .extent import Bounds, shared_area
from .placement import Placement

SHARED = 0.5
"""Products that share less than this part of the smaller one's area are other frames; those of one
frame differ by a few percent, neighboring frames share about a tenth."""


def group_frames(placements: Sequence[Placement]) -> list[list[Placement]]:
    """Group products by frame: those of a group mostly cover the ground of its first one."""
    frames: list[list[Placement]] = []
    for placement in placements:
        for frame in frames:
            if _shared(frame[0].bounds, placement.bounds) >= SHARED:
                frame.append(placement)
                break
        else:
            frames.append([placement])
    return frames


def frame_warning(placements: Sequence[Placement]) -> str | None:
    """Return a sentence where interferograms lie in several frames, else None.

    Each interferogram has its own phase reference, so that frames cannot be joined, and a stack of
    several frames is mostly empty.
    """
    frames = group_frames(placements)
    if len(frames) < 2:
        return None
    listed = "; ".join(f"{len(frame)}, such as {frame[0].product}" for frame in frames)
    return (
        f"The products lie in {len(frames)} frames that share little ground ({listed}); build a "
        "stack of each frame from a folder of its own, or cut the stack by EXTENT to what they "
        "share."
    )


def _shared(one: Bounds, other: Bounds) -> float:
    """Return the common area of two boxes as part of the smaller one."""
    return shared_area(one, other) / min(shared_area(box, box) for box in (one, other))
