"""The file into which series are copied so that maps can be read."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest

from hyp3_stack.core.files.map_file import map_file
from tests.build.disk import mounted


def test_blocks_become_maps(tmp_path: Path) -> None:
    values = np.arange(5 * 7 * 9, dtype="float32").reshape(5, 7, 9)
    every = slice(0, 5), slice(0, 7), slice(0, 9)
    with map_file(tmp_path, values.shape, values.dtype) as file:
        for rows in (slice(0, 4), slice(4, 7)):
            for columns in (slice(0, 6), slice(6, 9)):
                place = every[0], rows, columns
                file.write(place, values[place])
        file.write((2, slice(1, 2), every[2]), -values[2, 1:2])
        values[2, 1:2] *= -1
        assert np.array_equal(file.read(every), values)
        assert np.array_equal(file.read((2, slice(0, 3), slice(1, 5))), values[2, :3, 1:5])
        assert not list(tmp_path.iterdir()), "the file has no name"


def test_a_full_disk_is_an_error_and_does_not_end_the_process(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "size=1m") as disk:
        with pytest.raises(OSError) as caught, map_file(disk, (4, 500, 500), "float32"):
            pass
        assert caught.value.errno == errno.ENOSPC
        with map_file(disk, (1, 300, 300), "float32") as file:
            file.write((0, slice(0, 300), slice(0, 300)), np.ones((300, 300)))
