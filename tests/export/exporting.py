"""Runs ``exportstack`` in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import xarray as xr

from hyp3_stack.core.run.reporter import SilentReporter
from hyp3_stack.core.tasks import export_stack
from tests.running import Run


def export(
    stack: Path, folder: Path, reporter: SilentReporter | None = None, **parameters: Any
) -> Run:
    """Export a stack into a folder."""
    reporter = reporter or SilentReporter()
    given = {"INPUT": str(stack), "OUTPUT": str(folder), **parameters}
    outputs = export_stack.run(given, None, reporter)
    return Run(outputs, reporter.infos, reporter.warnings)


def group(folder: Path, chunking: str, **options: Any) -> xr.Dataset:
    """Open the stack of a chunking among those of the fixture ``wide``."""
    name = f"{chunking.removesuffix('al')}ally_optimized"
    return xr.open_zarr(folder / f"{chunking}.zarr", group=name, **options)


def collection(*points: tuple[float, float, dict[str, Any]]) -> dict[str, Any]:
    """Return points as the QGIS side hands them over: longitude, latitude and attributes."""
    features = [
        {
            "type": "Feature",
            "properties": properties,
            "geometry": {"type": "Point", "coordinates": [longitude, latitude]},
        }
        for longitude, latitude, properties in points
    ]
    return {"type": "FeatureCollection", "features": features}
