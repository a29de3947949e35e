"""Translation of everything that users read."""

from pathlib import Path

from qgis.PyQt.QtCore import QCoreApplication, QTranslator

CONTEXT = "HyP3Stack"

FOLDER = Path(__file__).with_name("i18n")
"""Languages: .ts files, which scripts/translations.py writes, and .qm files, which are loaded."""


def tr(text):
    """Return ``text`` in the language of QGIS; placeholders are filled afterwards."""
    return QCoreApplication.translate(CONTEXT, text)


def install_translator(locale, folder=FOLDER):
    """Let Qt use the translation for a locale such as de_AT; return it, or None without one."""
    translator = QTranslator()
    # Qt tries hyp3_stack_de_AT.qm, then hyp3_stack_de.qm.
    if not translator.load(f"hyp3_stack_{locale}", str(folder)):
        return None
    QCoreApplication.installTranslator(translator)
    return translator


def remove_translator(translator):
    """Undo install_translator."""
    if translator is not None:
        QCoreApplication.removeTranslator(translator)
