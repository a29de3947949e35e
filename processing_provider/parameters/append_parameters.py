"""Parameters of the algorithms that can add to a stack that is there already."""

from qgis.core import QgsProcessingParameterBoolean

from ..translation import tr

APPEND = "APPEND"
GROW = "GROW"


def add_append_options(algorithm):
    """Declare whether an existing stack is kept and added to."""
    algorithm.add(
        QgsProcessingParameterBoolean(
            APPEND, tr("Append to the stack"), defaultValue=False, optional=True
        ),
        tr(
            "Yes: where the NetCDF file or Zarr store exists, keep what it holds and add the "
            "products of the folder that it does not hold yet; their dates may lie anywhere "
            "between. The log tells what is new. With nothing new, nothing is changed; where there "
            "is no stack yet, it is built. Products that the stack holds need not be on disk any "
            "more. Until the new stack is complete, readers see the old one. The options that "
            "decide on values have to be those of the stack. No: replace an existing stack."
        ),
        advanced=True,
    )
    algorithm.add(
        QgsProcessingParameterBoolean(
            GROW, tr("Let the grid grow"), defaultValue=False, optional=True
        ),
        tr(
            "For Append only. Yes: the grid grows to hold the new products, or their part in the "
            "extent. No: it stays as it is, and what lies outside is cut off."
        ),
        advanced=True,
    )


def read_append_options(values):
    """Return what the user gave of them."""
    return {APPEND: values.flag(APPEND), GROW: values.flag(GROW)}
