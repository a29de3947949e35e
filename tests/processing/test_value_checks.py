"""What QGIS would silently take for a default or refuse without a reason is one clear sentence."""

import pytest
from qgis.core import NULL, QgsCoordinateReferenceSystem, QgsProject, QgsProperty
from qgis.PyQt.QtCore import QDate

from hyp3_stack.processing_provider.parameters.job_values import Values
from hyp3_stack.processing_provider.parameters.value_checks import find_wrong_value

WITH_GRID = ("buildstack", "harmonizeproducts", "preparestack")


@pytest.fixture
def wrong(algorithm, context):
    """Return a function that gives the sentence on parameters of an algorithm."""

    def find(name="buildstack", **parameters):
        return find_wrong_value(algorithm(name), parameters, context)

    return find


@pytest.mark.parametrize("name", WITH_GRID)
@pytest.mark.parametrize("code", ["EPSG:99999", "foo", "4326"])
def test_an_unknown_target_crs(wrong, name, code):
    assert wrong(name, TARGET_CRS=code) == (
        f"TARGET_CRS is '{code}', which is not a coordinate reference system; give a code such as "
        "EPSG:32606."
    )


def test_other_forms_of_an_unknown_target_crs(wrong):
    for value in (QgsCoordinateReferenceSystem("EPSG:99999"), QgsProperty.fromExpression("'foo'")):
        assert "which is not a coordinate reference system" in wrong(TARGET_CRS=value)


@pytest.mark.parametrize(
    "value", [None, NULL, "", " ", "EPSG:32606", QgsCoordinateReferenceSystem("EPSG:3413")]
)
def test_a_target_crs_or_none(wrong, value):
    assert not wrong(TARGET_CRS=value)


@pytest.mark.parametrize("name", [*WITH_GRID, "findjobs", "downloadproducts"])
def test_an_extent_in_an_unknown_crs(wrong, context, name):
    project = QgsProject()
    project.setCrs(QgsCoordinateReferenceSystem("EPSG:32611"))
    context.setProject(project)
    assert wrong(name, EXTENT="1,2,3,4 [EPSG:99999]") == (
        "EXTENT is given in 'EPSG:99999', which is not a coordinate reference system; give a code "
        "such as EPSG:4326."
    )
    assert not wrong(name, EXTENT="1,2,3,4 [EPSG:4326]")
    assert not wrong(name, EXTENT="1,2,3,4")


def test_an_extent_as_a_list_of_json(wrong):
    text = "EXTENT is [1, 2, 3, 4], but it has to read xmin,xmax,ymin,ymax [EPSG:code]."
    assert wrong(EXTENT=[1, 2, 3, 4]) == text


@pytest.mark.parametrize("value", ["abc", "4 MB", "1,5", "-1", "nan", "inf", 600, True, [4]])
def test_wrong_numbers_in_a_range(wrong, value):
    expected = f"CHUNK_SIZE is {value!r}, but it has to be a number from 0.01 to 512."
    assert wrong(CHUNK_SIZE=value) == expected


@pytest.mark.parametrize("value", ["lots", "nan", "10", -1, QgsProperty.fromExpression("9 + 1")])
def test_wrong_numbers_above_a_limit(wrong, value):
    shown = 10 if isinstance(value, QgsProperty) else value
    expected = f"MEMORY is {shown!r}, but it has to be a number of at least 450."
    assert wrong(MEMORY=value) == expected


@pytest.mark.parametrize("value", [2_000_000, "inf"])
def test_a_number_above_a_large_limit(wrong, value):
    expected = f"MEMORY is {value!r}, but it has to be a number from 450 to 1e+06."
    assert wrong(MEMORY=value) == expected


@pytest.mark.parametrize("value", [None, NULL, "", "600", " 600 ", 600, 6e2, "6e2"])
def test_numbers(wrong, algorithm, context, value):
    assert not wrong(MEMORY=value)
    read = Values(algorithm("buildstack"), {"MEMORY": value}, context).number("MEMORY")
    assert read == (600 if value else None)


