"""The mean colour of DIV2K, taken off an image and put on again, as EDSR and RCAN do."""

from typing import Any

import torch
from torch import Tensor, nn

from sr.archs.div2k import mean_colour


class MeanShift(nn.Module):
    """image + sign * img_range * mean: a 1 x 1 convolution in the published code, whose tensors are never trained.

    (N, C, H, W) in [0, img_range] -> the same. The mean is zero unless there are three channels. The tensors are in
    the state because published files hold them. The bias is taken from there; the weight would divide by a standard
    deviation, and is the identity in every published file, so it is stored and checked, and not computed with.

    Source: the code of Lim et al., "Enhanced deep residual networks for single image super-resolution", 2017.
    """

    weight: Tensor
    bias: Tensor

    def __init__(self, *, channels: int, img_range: float, sign: int) -> None:
        super().__init__()
        self.register_buffer("weight", _identity(channels))
        self.register_buffer("bias", sign * img_range * mean_colour(channels).flatten())

    def forward(self, image: Tensor) -> Tensor:
        return image + self.bias[:, None, None]

    def _load_from_state_dict(
        self,
        state_dict: Any,
        prefix: str,
        metadata: Any,
        strict: Any,
        missing: Any,
        surplus: Any,
        errors: list[str],
    ) -> None:
        super()._load_from_state_dict(state_dict, prefix, metadata, strict, missing, surplus, errors)
        weight = state_dict.get(prefix + "weight", self.weight)
        if weight.shape == self.weight.shape and not torch.equal(
            weight.float().cpu(), _identity(len(weight))
        ):
            errors.append(
                f"{prefix}weight is not the identity: images that are divided by a deviation are not supported"
            )


def _identity(channels: int) -> Tensor:
    return torch.eye(channels).reshape(channels, channels, 1, 1)
