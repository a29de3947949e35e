"""Sample products for the tests of this folder."""

import pytest

from tests.sample_products import SampleSpec, write_products


@pytest.fixture(scope="session")
def product_folder(tmp_path_factory):
    """Six small interferograms in two UTM zones, in a folder whose name is a nuisance."""
    folder = tmp_path_factory.mktemp("input") / "a dem of 2021.02.03"
    write_products(
        folder, SampleSpec(products=6, rows=80, columns=90, layers=("unw_phase", "corr"))
    )
    return folder
