"""What STAC and its extensions ask of an item and a collection, as far as tests can say it here.

The schemas of STAC itself come with pystac. Those of the extensions are published by their owners
(https://stac-extensions.github.io) and are not part of this repository: the rules below say in our
own words which fields they know and of which kind these are. Where the environment variable
``HYP3_STACK_STAC_SCHEMAS`` names a folder with the published files, as
``EXTENSION/VERSION/schema.json``, the tests use these too.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyproj
from jsonschema import Draft7Validator
from pystac.validation.local_validator import get_local_schema_cache
from referencing import Registry, Resource

PUBLISHED = os.environ.get("HYP3_STACK_STAC_SCHEMAS")

_NUMBER = {"type": "number"}
_TEXT = {"type": "string", "minLength": 1}
_COUNT = {"type": "integer", "minimum": 1}
_TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"}


def _numbers(count: int) -> dict[str, Any]:
    return {"type": "array", "items": _NUMBER, "minItems": count, "maxItems": count}


def _fields(prefix: str, required: tuple[str, ...], **known: Any) -> dict[str, Any]:
    """Return a schema that knows all fields of a prefix."""
    return {
        "type": "object",
        "required": [f"{prefix}:{name}" for name in required],
        "properties": {f"{prefix}:{name}": schema for name, schema in known.items()},
        "patternProperties": {f"^(?!{prefix}:)": {}},
        "additionalProperties": False,
    }


_SPATIAL = {
    "required": ["type", "axis", "extent", "step", "unit", "reference_system"],
    "properties": {
        "axis": {"enum": ["x", "y"]},
        "extent": _numbers(2),
        "step": {"type": "number", "exclusiveMinimum": 0},
        "unit": {"const": "m"},
        "reference_system": {"type": ["integer", "string"]},
    },
}
_TEMPORAL = {
    "required": ["type", "extent"],
    "properties": {
        "extent": {"type": "array", "items": _TIME, "minItems": 2, "maxItems": 2},
        "values": {"type": "array", "items": _TIME, "minItems": 1},
    },
    "not": {"required": ["axis"]},
}
_OTHER = {
    "required": ["type", "values"],
    "properties": {"values": {"type": "array", "items": {"type": ["number", "string"]}}},
    "not": {"required": ["axis"]},
}


def _when(kind: str, then: Mapping[str, Any], otherwise: Mapping[str, Any]) -> dict[str, Any]:
    return {"if": {"properties": {"type": {"const": kind}}}, "then": then, "else": otherwise}


_DIMENSION = {
    "type": "object",
    "required": ["type"],
    **_when("spatial", _SPATIAL, _when("temporal", _TEMPORAL, _OTHER)),
}
_VARIABLE = {
    "type": "object",
    "required": ["dimensions", "type"],
    "properties": {
        "dimensions": {"type": "array", "items": _TEXT},
        "type": {"enum": ["data", "auxiliary"]},
        "description": _TEXT,
        "unit": _TEXT,
        "values": {"type": "array", "minItems": 1, "items": {"type": ["number", "string"]}},
        "extent": {"type": "array", "minItems": 2, "maxItems": 2},
    },
    "additionalProperties": False,
}

OWN: dict[str, dict[str, Any]] = {
    "projection/v2.0.0": _fields(
        "proj",
        ("code", "bbox", "shape", "transform"),
        code={"type": ["string", "null"], "pattern": r"^[A-Z0-9_]+:[0-9A-Z]+$"},
        wkt2=_TEXT,
        bbox=_numbers(4),
        shape={"type": "array", "items": _COUNT, "minItems": 2, "maxItems": 2},
        transform=_numbers(6),
    ),
    "sar/v1.0.0": _fields(
        "sar",
        ("instrument_mode", "frequency_band", "polarizations", "product_type"),
        instrument_mode=_TEXT,
        frequency_band={"enum": ["P", "L", "S", "C", "X", "Ku", "K", "Ka"]},
        center_frequency={"type": "number", "minimum": 4, "maximum": 8},
        polarizations={
            "type": "array",
            "uniqueItems": True,
            "minItems": 1,
            "items": {"enum": ["HH", "VV", "HV", "VH"]},
        },
        product_type=_TEXT,
        looks_range=_COUNT,
        looks_azimuth=_COUNT,
        observation_direction={"enum": ["left", "right"]},
    ),
    "sat/v1.0.0": _fields(
        "sat",
        (),
        orbit_state={"enum": ["ascending", "descending", "geostationary"]},
        relative_orbit=_COUNT,
        absolute_orbit=_COUNT,
    ),
    "datacube/v2.2.0": _fields(
        "cube",
        ("dimensions", "variables"),
        dimensions={"type": "object", "minProperties": 3, "additionalProperties": _DIMENSION},
        variables={"type": "object", "minProperties": 1, "additionalProperties": _VARIABLE},
    ),
    "insar/v1.0.0": {
        **_fields(
            "insar",
            (),
            perpendicular_baseline=_NUMBER,
            temporal_baseline=_NUMBER,
            reference_datetime=_TIME,
            secondary_datetime=_TIME,
            processing_dem=_TEXT,
            geocoding_dem=_TEXT,
        ),
        "minProperties": 1,
    },
}
"""What the properties of an item have to be, by extension."""


def errors(content: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with an item or a collection."""
    kind = {"Feature": "item", "Collection": "collection"}[content["type"]]
    schemas = get_local_schema_cache()
    core = f"https://schemas.stacspec.org/v1.1.0/{kind}-spec/json-schema/{kind}.json"
    wanted = {core: schemas[core]}
    wanted |= {uri: schema for uri, schema in _published() if uri in content["stac_extensions"]}
    registry = Registry().with_resources(
        [(uri, Resource.from_contents(schema)) for uri, schema in _references(schemas)]
    )
    found = [
        f"{uri}: {list(error.absolute_path)}: {error.message}"
        for uri, schema in wanted.items()
        for error in Draft7Validator(schema, registry=registry).iter_errors(content)
    ]
    if kind == "item":
        for name, schema in OWN.items():
            uri = f"https://stac-extensions.github.io/{name}/schema.json"
            prefixes = tuple(key.split(":")[0] for key in schema["properties"])
            used = any(key.split(":")[0] in prefixes for key in content["properties"])
            if used != (uri in content["stac_extensions"]):
                found.append(f"{name}: fields and stac_extensions do not agree")
            if used:
                found += [
                    f"{name}: {list(error.absolute_path)}: {error.message}"
                    for error in Draft7Validator(schema).iter_errors(content["properties"])
                ]
    return found


def _references(schemas: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from schemas.items()
    yield from _published()
    # PROJ ships the schema that the extensions refer to under the names of its versions.
    file = Path(pyproj.datadir.get_data_dir()) / "projjson.schema.json"
    projjson = json.loads(file.read_text(encoding="utf-8"))
    for version in ("v0.4", "v0.7"):
        yield f"https://proj.org/schemas/{version}/projjson.schema.json", projjson


def _published() -> Iterator[tuple[str, Any]]:
    for path in sorted(Path(PUBLISHED).glob("*/*/schema.json")) if PUBLISHED else ():
        schema = json.loads(path.read_text(encoding="utf-8"))
        yield schema["$id"].rstrip("#"), schema
