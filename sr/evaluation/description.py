"""What the numbers of an evaluation are: the protocol that made them, described for whoever reads them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sr.evaluation.bootstrap import INTERVAL
from sr.evaluation.lr_origin import LROrigin
from sr.metrics.protocol import Protocol


@dataclass(frozen=True, kw_only=True)
class ProtocolDescription:
    """The protocol of an evaluation.

    Attributes:
        name: the name of the protocol.
        changed: `key=value` for every setting of the protocol that the user changed.
        spaces: the colour spaces that PSNR and SSIM are taken in.
        crop_border: the number of pixels that are cut from each side.
        definitions: name -> one sentence on how it is computed, for metrics, rounding, luma and the mean over images.
        interval: one sentence on how the intervals are computed.
        scale: the upscaling factor.
        lr: the origin of the LR images.
    """

    name: str
    changed: Sequence[str]
    spaces: Sequence[str]
    crop_border: int
    definitions: Mapping[str, str]
    interval: str
    scale: int
    lr: LROrigin


def describe_protocol(
    *,
    name: str,
    changed: Sequence[str],
    metric: Protocol,
    scale: int,
    lr: LROrigin,
) -> ProtocolDescription:
    """Collect what the parts of an evaluation say of themselves.

    Args:
        name: the name of the protocol.
        changed: `key=value` for every setting of the protocol that the user changed.
        metric: the protocol as it was built.
        scale: the upscaling factor.
        lr: the origin of the LR images.
    """
    return ProtocolDescription(
        name=name,
        changed=list(changed),
        spaces=list(metric.spaces),
        crop_border=metric.crop_border,
        definitions=metric.describe(),
        interval=INTERVAL,
        scale=scale,
        lr=lr,
    )
