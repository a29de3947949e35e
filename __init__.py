"""HyP3 Stack: from an ASF HyP3 order to an analysis-ready stack inside QGIS."""


def classFactory(iface):  # noqa: N802 - the name that QGIS asks for
    """Return the plugin object; ``iface`` is None under ``qgis_process``."""
    from .plugin import Hyp3StackPlugin

    return Hyp3StackPlugin(iface)
