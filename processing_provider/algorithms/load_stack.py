"""Algorithm ``hyp3:loadstack``."""

from qgis.core import (
    QgsProcessingException,
    QgsProcessingOutputMultipleLayers,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterFile,
    QgsProcessingParameterString,
)

from ...core.errors import StackError
from ...core.files.old_groups import mend_groups
from ..layers.gdal_s3 import connect
from ..layers.loading import LAYERS, hand_over
from ..layers.stack_description import StackFileError, open_stack, store_path
from ..parameters.job_values import Values
from ..parameters.remote_parameters import add_remote_options, address_of
from ..translation import tr
from .algorithm import StackAlgorithm


class LoadStack(StackAlgorithm):
    """Loads the variables of a stack as layers that play in time."""

    INPUT = "INPUT"
    VARIABLES = "VARIABLES"
    MEND = "MEND"

    NAME = "loadstack"
    TITLE = "Load stack"
    SUMMARY = "Loads a NetCDF or Zarr stack as layers that play in the Temporal Controller."
    HELP = (
        "Adds one layer for each variable of a stack to the project, in a group named like the "
        "stack (with a number where the project has another stack of that name), with a style that "
        "suits the variable. In the Temporal Controller, choose the range "
        "of the layer and source timestamps as step: every pair or date is then shown once."
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
    TAGS = ("temporal", "time series", "animation", "netcdf", "zarr", "layer", "style")
    NEEDS_CORE = False

    def initAlgorithm(self, configuration=None):
        self.add(
            QgsProcessingParameterFile(
                self.INPUT,
                tr("Stack"),
                behavior=QgsProcessingParameterFile.Behavior.File,
                fileFilter=tr("Stacks (*.nc *.zarr);;All files (*)"),
            ),
            tr(
                "NetCDF file or Zarr store that Build stack has written. The browse button finds "
                "files; for a Zarr store, type or paste the path of its folder, or its address in "
                "an object store: s3://bucket/stack.zarr."
            ),
        )
        self.add(
            QgsProcessingParameterString(self.VARIABLES, tr("Variables"), optional=True),
            tr("Which variables to load, separated by commas: unw_phase,corr. Empty: all."),
        )
        self.add(
            QgsProcessingParameterBoolean(
                self.MEND, tr("Mend the metadata"), defaultValue=False, optional=True
            ),
            tr(
                "Yes: take those entries out of the metadata of a Zarr store of HyP3 Stack 0.1.0 "
                "on which GDAL 3.13 crashes, then load it. They are repeated in every layer, and "
                "no value changes. The store has to be on a disk that can be written to. Of no "
                "effect on other stacks."
            ),
            advanced=True,
        )
        add_remote_options(self)
        self.addOutput(QgsProcessingOutputMultipleLayers(LAYERS, tr("Sources of the layers")))

    def processAlgorithm(self, parameters, context, feedback):
        values = Values(self, parameters, context)
        try:
            address = address_of(values, self.INPUT)
            if address is not None:
                connect(address)
            source = values.text(self.INPUT) if address is None else address
            if values.flag(self.MEND):
                self._mend(store_path(source), feedback)
            stack = open_stack(source, feedback)
            chosen = self._chosen(stack, values.text(self.VARIABLES) or "")
            sources = hand_over(stack, chosen, context, feedback, feedback.setProgress)
        except (StackError, StackFileError) as error:
            raise QgsProcessingException(str(error)) from None
        return {LAYERS: sources}

    @staticmethod
    def _mend(store, feedback):
        if store is None:
            return
        try:
            number = mend_groups(store)
        except OSError as error:
            raise StackFileError(
                tr("The metadata of {path} cannot be mended: {reason}.").format(
                    path=store, reason=error.strerror or error
                )
            ) from None
        if number:
            feedback.pushInfo(tr("The metadata of {path} are mended.").format(path=store))

    @staticmethod
    def _chosen(stack, text):
        names = [name.strip() for name in text.split(",") if name.strip()]
        unknown = [name for name in names if name not in stack.variables]
        if unknown:
            raise StackFileError(
                tr("VARIABLES names {unknown}, but the stack has only {known}.").format(
                    unknown=", ".join(unknown), known=", ".join(stack.variables)
                )
            )
        return [stack.variables[name] for name in dict.fromkeys(names or stack.variables)]
