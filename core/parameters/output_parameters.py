"""Parameters that say where a stack is written, in which layout, and by which machines."""

from __future__ import annotations

from typing import Final

from .parameter import Group, Kind, Parameter

DEFAULT_MEMORY_MEGABYTES: Final = 1000
SMALLEST_MEMORY_MEGABYTES: Final = 450
"""Python with the core's packages and GDAL's cache take 320 MB."""

OBJECT_STORE: Final = (
    Parameter(
        "S3_ENDPOINT",
        Kind.TEXT,
        "S3 endpoint",
        "Object stores only. Address of an S3-compatible service other than Amazon's, such as "
        "https://minio.example.org:9000. Empty: that of AWS_ENDPOINT_URL or of the profile, "
        "else Amazon S3.",
        group=Group.OBJECT_STORE,
        empty="Amazon S3",
        private=True,
    ),
    Parameter(
        "S3_PROFILE",
        Kind.TEXT,
        "S3 profile",
        "Object stores only. Profile in ~/.aws/credentials and ~/.aws/config with the "
        "credentials. Empty: AWS_PROFILE, or what else AWS tools use: environment variables, "
        "the default profile, the role of the machine. Credentials themselves are never given "
        "as parameters.",
        group=Group.OBJECT_STORE,
        empty="what AWS tools use",
        private=True,
    ),
)

OUTPUTS: Final = (
    Parameter(
        "CHUNKING",
        Kind.CHOICE,
        "Zarr chunking",
        "Layout of the Zarr store. spatial: fast for whole maps (group spatially_optimized). "
        "temporal: fast for time series (group temporally_optimized). both: two "
        "groups with equal values.",
        group=Group.ZARR,
        default="both",
        choices=("spatial", "temporal", "both"),
        plain=("For maps", "For time series", "For both, with two copies"),
    ),
    Parameter(
        "CHUNK_SIZE",
        Kind.NUMBER,
        "Zarr chunk size (MB)",
        "Largest size of one chunk before compression, in megabytes.",
        group=Group.ZARR,
        default=4.0,
        minimum=0.01,
        maximum=512.0,
    ),
    Parameter(
        "ZARR_FORMAT",
        Kind.CHOICE,
        "Zarr format",
        "2 opens in every program that reads Zarr. 3 is the newer specification; QGIS opens it "
        "with GDAL 3.11 and newer only.",
        group=Group.ZARR,
        default="2",
        choices=("2", "3"),
        plain=("2, which every program opens", "3, for newer programs"),
    ),
    Parameter(
        "SHARDING",
        Kind.FLAG,
        "Zarr sharding",
        "Zarr format 3 only. Yes: several chunks share one file (a shard of up to 16 MB before "
        "compression), which makes fewer files, and small chunks cost less. Older programs "
        "cannot read shards; QGIS opens them with GDAL 3.13 and newer only.",
        group=Group.ZARR,
        default=False,
    ),
    Parameter(
        "SCHEDULER",
        Kind.TEXT,
        "Dask scheduler",
        "Empty: this computer does the work. Otherwise the address of the scheduler of a Dask "
        "cluster that runs already, for example tcp://10.0.0.1:8786 (or tls://). Its workers "
        "read the products and write the stack, so they need both on a shared file system "
        "under the same names, and the packages in the plugin's requirements.lock. The plugin "
        "itself is sent to them. For a stack in an object store they need credentials in their "
        "own environment. The stack is the same either way.",
        group=Group.CLUSTER,
        empty="none, this computer does the work",
        private=True,
    ),
    Parameter(
        "MEMORY",
        Kind.INTEGER,
        "Memory (MB)",
        "What the core process may take, however many products there are. Less makes it work "
        "in smaller blocks and with fewer threads; more lets series be put together in larger "
        "blocks. Chunks above 100 MB may need more.",
        group=Group.CLUSTER,
        default=DEFAULT_MEMORY_MEGABYTES,
        minimum=SMALLEST_MEMORY_MEGABYTES,
        maximum=1e6,
    ),
    Parameter(
        "APPEND",
        Kind.FLAG,
        "Append to the stack",
        "Yes: where the NetCDF file or Zarr store exists, keep what it holds and add the "
        "products of the folder that it does not hold yet; their dates may lie anywhere "
        "between. The log says what is new. With nothing new, nothing is changed; where there "
        "is no stack yet, it is built. Products that the stack holds need not be on disk any "
        "more. Until the new stack is complete, readers see the old one. The options that "
        "decide on values have to be those of the stack. No: replace an existing stack.",
        default=False,
    ),
    Parameter(
        "GROW",
        Kind.FLAG,
        "Let the grid grow",
        "For Append only. Yes: the grid grows to hold the new products, or their part in the "
        "extent. No: it stays as it is, and what lies outside is cut off.",
        group=Group.APPEND,
        default=False,
    ),
    Parameter(
        "NETCDF",
        Kind.NEW_FILE,
        "NetCDF file",
        "Stack as one NetCDF file, for example /data/stack.nc.",
        file_filter="NetCDF (*.nc)",
        suffix=".nc",
        temporary=True,
    ),
    Parameter(
        "ZARR",
        Kind.NEW_FOLDER,
        "Zarr store",
        "Stack as a Zarr store, a folder, for example /data/stack.zarr.",
        suffix=".zarr",
    ),
    Parameter(
        "ZARR_URL",
        Kind.TEXT,
        "Zarr store in an object store",
        "Stack as a Zarr store in an S3-compatible object store, for example "
        "s3://bucket/folder/stack.zarr. Readers see it only when it is complete; what is there "
        "already is never replaced. Checked before any work starts. A run that was stopped "
        "starts over; the next one to that address removes what it left.",
        group=Group.OBJECT_STORE,
        empty="none",
    ),
    *OBJECT_STORE,
    Parameter(
        "REPORT",
        Kind.NEW_FILE,
        "Report",
        "Web page on the stack: what was done with each product, the network of pairs, "
        "coverage and coherence, and which requirements of CEOS-ARD are met.",
        file_filter="HTML (*.html)",
        suffix=".html",
    ),
    Parameter(
        "STAC",
        Kind.FLAG,
        "Write a STAC item",
        "Yes: describe the stack for catalogs (STAC). For stack.nc or stack.zarr this writes "
        "the item stack.json and its collection.json into the folder stack.stac beside it, "
        "with relative links to the NetCDF file, the groups of the Zarr store and the report. "
        "Those of an earlier stack of the same name are replaced. Blanks and special letters "
        "of the name become _.",
        group=Group.METADATA,
        default=False,
    ),
    Parameter(
        "DATA_ACCESS",
        Kind.TEXT,
        "DOI or address of the stack",
        "Where you are going to publish the stack: a DOI (10.5281/zenodo.1234567) or a URL. It "
        "is written into the stack, where CEOS-ARD asks for it (1.7.1), and into its STAC "
        "item; nothing is uploaded. Empty: none.",
        group=Group.METADATA,
        empty="none",
    ),
    Parameter(
        "PLAN_ONLY",
        Kind.FLAG,
        "Only plan",
        "Yes: the log shows the grid, which products are copied, warped or left out, what is still "
        "to be downloaded and how much disk the outputs take; then the run ends, with nothing "
        "written.",
        default=False,
        private=True,
    ),
    Parameter(
        "LOAD",
        Kind.FLAG,
        "Load the layers when done",
        "Add the layers of the stack to the project, in a group, with styles, ready for the "
        "Temporal Controller. Turn it off in a model that loads the stack in a step of its "
        "own. From the command line nothing is ever loaded.",
        default=True,
        qgis_only=True,
    ),
)
