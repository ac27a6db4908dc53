"""The results of neighbouring frames mixed where the film stands still, which takes flicker away."""

from dataclasses import dataclass

import cv2
import numpy as np

from sr.video.scene import is_cut

WINDOW = 7  # side of the window, in pixels of the input, over which a change is averaged
STILL = 4 / 255  # mean change up to which a window counts as still: about the noise of a good camera
MOVED = 8 / 255  # from here on nothing is mixed


@dataclass(frozen=True)
class Shown:
    """A frame of the film with its result, each (H, W, C) uint16, H and W of the result larger."""

    source: np.ndarray
    result: np.ndarray


def blend(before: Shown | None, now: Shown, after: Shown | None, *, weight: float) -> np.ndarray:
    """The result of `now`, mixed with its neighbours where the film did not change.

    (now + w * (s_b * before + s_a * after)) / (1 + w * (s_b + s_a)), where s is 1 where the input stands still between
    the two frames, 0 where it changes, and 0 everywhere over a cut (`is_cut`). The change is the mean of the absolute
    difference of the inputs over 7 x 7 pixels; between 4 and 8 of 255 levels, s falls from 1 to 0. Only inputs are
    compared, so what a net makes of noise does not pass for motion.

    Args:
        before: the frame before; None at the beginning.
        now: the frame.
        after: the frame after it; None at the end.
        weight: w, above 0, the weight of a neighbour beside 1 for the frame itself.
    """
    neighbours = [
        each for each in (before, after) if each is not None and not is_cut(each.source, now.source)
    ]
    if not neighbours:
        return now.result
    total = now.result.astype(np.float32)
    weights = np.ones((*now.result.shape[:2], 1), np.float32)
    for each in neighbours:
        still = np.float32(weight) * _still(each.source, now.source, now.result.shape)
        total += still * each.result
        weights += still
    return np.asarray(np.rint(total / weights).astype(np.uint16))


def _still(one: np.ndarray, other: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """(H, W, 1) float32 in [0, 1] of the height and width in `shape`."""
    change = np.abs(one.astype(np.float32) - other).mean(axis=2) / np.float32(65535)
    change = cv2.blur(change, (WINDOW, WINDOW), borderType=cv2.BORDER_REFLECT)
    still = np.clip((MOVED - change) / (MOVED - STILL), 0, 1).astype(np.float32)
    return np.asarray(cv2.resize(still, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR))[:, :, None]
