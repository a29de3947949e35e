"""Finds the islands of the maps of all pairs, however the chunks of the stack lie."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..files.map_file import map_file
from ..machine.blocks import run_blocks
from ..machine.disk import has_room
from ..run.reporter import Reporter, step
from .inversion_blocks import FIXED_BYTES
from .pair_selection import PairSelection
from .unwrapping.islands import Islands, find_islands
from .unwrapping.repair import sample_step

_BYTES_OF_A_MAP = 32
"""For each pixel of a map in which islands are sought: phase, components, regions and copies."""

_Maps = tuple[NDArray[np.float32], NDArray[np.float32] | None]
"""Phase and, if there are any, components of some pairs, each of shape (pairs, rows, columns)."""

_ReadMaps = Callable[[slice, Reporter], _Maps]


def survey_islands(
    selection: PairSelection,
    phases: NDArray[np.float64],
    reference: tuple[int, int],
    megabytes: float,
    threads: int,
    reporter: Reporter,
    folder: Path | None = None,
) -> list[Islands]:
    """Find the islands of all pairs.

    A stack whose chunks hold more pairs than have room in memory is put into a file of maps, in one
    pass; without a folder for it, it is read as often as it takes.

    Parameters
    ----------
    phases
        What is subtracted from each pair; shape (M,).
    reference
        Row and column of the middle of the reference area.
    megabytes
        What the process may take, 10^6 bytes.
    threads
        Maps that are searched at once.
    folder
        Where that file may be.
    """
    grid, count = selection.grid, selection.pairs.size
    pixels = grid.height * grid.width
    layers = 1 + selection.has_components
    free = megabytes * 1e6 - FIXED_BYTES - threads * _BYTES_OF_A_MAP * pixels
    together = max(1, int(free // (4 * layers * pixels)))
    is_by_pair = selection.chunks[0] == 1
    size = 4 * layers * pixels * count
    if is_by_pair or together >= count or folder is None or not has_room(folder, size):
        together = min(together, threads) if is_by_pair else together
        return _search_all(
            selection, phases, reference, together, threads, reporter, _read(selection, threads)
        )
    with _maps_on_disk(selection, folder, megabytes, threads, reporter) as read:
        with step(reporter, 50.0, 100.0) as searching:
            return _search_all(selection, phases, reference, threads, threads, searching, read)


def _search_all(
    selection: PairSelection,
    phases: NDArray[np.float64],
    reference: tuple[int, int],
    together: int,
    threads: int,
    reporter: Reporter,
    read: _ReadMaps,
) -> list[Islands]:
    """Read some maps at once and find their islands, until all are done."""
    grid, count = selection.grid, selection.pairs.size
    distance = sample_step((grid.height, grid.width))
    found: dict[int, Islands] = {}
    for first in range(0, count, together):
        last = min(first + together, count)
        with step(reporter, 100.0 * first / count, 100.0 * last / count) as part:
            with step(part, 0.0, 70.0) as reading:
                maps, components = read(slice(first, last), reading)

            def search(
                pair: int,
                first: int = first,
                maps: NDArray[np.float32] = maps,
                components: NDArray[np.float32] | None = components,
            ) -> None:
                found[pair] = find_islands(
                    maps[pair - first] - np.float32(phases[pair]),
                    grid.spacing,
                    reference,
                    distance,
                    None if components is None else components[pair - first],
                )

            with step(part, 70.0, 100.0) as searching:
                run_blocks(search, range(first, last), last - first, searching, threads)
    return [found[number] for number in range(count)]


def _read(selection: PairSelection, threads: int) -> _ReadMaps:
    """Return what reads the maps of some pairs from the stack."""
    whole = slice(0, selection.grid.height), slice(0, selection.grid.width)

    def read(pairs: slice, reporter: Reporter) -> _Maps:
        chosen = np.zeros(selection.pairs.size, bool)
        chosen[pairs] = True
        some = selection.only(chosen)
        with step(reporter, 0.0, 70.0) as reading:
            maps = some.phase(*whole, threads, reading)
        if not selection.has_components:
            return maps, None
        with step(reporter, 70.0, 100.0) as reading:
            return maps, some.components(*whole, threads, reading)

    return read


@contextmanager
def _maps_on_disk(
    selection: PairSelection,
    folder: Path,
    megabytes: float,
    threads: int,
    reporter: Reporter,
) -> Iterator[_ReadMaps]:
    """Copy the stack into files of maps and give what reads them."""
    grid, count = selection.grid, selection.pairs.size
    shape, columns = (grid.height, grid.width), slice(0, grid.width)
    layers = [selection.phase, *([selection.components] if selection.has_components else [])]
    # Half of the memory is for a band of rows of all pairs, the rest for what is decompressed.
    rows = max(1, int((megabytes * 1e6 - FIXED_BYTES) / 2 // (4 * count * grid.width)))
    high = selection.chunks[1]
    rows = rows // high * high or rows
    bands = [slice(top, min(top + rows, grid.height)) for top in range(0, grid.height, rows)]
    with ExitStack() as opened:
        made = (map_file(folder, (count, *shape), np.float32) for _ in layers)
        files = [opened.enter_context(file) for file in made]
        for number, (file, read_layer) in enumerate(zip(files, layers, strict=True)):
            for place, band in enumerate(bands):
                done = (number + np.array([place, place + 1]) / len(bands)) * 50.0 / len(layers)
                with step(reporter, *done.tolist()) as copying:
                    block = read_layer(band, columns, threads, copying)
                for pair, part in enumerate(block):
                    file.write((pair, band, columns), part)

        def read(pairs: slice, reporter: Reporter) -> _Maps:
            maps, *components = (
                file.read((pairs, slice(0, grid.height), columns)) for file in files
            )
            return maps, components[0] if components else None

        yield read
