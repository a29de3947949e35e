"""Parameters that say which grid a stack gets and how products get onto it."""

from qgis.core import (
    QgsProcessingParameterCrs,
    QgsProcessingParameterEnum,
    QgsProcessingParameterExtent,
    QgsProcessingParameterString,
)

from ...core.contract import EXTENT_MODES, RESAMPLINGS
from ..translation import tr

LAYERS = "LAYERS"
TARGET_CRS = "TARGET_CRS"
EXTENT_MODE = "EXTENT_MODE"
EXTENT = "EXTENT"
RESAMPLING = "RESAMPLING"


def add_layers(algorithm):
    """Declare LAYERS."""
    algorithm.add(
        QgsProcessingParameterString(LAYERS, tr("Layers"), optional=True),
        tr(
            "Which layers to use, separated by commas and named like the ends of HyP3's file "
            "names: unw_phase,corr,dem. Empty: all layers that the products have."
        ),
    )


def add_extent(algorithm, text):
    """Declare EXTENT with the help ``text``."""
    text = tr(
        "{help} On the command line xmin,xmax,ymin,ymax with the CRS, in quotation marks: "
        "EXTENT='-118.2,-117.1,35.3,36.1 [EPSG:4326]'."
    ).format(help=text)
    algorithm.add(QgsProcessingParameterExtent(EXTENT, tr("Extent"), optional=True), text)


def add_grid(algorithm):
    """Declare TARGET_CRS, EXTENT_MODE and RESAMPLING."""
    algorithm.add(
        QgsProcessingParameterCrs(TARGET_CRS, tr("Target CRS"), optional=True),
        tr(
            "Coordinate reference system of the grid. Empty: the UTM zone that most products "
            "have; those are then copied bit for bit and only the others are warped."
        ),
        advanced=True,
    )
    algorithm.add(
        choice(EXTENT_MODE, tr("Extent mode"), EXTENT_MODES),
        tr(
            "union: the grid covers every product, with no data where a product ends. "
            "intersection: it covers only what all products share."
        ),
        advanced=True,
    )
    algorithm.add(
        choice(RESAMPLING, tr("Resampling"), RESAMPLINGS),
        tr(
            "Method for products that have to be warped. auto chooses by layer: nearest for "
            "phase and masks, bilinear for coherence, amplitude, heights and angles. Masks are "
            "always nearest."
        ),
        advanced=True,
    )


def read_grid(values):
    """Return what the user gave of LAYERS, TARGET_CRS, EXTENT_MODE, EXTENT and RESAMPLING."""
    return {
        LAYERS: values.text(LAYERS),
        TARGET_CRS: values.crs(TARGET_CRS),
        EXTENT_MODE: values.choice(EXTENT_MODE),
        EXTENT: values.extent(EXTENT),
        RESAMPLING: values.choice(RESAMPLING),
    }


def choice(name, label, options, default=None):
    """Return an optional enum whose values are words; the first one is the default."""
    return QgsProcessingParameterEnum(
        name,
        label,
        options=list(options),
        defaultValue=default or options[0],
        optional=True,
        usesStaticStrings=True,
    )
