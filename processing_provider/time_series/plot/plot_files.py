"""Makes pictures of a plot that stand alone: PNG and SVG, on white, with the names of curves."""

from qgis.PyQt.QtCore import QRect
from qgis.PyQt.QtGui import QColor, QImage, QPainter, QPalette
from qgis.PyQt.QtSvg import QSvgGenerator

_DOTS_PER_PIXEL = 2
_RESOLUTION = 96
"""Pixels an inch of SVG, as browsers count them."""


def image_of(plot):
    """Return what a plot shows as an image of twice its size."""
    image = QImage(plot.size() * _DOTS_PER_PIXEL, QImage.Format.Format_ARGB32)
    image.setDevicePixelRatio(_DOTS_PER_PIXEL)
    image.fill(QColor("white"))
    _draw(plot, image)
    return image


def write_png(plot, path):
    """Write what a plot shows into an image; raises OSError."""
    if not image_of(plot).save(str(path), "PNG"):
        raise OSError(0, "the folder is missing, full or write-protected")


def write_svg(plot, path):
    """Write what a plot shows into an SVG file; raises OSError."""
    with open(path, "ab"):
        pass  # QSvgGenerator says nothing of a file that cannot be written.
    generator = QSvgGenerator()
    generator.setFileName(str(path))
    generator.setSize(plot.size())
    generator.setViewBox(QRect(0, 0, plot.width(), plot.height()))
    generator.setResolution(_RESOLUTION)
    generator.setTitle(plot.figure.title)
    _draw(plot, generator)


def _draw(plot, device):
    paper = QPalette()
    paper.setColor(QPalette.ColorRole.Base, QColor("white"))
    paper.setColor(QPalette.ColorRole.Text, QColor("black"))
    painter = QPainter(device)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setFont(plot.font())
    plot.figure.draw(painter, plot.size(), paper, plot.view, with_names=True)
    painter.end()
