"""Parameters that decide on the values of a stack and on what is added to them."""

from qgis.core import QgsProcessingParameterBoolean, QgsProcessingParameterString

from ...core.contract import SCALES
from ..translation import tr
from .grid_parameters import choice

REFERENCE_POINT = "REFERENCE_POINT"
MERGE_PASSES = "MERGE_PASSES"
SCALE = "SCALE"
KEEP_BITS = "KEEP_BITS"
ENRICH = "ENRICH"
MASKS = "MASKS"
LOOK_VECTORS = "LOOK_VECTORS"


def add_enrichment(algorithm):
    """Declare whether the catalog is asked."""
    algorithm.add(
        QgsProcessingParameterBoolean(
            ENRICH, tr("Ask the ASF catalog"), defaultValue=False, optional=True
        ),
        tr(
            "Yes: look the source scenes up in ASF's catalog and add what HyP3's products do not "
            "tell: when and by which version they were processed, their outlines and ends, and the "
            "parallel baseline of each pair. Needs the internet but no login; the stack is made "
            "without it where the catalog is out of reach."
        ),
        advanced=True,
    )


def add_computed_layers(algorithm):
    """Declare what is computed for all pixels besides the products' layers."""
    algorithm.add(
        QgsProcessingParameterBoolean(MASKS, tr("Masks"), defaultValue=True, optional=True),
        tr(
            "Yes: add data_mask (0 no data, 1 valid, 2 invalid) and mask_reason (why not) for each "
            "pair or date; CEOS-ARD asks for the former. They are made from unw_phase and corr, or "
            "from backscatter and ls_map; without these layers there are none. No: leave them out, "
            "which saves time and disk."
        ),
        advanced=True,
    )
    algorithm.add(
        QgsProcessingParameterBoolean(
            LOOK_VECTORS, tr("Look vectors as grids"), defaultValue=False, optional=True
        ),
        tr(
            "Interferograms only. Yes: add look_vector_x, look_vector_y, look_vector_z, the unit "
            "vector from the satellite to each pixel in Earth-centered, Earth-fixed coordinates "
            "(CEOS-ARD 2.12). Needs the layers lv_theta and lv_phi; takes disk and time. No: only "
            "the vector in the center of the scene is kept."
        ),
        advanced=True,
    )


def add_quantities(algorithm):
    """Declare what is made of the products' values."""
    algorithm.add(
        QgsProcessingParameterString(REFERENCE_POINT, tr("Reference point"), optional=True),
        tr(
            "Interferograms only. Each HyP3 pair has a reference point of its own; this refers "
            "unw_phase, los_disp and vert_disp of all pairs to one pixel, whose value is "
            "subtracted from each pair and recorded. Coordinates as x,y [EPSG:code] (without a "
            "code in the CRS of the grid), or auto: the pixel of highest mean coherence among "
            "those with data in all pairs. Empty: values stay as HyP3 delivers them."
        ),
        advanced=True,
    )
    algorithm.add(
        QgsProcessingParameterBoolean(
            MERGE_PASSES, tr("Merge the frames of a pass"), defaultValue=False, optional=True
        ),
        tr(
            "Backscatter only. Yes: frames that one satellite took one after the other become one "
            "date, and the layer source_frame tells from which frame each pixel comes. No: each "
            "frame is a date of its own."
        ),
        advanced=True,
    )
    algorithm.add(
        choice(SCALE, tr("Scale"), SCALES),
        tr(
            "Backscatter only. Scale of the stack; products of several scales need one to be "
            "chosen. Whatever the scale, backscatter is warped as power."
        ),
        advanced=True,
    )
    algorithm.add(
        QgsProcessingParameterString(KEEP_BITS, tr("Bits to keep"), optional=True),
        tr(
            "Empty: values are stored exactly. Otherwise values are rounded so that files get "
            "smaller: layer=bits, for example corr=7,amp=8, or one number for all layers of "
            "floating point numbers, or both. With n of the 23 mantissa bits a value changes by "
            "at most 2^-(n+1) of its size: 0.4 % with 7, 0.05 % with 10. Missing data, 0 and masks "
            "stay exact; the stack records what was rounded, and the log tells how much is saved."
        ),
        advanced=True,
    )


def read_values(values):
    """Return what the user gave of them."""
    return {
        REFERENCE_POINT: values.text(REFERENCE_POINT),
        MERGE_PASSES: values.flag(MERGE_PASSES),
        SCALE: values.choice(SCALE),
        KEEP_BITS: values.text(KEEP_BITS),
        MASKS: values.flag(MASKS),
        LOOK_VECTORS: values.flag(LOOK_VECTORS),
        ENRICH: values.flag(ENRICH),
    }
