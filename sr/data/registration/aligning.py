"""A pair of which HR lies on the grid of LR."""

from dataclasses import replace

import numpy as np

from sr.data.registration.histogram import matched
from sr.data.registration.moving import Span, cropped, moved, moved_mask
from sr.data.registration.side import Side
from sr.ops.no_data import filled, has_data, without_data
from sr.ops.resize import imresize


def aligned(hr: Side, lr: Side, *, rows: Span, columns: Span, match: bool = False) -> tuple[Side, Side]:
    """The part that HR and LR have in common, with HR moved onto the grid of LR.

    LR keeps its pixels, because a net sees LR as it comes. Where HR has no data it has none afterwards, and the pixels
    between those with and without data lose theirs.

    Args:
        hr: HR.
        lr: LR.
        rows: the rows that are kept, see `span`.
        columns: the columns that are kept.
        match: whether HR gets the distribution of values that LR has, see `matched`. Both then have one type and one
            number of bands.
    """
    kept = replace(
        lr,
        values=cropped(lr.values, rows, columns),
        cover=None if lr.cover is None else cropped(lr.cover, rows, columns),
    )
    cover = None
    if hr.cover is not None:
        move = moved_mask if hr.cover.dtype == bool else moved
        cover = move(hr.cover[:, :, None], rows, columns)[:, :, 0]
    if not (match or rows.between or columns.between):
        return replace(hr, values=moved(hr.values, rows, columns), cover=cover), kept
    known = hr.valid()
    values = moved(hr.values if known is None else filled(hr.values, known), rows, columns)
    valid = None if known is None else moved_mask(known, rows, columns)
    values = _matched(values, valid, kept) if match else values.copy()
    stored = has_data(hr.values, nodata=hr.nodata)
    if stored is not None:
        without_data(values, moved_mask(stored, rows, columns), nodata=hr.nodata)
    elif hr.nodata is not None:  # no new value may stand for no data by chance
        without_data(values, np.ones(values.shape, bool), nodata=hr.nodata)
    return replace(hr, values=values, cover=cover), kept


def _matched(values: np.ndarray, valid: np.ndarray | None, lr: Side) -> np.ndarray:
    height, width = lr.size
    reduced = imresize(values.astype(np.float32), size=(height, width))
    both = lr.valid()
    if valid is not None:
        scale = len(values) // height
        whole = np.asarray(valid.reshape(height, scale, width, scale, -1).all(axis=(1, 3)))
        both = whole if both is None else both & whole
    return matched(values, reduced=reduced, lr=lr.values, valid=both)
