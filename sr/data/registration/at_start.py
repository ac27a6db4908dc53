"""A look at a few pairs before a training on them: do LR and HR lie over each other?"""

import logging
import shlex
from collections.abc import Iterator, Sequence

import numpy as np
from lightning.pytorch.utilities import rank_zero_only

from sr.data.registration.alignment import Alignment, measure_pair
from sr.data.registration.side import Side
from sr.data.registration.verdict import (
    ALIGNED,
    MEANING,
    UNDECIDED,
    Together,
    bound,
    direction,
    known_cause,
    pairs,
    together,
    verdict,
)
from sr.data.sources import ImageSource, nodata_of, say
from sr.pictures.picture import UnreadableImageError

log = logging.getLogger(__name__)

PAIRS = 5  # that are looked at
WINDOWS = 2  # in each of them, along an axis


@rank_zero_only
def say_alignment(
    hr: ImageSource, lr: ImageSource, *, scale: int, folders: tuple[str, str], lr_name: str | None = None
) -> None:
    """Log by how much LR and HR of a few pairs lie beside each other; a warning where training would suffer from it.

    Args:
        hr: the HR images.
        lr: the LR images in the same order.
        scale: the upscaling factor.
        folders: the folders of HR and LR, as the user has written them.
        lr_name: the rule for the names of LR, if the user has given one.
    """
    found = list(_measured(hr, lr, scale))
    wrong = _fault(together(found), scale)
    text = _summary(found, scale=scale, where=f"{folders[1]} and {folders[0]}")
    if wrong is None:
        say("%s", text)
        return
    words = ["sr-align", *folders, "--scale", str(scale), *(["--lr-name", lr_name] if lr_name else [])]
    log.warning(
        "%s; %s. `%s` measures all pairs, --out DIR writes aligned ones", text, wrong, shlex.join(words)
    )


def _summary(found: Sequence[Alignment], *, scale: int, where: str) -> str:
    """How many pairs are aligned, and by how much they are apart."""
    everything = together(found)
    if everything is None:
        named = f"LR and HR of {pairs(len(found))} in {where}"
        return f"whether {named} are aligned cannot be measured: {MEANING[UNDECIDED]}"
    good = sum(verdict(each, scale=scale) == ALIGNED for each in found)
    count = f"{good} of {pairs(everything.pairs)}" if good < everything.pairs else pairs(good)
    others = len(found) - everything.pairs
    beside = f" ({pairs(others)} more: {MEANING[UNDECIDED]})" if others else ""
    return f"LR and HR of {count} in {where} are aligned: {everything.apart}{beside}"


def _fault(everything: Together | None, scale: int) -> str | None:
    """What is wrong with half of the pairs or more, and what comes of it; None where nothing is."""
    if everything is None:
        return None
    if everything.spread > bound(scale):
        return (
            f"within an image the shift differs by {everything.spread:.2f} (median), as with aligned corners, a turned"
            " image, another scale or another view, and the net learns to blur"
        )
    if everything.median <= bound(scale):
        return None
    cause = known_cause(everything.down, everything.right, scale=scale)
    return (
        f"LR lies {direction(everything.down, everything.right)} (median){', ' if cause else ''}{cause}; more than"
        f" {bound(scale):g} is too much, since the net learns the shift too"
    )


def _measured(hr: ImageSource, lr: ImageSource, scale: int) -> Iterator[Alignment]:
    """The alignment of a few pairs that are spread over the set."""
    for index in np.unique(np.linspace(0, len(hr) - 1, PAIRS).round().astype(int)).tolist():
        try:
            sides = [Side(source[index], nodata_of(source, index)) for source in (hr, lr)]
        except UnreadableImageError:
            continue  # training says it, and does with it what data.on_error asks for
        yield measure_pair(*sides, scale=scale, most=WINDOWS)
