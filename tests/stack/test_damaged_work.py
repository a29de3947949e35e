"""What a stopped build has left may be damaged: it ends equal, or in a sentence, never different.

``HYP3_STACK_DAMAGES`` sets how many damaged folders are tried, ``HYP3_STACK_SEED`` the first seed.
"""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest

from tests.sample_products import SampleStack

from .interrupted import assert_same, interrupt, outputs
from .running import build, leftovers

DAMAGES = int(os.environ.get("HYP3_STACK_DAMAGES", "6"))
SEED = int(os.environ.get("HYP3_STACK_SEED", "20261130"))
STOPS = (25, 45, 70, 91)


@pytest.fixture(scope="module")
def undisturbed(small: SampleStack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed")
    build(small.folder, **outputs(folder))
    return folder


@pytest.fixture(scope="module")
def stopped(small: SampleStack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for outputs, beside which copies of it wait as builds that stopped have left it."""
    folder = tmp_path_factory.mktemp("stopped") / "out"
    for percent in STOPS:
        interrupt(small.folder, percent, **outputs(folder))
        shutil.copytree(folder, folder.with_name(str(percent)))
        shutil.rmtree(folder)
    return folder


def damage(path: Path, others: list[Path], chance: random.Random) -> str:
    """Do something to a file that disks and people do."""
    data = bytearray(path.read_bytes())
    kind = chance.choice(["removed", "emptied", "cut", "zeroed", "flipped", "swapped", "grown"])
    if kind == "removed":
        path.unlink()
        return kind
    if kind == "cut":
        del data[chance.randrange(len(data) + 1) :]
    elif kind == "emptied":
        data.clear()
    elif kind == "zeroed":
        begin = chance.randrange(len(data) + 1)
        data[begin:] = bytes(len(data) - begin)
    elif kind == "flipped" and data:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    elif kind == "grown":
        data += bytes(chance.randrange(1, 100))
    elif kind == "swapped":
        other = chance.choice(others)
        content = other.read_bytes()
        other.write_bytes(data)
        data = bytearray(content)
    path.write_bytes(data)
    return kind


@pytest.mark.parametrize("seed", range(SEED, SEED + DAMAGES))
def test_damage_to_what_is_kept(
    small: SampleStack, undisturbed: Path, stopped: Path, seed: int
) -> None:
    chance = random.Random(seed)
    shutil.rmtree(stopped, ignore_errors=True)
    shutil.copytree(stopped.with_name(str(chance.choice(STOPS))), stopped)
    files = sorted(path for path in stopped.rglob("*") if path.is_file() and path.name != "lock")
    # Chunks by far outnumber the journal, which counts as much.
    journal = [path for path in files if path.name.startswith("journal")]
    for _ in range(chance.randrange(1, 4)):
        path = chance.choice(journal if chance.random() < 0.2 else files)
        if path.exists():
            done = damage(path, [other for other in files if other.exists()], chance)
            print(seed, path.relative_to(stopped), done)
    build(small.folder, **outputs(stopped))
    assert_same(stopped, undisturbed)
    assert not leftovers(stopped)


@pytest.mark.parametrize("percent", STOPS)
def test_every_noted_chunk_is_missed(
    small: SampleStack, undisturbed: Path, stopped: Path, percent: int
) -> None:
    """Of each output one chunk is gone and one has a bit flipped."""
    shutil.rmtree(stopped, ignore_errors=True)
    shutil.copytree(stopped.with_name(str(percent)), stopped)
    for pattern in ("chunks/*", "s.zarr/spatially_optimized/corr/*.*.*"):
        found = sorted(stopped.glob(f".s.*/{pattern}"))
        if found:
            found[0].unlink()
        if len(found) > 1:
            data = bytearray(found[-1].read_bytes())
            data[-1] ^= 1
            found[-1].write_bytes(data)
    run = build(small.folder, **outputs(stopped))
    assert any("Going on" in text and "damaged" in text for text in run.infos)
    assert_same(stopped, undisturbed)
