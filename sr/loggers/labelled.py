"""The versions of one image beside each other, with words above each."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

INK, PAPER = (20, 20, 20), (255, 255, 255)
GAP = 4  # pixels between two pictures
LARGEST, SMALLEST = 22, 9  # sizes of letters in pixels


def labelled(title: str, columns: Sequence[tuple[str, np.ndarray]]) -> np.ndarray:
    """Lay pictures in a row below their labels, and a title above all of them.

    Letters are as large as fit over the pictures, within bounds; a label that is longer yet is cut off at its column.

    Args:
        title: the line above all pictures.
        columns: labels, and pictures (H, W, 3) uint8 of one size.

    Returns:
        (H + header, pictures and gaps, 3) uint8.
    """
    height, width = columns[0][1].shape[:2]
    font = _font([label for label, _ in columns], width)
    line = round(1.5 * font.size)
    header = 2 * line
    sheet = Image.new("RGB", (len(columns) * (width + GAP) - GAP, height + header), PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((2, line / 2), title, INK, font, anchor="lm")
    for number, (label, picture) in enumerate(columns):
        left = number * (width + GAP)
        strip = Image.new("RGB", (width, line), PAPER)
        ImageDraw.Draw(strip).text((2, line / 2), label, INK, font, anchor="lm")
        sheet.paste(strip, (left, line))
        sheet.paste(Image.fromarray(picture), (left, header))
    return np.asarray(sheet)


def _font(labels: Sequence[str], width: int) -> ImageFont.FreeTypeFont:
    """The largest font in which every label fits into `width` pixels."""
    size = LARGEST
    while size > SMALLEST and max(_at(size).getlength(label) for label in labels) > width - 4:
        size -= 1
    return _at(size)


def _at(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)  # given a size, Pillow takes the font that it ships
    return font
