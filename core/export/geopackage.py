"""A GeoPackage with one layer of points, written with SQLite alone.

The tables are those of OGC 12-128r18, GeoPackage 1.3: the required ones (clause 2.1), and the
spatial index (annex F.3), without which large layers draw slowly.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS

from ..grid.lattice import Grid
from ..run.reporter import Reporter, stop_if_canceled

Batch = tuple[NDArray[np.float64], NDArray[np.float64], list[NDArray[Any]]]
"""x, y and the fields of some points, each of shape (points,)."""

_ROWS = 20_000
"""Points that are Python's objects at once."""

_WITHOUT_CODE = 100_000
"""Number of a CRS that has no code of EPSG."""

_POINT = np.dtype(
    [
        ("magic", "S2"),
        ("version", "u1"),
        ("flags", "u1"),
        ("srs", "<i4"),
        ("order", "u1"),
        ("type", "<u4"),
        ("x", "<f8"),
        ("y", "<f8"),
    ]
)
"""Header of a geometry without envelope, and a point as well-known binary; little-endian."""

_TABLES = """
CREATE TABLE gpkg_spatial_ref_sys (
    srs_name TEXT NOT NULL, srs_id INTEGER PRIMARY KEY, organization TEXT NOT NULL,
    organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
CREATE TABLE gpkg_contents (
    table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE,
    description TEXT DEFAULT '',
    last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
    min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER,
    CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id));
CREATE TABLE gpkg_geometry_columns (
    table_name TEXT NOT NULL, column_name TEXT NOT NULL, geometry_type_name TEXT NOT NULL,
    srs_id INTEGER NOT NULL, z TINYINT NOT NULL, m TINYINT NOT NULL,
    CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name),
    CONSTRAINT uk_gc_table_name UNIQUE (table_name),
    CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
    CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id));
CREATE TABLE gpkg_extensions (
    table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL, definition TEXT NOT NULL,
    scope TEXT NOT NULL,
    CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name));
"""

_INDEXED = "NEW.geom NOT NULL AND NOT ST_IsEmpty(NEW.geom)"
_BOX = "ST_MinX(NEW.geom), ST_MaxX(NEW.geom), ST_MinY(NEW.geom), ST_MaxY(NEW.geom)"

_TRIGGERS = {
    "insert": ("INSERT", f"WHEN ({_INDEXED})", "put"),
    "update1": ("UPDATE OF geom", f"WHEN OLD.fid = NEW.fid AND ({_INDEXED})", "put"),
    "update2": ("UPDATE OF geom", f"WHEN OLD.fid = NEW.fid AND NOT ({_INDEXED})", "drop"),
    "update3": ("UPDATE", f"WHEN OLD.fid != NEW.fid AND ({_INDEXED})", "drop put"),
    "update4": ("UPDATE", f"WHEN OLD.fid != NEW.fid AND NOT ({_INDEXED})", "drop_both"),
    "delete": ("DELETE", "WHEN OLD.geom NOT NULL", "drop"),
}
"""After what, under which condition, and what then keeps the spatial index in step."""


@dataclass(frozen=True)
class PointTable:
    """A layer of points with fields of numbers."""

    name: str  # of the layer
    grid: Grid  # for its CRS
    fields: tuple[str, ...]  # names of the fields


