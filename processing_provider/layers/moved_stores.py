"""Mends layers of Zarr stores in projects that were moved together with them.

With GDAL before 3.8 such a layer is a virtual raster beside the store. QGIS finds it by its
relative path, but the path of the store in it is absolute: GDAL takes no other after ``ZARR:``.
"""

import re
from html import escape, unescape
from pathlib import Path

from qgis.core import QgsProject, QgsRasterLayer

from .gdal_names import QUOTED, quoted, unquoted
from .virtual_raster import replace_bands

_STORE = re.compile(f"ZARR:{QUOTED}(?=:/)")


class MovedStores:
    """Looks after the layers of each project that is opened."""

    def __init__(self):
        QgsProject.instance().readProject.connect(self._mend)

    def unload(self):
        """Look no longer."""
        QgsProject.instance().readProject.disconnect(self._mend)

    def _mend(self, document):
        for layer in QgsProject.instance().mapLayers().values():
            if isinstance(layer, QgsRasterLayer) and point_to_moved_store(Path(layer.source())):
                layer.reload()


def point_to_moved_store(path):
    """Write the new place of its store into a virtual raster; return whether that was needed.

    The store lies where it lay before as seen from the virtual raster: in the folder above, under
    its old name. In a copied project that is the copy.
    """
    if path.suffix.lower() != ".vrt" or not path.parent.name.endswith("_layers"):
        return False
    try:
        text = path.read_text(encoding="utf-8")
        found = _STORE.search(text)
        if found is None:
            return False
        before = Path(unquoted(unescape(found["path"])))
        store = path.parent.parent / before.name
        if store == before or not store.is_dir():
            return False
        place = f"ZARR:{escape(quoted(store), quote=False)}"
        replace_bands(path, _STORE.sub(lambda match: place, text))
    except OSError:
        return False  # What cannot be written stays as it is: QGIS then shows an empty layer.
    return True
