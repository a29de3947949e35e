"""What InSAR Explorer finds in a folder, as JSON; runs in QGIS's Python.

``python read_insar_explorer.py CHECKOUT FOLDER X Y``: ``CHECKOUT`` holds InSAR Explorer as the
package ``insar_explorer``. Prints what its checks say of the velocity map and of the points, and
the series that it reads at a point from either.
"""

import importlib
import json
import sys
from configparser import ConfigParser
from pathlib import Path

from qgis.core import QgsApplication, QgsPointXY, QgsRasterLayer, QgsVectorLayer


def read(checkout, folder, point):
    """Return what its code says and reads; QGIS's objects end with the call, before QGIS does."""
    sys.path.insert(0, str(checkout))
    grd, raster, vector = (
        importlib.import_module(f"insar_explorer.src.layer_utils.{name}_layer")
        for name in ("grd", "raster", "vector")
    )
    velocity = QgsRasterLayer(str(folder / "velocity_mm_year.grd"), "velocity")
    points = QgsVectorLayer(str(folder / "displacement.gpkg"), "points")
    nearest = min(points.getFeatures(), key=lambda item: item.geometry().asPoint().distance(point))
    attributes = vector.getFeatureAttributes(nearest)
    metadata = ConfigParser(strict=False)
    metadata.read(checkout / "insar_explorer" / "metadata.txt", encoding="utf-8")
    series = (
        raster.RasterTimeseries().getRasterTimeseriesAttributes(velocity, point),
        vector.extractDateValueAttributes(attributes),
    )
    return {
        "version": metadata.get("general", "version"),
        "checks": [
            grd.checkGrdTimeseries(velocity),
            vector.checkVectorLayerTimeseries(points),
            vector.getVectorVelocityFieldName(points),
        ],
        "crs": [velocity.crs().authid(), points.crs().authid()],
        "velocity": [
            float(raster.RasterTimeseries().getClickedPixelValue(velocity, point)),
            float(vector.getFeatureFieldValue(attributes, "velocity")),
        ],
        "series": [[[f"{day:%Y%m%d}", float(value)] for day, value in part] for part in series],
    }


def main():
    """Check and read."""
    application = QgsApplication([], False)
    application.initQgis()
    point = QgsPointXY(*map(float, sys.argv[3:]))
    print(json.dumps(read(Path(sys.argv[1]), Path(sys.argv[2]), point)))
    application.exitQgis()


if __name__ == "__main__":
    main()