def write_points(
    path: Path, table: PointTable, batches: Iterable[Batch], count: int, reporter: Reporter
) -> None:
    """Write a GeoPackage with one layer of points.

    Parameters
    ----------
    path
        The file, which is not there yet.
    batches
        Its points; NaN becomes NULL.
    count
        How many there are, for progress.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            # A file that is not complete is removed, so that nothing has to be undone.
            database.executescript(
                "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
                "PRAGMA application_id = 1196444487; PRAGMA user_version = 10300;"
            )
            database.execute("BEGIN")
            _describe(database, table)
            _fill(database, table, batches, count, reporter)
            _add_triggers(database, table.name)
            database.execute("COMMIT")
    except sqlite3.Error as error:
        raise OSError(f"{path.name}: {error}") from error


def _describe(database: sqlite3.Connection, table: PointTable) -> None:
    for statement in _TABLES.split(";"):
        database.execute(statement)
    crs = CRS.from_wkt(table.grid.wkt)
    number = table.grid.epsg or _WITHOUT_CODE
    organization = "EPSG" if table.grid.epsg else "NONE"
    undefined = [("undefined", code, "NONE", code, "undefined") for code in (-1, 0)]
    systems = [
        *undefined,
        ("WGS 84", 4326, "EPSG", 4326, CRS.from_epsg(4326).to_wkt("WKT1_GDAL")),
        (crs.name, number, organization, number, crs.to_wkt("WKT1_GDAL")),
    ]
    database.executemany(
        "INSERT OR IGNORE INTO gpkg_spatial_ref_sys VALUES (?, ?, ?, ?, ?, NULL)", systems
    )
    name, index = table.name, f"rtree_{table.name}_geom"
    left, bottom, right, top = table.grid.bounds
    database.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, min_x, min_y, max_x, max_y,"
        " srs_id) VALUES (?, 'features', ?, ?, ?, ?, ?, ?)",
        (name, name, left, bottom, right, top, number),
    )
    database.execute(
        "INSERT INTO gpkg_geometry_columns VALUES (?, 'geom', 'POINT', ?, 0, 0)", (name, number)
    )
    database.execute(
        "INSERT INTO gpkg_extensions VALUES (?, 'geom', 'gpkg_rtree_index',"
        " 'http://www.geopackage.org/spec130/#extension_rtree', 'write-only')",
        (name,),
    )
    fields = "".join(f', "{field}" REAL' for field in table.fields)
    database.execute(
        f'CREATE TABLE "{name}" (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, '
        f"geom POINT{fields})"
    )
    database.execute(f'CREATE VIRTUAL TABLE "{index}" USING rtree(id, minx, maxx, miny, maxy)')


def _fill(
    database: sqlite3.Connection,
    table: PointTable,
    batches: Iterable[Batch],
    count: int,
    reporter: Reporter,
) -> None:
    code = table.grid.epsg or _WITHOUT_CODE
    marks = ", ".join("?" * (len(table.fields) + 2))
    insert = f'INSERT INTO "{table.name}" VALUES ({marks})'  # nosec B608 - our own name
    index = f'INSERT INTO "rtree_{table.name}_geom" VALUES (?, ?, ?, ?, ?)'  # nosec B608 - ours
    done = 0
    for xs, ys, fields in batches:
        for begin in range(0, xs.size, _ROWS):
            stop_if_canceled(reporter)
            some = slice(begin, begin + _ROWS)
            x, y = xs[some], ys[some]
            numbers = range(done + 1, done + 1 + x.size)
            columns = [field[some].tolist() for field in fields]
            database.executemany(
                insert, zip(numbers, _geometries(x, y, code), *columns, strict=True)
            )
            sides = [x.tolist(), x.tolist(), y.tolist(), y.tolist()]
            database.executemany(index, zip(numbers, *sides, strict=True))
            done += x.size
            reporter.progress(100.0 * done / max(count, 1))


def _geometries(x: NDArray[np.float64], y: NDArray[np.float64], code: int) -> list[bytes]:
    points = np.zeros(x.size, _POINT)
    points["magic"], points["flags"], points["srs"] = b"GP", 1, code
    points["order"], points["type"], points["x"], points["y"] = 1, 1, x, y
    data, size = points.tobytes(), _POINT.itemsize
    return [data[begin : begin + size] for begin in range(0, len(data), size)]


def _add_triggers(database: sqlite3.Connection, name: str) -> None:
    """Let other programs that change a point change the spatial index, too."""
    index = f"rtree_{name}_geom"
    actions = {
        "put": f'INSERT OR REPLACE INTO "{index}" VALUES (NEW.fid, {_BOX});',
        "drop": f'DELETE FROM "{index}" WHERE id = OLD.fid;',  # nosec B608 - our own name
        "drop_both": f'DELETE FROM "{index}" WHERE id IN (OLD.fid, NEW.fid);',  # nosec B608 - ours
    }
    for trigger, (event, condition, does) in _TRIGGERS.items():
        body = " ".join(actions[action] for action in does.split())
        database.execute(
            f'CREATE TRIGGER "{index}_{trigger}" AFTER {event} ON "{name}" {condition} '
            f"BEGIN {body} END"
        )
