"""The job of ``hyp3:buildstack``, read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..contract import Task
from ..errors import InvalidParameterError, OutputError
from ..grid.plan import GridOptions
from ..grid.target import parse_target_crs
from ..metadata.data_access import parse_data_access
from ..outputs.options import BuildOptions, read_outputs
from ..outputs.output_paths import check_outputs
from ..pages.report_files import check_targets
from ..pixels.look_vectors import check_angles
from ..pixels.precision import parse_keep_bits
from ..pixels.reference_point import AUTO, parse_point
from ..pixels.values import ValueOptions
from ..products.product_types import PRODUCT_TYPES
from ..run.parameters import Parameters
from ..selection.selection import SelectionOptions
from ..stac.stac_catalog import check_catalog


@dataclass(frozen=True)
class StackRequest:
    """A checked ``buildstack`` job."""

    folder: Path
    selection: SelectionOptions
    grid: GridOptions
    build: BuildOptions
    report: Path | None = None
    stac: bool = False
    plan_only: bool = False

    @classmethod
    def from_parameters(cls, values: Mapping[str, Any]) -> StackRequest:
        """Read and check the parameters of a job.

        Raises
        ------
        InvalidParameterError, OutputError
            If a parameter is missing or wrong.
        """
        given = Parameters(values, Task.BUILD_STACK)
        start, end = given.period()
        only = given.names("PRODUCTS")
        point = given.text("REFERENCE_POINT")
        if point is not None and point.lower() == AUTO:
            point = AUTO
        elif point is not None:
            parse_point(point)
        zarr_format = int(given.choice("ZARR_FORMAT"))
        scale = given.choice("SCALE")
        access = given.text("DATA_ACCESS")
        target_crs = given.text("TARGET_CRS")
        if target_crs is not None:
            parse_target_crs(target_crs)
        request = cls(
            folder=given.folder("INPUT"),
            selection=SelectionOptions(
                product_type=given.choice("PRODUCT_TYPE"),
                layers=given.names("LAYERS"),
                start=start,
                end=end,
                skip_bad=given.choice("ON_BAD_PRODUCT") == "skip",
                only=frozenset(only) if only else None,
                merge_passes=given.flag("MERGE_PASSES"),
            ),
            grid=GridOptions(
                target_crs=target_crs,
                extent_mode=given.choice("EXTENT_MODE"),
                extent=given.extent(),
            ),
            build=BuildOptions(
                **vars(read_outputs(given, zarr_format)),
                chunk_megabytes=given.number("CHUNK_SIZE"),
                sharding=_sharding(given, zarr_format),
                static_mode=given.choice("STATIC_LAYERS"),
                values=ValueOptions(
                    resampling=given.choice("RESAMPLING"),
                    scale=None if scale == "as_delivered" else scale,
                    precision=parse_keep_bits(given.names("KEEP_BITS")),
                ),
                merge_passes=given.flag("MERGE_PASSES"),
                reference_point=point,
                masks=given.flag("MASKS"),
                look_vectors=given.flag("LOOK_VECTORS"),
                data_access=None if access is None else parse_data_access(access),
                enrich=given.flag("ENRICH"),
                append=given.flag("APPEND"),
                grow=given.flag("GROW"),
            ),
            report=given.output("REPORT"),
            stac=given.flag("STAC"),
            plan_only=given.flag("PLAN_ONLY"),
        )
        request._check_together()
        return request

    def _check_together(self) -> None:
        """Check what only several parameters together show."""
        outputs, files = self.build.outputs, self.build.files
        is_remote = len(outputs) > len(files)
        check_outputs(files.get("NETCDF"), files.get("ZARR"), self.folder, is_remote)
        if self.build.append and is_remote:
            raise InvalidParameterError(
                "APPEND is for stacks on a disk; leave ZARR_URL out, or build without APPEND "
                "under a new ZARR_URL."
            )
        if self.build.grow and not self.build.append:
            raise InvalidParameterError(
                "GROW is for a stack that is appended to; set APPEND as well, or leave GROW out."
            )
        for stack in (None, *files.values()):
            check_targets({"REPORT": self.report}, stack)
        if self.stac:
            if self.stack is None:
                raise OutputError(
                    "STAC describes a stack on disk, but only ZARR_URL is given; set NETCDF or "
                    "ZARR too, or leave STAC out."
                )
            check_catalog(self.stack, (*files.values(), self.report, self.folder))

    @property
    def stack(self) -> Path | None:
        """The file or store on disk that stands for the stack where one is enough."""
        return next(iter(self.build.files.values()), None)

    def check_layers(self) -> None:
        """Check options against the layers that are named, without a look at the products.

        Raises
        ------
        InvalidParameterError
            If an option needs a layer that would not be in the stack.
        """
        by_name = PRODUCT_TYPES[self.selection.product_type].by_name
        layers = [by_name[name] for name in self.selection.layers if name in by_name]
        if layers:
            self.build.values.precision.check(layers)
        if layers and self.build.look_vectors:
            check_angles(layers)


def _sharding(given: Parameters, zarr_format: int) -> bool:
    wanted = given.flag("SHARDING")
    if wanted and zarr_format != 3:
        raise InvalidParameterError(
            f"SHARDING is set, but Zarr format {zarr_format} has no shards; set ZARR_FORMAT to 3 "
            "or leave SHARDING out."
        )
    return wanted
