"""Numbers by which one sees that adversarial training goes wrong, long before PSNR does."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

COARSE = 16  # pixels of HR: what is larger than this is colour, not detail


def gradient_norms(*, sr: Tensor, pushes: Mapping[str, Tensor], weight: nn.Parameter) -> dict[str, Tensor]:
    """How hard each loss pulls at one layer of the generator.

    Args:
        sr: (N, C, H, W) generated images, with the graph behind them.
        pushes: term -> its gradient at `sr`.
        weight: of the layer.

    Returns:
        `gradient_<term>`, the norm of the term's gradient at `weight`.
    """
    norms = {}
    for term, push in pushes.items():
        (gradient,) = torch.autograd.grad((sr * push).sum(), weight, retain_graph=True)
        norms[f"gradient_{term}"] = gradient.float().norm()
    return norms


def last_weight(generator: nn.Module) -> nn.Parameter:
    """That of the last convolution, which all losses go through."""
    return [parameter for parameter in generator.parameters() if parameter.ndim == 4][-1]


def accuracy(*, real: Tensor, fake: Tensor) -> Tensor:
    """Share of logits that place the real image above the generated one at the same place.

    The same for every objective, since it asks for the order alone: 0.5 is guessing, at 1 the discriminator has won.
    """
    return (real > fake).float().mean()


def colour_drift(*, sr: Tensor, hr: Tensor) -> Tensor:
    """Root mean square difference of means over 16 x 16 pixels, in levels of 8 bits.

    Args:
        sr, hr: (N, C, H, W) in [0, 1].
    """
    size = min(COARSE, *hr.shape[2:])
    return 255 * (avg_pool2d(sr.float(), size) - avg_pool2d(hr.float(), size)).square().mean().sqrt()


@torch.no_grad()
def distance(net: nn.Module, average: nn.Module) -> Tensor:
    """Of a net's weights from their average, relative to the norm of the average."""
    pairs = list(zip(net.parameters(), average.parameters(), strict=True))
    apart = nn.utils.get_total_norm([mine - theirs for mine, theirs in pairs])
    return apart / nn.utils.get_total_norm([theirs for _, theirs in pairs])
