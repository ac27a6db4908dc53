"""A look at a few pairs before a training on them: do LR and HR lie over each other?"""

import logging
import shlex
from collections.abc import Iterator

import numpy as np
from lightning.pytorch.utilities import rank_zero_only

from sr.data.registration.alignment import Alignment, measure_pair
from sr.data.registration.side import Side
from sr.data.registration.verdict import bound, direction, known_cause, together
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
    all_together = together(found)
    pairs = f"LR and HR of {all_together.pairs if all_together else len(found)} pairs in {folders[1]} and {folders[0]}"
    if all_together is None:
        say("whether %s lie over each other cannot be measured: too flat, too small or too unlike", pairs)
        return
    others = len(found) - all_together.pairs
    beside = f" ({others} more are too flat, too small or too unlike to say)" if others else ""
    limit = bound(scale)
    if max(all_together.median, all_together.spread) <= limit:
        say("%s are aligned: %s%s", pairs, all_together.apart, beside)
        return
    words = ["sr-align", *folders, "--scale", str(scale), *(["--lr-name", lr_name] if lr_name else [])]
    next_words = f"`{shlex.join(words)}` measures all pairs"
    if all_together.spread > limit:
        log.warning(
            "the shift between %s differs by %.2f LR pixels within an image (median)%s: LR with aligned corners, turned, of"
            " another scale or another view. The net learns to blur or to move what it enlarges; %s",
            pairs,
            all_together.spread,
            beside,
            next_words,
        )
        return
    cause = known_cause(all_together.down, all_together.right, scale=scale)
    log.warning(
        "%s are not aligned: %s%s. LR lies %s (median)%s; more than %g is too much, since the net learns the shift too. %s,"
        " and --out DIR writes aligned ones",
        pairs,
        all_together.apart,
        beside,
        direction(all_together.down, all_together.right),
        f", {cause}" if cause else "",
        limit,
        next_words,
    )


def _measured(hr: ImageSource, lr: ImageSource, scale: int) -> Iterator[Alignment]:
    """The alignment of a few pairs that are spread over the set."""
    for index in np.unique(np.linspace(0, len(hr) - 1, PAIRS).round().astype(int)).tolist():
        try:
            sides = [Side(source[index], nodata_of(source, index)) for source in (hr, lr)]
        except UnreadableImageError:
            continue  # training says it, and does with it what data.on_error asks for
        yield measure_pair(*sides, scale=scale, most=WINDOWS)
