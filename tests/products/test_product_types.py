"""The rows of layers and product types agree with each other and with what is named elsewhere."""

import pytest

from hyp3_stack.core.parameters.job_parameters import JOB_TYPES
from hyp3_stack.core.pixels.values import COMPUTED
from hyp3_stack.core.products.layers import Delivery
from hyp3_stack.core.products.names import parse_name
from hyp3_stack.core.products.product_types import PRODUCT_TYPES, backscatter_in, find_layer

EVERY_LAYER = [layer for row in PRODUCT_TYPES.values() for layer in row.layers.values()]


def test_each_job_type_has_a_row():
    assert tuple(PRODUCT_TYPES) == JOB_TYPES


def test_what_is_known_by_the_variable_alone_is_the_same_in_all_types():
    for layer in EVERY_LAYER:
        found = find_layer(layer.variable)
        for fact in ("kind", "units", "role", "limits", "style", "computed_from"):
            assert getattr(found, fact) == getattr(layer, fact), layer.name
    assert find_layer("displacement") is None


def test_layers_that_are_computed_say_from_what():
    assert {layer.name for layer in EVERY_LAYER if layer.computed_from} == set(COMPUTED)


@pytest.mark.parametrize(
    ("text", "main", "letters"),
    [
        (
            "S1AA_20230106T015014_20230118T015014_VVP012_INT80_G_weF_1DBE",
            ("unw_phase", "corr"),
            {"water_masking": "w", "scale": None},
        ),
        (
            "S1A_IW_20250420T135654_SHP_RTC30_G_gpunem_7959",
            ("HH",),
            {"water_masking": "u", "speckle_filter": "n", "dem_matching": "m"},
        ),
    ],
)
def test_what_follows_from_a_name(text, main, letters):
    name = parse_name(text)
    assert name.main_layers == main
    assert {option: name.option(option) for option in letters} == letters


def test_letters_of_other_polarizations_tell_of_no_backscatter():
    row = PRODUCT_TYPES["RTC_GAMMA"]
    assert row.delivered("DH", Delivery.MAIN) == ("HH", "HV")
    assert row.delivered("", Delivery.MAIN, Delivery.ALWAYS) == ("ls_map",)


def test_backscatter_is_known_by_its_variables():
    assert backscatter_in(["ls_map", "VH_backscatter", "x"]) == {"VH_backscatter": "VH"}