@pytest.mark.parametrize("value", ["maybe", "y", "2", [True]])
@pytest.mark.parametrize("name", ["MASKS", "APPEND"])
def test_wrong_switches(wrong, name, value):
    assert wrong(**{name: value}) == f"{name} is {value!r}, but it has to be true or false."


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *((word, True) for word in ("true", "yes", "on", "1", "Yes", " TRUE ", True, 1)),
        *((word, False) for word in ("false", "no", "off", "0", "No", "FALSE", False, 0)),
        (QgsProperty.fromExpression("'no'"), False),
        *((nothing, None) for nothing in (None, NULL, "")),
    ],
)
def test_switches(wrong, algorithm, context, value, expected):
    assert not wrong(MASKS=value)
    assert Values(algorithm("buildstack"), {"MASKS": value}, context).flag("MASKS") is expected


def test_help_tells_how_to_write_a_switch(algorithm):
    for name, text in (("MASKS", "MASKS=false."), ("APPEND", "APPEND=true.")):
        help_text = algorithm("buildstack").parameterDefinition(name).help()
        assert help_text.endswith(f" On the command line, give true or false: {text}")


@pytest.mark.parametrize("value", ["2023-13-01", "20230118", "18.1.2023", "2023-02-30", "soon"])
@pytest.mark.parametrize("name", ["START", "END"])
def test_wrong_dates(wrong, name, value):
    assert wrong(**{name: value}) == (
        f"{name} is {value!r}, but it has to be a date like 2021-02-28 (YYYY-MM-DD)."
    )


@pytest.mark.parametrize("value", ["foo", "Both", "1"])
def test_wrong_choices(wrong, value):
    assert wrong(CHUNKING=value) == (
        f"CHUNKING is {value!r}, but it has to be one of: spatial, temporal, both."
    )


def test_dates_and_choices(wrong):
    assert not wrong(START="2021-02-28", END=QDate(2021, 2, 28), CHUNKING="both", ZARR_FORMAT=3)
    assert not wrong(START=NULL, END="", CHUNKING=None, ZARR_FORMAT=NULL)


@pytest.mark.parametrize("value", ["foo", "1,2,3", "1,2,3,x [EPSG:4326]"])
def test_wrong_extents(wrong, value):
    assert wrong(EXTENT=value) == (
        f"EXTENT is {value!r}, but it has to read xmin,xmax,ymin,ymax [EPSG:code]."
    )


def test_a_wrong_value_stops_the_check_and_the_run(
    algorithm, context, feedback, core_python, tmp_path
):
    parameters = {"INPUT": str(tmp_path), "NETCDF": str(tmp_path / "x.nc"), "TARGET_CRS": "foo"}
    ok, message = algorithm("buildstack").checkParameterValues(parameters, context)
    assert not ok
    assert message.startswith("TARGET_CRS is 'foo'")
    _, ok = algorithm("buildstack").run(parameters, context, feedback)
    assert not ok
    assert "TARGET_CRS is 'foo'" in feedback.textLog()


def test_a_mistyped_name_is_told(wrong):
    assert wrong(LAYER="corr") == (
        "LAYER (write LAYERS, if that is meant) is not a parameter of buildstack; correct or "
        "remove what is not known."
    )
    assert "JOBS is not a parameter of findjobs" in wrong("findjobs", JOBS="1")


@pytest.mark.parametrize(
    ("name", "outputs", "wrong", "words"),
    [
        ("invertstack", {"NETCDF": "d.nc"}, {"NETCDF": ""}, "nothing to write"),
        ("exportstack", {"FORMAT": "geotiff", "OUTPUT": "o"}, {"FORMAT": "series"}, "needs POINTS"),
    ],
)
def test_what_the_form_alone_can_tell_is_refused_before_anything_runs(
    algorithm, core_python, context, stack_files, name, outputs, wrong, words
):
    def message(**parameters):
        given = {"INPUT": str(stack_files[0]), **outputs, **parameters}
        ok, text = algorithm(name).checkParameterValues(given, context)
        assert ok is not bool(text)
        return text

    assert message() == ""
    assert "nothing of that name" in message(INPUT=f"{stack_files[0]}.none")
    assert "swap" in message(START="2023-02-01", END="2023-01-01")
    assert words in message(**wrong)
