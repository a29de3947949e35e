"""Algorithm ``hyp3:loadstack``."""

from qgis.core import QgsProcessingException, QgsProcessingOutputMultipleLayers

from ...core.errors import StackError
from ...core.files.old_groups import mend_groups
from ..layers.gdal_s3 import connect
from ..layers.loading import LAYERS, hand_over
from ..layers.stack_description import StackFileError, open_stack, store_path
from ..parameters.combined_checks import address_of
from ..parameters.job_values import Values
from .algorithm import StackAlgorithm, ToolboxGroup


class LoadStack(StackAlgorithm):
    """Loads the variables of a stack as layers that play in time."""

    NAME = "loadstack"
    TITLE = "Load stack"
    GROUP = ToolboxGroup.ANALYZE
    SUMMARY = "Loads a NetCDF or Zarr stack as layers that play in the Temporal Controller."
    HELP = (
        "Adds one layer for each variable of a stack to the project, with a style that suits the "
        "variable, in a group named like the stack (with a number where the project has another "
        "stack of that name). One layer shows: the unwrapped phase, the displacement or the first "
        "backscatter. The others lie in subgroups. Layers of the same stack that the project has "
        "already are loaded anew in their place and keep their style."
        "\n"
        "The time of the project is set to the stack: Play of the Temporal Controller shows each "
        "pair or date once. Where the project has stacks of other dates, step through the pairs of "
        "one of them in Time series on a click."
        "\n"
        "From the command line nothing is loaded; the sources of the layers are returned."
        "\n"
        "With GDAL before 3.8, small .vrt files give QGIS the bands of a Zarr store; they are "
        "written into a folder beside it whose name ends in _layers, or into the QGIS profile."
        "\n"
        "A stack is tried out in a process of its own first: what is so damaged that GDAL crashes "
        "on it is refused, and QGIS goes on. GDAL 3.13 also crashes on the metadata of Zarr stores "
        "that HyP3 Stack 0.1.0 has written; Mend the metadata takes out the entries in question."
    )
    EXAMPLE = "qgis_process run hyp3:loadstack -- INPUT=/data/stack.nc VARIABLES=unw_phase,corr"
    TAGS = (
        "displacement",
        "subsidence",
        "temporal",
        "time series",
        "animation",
        "netcdf",
        "zarr",
        "layer",
        "style",
    )
    NEEDS_CORE = False

    OUTPUTS = ((QgsProcessingOutputMultipleLayers, LAYERS, "Sources of the layers"),)

    def processAlgorithm(self, parameters, context, feedback):
        values = Values(self, parameters, context)
        try:
            address = address_of(values, "INPUT")
            if address is not None:
                connect(address)
            source = values.text("INPUT") if address is None else address
            if values.flag("MEND"):
                self._mend(store_path(source), feedback)
            stack = open_stack(source, feedback)
            chosen = self._chosen(stack, values.text("VARIABLES") or "")
            sources = hand_over(stack, chosen, context, feedback, feedback.setProgress)
        except (StackError, StackFileError) as error:
            raise QgsProcessingException(self.said(str(error))) from None
        return {LAYERS: sources}

    @staticmethod
    def _mend(store, feedback):
        if store is None:
            return
        try:
            number = mend_groups(store)
        except OSError as error:
            raise StackFileError(
                f"The metadata of {store} cannot be mended: {error.strerror or error}."
            ) from None
        if number:
            feedback.pushInfo(f"The metadata of {store} are mended.")

    @staticmethod
    def _chosen(stack, text):
        names = [name.strip() for name in text.split(",") if name.strip()]
        unknown = [name for name in names if name not in stack.variables]
        if unknown:
            raise StackFileError(
                f"VARIABLES names {', '.join(unknown)}, but the stack has only "
                f"{', '.join(stack.variables)}."
            )
        return [stack.variables[name] for name in dict.fromkeys(names or stack.variables)]
