import pytest
import torch

from sr.metrics.color import luma


def test_luma_of_known_colours() -> None:
    colours = torch.tensor([[0.0, 0, 0], [1, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    y = luma(colours[:, :, None, None]).flatten() * 255
    # MATLAB: rgb2ycbcr of black, white, red, green, blue
    torch.testing.assert_close(y, torch.tensor([16.0, 235.0, 81.481, 144.553, 40.966]), atol=1e-3, rtol=0)


def test_only_rgb_has_luma() -> None:
    with pytest.raises(ValueError, match="got 4 channels"):
        luma(torch.rand(1, 4, 3, 3))
