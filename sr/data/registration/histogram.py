"""Values of HR that are distributed as those of LR, band by band."""

from dataclasses import dataclass

import numpy as np

from sr.data.registration.moving import as_type

SHARES = np.linspace(0.005, 0.995, 100)


@dataclass(frozen=True)
class ValueMap:
    """A rising function of values, linear between its knots and beyond them.

    Attributes:
        before: (knots,) values in rising order.
        after: (knots,) what becomes of them.
        gain: the slope beyond the knots.
    """

    before: np.ndarray
    after: np.ndarray
    gain: float

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Values -> float64 of the same shape."""
        beyond = values - np.clip(values, self.before[0], self.before[-1])
        return np.asarray(np.interp(values, self.before, self.after) + self.gain * beyond)


def value_map(source: np.ndarray, target: np.ndarray) -> ValueMap:
    """The function that gives the values of one image the distribution of those of another: (n,) and (m,) -> a map.

    It joins quantiles of the two, from one in 200 to 199 in 200. What lies beyond is continued by the slope between
    these ends, because the few values there say nothing.
    """
    before, after = (np.quantile(values.astype(np.float64), SHARES) for values in (source, target))
    knots, group = np.unique(before, return_inverse=True)
    mean = np.bincount(group, after) / np.bincount(group)
    width = knots[-1] - knots[0]
    return ValueMap(knots, mean, (mean[-1] - mean[0]) / width if width else 1.0)


def matched(hr: np.ndarray, *, reduced: np.ndarray, lr: np.ndarray, valid: np.ndarray | None) -> np.ndarray:
    """HR whose values are distributed, in the size of LR, as those of LR: (H, W, C) -> (H, W, C) of the same type.

    The map is found between LR and the reduced HR, which show the same detail, and not between LR and HR itself: LR is
    an average of pixels, whose distribution is narrower, so HR would lose contrast. Where LR is the reduced HR, the map
    changes nothing.

    Args:
        hr: stored values.
        reduced: (h, w, C) float, HR in the size of LR.
        lr: (h, w, C) stored values of the type of HR.
        valid: (h, w, C) bool, where both have data; None: everywhere. A band without any stays as it is.
    """
    result = hr.copy()
    for band in range(hr.shape[2]):
        keep = np.s_[:] if valid is None else valid[:, :, band]
        # Rounded as LR is, so that equal images have equal quantiles.
        source, target = as_type(reduced[:, :, band], lr.dtype)[keep], lr[:, :, band][keep]
        if target.size:
            mapped = value_map(source.ravel(), target.ravel())
            result[:, :, band] = as_type(mapped(hr[:, :, band]), hr.dtype)
    return result
