"""Ways to spoil a zip, each of which some program or some attacker has found."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

_LOCAL, _CENTRAL, _END = b"PK\3\4", b"PK\1\2", b"PK\5\6"


def _each(content: bytearray, mark: bytes) -> list[int]:
    places, place = [], content.find(mark)
    while place >= 0:
        places.append(place)
        place = content.find(mark, place + 4)
    return places


def _end(content: bytearray) -> int:
    return content.rfind(_END)


def _put(offsets: tuple[int, int], value: bytes) -> Callable[[bytearray], None]:
    """Return what writes a value into all headers: of members, and in the table of contents."""

    def spoil(content: bytearray) -> None:
        for mark, offset in zip((_LOCAL, _CENTRAL), offsets, strict=True):
            for place in _each(content, mark):
                content[place + offset : place + offset + len(value)] = value

    return spoil


def _add(name: str, data: bytes = b"x") -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        with zipfile.ZipFile(path, "a") as archive:
            entry = zipfile.ZipInfo(path.stem + "/a")
            entry.filename = name.format(path.stem)
            archive.writestr(entry, data)

    return spoil


def _not_utf8(path: Path) -> None:
    _add("{}/zz.txt")(path)
    content = bytearray(path.read_bytes().replace(b"zz.txt", b"\xff\xfe.txt"))
    _put((6, 8), struct.pack("<H", 0x800))(content)
    path.write_bytes(content)


def _far_end(size: int, offset: int) -> Callable[[bytearray], None]:
    def spoil(content: bytearray) -> None:
        end = _end(content)
        count = struct.unpack_from("<H", content, end + 10)[0]
        far = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, offset)
        content[end:end] = far + struct.pack("<4sIQI", b"PK\6\7", 0, end, 1)

    return spoil


def _overlap(content: bytearray) -> None:
    first, second, *_ = _each(content, _CENTRAL)
    content[second + 42 : second + 46] = content[first + 42 : first + 46]


def _fewer(content: bytearray) -> None:
    """Take the last two members out of the table of contents, so that its end agrees."""
    places, end = _each(content, _CENTRAL), _end(content)
    gone = end - places[-2]
    del content[places[-2] : end]
    end -= gone
    count = len(places) - 2
    struct.pack_into("<HHI", content, end + 8, count, count, end - places[0])


def _number(offset: int, form: str, value: int) -> Callable[[bytearray], None]:
    def spoil(content: bytearray) -> None:
        struct.pack_into(form, content, _end(content) + offset, value)

    return spoil


def _only_a_zip(path: Path) -> None:
    inner = path.read_bytes()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(path.name, inner)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


_BYTES: dict[str, Callable[[bytearray], None]] = {
    "unknown compression": _put((8, 10), struct.pack("<H", 99)),
    "unknown version": _put((4, 6), struct.pack("<H", 999)),
    "encrypted": _put((6, 8), b"\1"),
    "strongly encrypted": _put((6, 8), b"\x41"),
    "patched": _put((6, 8), b"\x20"),
    "sizes beyond the file": _put((18, 20), struct.pack("<II", 0x7FFFFFFF, 0x7FFFFFFF)),
    "size of 4 GB": _put((22, 24), struct.pack("<I", 0xFFFFFFFE)),
    "zip64 without zip64": _put((18, 20), b"\xff" * 8),
    "zip64 of exabytes": _far_end(1 << 62, 0),
    "zip64 before the begin": _far_end(0, (1 << 64) - 1),
    "overlapping": _overlap,
    "fewer members": _fewer,
    "count": _number(10, "<H", 1),
    "directory of 4 GB": _number(12, "<I", 0xFFFFFFFE),
    "directory elsewhere": _number(16, "<I", 0xFFFFFFFE),
    "second disk": _number(4, "<H", 7),
    "nothing": lambda content: content.clear(),
    "zeros": lambda content: content.__setitem__(slice(None), bytes(len(content))),
    "end lost": lambda content: content.__delitem__(slice(-30, None)),
    "begin lost": lambda content: content.__delitem__(slice(0, 3000)),
}
_PATHS: dict[str, Callable[[Path], None]] = {
    "not UTF-8": _not_utf8,
    "twice": lambda path: _add("{0}/{0}_corr.tif")(path),
    "only a zip": _only_a_zip,
    "folder": _folder,
}
_BESIDE = {
    "absolute path": _add("/etc/evil.txt"),
    "path upward": _add("{}/../../evil.txt"),
    "drive": _add("C:\\evil.txt"),
    "long name": _add("{}/" + "x" * 5000),
}

BAD = (*_BYTES, *_PATHS)
"""Of which nothing can be used."""

HOSTILE = tuple(_BESIDE)
"""With a product that is whole, and a member that leads elsewhere."""


def spoil(path: Path, how: str) -> None:
    """Spoil a zip of a product in one way."""
    if how in _BYTES:
        content = bytearray(path.read_bytes())
        _BYTES[how](content)
        path.write_bytes(content)
    else:
        (_PATHS | _BESIDE)[how](path)
