"""A distance of edges."""

from torch import Tensor, nn

from sr.losses.comparable import comparable
from sr.ops.sobel import sobel


class EdgeLoss(nn.Module):
    """mean |G_x(sr) - G_x(hr)| + mean |G_y(sr) - G_y(hr)|

    G are Sobel's derivatives (Sobel and Feldman, 1968) divided by 8, so that a ramp that rises by s from pixel to pixel
    has the derivative s. Each channel is compared, at every pixel but those of the border. A constant added to an
    image changes nothing, so it is no loss on its own.

    Shapes: `sr` and `hr` (N, C, H, W), H and W at least 3; returns a scalar of at least float32, which is 0 for equal
    images.

    Raises:
        ValueError: images are smaller than 3 x 3, or shapes differ.
    """

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        sr, hr = comparable(sr, hr)
        if min(sr.shape[-2:]) < 3:
            raise ValueError(f"edges need images of at least 3 x 3 pixels, got {tuple(sr.shape)}")
        along_x, along_y = sobel(sr - hr)  # derivatives are linear
        return (along_x.abs().mean() + along_y.abs().mean()) / 8
