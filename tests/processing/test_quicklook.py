"""The pictures of ``make demo`` have the colors that the plugin gives the layers."""

from qgis.PyQt.QtGui import QImage

from hyp3_stack.processing_provider.layers.raster_layers import make_layer
from hyp3_stack.processing_provider.layers.stack_description import open_stack
from scripts.quicklook import BAR, MARGIN, draw_all


def test_pictures_have_the_colors_of_the_plugin(stack_files, tmp_path):
    draw_all(stack_files[0], tmp_path)
    stack = open_stack(stack_files[0])
    assert {path.stem for path in tmp_path.iterdir()} == set(stack.variables)
    layer = make_layer(stack, stack.variables["unw_phase"])
    items = layer.renderer().shader().rasterShaderFunction().colorRampItemList()
    picture = QImage(str(tmp_path / "unw_phase.png"))
    y = picture.height() - BAR + MARGIN + 12
    for x, item in ((MARGIN + 102, items[0]), (picture.width() - MARGIN - 103, items[-1])):
        found = picture.pixelColor(x, y)
        for part in ("red", "green", "blue"):
            assert abs(getattr(found, part)() - getattr(item.color, part)()) < 4
