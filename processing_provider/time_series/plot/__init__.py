"""The plot: series over time, drawn with nothing but Qt, which every QGIS has."""
