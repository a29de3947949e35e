"""Ids, parameters and outputs are what users, models and scripts rely on."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from qgis.core import QgsProcessingParameterDefinition, QgsProcessingParameterEnum

from hyp3_stack.core.contract import PARAMETERS as CORE_PARAMETERS
from hyp3_stack.processing_provider.algorithms.help_page import help_url
from scripts.algorithm_pages import pages
from tests.checkout import ROOT

SERVICE = {
    "API_URL": ("string", "https://hyp3-api.asf.alaska.edu"),
    "AUTHCFG": ("authcfg", None),
}
LIMITS = {"MAX_CREDITS": ("number", None), "CONFIRM": ("number", None)}
FILTERS = {
    **SERVICE,
    "PROJECT": ("string", None),
    "JOB_TYPE": ("enum", "INSAR_GAMMA"),
    "START": ("datetime", None),
    "END": ("datetime", None),
    "DATE_RULE": ("enum", "all"),
    "PATHS": ("string", None),
    "DIRECTION": ("enum", "any"),
    "EXTENT": ("extent", None),
}
GRID = {
    "LAYERS": ("string", None),
    "TARGET_CRS": ("crs", None),
    "EXTENT_MODE": ("enum", "union"),
    "EXTENT": ("extent", None),
    "RESAMPLING": ("enum", "auto"),
}
REMOTE = {"S3_ENDPOINT": ("string", None), "S3_PROFILE": ("string", None)}
STACK = {
    "STATIC_LAYERS": ("enum", "once"),
    "ON_BAD_PRODUCT": ("enum", "stop"),
    "REFERENCE_POINT": ("string", None),
    "MERGE_PASSES": ("boolean", False),
    "SCALE": ("enum", "as_delivered"),
    "KEEP_BITS": ("string", None),
    "MASKS": ("boolean", True),
    "SCHEDULER": ("string", None),
    "APPEND": ("boolean", False),
    "GROW": ("boolean", False),
    "LOOK_VECTORS": ("boolean", False),
    "ENRICH": ("boolean", False),
    "NETCDF": ("fileDestination", None),
    "ZARR": ("folderDestination", None),
    "ZARR_URL": ("string", None),
    **REMOTE,
    "CHUNKING": ("enum", "both"),
    "CHUNK_SIZE": ("number", 4.0),
    "ZARR_FORMAT": ("enum", "2"),
    "SHARDING": ("boolean", False),
    "MEMORY": ("number", 1000),
    "REPORT": ("fileDestination", None),
    "STAC": ("boolean", False),
    "DATA_ACCESS": ("string", None),
    "PLAN_ONLY": ("boolean", False),
    "LOAD": ("boolean", True),
}
PARAMETERS = {
    "setupenvironment": {"PYTHON": ("file", None)},
    "searchscenes": {
        "AREA": ("source", None),
        "EXTENT": ("extent", None),
        "START": ("datetime", None),
        "END": ("datetime", None),
        "PATHS": ("string", None),
        "DIRECTION": ("enum", "any"),
        "JOB_TYPE": ("enum", "auto"),
        "OUTPUT": ("sink", None),
        "REPORT": ("fileDestination", None),
    },
    "planpairs": {
        "INPUT": ("source", None),
        "PATHS": ("string", None),
        "NEIGHBORS": ("number", 3),
        "MAX_DAYS": ("number", 48),
        "MAX_BASELINE": ("number", 400.0),
        "SEASONS": ("string", None),
        "BRIDGES": ("enum", "gaps"),
        "MIN_COVER": ("number", 0.9),
        "AUTHCFG": ("authcfg", None),
        "API_URL": ("string", "https://hyp3-api.asf.alaska.edu"),
        "OUTPUT": ("sink", None),
        "REPORT": ("fileDestination", None),
    },
    "orderpairs": {
        **SERVICE,
        "INPUT": ("source", None),
        "NAME": ("string", None),
        "LOOKS": ("enum", "20x4"),
        "WATER_MASK": ("boolean", False),
        "FILTER": ("number", 0.6),
        "RETRY_FAILED": ("boolean", False),
        "INCLUDE": ("string", "look_vectors,dem"),
        **LIMITS,
        "FOLDER": ("file", None),
        "JOURNAL": ("fileDestination", None),
    },
    "watchjobs": {
        **SERVICE,
        "PROJECT": ("string", None),
        "JOB_TYPE": ("enum", "any"),
        "FOUND_JOBS": ("source", None),
        "JOBS": ("string", None),
        "WAIT": ("boolean", False),
        "INTERVAL": ("number", 60),
    },
    "resubmitjobs": {
        **SERVICE,
        "PROJECT": ("string", None),
        **LIMITS,
        "JOURNAL": ("fileDestination", None),
    },
    "demostack": {"OUTPUT": ("folderDestination", None), "LOAD": ("boolean", True)},
    "findjobs": {**FILTERS, "ALL_STATES": ("boolean", False), "OUTPUT": ("sink", None)},
    "downloadproducts": {
        "FOUND_JOBS": ("source", None),
        **FILTERS,
        "JOBS": ("string", None),
        "LAYERS": ("string", None),
        "KEEP_ZIPS": ("boolean", False),
        "OUTPUT": ("folderDestination", None),
    },
    "harmonizeproducts": {
        "INPUT": ("file", None),
        **GRID,
        "OUTPUT": ("folderDestination", None),
    },
    "buildstack": {
        "INPUT": ("file", None),
        "PRODUCT_TYPE": ("enum", "auto"),
        "START": ("datetime", None),
        "END": ("datetime", None),
        **GRID,
        **STACK,
    },
    "loadstack": {
        "INPUT": ("file", None),
        "VARIABLES": ("string", None),
        "MEND": ("boolean", False),
        **REMOTE,
    },
    "invertstack": {
        "INPUT": ("file", None),
        "START": ("datetime", None),
        "END": ("datetime", None),
        "EXTENT": ("extent", None),
        "LAYER": ("enum", "unw_phase"),
        "REFERENCE_AREA": ("string", None),
        "WEIGHTS": ("enum", "variance"),
        "GAPS": ("enum", "minimum_norm"),
        "MIN_COHERENCE": ("number", 0.0),
        "MIN_TEMPORAL_COHERENCE": ("number", 0.7),
        "POLYNOMIAL": ("number", 1),
        "SEASONAL": ("enum", "none"),
        "STEPS": ("string", None),
        "REPAIR": ("enum", "none"),
        "TROPOSPHERE": ("enum", "none"),
        "DERAMP": ("enum", "none"),
        "DEM_ERROR": ("boolean", False),
        "NETCDF": ("fileDestination", None),
        "ZARR": ("folderDestination", None),
        "ZARR_URL": ("string", None),
        "CHUNKING": ("enum", "both"),
        "REPORT": ("fileDestination", None),
        "MEMORY": ("number", 1000),
        "SCHEDULER": ("string", None),
        **REMOTE,
        "LOAD": ("boolean", True),
    },
    "exportstack": {
        "INPUT": ("file", None),
        "FORMAT": ("enum", None),
        "LAYERS": ("string", None),
        "START": ("datetime", None),
        "END": ("datetime", None),
        "EXTENT": ("extent", None),
        "STEPS_AS": ("enum", "files"),
        "POINTS": ("source", None),
        "OUTPUT": ("folderDestination", None),
        **REMOTE,
    },
    "assessstack": {
        "INPUT": ("file", None),
        "OUTPUT": ("fileDestination", None),
        "JSON": ("fileDestination", None),
        **REMOTE,
    },
    "preparestack": {
        "FOUND_JOBS": ("source", None),
        **FILTERS,
        "FOLDER": ("file", None),
        "PRODUCT_TYPE": ("enum", "auto"),
        **GRID,
        **STACK,
    },
}
REQUIRED = {
    "searchscenes": {"OUTPUT"},
    "planpairs": {"INPUT", "OUTPUT"},
    "setupenvironment": set(),
    "orderpairs": {"INPUT", "NAME", "MAX_CREDITS"},
    "watchjobs": set(),
    "resubmitjobs": {"PROJECT", "MAX_CREDITS"},
    "demostack": {"OUTPUT"},
    "findjobs": {"OUTPUT"},
    "downloadproducts": {"OUTPUT"},
    "harmonizeproducts": {"INPUT", "OUTPUT"},
    "buildstack": {"INPUT"},
    "loadstack": {"INPUT"},
    "invertstack": {"INPUT"},
    "exportstack": {"INPUT", "FORMAT", "OUTPUT"},
    "assessstack": {"INPUT", "OUTPUT"},
    "preparestack": {"FOLDER"},
}
STACK_OUTPUTS = {
    "NETCDF",
    "ZARR",
    "ZARR_URL",
    "REPORT",
    "STAC",
    "STEPS",
    "SKIPPED",
    "CRS",
    "WIDTH",
    "HEIGHT",
    "BYTES",
    "DOWNLOAD",
    "LAYERS",
}
OUTPUTS = {
    "setupenvironment": {"ENVIRONMENT", "PYTHON"},
    "searchscenes": {"OUTPUT", "COUNT", "TRACKS", "JOB_TYPE", "REPORT"},
    "planpairs": {"OUTPUT", "COUNT", "DATES", "CREDITS", "REPORT"},
    "orderpairs": {"JOBS", "COUNT", "CREDITS", "JOURNAL"},
    "watchjobs": {
        "COUNT",
        "SUCCEEDED",
        "FAILED",
        "RUNNING",
        "PENDING",
        "EXPIRING",
        "JOBS",
        "NEWEST",
        "JOB_TYPE",
    },
    "resubmitjobs": {"JOBS", "COUNT", "CREDITS", "FAILED", "JOURNAL"},
    "demostack": {"OUTPUT", "NETCDF", "REPORT", "STEPS", "CRS", "LAYERS"},
    "findjobs": {"OUTPUT", "COUNT", "PROJECTS"},
    "downloadproducts": {"OUTPUT", "DOWNLOADED", "SKIPPED", "FAILED", "BYTES", "MANIFEST"},
    "harmonizeproducts": {"OUTPUT", "CRS", "COPIED", "WARPED"},
    "buildstack": STACK_OUTPUTS,
    "loadstack": {"LAYERS"},
    "invertstack": {
        "NETCDF",
        "ZARR",
        "ZARR_URL",
        "REPORT",
        "DATES",
        "PAIRS",
        "COMPONENTS",
        "REFERENCE",
        "LAYERS",
    },
    "exportstack": {"OUTPUT", "FILES"},
    "assessstack": {
        "OUTPUT",
        "JSON",
        "MET",
        "UNMET",
        "NOT_APPLICABLE",
        "NEEDS_USER",
        "PROBLEMS",
        "SUMMARY",
    },
    "preparestack": STACK_OUTPUTS,
}
OPTIONS = {
    "LOOKS": ["20x4", "10x2", "5x1"],
    "PRODUCT_TYPE": [
        "auto",
        "INSAR_GAMMA",
        "INSAR_ISCE_BURST",
        "INSAR_ISCE_MULTI_BURST",
        "RTC_GAMMA",
    ],
    "JOB_TYPE": ["INSAR_GAMMA", "INSAR_ISCE_BURST", "INSAR_ISCE_MULTI_BURST", "RTC_GAMMA"],
    "DATE_RULE": ["all", "any"],
    "DIRECTION": ["any", "ascending", "descending"],
    "EXTENT_MODE": ["union", "intersection"],
    "RESAMPLING": ["auto", "nearest", "bilinear", "cubic"],
    "STATIC_LAYERS": ["once", "per_pair"],
    "SCALE": ["as_delivered", "power", "amplitude", "decibel"],
    "ON_BAD_PRODUCT": ["stop", "skip"],
    "CHUNKING": ["spatial", "temporal", "both"],
    "ZARR_FORMAT": ["2", "3"],
    "LAYER": ["unw_phase", "los_disp"],
    "WEIGHTS": ["variance", "coherence", "none"],
    "GAPS": ["minimum_norm", "linear"],
    "SEASONAL": ["none", "annual", "semiannual"],
    "REPAIR": ["none", "islands", "closure", "both"],
    "TROPOSPHERE": ["none", "height"],
    "DERAMP": ["none", "linear", "quadratic"],
    "FORMAT": ["mintpy", "insar_explorer", "geotiff", "series", "pyramid"],
    "STEPS_AS": ["files", "bands"],
    "BRIDGES": ["gaps", "years", "none"],
}
ANY_TYPE = {
    (name, "JOB_TYPE"): [*OPTIONS["JOB_TYPE"], "any"]
    for name in ("findjobs", "downloadproducts", "watchjobs")
} | {
    ("searchscenes", "JOB_TYPE"): [
        "auto",
        "INSAR_GAMMA",
        "INSAR_ISCE_MULTI_BURST",
        "INSAR_ISCE_BURST",
    ]
}
GROUPS = {
    "1 Get products": {
        "searchscenes",
        "planpairs",
        "orderpairs",
        "watchjobs",
        "resubmitjobs",
        "findjobs",
        "downloadproducts",
    },
    "2 Make a stack": {"harmonizeproducts", "buildstack", "preparestack"},
    "3 See and analyze": {"loadstack", "invertstack", "exportstack", "assessstack"},
    "Set-up": {"setupenvironment", "demostack"},
}
Flag = QgsProcessingParameterDefinition.Flag

each_algorithm = pytest.mark.parametrize("name", PARAMETERS)


def test_the_provider(provider):
    assert provider.id() == "hyp3"
    assert provider.name() == "HyP3 Stack"
    assert re.fullmatch(r"\d+\.\d+\.\d+", provider.versionInfo())
    assert not provider.icon().isNull()
    assert {a.name() for a in provider.algorithms()} == set(PARAMETERS)


@each_algorithm
def test_names_and_types_of_parameters(algorithm, name):
    found = {p.name(): p.type() for p in algorithm(name).parameterDefinitions()}
    assert found == {key: kind for key, (kind, _) in PARAMETERS[name].items()}


@each_algorithm
def test_defaults(algorithm, name):
    found = {p.name(): p.defaultValue() for p in algorithm(name).parameterDefinitions()}
    found = {key: None if value == "" else value for key, value in found.items()}
    expected = {key: default for key, (_, default) in PARAMETERS[name].items()}
    assert found == expected


@each_algorithm
def test_only_these_parameters_are_required(algorithm, name):
    required = {
        p.name()
        for p in algorithm(name).parameterDefinitions()
        if not p.flags() & Flag.FlagOptional
    }
    assert required == REQUIRED[name]


@each_algorithm
def test_outputs(algorithm, name):
    assert {o.name() for o in algorithm(name).outputDefinitions()} == OUTPUTS[name]


@each_algorithm
def test_enums_take_words(algorithm, name):
    enums = [
        p
        for p in algorithm(name).parameterDefinitions()
        if isinstance(p, QgsProcessingParameterEnum)
    ]
    for parameter in enums:
        assert parameter.usesStaticStrings()
        assert not parameter.allowMultiple()
        key = parameter.name()
        assert parameter.options() == ANY_TYPE.get((name, key), OPTIONS[key])


@each_algorithm
def test_dialogs_make_what_is_required_and_a_temporary_stack(algorithm, name):
    for parameter in algorithm(name).destinationParameterDefinitions():
        key = parameter.name()
        is_wanted = key in REQUIRED[name] | {"NETCDF"} and name != "downloadproducts"
        assert parameter.createByDefault() is is_wanted, key


@each_algorithm
def test_every_text_that_a_user_reads_exists(algorithm, name):
    tested = algorithm(name)
    assert tested.id() == f"hyp3:{name}"
    assert name in GROUPS[tested.group()]
    assert tested.groupId()
    assert "hyp3" in tested.tags()
    assert not tested.icon().isNull()
    assert tested.shortDescription().endswith(".")
    assert f"qgis_process run hyp3:{name}" in tested.shortHelpString()
    for parameter in tested.parameterDefinitions():
        assert len(parameter.help()) > 20, parameter.name()
        assert parameter.help().endswith("."), parameter.name()
        assert parameter.description()
    for output in tested.outputDefinitions():
        assert output.description()


@each_algorithm
def test_examples_use_parameters_that_exist(algorithm, name):
    tested = algorithm(name)
    used = set(re.findall(r"\b([A-Z][A-Z_]+)=", tested.EXAMPLE))
    assert used <= set(PARAMETERS[name])
    assert REQUIRED[name] <= used


@pytest.mark.parametrize("name", sorted(CORE_PARAMETERS))
def test_the_core_knows_every_parameter(algorithm, name):
    assert set(PARAMETERS[name]) <= CORE_PARAMETERS[name]


@each_algorithm
def test_it_can_be_canceled_and_runs_in_the_background(algorithm, name):
    flags = algorithm(name).flags()
    assert flags & type(algorithm(name)).Flag.FlagCanCancel
    assert not flags & type(algorithm(name)).Flag.FlagNoThreading


def test_help_leads_to_what_is_there(provider):
    for algorithm in provider.algorithms():
        parts = urlsplit(algorithm.helpUrl())
        assert parts.scheme == "file"
        assert "HyP3 Stack" in Path(unquote(parts.path)).read_text(encoding="utf-8")


def test_help_is_the_page_of_the_algorithm_where_there_is_one(tmp_path):
    assert help_url("buildstack", tmp_path) == ""
    readme = tmp_path / "README.md"
    readme.write_text("# HyP3 Stack")
    assert help_url("buildstack", tmp_path) == readme.as_uri()
    page = tmp_path / "help" / "algorithms" / "buildstack.html"
    page.parent.mkdir(parents=True)
    page.write_text("<h1>Build stack</h1>")
    assert help_url("buildstack", tmp_path) == page.as_uri()
    assert help_url("findjobs", tmp_path) == readme.as_uri()


def test_the_pages_on_algorithms_are_up_to_date(provider):
    """``make docs`` writes them."""
    folder = ROOT / "docs" / "algorithms"
    found = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    assert found == pages(provider)
