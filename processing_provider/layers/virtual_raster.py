"""Bands for a 3-D Zarr array where GDAL shows only its slices (before 3.8): a virtual raster."""

import hashlib
import os
import re
from html import escape, unescape
from pathlib import Path

from osgeo import gdal
from qgis.core import QgsApplication, QgsProject, QgsRasterLayer

from ..environment.interpreter import FOLDER
from .frames.map_frames import dates_of_bands
from .gdal_names import QUOTED, quoted, slices_begin, unquoted
from .stack_description import StackFileError, open_raster

_READ_ONLY, _WRITABLE = 0o444, 0o644


def slices_as_bands(stack, variable):
    """Write a virtual raster with one band for each slice of a variable and return its path.

    It lies beside the store, or in the QGIS profile where that cannot be written to or the store
    is in an object store.
    """
    sources = [
        f"{slices_begin(stack.path, stack.group)}{variable.name}:{step}"
        for step in range(variable.steps)
    ]
    first = open_raster(sources[0])
    if first is None:
        raise StackFileError(f"The variable {variable.name} of {stack.path} cannot be read.")
    text = _virtual_raster(first, sources, stack)
    folders = (_in_profile(stack),) if stack.is_remote else (_beside(stack), _in_profile(stack))
    for folder in folders:
        path = folder / f"{variable.name}.vrt"
        try:
            replace_bands(path, text)
        except OSError as error:
            reason = error.strerror or str(error)
        else:
            _renew_earlier(stack, path.name, text)
            return path
    raise StackFileError(
        f"{path} cannot be written ({reason}); QGIS needs it with GDAL before 3.8 to show "
        "a Zarr store, so load the stack as NetCDF instead."
    )


def _beside(stack):
    """Return a folder of the store's own: its full name is in it, as k and k.zarr may be two."""
    return stack.path.with_name(f"{stack.path.name}{_group(stack)}_layers")


def _group(stack):
    return "" if stack.is_default_group else f"_{stack.group}"


def _renew_earlier(stack, name, text):
    """Write bands of this store also where version 0.1 did: older projects read them there."""
    if stack.is_remote:
        return
    path = stack.path.with_name(f"{stack.path.stem}{_group(stack)}_layers") / name
    source = f"ZARR:{quoted(stack.path)}:/"
    try:
        if source in unescape(path.read_text(encoding="utf-8")):
            replace_bands(path, text)
    except OSError:
        return  # There is none, as for every store of a later version.


def _in_profile(stack):
    place = hashlib.sha256(f"{stack.path}/{stack.group}".encode()).hexdigest()[:16]
    return Path(QgsApplication.qgisSettingsDirPath()) / FOLDER / "layers" / place


def replace_bands(path, text):
    """Replace the file in one go: a layer of an open project may be reading it.

    It is read-only, as GDAL would write histograms of megabytes into it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    partial.write_text(text, encoding="utf-8")
    partial.chmod(_READ_ONLY)
    if os.name == "nt" and path.exists():
        path.chmod(_WRITABLE)  # Windows replaces no other
    partial.replace(path)


def _virtual_raster(first, sources, stack):
    band = first.GetRasterBand(1)
    kind = gdal.GetDataTypeName(band.DataType)
    size = f'xSize="{first.RasterXSize}" ySize="{first.RasterYSize}"'
    columns, rows = band.GetBlockSize()
    lines = [
        f'<VRTDataset rasterXSize="{first.RasterXSize}" rasterYSize="{first.RasterYSize}">',
        f"<SRS>{escape(first.GetProjection(), quote=False)}</SRS>",
        f"<GeoTransform>{', '.join(map(repr, first.GetGeoTransform()))}</GeoTransform>",
    ]
    for number, source in enumerate(sources, start=1):
        file = escape(source, quote=False)
        name = ""
        if len(stack.begins) == len(sources):
            name = f"<Description>{escape(dates_of_bands(stack)[number - 1])}</Description>"
        missing = band.GetNoDataValue()
        lines += [
            f'<VRTRasterBand dataType="{kind}" band="{number}">{name}',
            "" if missing is None else f"<NoDataValue>{missing!r}</NoDataValue>",
            f'<SimpleSource><SourceFilename relativeToVRT="0">{file}</SourceFilename>',
            "<SourceBand>1</SourceBand>",
            f'<SourceProperties RasterXSize="{first.RasterXSize}" '
            f'RasterYSize="{first.RasterYSize}" DataType="{kind}" '
            f'BlockXSize="{columns}" BlockYSize="{rows}"/>',
            f'<SrcRect xOff="0" yOff="0" {size}/><DstRect xOff="0" yOff="0" {size}/>',
            "</SimpleSource></VRTRasterBand>",
        ]
    return "\n".join([*lines, "</VRTDataset>"])


_STORE = re.compile(f"ZARR:{QUOTED}(?=:/)")


class MovedStores:
    """Mends layers of Zarr stores in projects that were moved together with them.

    QGIS finds a virtual raster by its relative path, but the path of the store in it is absolute:
    GDAL takes no other after ``ZARR:``.
    """

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
