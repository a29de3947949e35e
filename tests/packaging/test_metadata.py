"""metadata.txt against what the plugin repository and qgis_process read."""

import configparser
import re
from urllib.parse import urlparse

import pytest

from .conftest import ROOT

REQUIRED = (
    "name",
    "description",
    "version",
    "qgisMinimumVersion",
    "author",
    "email",
    "about",
    "tracker",
    "repository",
)


@pytest.fixture(scope="module")
def metadata():
    # As the repository reads it: with interpolation, keys as written.
    parser = configparser.ConfigParser()
    parser.optionxform = str
    with (ROOT / "metadata.txt").open(encoding="utf-8") as file:
        parser.read_file(file)
    return dict(parser.items("general"))


@pytest.mark.parametrize("key", REQUIRED)
def test_required_key_has_a_value(metadata, key):
    assert metadata[key].strip()


def test_versions_of_qgis(metadata):
    assert metadata["qgisMinimumVersion"] == "3.40"
    assert metadata["qgisMaximumVersion"] == "4.99"
    # Deprecated: the upload warns, and QGIS ignores it.
    assert "supportsQt6" not in metadata


def test_qgis_process_sees_a_provider(metadata):
    assert metadata["hasProcessingProvider"] in ("yes", "true")


@pytest.mark.parametrize("key", ["tracker", "repository"])
def test_links_are_complete(metadata, key):
    url = urlparse(metadata[key])
    assert url.scheme == "https"
    assert url.netloc
    assert url.path.strip("/")


def test_author_and_about_are_plain_text(metadata):
    assert "/" not in metadata["author"]
    assert not re.search(r"<[a-zA-Z/]", metadata["about"])


def test_icon_exists(metadata):
    assert (ROOT / metadata["icon"]).is_file()


def test_version_is_the_newest_of_the_changelog(metadata):
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## \[(\d+\.\d+\.\d+)\]", changelog, re.MULTILINE)
    assert newest is not None
    assert metadata["version"] == newest[1]
