"""What users read can be translated, and a translation is used where there is one."""

import importlib.util
import shutil
import subprocess

import pytest
from qgis.core import QgsSettings

import hyp3_stack
from hyp3_stack.processing_provider import translation

from .conftest import ROOT

spec = importlib.util.spec_from_file_location("translations", ROOT / "scripts/translations.py")
translations = importlib.util.module_from_spec(spec)
spec.loader.exec_module(translations)


def test_every_text_of_an_algorithm_can_be_translated(provider):
    known = translations.all_texts()
    for algorithm in provider.algorithms():
        assert {algorithm.TITLE, algorithm.SUMMARY, algorithm.HELP} <= set(known)
        for definition in algorithm.parameterDefinitions():
            assert definition.description() in known


def test_the_contexts_agree():
    assert translations.CONTEXT == translation.CONTEXT


def test_finished_translations_stay(tmp_path):
    path = tmp_path / "hyp3_stack_de.ts"
    translations.write(path, "de")
    text = path.read_text().replace(
        '<source>Build stack</source>\n      <translation type="unfinished" />',
        "<source>Build stack</source>\n      <translation>Stapel bauen</translation>",
    )
    path.write_text(text)
    translations.write(path, "de")
    assert translations.translated(path) == {"Build stack": "Stapel bauen"}


@pytest.mark.skipif(shutil.which("lrelease") is None, reason="Qt's lrelease is not installed")
def test_a_translation_is_used(algorithm, tmp_path):
    test_finished_translations_stay(tmp_path)
    subprocess.run(
        ["lrelease", str(tmp_path / "hyp3_stack_de.ts")],
        check=True,
        capture_output=True,
        timeout=60,
        env={"PATH": "/usr/bin:/bin", "QT_SELECT": "qt5"},
    )
    assert translation.install_translator("fr_FR", tmp_path) is None
    assert algorithm("buildstack").displayName() == "Build stack"
    installed = translation.install_translator("de_AT", tmp_path)
    assert algorithm("buildstack").displayName() == "Stapel bauen"
    translation.remove_translator(installed)
    assert algorithm("buildstack").displayName() == "Build stack"


@pytest.mark.skipif(shutil.which("lrelease") is None, reason="Qt's lrelease is not installed")
def test_the_plugin_speaks_the_language_of_qgis(tmp_path):
    test_finished_translations_stay(tmp_path)
    # Of a language that nobody has, which the plugin finds where it finds all.
    made = translation.FOLDER / "hyp3_stack_qaa.qm"
    was_there = translation.FOLDER.exists()
    translation.FOLDER.mkdir(exist_ok=True)
    try:
        subprocess.run(
            ["lrelease", str(tmp_path / "hyp3_stack_de.ts"), "-qm", str(made)],
            check=True,
            capture_output=True,
            timeout=60,
            env={"PATH": "/usr/bin:/bin", "QT_SELECT": "qt5"},
        )
        settings = QgsSettings()
        settings.setValue("locale/overrideFlag", True)
        settings.setValue("locale/userLocale", "qaa")
        plugin = hyp3_stack.classFactory(None)
        assert translation.tr("Build stack") == "Stapel bauen"
        plugin.unload()
        assert translation.tr("Build stack") == "Build stack"
    finally:
        made.unlink(missing_ok=True)
        if not was_there:
            translation.FOLDER.rmdir()
        QgsSettings().remove("locale")
