"""A minimal ESRI shapefile with one polygon."""

from __future__ import annotations

import struct
from pathlib import Path

from pyproj import CRS

POLYGON = 5


def write_polygon(stem: Path, corners: list[tuple[float, float]], epsg: int, label: str) -> None:
    """Write ``stem`` + .shp, .shx, .dbf, .prj for a ring of corners (clockwise, not closed)."""
    ring = [*corners, corners[0]]
    xs, ys = zip(*ring, strict=True)
    box = struct.pack("<4d", min(xs), min(ys), max(xs), max(ys))
    points = b"".join(struct.pack("<2d", *point) for point in ring)
    record = struct.pack("<i", POLYGON) + box + struct.pack("<3i", 1, len(ring), 0) + points
    words = len(record) // 2
    tail = struct.pack("<2i", 1000, POLYGON) + box + bytes(32)

    def header(length: int) -> bytes:
        return struct.pack(">7i", 9994, 0, 0, 0, 0, 0, length) + tail

    shape = header(54 + words) + struct.pack(">2i", 1, words) + record
    index = header(54) + struct.pack(">2i", 50, words)
    Path(f"{stem}.shp").write_bytes(shape)
    Path(f"{stem}.shx").write_bytes(index)
    width = 80
    field = b"name".ljust(11, b"\0") + b"C" + bytes(4) + bytes([width, 0]) + bytes(14)
    head = struct.pack("<4BIHH20x", 3, 125, 6, 1, 1, 32 + 32 + 1, 1 + width)
    row = b" " + label.encode("ascii")[:width].ljust(width)
    Path(f"{stem}.dbf").write_bytes(head + field + b"\r" + row + b"\x1a")
    Path(f"{stem}.prj").write_text(CRS.from_epsg(epsg).to_wkt("WKT1_ESRI"), encoding="ascii")
