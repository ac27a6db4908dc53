"""A new net with the nearest skip starts at bicubic upsampling."""

import pytest
import torch
from torch import nn

from sr.archs.bicubic import Bicubic
from sr.archs.srvgg import Activation, SRVGGNetCompact


@pytest.mark.parametrize("activation", ["prelu", "relu", "leakyrelu"])
@pytest.mark.parametrize("scale", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_nearest_skip_starts_at_bicubic(channels: int, scale: int, activation: Activation) -> None:
    torch.manual_seed(0)
    net = SRVGGNetCompact(
        scale=scale,
        in_channels=channels,
        out_channels=channels,
        num_feat=16,
        num_conv=3,
        activation=activation,
    )
    image = torch.rand(1, channels, 15, 17)
    away = (..., slice(3 * scale, -3 * scale), slice(3 * scale, -3 * scale))
    sr = net(image)
    difference = (sr - Bicubic(scale=scale)(image))[away].square().mean().sqrt().item()
    assert 1e-4 < difference < 0.02  # of the other features, whose last weights are small and not zero
    sr.square().mean().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None and parameter.grad.any(), name
    with torch.no_grad():
        assert isinstance(net.body[-1], nn.Conv2d)
        last = net.body[-1]
        last.weight[:, 4 * channels :] = 0
        for place in range(4 * channels):  # what one channel gives to another
            last.weight[[n for n in range(len(last.weight)) if n // scale**2 != place % channels], place] = 0
        torch.testing.assert_close(net(image)[away], Bicubic(scale=scale)(image)[away], rtol=0, atol=1e-6)
