"""The dialogs of the algorithms: QGIS's fields, with outputs in sight, groups and plain words."""

import pytest
from qgis.gui import QgsProcessingParametersGenerator
from qgis.PyQt.QtWidgets import QComboBox, QLabel, QLineEdit, QToolButton

from hyp3_stack.core.contract import DIALOGS
from hyp3_stack.core.parameters.parameter import Kind
from hyp3_stack.processing_provider.parameters.declarations import _plain_help
from hyp3_stack.processing_provider.parameters.labels import with_labels

TEMPORARY = "TEMPORARY_OUTPUT"


@pytest.fixture
def panel(processing_plugin, algorithm):
    """Return a function that gives the fields of an algorithm's dialog."""
    kept = []

    def make(name):
        kept.append(algorithm(name).createCustomParametersWidget())
        return kept[-1].mainWidget()

    return make


@pytest.mark.parametrize("name", DIALOGS)
def test_the_fields_of_a_new_dialog_hold_the_defaults(panel, name):
    shown = panel(name)
    assert set(shown.wrappers) == set(row.name for row in DIALOGS[name])
    for row in DIALOGS[name]:
        value = shown.value(row.name)
        if row.default is not None:
            assert value == row.default, row.name
        elif row.kind in (Kind.NEW_FILE, Kind.NEW_FOLDER, Kind.FEATURES):
            is_made = row.required if row.temporary is None else row.temporary or row.required
            # A vector layer is wrapped into more than its place.
            assert (TEMPORARY in str(value)) == is_made, row.name
        else:
            assert not value, row.name


@pytest.mark.parametrize("name", DIALOGS)
def test_no_label_calls_a_field_optional_that_has_a_default(panel, name):
    labels = [label.text() for label in panel(name).findChildren(QLabel)]
    assert not [text for text in labels if "[optional]" in text]


@pytest.mark.parametrize("name", DIALOGS)
def test_choices_show_plain_words_and_give_those_of_scripts(panel, name):
    shown = panel(name)
    for row in DIALOGS[name]:
        if row.kind is Kind.CHOICE:
            combo = shown.wrappers[row.name].wrappedWidget()
            assert isinstance(combo, QComboBox)
            assert [combo.itemText(place) for place in range(combo.count())] == list(
                row.plain or row.choices
            )
            for word, plain in zip(row.choices, row.plain or row.choices, strict=True):
                combo.setCurrentText(plain)
                assert shown.value(row.name) == word


def test_advanced_fields_stand_in_named_groups(panel):
    shown = panel("preparestack")
    titles = {row.group for row in DIALOGS["preparestack"] if row.group}
    assert set(shown._groups) == titles
    assert all(group.isCollapsed() for group in shown._groups.values())
    shown.setParameters({"ZARR_FORMAT": "3", "EXTENT_MODE": "union"})
    assert [title for title, group in shown._groups.items() if not group.isCollapsed()] == ["Zarr"]
    assert {"REFERENCE_POINT", "APPEND"} <= {
        row.name for row in DIALOGS["buildstack"] if not row.group
    }


@pytest.mark.parametrize("name", ["ZARR", "ZARR_URL"])
def test_a_stack_elsewhere_replaces_the_temporary_file(panel, name):
    shown = panel("buildstack")
    shown.setParameters({"INPUT": "/data/products"})
    given = shown.createProcessingParameters()
    assert given["NETCDF"] == TEMPORARY
    field = shown.wrappers[name].wrappedWidget()
    line = field if isinstance(field, QLineEdit) else field.findChild(QLineEdit)
    line.setText("s3://bucket/stack.zarr" if name == "ZARR_URL" else "/data/stack.zarr")
    assert "NETCDF" not in shown.createProcessingParameters()
    shown = panel("buildstack")
    shown.setParameters({"INPUT": "/data", "NETCDF": "/data/stack.nc", name: "/data/stack.zarr"})
    assert shown.createProcessingParameters()["NETCDF"] == "/data/stack.nc"


def test_downloads_need_a_folder_that_stays(panel, tmp_path):
    from processing.gui.AlgorithmDialogBase import AlgorithmDialogBase

    shown = panel("downloadproducts")
    with pytest.raises(AlgorithmDialogBase.InvalidOutputExtension, match="Folder for the products"):
        shown.createProcessingParameters()
    # QGIS 3.44 asks in this way while fields are filled in, and would show an error as a defect.
    unchecked = getattr(QgsProcessingParametersGenerator.Flag, "SkipValidation", None)
    if unchecked is not None:
        assert shown.createProcessingParameters(unchecked)["OUTPUT"] == TEMPORARY
    shown.setParameters({"OUTPUT": str(tmp_path)})
    assert shown.createProcessingParameters()["OUTPUT"] == str(tmp_path)


def test_fields_that_can_be_chosen_have_a_button(panel):
    found = {
        name: {
            button.objectName().replace("hyp3StackChoose", "")
            for button in panel(name).findChildren(QToolButton)
            if button.objectName().startswith("hyp3StackChoose")
        }
        for name in ("preparestack", "buildstack", "loadstack", "invertstack")
    }
    assert found == {
        "preparestack": {"PROJECT", "LAYERS", "REFERENCE_POINT"},
        "buildstack": {"LAYERS", "REFERENCE_POINT"},
        "loadstack": {"INPUT", "VARIABLES"},
        "invertstack": {"INPUT", "REFERENCE_AREA"},
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("START (2021-02-01) lies after END (2021-01-01); swap them.", '"First day" (2021-02-01)'),
        ("set ZARR_FORMAT to 3 or leave SHARDING out.", 'set "Zarr format" to 3 or leave "Zarr sh'),
        ("where the grid grows (GROW=true).", 'where the grid grows ("Let the grid grow").'),
        ("/data/LAYERS/stack.nc cannot be written", "/data/LAYERS/stack.nc cannot"),
        ("S1AA_INPUT_LAYERS is damaged", "S1AA_INPUT_LAYERS is damaged"),
        ("The STAC item is x.json.", "The STAC item is x.json."),
    ],
)
def test_messages_name_fields_by_their_labels(text, expected):
    assert expected in with_labels(text, "buildstack")


def test_help_in_a_window_says_what_the_dialog_shows():
    (row,) = [row for row in DIALOGS["buildstack"] if row.name == "EXTENT_MODE"]
    text = _plain_help(row)
    assert text.startswith("All that any product covers (union): the grid covers every product")
    assert "command line" not in text
