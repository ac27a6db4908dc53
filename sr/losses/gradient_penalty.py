"""Penalties on the gradient of a discriminator at the images that it judges."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn


class GradientPenalty(nn.Module):
    """real/2 E_r[|grad_x s(x_r)|^2] + fake/2 E_f[|grad_x s(x_f)|^2], times `every` in the updates that take it.

    s(x) is the mean logit of an image over the positions of a map, and over the maps where there are several. |.|^2
    sums over the pixels and channels of the image, E is the mean over images. With `real` alone this is R1, with
    `fake` alone R2, and the factors are their gamma: Mescheder et al., "Which training methods for GANs do actually
    converge?", ICML 2018, sec. 4.1. There a discriminator gives one logit for each image, and s is that logit. Of P
    logits that see different pixels, each pulls at the mean with 1/P of its gradient, so the penalty is 1/P of what one
    of them alone would have: for the same effect on a logit, gamma is P times as large.

    `every` is the lazy regularisation of StyleGAN2 (Karras et al., CVPR 2020, appendix B): taken in every n-th update
    of the discriminator and multiplied by n, the penalty is the same on average and costs an n-th. (StyleGAN2 also
    adapts the rate and betas of Adam to it; nothing here does.)

    Args:
        real: gamma at real images (R1), 0 or more.
        fake: gamma at generated images (R2), 0 or more.
        every: n, 1 or more.

    Raises:
        ValueError: a number is out of its range, or both gammas are 0.
    """

    def __init__(self, *, real: float = 0.0, fake: float = 0.0, every: int = 1) -> None:
        super().__init__()
        for name, gamma in (("real", real), ("fake", fake)):
            if not 0 <= gamma < math.inf:
                raise ValueError(f"gan_penalty.{name}={gamma} must be finite and at least 0")
        if not real + fake:
            raise ValueError(
                "gan_penalty.real=0 and gan_penalty.fake=0: write model.gan_penalty=null for no penalty"
            )
        if every < 1:
            raise ValueError(f"gan_penalty.every={every} must be 1 or more")
        self.real = real
        self.fake = fake
        self.every = every

    def taken_at(self, update: int) -> bool:
        """Whether an update of the discriminator, counted from 0, takes the penalty."""
        return update % self.every == 0

    def forward(self, logits: Callable[[Tensor], Sequence[Tensor]], *, real: Tensor, fake: Tensor) -> Tensor:
        """The penalty, a scalar with a graph to what `logits` computes with.

        Args:
            logits: (N, C, H, W) -> one map of logits or several, (N, ...) each, in which an image's logits depend on
                that image alone. It is called once.
            real: (N, C, H, W) real images.
            fake: (N, C, H, W) generated ones.
        """
        given = [(gamma, images) for gamma, images in ((self.real, real), (self.fake, fake)) if gamma]
        images = torch.cat([each for _, each in given]).detach().requires_grad_()
        maps = logits(images)
        per_image = torch.stack([each.reshape(len(images), -1).mean(dim=1) for each in maps]).mean(dim=0)
        (gradient,) = torch.autograd.grad(per_image.sum(), images, create_graph=True)
        squares = gradient.flatten(1).square().sum(dim=1).chunk(len(given))
        parts = [gamma / 2 * square.mean() for (gamma, _), square in zip(given, squares, strict=True)]
        return self.every * torch.stack(parts).sum()
