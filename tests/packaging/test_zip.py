"""The zip against the layout rules of the plugin repository."""

import re
import shutil
import stat
import zipfile

import pytest

from .conftest import ROOT, package

TOP = "hyp3_stack/"


@pytest.fixture(scope="module")
def entries(plugin_zip):
    with zipfile.ZipFile(plugin_zip) as archive:
        assert archive.testzip() is None
        return archive.infolist()


@pytest.fixture(scope="module")
def names(entries):
    return [entry.filename for entry in entries]


def test_one_top_folder_that_is_a_python_name(names):
    assert {name.split("/")[0] for name in names} == {"hyp3_stack"}
    assert names[0] == TOP + "__init__.py"


@pytest.mark.parametrize(
    "name",
    [
        "__init__.py",
        "metadata.txt",
        "plugin.py",
        "processing_provider/__init__.py",
        "core/__main__.py",
        "core/contract.py",
        "LICENSE",
        "README.md",
        "CHANGELOG.md",
        "requirements.txt",
        "requirements.lock",
        "processing_provider/models/jobs_to_layers.model3",
    ],
)
def test_needed_file_is_there(names, name):
    assert TOP + name in names


def test_every_module_of_the_checkout_is_there(names):
    expected = {
        TOP + path.relative_to(ROOT).as_posix()
        for folder in ("core", "processing_provider")
        for path in (ROOT / folder).rglob("*.py")
    }
    assert expected <= set(names)
    assert len(expected) > 10


def test_no_refused_names(names):
    for name in names:
        assert not re.search(r"\.\.|\\|^/|^[A-Za-z]:|\.pyc|__pycache__|__MACOSX", name), name
        assert not any(part.startswith(".") for part in name.split("/")), name
        assert not name.startswith((TOP + "tests", TOP + "scripts", TOP + "build")), name


def test_plain_files_of_mode_0644(entries):
    for entry in entries:
        mode = entry.external_attr >> 16
        assert stat.S_ISREG(mode), entry.filename
        assert stat.S_IMODE(mode) == 0o644, entry.filename


def test_small_enough(plugin_zip):
    # The repository takes 25 MB; code and documents stay far below.
    assert plugin_zip.stat().st_size < 4_000_000


def test_named_after_the_version(plugin_zip):
    version = re.search(r"^version=(.+)$", (ROOT / "metadata.txt").read_text(), re.MULTILINE)[1]
    assert plugin_zip.name == f"hyp3_stack-{version.strip()}.zip"


def test_litter_in_the_checkout_changes_nothing(plugin_zip, tmp_path):
    with zipfile.ZipFile(plugin_zip) as archive:
        archive.extractall(tmp_path)
    tree = tmp_path / "hyp3_stack"
    for litter in (
        "core/__pycache__/contract.cpython-311.pyc",
        "core/.cache/notes.py",
        "processing_provider/.hidden.py",
        "processing_provider/contract.pyc",
        "core/stack.nc",
        "tests/test_x.py",
        ".git/config",
    ):
        (tree / litter).parent.mkdir(parents=True, exist_ok=True)
        (tree / litter).write_bytes(b"x")
    (tree / "metadata.txt").chmod(0o755)
    again = package("--root", tree, "--build", tmp_path / "b", "--dist", tmp_path / "d")
    assert again.read_bytes() == plugin_zip.read_bytes()


def test_a_missing_part_is_named(plugin_zip, tmp_path):
    with zipfile.ZipFile(plugin_zip) as archive:
        archive.extractall(tmp_path)
    shutil.rmtree(tmp_path / "hyp3_stack" / "core")
    with pytest.raises(AssertionError, match="core is missing"):
        package("--root", tmp_path / "hyp3_stack", "--build", tmp_path / "b")
