"""A penalty on the gradients of a discriminator, and the way of its own gradient into the one backward pass."""

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from sr.metrics.precision import full_precision
from sr.training.logit_maps import LogitMaps, logit_maps
from sr.training.norm_statistics import has_batch_norm
from sr.training.objectives import GANPenalty


def penalised(penalty: GANPenalty, net: nn.Module, *, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """The penalty of a discriminator at real and at generated images, and its gradient as something to go backward.

    It has a pass of its own, in fp32 whatever the precision of the run is, and without torch.compile, whose graphs
    have no second derivatives. The second derivatives are taken at once, so that they are in fp32 too, and what is kept
    for them is free before the backward pass of the iteration.

    The pass has copies of the buffers, so it leaves them as they are: the power iteration of spectral norms advances
    once in an iteration, with or without a penalty. (In the copies it advances once more, from where the pass of the
    losses has left it.)

    Args:
        penalty: (images -> logits, real, fake) -> scalar.
        net: the discriminator, without batch norm (`check_penalised`).
        real: (N, C, H, W) real images.
        fake: (N, C, H, W) generated ones.

    Returns:
        The penalty, without a graph, and a scalar whose gradient at each parameter is that of the penalty.
    """
    parameters = [parameter for parameter in net.parameters() if parameter.requires_grad]
    buffers = {name: buffer.clone() for name, buffer in net.named_buffers()}
    with full_precision(real.device), torch.compiler.set_stance("force_eager"):
        logits = partial(_logits, net, buffers)
        value = penalty(logits, real=real.detach().float(), fake=fake.detach().float())
        # The gradient of the last bias, for one, is zero, and does not exist for autograd.
        gradients = torch.autograd.grad(value, parameters, allow_unused=True)
    pairs = zip(parameters, gradients, strict=True)
    pulls = [(parameter * gradient).sum() for parameter, gradient in pairs if gradient is not None]
    return value.detach(), torch.stack(pulls).sum()


def check_penalised(net: nn.Module) -> None:
    """Raises ValueError for a discriminator in which the logits of an image depend on other images."""
    if has_batch_norm(net):
        raise ValueError(
            f"gan_penalty: {type(net).__name__} has batch norm, by which the logits of an image depend on the whole"
            " batch, so that they have no gradient of one image: take another discriminator, or model.gan_penalty=null"
        )


def _logits(net: nn.Module, buffers: dict[str, Any], images: Tensor) -> LogitMaps:
    return logit_maps(functional_call(net, buffers, (images,)))
