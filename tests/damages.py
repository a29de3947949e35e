"""Damage of written stacks, seeded, so that each can be made again; QGIS's Python reads it, too."""

import random
import shutil

_DOCUMENTS = (".zarray", ".zattrs", ".zgroup", ".zmetadata", "zarr.json")


def damaged_copy(source, target, seed):
    """Copy a NetCDF file or Zarr store and damage one file; return what was done, in words.

    Bits flip, bytes change, ranges become zero or change places, or the end is missing. Of a store,
    every other time that is one of the documents, of which there are few beside the chunks.
    """
    chance = random.Random(seed)
    file = target
    if source.is_dir():
        shutil.copytree(source, target)
        files = sorted(path for path in target.rglob("*") if path.is_file())
        documents = [path for path in files if path.name in _DOCUMENTS]
        file = chance.choice(documents if chance.random() < 0.5 else files)
    else:
        shutil.copy(source, target)
    content = bytearray(file.read_bytes())
    kind = chance.choice(("bits", "bits", "bytes", "zeros", "swapped", "cut"))
    _KINDS[kind](content, chance)
    file.write_bytes(content)
    return f"seed {seed}: {kind} in {file.name}"


def _bits(content, chance):
    for _ in range(chance.choice((1, 3, 20, 200))):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)


def _bytes(content, chance):
    for _ in range(chance.choice((1, 5, 50, 500))):
        content[chance.randrange(len(content))] = chance.randrange(256)


def _zeros(content, chance):
    begin = chance.randrange(len(content))
    end = min(len(content), begin + chance.choice((1, 4, 8, 64, 512, 4096)))
    content[begin:end] = bytes(end - begin)


def _swapped(content, chance):
    size = min(chance.choice((8, 64, 512)), len(content) // 2)
    one = chance.randrange(len(content) // 2 - size + 1)
    other = chance.randrange(len(content) // 2, len(content) - size + 1)
    one, other = slice(one, one + size), slice(other, other + size)
    content[one], content[other] = content[other], content[one]


def _cut(content, chance):
    del content[chance.randrange(len(content)) :]


_KINDS = {"bits": _bits, "bytes": _bytes, "zeros": _zeros, "swapped": _swapped, "cut": _cut}
