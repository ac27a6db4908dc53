"""BasicSR's names of EDSR and RCAN, translated to those of the authors' files."""

import re
from collections.abc import Mapping

from torch import Tensor

from sr.archs.mean_shift import MeanShift
from sr.weights.architectures.counting import count

_IMG_RANGE = 255.0  # of BasicSR's option files for both nets
# Parts of names in the order in which they are tried, each for one of the nets.
_PARTS = (
    (r"conv_first\.", r"head.0."),
    (r"conv_last\.", r"tail.1."),
    (r"upsample\.", r"tail.0."),
    (r"body\.(\d+)\.conv1\.", r"body.\1.body.0."),
    (r"body\.(\d+)\.conv2\.", r"body.\1.body.2."),
    (r"body\.(\d+)\.residual_group\.(\d+)\.rcab\.3\.attention\.1\.", r"body.\1.body.\2.body.3.conv_du.0."),
    (r"body\.(\d+)\.residual_group\.(\d+)\.rcab\.3\.attention\.3\.", r"body.\1.body.\2.body.3.conv_du.2."),
    (r"body\.(\d+)\.residual_group\.(\d+)\.rcab\.", r"body.\1.body.\2.body."),
)


def is_basicsr(weights: Mapping[str, Tensor]) -> bool:
    """Whether these are the tensors of BasicSR's EDSR or RCAN."""
    blocks = {"body.0.conv1.weight", "body.0.residual_group.0.rcab.0.weight"}
    return {"conv_first.weight", "conv_after_body.weight"} <= set(weights) and not blocks.isdisjoint(weights)


def rename_basicsr(weights: Mapping[str, Tensor]) -> dict[str, str]:
    """Old name -> new name. The convolution after all blocks, or after those of a group, is counted as one of them."""
    blocks = count(weights, r"body\.(\d+)\.")
    in_group = count(weights, r"body\.0\.residual_group\.(\d+)\.")
    parts = (
        *_PARTS,
        (r"conv_after_body\.", rf"body.{blocks}."),
        (r"body\.(\d+)\.conv\.", rf"body.\g<1>.body.{in_group}."),
    )
    renamed = {}
    for key in weights:
        for old, new in parts:
            if re.match(old, key):
                renamed[key] = re.sub(old, new, key, count=1)
                break
    return renamed


def with_means(weights: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """These tensors, under the new names, and those of the mean colour: BasicSR's nets shift it too, but store none."""
    head, tail = weights.get("head.0.weight"), weights.get("tail.1.weight")
    if head is None or tail is None:
        return weights
    means: dict[str, Tensor] = {}
    for name, channels, sign in (("sub_mean", head.shape[1], -1), ("add_mean", tail.shape[0], 1)):
        shift = MeanShift(channels=channels, img_range=_IMG_RANGE, sign=sign)
        means |= {f"{name}.{key}": value for key, value in shift.state_dict().items()}
    return {**weights, **means}
