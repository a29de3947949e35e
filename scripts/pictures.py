"""Take the pictures of the documents from the window of QGIS: ``-m scripts.pictures FROM TO``.

``make pictures`` runs the tests in the window first, which leave screenshots in build/gui. Runs in
the Python that QGIS uses.
"""

from __future__ import annotations

import sys
from pathlib import Path

from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QImage

WIDTH = 1200
PICTURES = {
    "demo": "first_map",
    "series": "window",
    "displacement": "displacement",
    "laptop_buildstack": "build_stack",
    "laptop_findjobs": "find_jobs",
    "login": "earthdata_login",
}
"""Screenshots by name, and what they are called in the documents."""


def main(source: Path, target: Path) -> None:
    """Scale the screenshots, and store them without transparency."""
    for name, picture in PICTURES.items():
        image = QImage(str(source / f"{name}.png"))
        if image.isNull():
            raise SystemExit(f"{source / name}.png is missing; run the tests in the window first.")
        if image.width() > WIDTH:
            image = image.scaledToWidth(WIDTH, Qt.TransformationMode.SmoothTransformation)
        image = image.convertToFormat(QImage.Format.Format_RGB888)
        image.save(str(target / f"{picture}.png"), "PNG", 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
