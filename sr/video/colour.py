"""Between Y'CbCr as films store it and R'G'B' as nets see it, by the matrix and the range of the film."""

from dataclasses import dataclass

import numpy as np

# ITU-T H.273, table 4: MatrixCoefficients -> (Kr, Kb), the weights of red and blue in luma.
RGB, UNSPECIFIED, BT709, BT601, BT2020 = 0, 2, 1, 6, 9
WEIGHTS = {
    BT709: (0.2126, 0.0722),
    4: (0.30, 0.11),  # FCC
    5: (0.299, 0.114),  # BT.601 at 625 lines
    BT601: (0.299, 0.114),
    7: (0.212, 0.087),  # SMPTE 240M
    BT2020: (0.2627, 0.0593),  # non-constant luminance
}
NAMES = {
    RGB: "RGB",
    UNSPECIFIED: "gray",
    BT709: "BT.709",
    4: "FCC",
    5: "BT.601",
    BT601: "BT.601",
    7: "SMPTE 240M",
    BT2020: "BT.2020",
}
LIMITED, FULL = 1, 2  # AVColorRange
HD = 720  # lines from which on a film without a tag counts as BT.709
RGB16 = 65535.0


@dataclass(frozen=True)
class Colour:
    """How the numbers of a film are colours. The numbers are those of ITU-T H.273.

    Attributes:
        matrix: `RGB`, `UNSPECIFIED` for gray, or a key of `WEIGHTS`.
        full: whether black and white are the ends of the numbers, not 16 and 235 (of 8 bits).
        primaries: its primaries, which are handed on as they are.
        transfer: its transfer characteristics, handed on too: a net sees the coded values, PQ and HLG as well.
        guessed: whether the film does not state its matrix.
    """

    matrix: int
    full: bool
    primaries: int = UNSPECIFIED
    transfer: int = UNSPECIFIED
    guessed: bool = False

    def __str__(self) -> str:
        return f"{NAMES[self.matrix]}, {'full' if self.full else 'limited'} range"


def matrix_of(stated: int, *, height: int) -> tuple[int, bool]:
    """The matrix to read a film by, and whether it is guessed: BT.709 from 720 lines on, BT.601 below.

    Raises:
        ValueError: the film states a matrix that is not linear in R'G'B', or an unknown one.
    """
    if stated == UNSPECIFIED:
        return (BT709 if height >= HD else BT601), True
    if stated not in WEIGHTS:
        raise ValueError(
            f"its matrix of colours is number {stated} of ITU-T H.273; these are read:"
            f" {', '.join(f'{number} ({NAMES[number]})' for number in WEIGHTS)}"
        )
    return stated, False


def to_rgb(yuv: np.ndarray, *, colour: Colour, bits: int) -> np.ndarray:
    """(H, W, 3) float32 of Y', Cb, Cr in levels of `bits` -> (H, W, 3) uint16 of R'G'B', where 65535 is 1.

    Limited range puts black at 16 and white at 235, and chroma between 16 and 240 around 128, times 2^(bits-8) (ITU-R
    BT.709-6, sec. 3.5; BT.2100-2, table 9). What lies beyond black and white is cut off.
    """
    luma = _luma_to_one(yuv[..., 0], colour, bits)
    half, span = _chroma_scale(colour, bits)
    blue_difference, red_difference = (yuv[..., 1] - half) / span, (yuv[..., 2] - half) / span
    red_weight, blue_weight = WEIGHTS[colour.matrix]
    green_weight = 1 - red_weight - blue_weight
    rgb = np.empty(yuv.shape, np.float32)
    rgb[..., 0] = luma + 2 * (1 - red_weight) * red_difference
    rgb[..., 2] = luma + 2 * (1 - blue_weight) * blue_difference
    rgb[..., 1] = (luma - red_weight * rgb[..., 0] - blue_weight * rgb[..., 2]) / green_weight
    return levels16(rgb)


def to_yuv(rgb: np.ndarray, *, colour: Colour, bits: int) -> np.ndarray:
    """The inverse of `to_rgb`, not yet rounded: (H, W, 3) uint16 -> (H, W, 3) float32 in levels of `bits`."""
    one = rgb.astype(np.float32) / np.float32(RGB16)
    red_weight, blue_weight = WEIGHTS[colour.matrix]
    luma = red_weight * one[..., 0] + (1 - red_weight - blue_weight) * one[..., 1] + blue_weight * one[..., 2]
    half, span = _chroma_scale(colour, bits)
    yuv = np.empty(rgb.shape, np.float32)
    yuv[..., 0] = _luma_to_levels(luma, colour, bits)
    yuv[..., 1] = (one[..., 2] - luma) * np.float32(span / (2 * (1 - blue_weight))) + half
    yuv[..., 2] = (one[..., 0] - luma) * np.float32(span / (2 * (1 - red_weight))) + half
    return yuv


def gray_to_16(gray: np.ndarray, *, colour: Colour, bits: int) -> np.ndarray:
    """(H, W, 1) levels of `bits` -> (H, W, 1) uint16, where 65535 is white."""
    return levels16(_luma_to_one(gray.astype(np.float32), colour, bits))


def gray_from_16(gray: np.ndarray, *, colour: Colour, bits: int) -> np.ndarray:
    """The inverse of `gray_to_16`, not yet rounded."""
    return _luma_to_levels(gray.astype(np.float32) / np.float32(RGB16), colour, bits)


def levels16(one: np.ndarray) -> np.ndarray:
    """Floats, nominally in [0, 1] -> uint16."""
    return np.asarray(np.rint(np.clip(one, 0, 1) * RGB16).astype(np.uint16))


def _luma_to_one(luma: np.ndarray, colour: Colour, bits: int) -> np.ndarray:
    black, white = _luma_range(colour, bits)
    return np.asarray((luma - np.float32(black)) / np.float32(white - black))


def _luma_to_levels(luma: np.ndarray, colour: Colour, bits: int) -> np.ndarray:
    black, white = _luma_range(colour, bits)
    return np.asarray(luma * np.float32(white - black) + np.float32(black))


def _luma_range(colour: Colour, bits: int) -> tuple[int, int]:
    return (0, 2**bits - 1) if colour.full else (16 << (bits - 8), 235 << (bits - 8))


def _chroma_scale(colour: Colour, bits: int) -> tuple[np.float32, np.float32]:
    """The level of no colour, and the number of levels of a difference of 1."""
    return np.float32(1 << (bits - 1)), np.float32(2**bits - 1 if colour.full else 224 << (bits - 8))
