"""Numbers that show that adversarial training goes wrong, long before PSNR shows it."""

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

COARSE = 16  # HR pixels: structures that are larger than this count as colour, not as detail


def accuracy(*, real: Tensor, fake: Tensor) -> Tensor:
    """The share of positions at which the logit of the real image is larger than that of the generated one.

    Only their order counts, so it means the same for every objective: 0.5 is guessing, and at 1 the discriminator has
    won.
    """
    return (real > fake).float().mean()


def colour_drift(*, sr: Tensor, hr: Tensor) -> Tensor:
    """The root mean square difference between the means over 16 x 16 pixels, in levels of 255.

    Args:
        sr: (N, C, H, W) the generated images, nominally in [0, 1].
        hr: (N, C, H, W) in [0, 1].
    """
    size = min(COARSE, *hr.shape[2:])
    return 255 * (avg_pool2d(sr.float(), size) - avg_pool2d(hr.float(), size)).square().mean().sqrt()


@torch.no_grad()
def distance(net: nn.Module, average: nn.Module) -> Tensor:
    """The distance between the weights of a net and their average, divided by the norm of the average."""
    pairs = list(zip(net.parameters(), average.parameters(), strict=True))
    apart = nn.utils.get_total_norm([mine - theirs for mine, theirs in pairs])
    return apart / nn.utils.get_total_norm([theirs for _, theirs in pairs])
