"""GAN objectives, one class each, on the logits C(x) of a discriminator.

Every class has `generator(*, real, fake)` and `discriminator(*, real, fake)`. `real` = C(x_r) and `fake` =
C(x_f) are logits of any shape, E is the mean over all of their elements, and the result is a scalar to be
minimised. It is computed in at least float32: bfloat16 keeps three digits, fewer than a loss that has nearly
converged changes by. Either argument may be detached; what the gradient then leaves out is the caller's
choice.
"""

import math
from typing import Any, Protocol, runtime_checkable

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn

from sr.losses.comparable import at_least_float32


class VanillaGANLoss(nn.Module):
    """L_D = -E_r[log D(x_r)] - E_f[log(1 - D(x_f))],  L_G = -E_f[log D(x_f)],  D = sigmoid(C)

    Source: Goodfellow et al., NeurIPS 2014, sec. 3, with its non-saturating generator objective.
    `label_smoothing` = s makes the discriminator's target for real images 1 - s (one-sided: Salimans et al.,
    NeurIPS 2016, sec. 3.4); the generator's target stays 1.

    Args:
        label_smoothing: s, the share of one-sided label smoothing, at least 0 and less than 0.5.

    Raises:
        ValueError: s is below 0, or 0.5 or more.
    """

    def __init__(self, *, label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.label_smoothing = _checked_smoothing(label_smoothing)

    def generator(self, *, real: Tensor, fake: Tensor) -> Tensor:
        return F.softplus(-at_least_float32(fake)).mean()  # -log sigmoid(c) = softplus(-c)

    def discriminator(self, *, real: Tensor, fake: Tensor) -> Tensor:
        return self.separate(high=real, low=fake, smoothing=self.label_smoothing)

    def separate(self, *, high: Tensor, low: Tensor, smoothing: float = 0.0) -> Tensor:
        """Cross entropy of the labels 1 - smoothing for `high` and 0 for `low`."""
        high, low = at_least_float32(high), at_least_float32(low)
        labels = torch.full_like(high, 1 - smoothing)
        return F.binary_cross_entropy_with_logits(high, labels) + F.softplus(low).mean()


class LeastSquaresGANLoss(nn.Module):
    """L_D = E_r[(C(x_r) - t_r)^2] + E_f[(C(x_f) - t_f)^2],  L_G = E_f[(C(x_f) - t_r)^2]

    Source: Mao et al., ICCV 2017, sec. 3.2 (targets 1 and 0), without its factors 1/2, which neither its
    relativistic form nor the usual implementations have: a weight w here is their 2w. `label_smoothing` = s
    moves the discriminator's target for real images to t_r + s (t_f - t_r); the generator's target stays t_r.

    Args:
        real_target: t_r, the logit of real images that the discriminator is trained for.
        fake_target: t_f, that of generated images.
        label_smoothing: s, the share of one-sided label smoothing, at least 0 and less than 0.5.

    Raises:
        ValueError: s is below 0, or 0.5 or more; a target is not finite, or both are the same.
    """

    def __init__(
        self, *, real_target: float = 1.0, fake_target: float = 0.0, label_smoothing: float = 0.0
    ) -> None:
        super().__init__()
        if not (math.isfinite(real_target) and math.isfinite(fake_target) and real_target != fake_target):
            raise ValueError(
                f"real_target={real_target} and fake_target={fake_target} must be finite and different"
            )
        self.real_target = real_target
        self.fake_target = fake_target
        self.label_smoothing = _checked_smoothing(label_smoothing)

    def generator(self, *, real: Tensor, fake: Tensor) -> Tensor:
        return (at_least_float32(fake) - self.real_target).square().mean()

    def discriminator(self, *, real: Tensor, fake: Tensor) -> Tensor:
        return self.separate(high=real, low=fake, smoothing=self.label_smoothing)

    def separate(self, *, high: Tensor, low: Tensor, smoothing: float = 0.0) -> Tensor:
        """Squared distance of `high` to the (smoothed) real target and of `low` to the fake target."""
        high, low = at_least_float32(high), at_least_float32(low)
        target = self.real_target + smoothing * (self.fake_target - self.real_target)
        return (high - target).square().mean() + (low - self.fake_target).square().mean()


class HingeGANLoss(nn.Module):
    """L_D = E_r[max(0, 1 - C(x_r))] + E_f[max(0, 1 + C(x_f))],  L_G = -E_f[C(x_f)]

    Source: Lim and Ye, Geometric GAN, 2017; Miyato et al., spectral normalisation, ICLR 2018, sec. 4.
    """

    def generator(self, *, real: Tensor, fake: Tensor) -> Tensor:
        return -at_least_float32(fake).mean()

    def discriminator(self, *, real: Tensor, fake: Tensor) -> Tensor:
        return self.separate(high=real, low=fake)

    def separate(self, *, high: Tensor, low: Tensor) -> Tensor:
        """The means of max(0, 1 - high) and max(0, 1 + low), added."""
        return F.relu(1 - at_least_float32(high)).mean() + F.relu(1 + at_least_float32(low)).mean()


class WassersteinGANLoss(nn.Module):
    """L_D = E_f[C(x_f)] - E_r[C(x_r)],  L_G = -E_f[C(x_f)]

    Source: Arjovsky et al., ICML 2017, sec. 3. The critic must be kept Lipschitz by other means (spectral
    normalisation): nothing here bounds its logits.
    """

    def generator(self, *, real: Tensor, fake: Tensor) -> Tensor:
        return -at_least_float32(fake).mean()

    def discriminator(self, *, real: Tensor, fake: Tensor) -> Tensor:
        return at_least_float32(fake).mean() - at_least_float32(real).mean()


@runtime_checkable
class SeparatingGANLoss(Protocol):
    """An objective that relativism can be built on: its discriminator part works with the roles swapped."""

    def discriminator(self, *, real: Tensor, fake: Tensor) -> Tensor: ...

    def separate(self, *, high: Tensor, low: Tensor) -> Tensor:
        """The unsmoothed discriminator objective that drives `high` up and `low` down."""
        ...


class RelativisticAverageGANLoss(nn.Module):
    """The `base` objective on C(x_r) - E_f[C(x_f)] and C(x_f) - E_r[C(x_r)].

    With the vanilla base and D_Ra(x_r, x_f) = sigmoid(C(x_r) - E_f[C(x_f)]), D_Ra(x_f, x_r) likewise:

        L_D = -E_r[log D_Ra(x_r, x_f)] - E_f[log(1 - D_Ra(x_f, x_r))]
        L_G = -E_r[log(1 - D_Ra(x_r, x_f))] - E_f[log D_Ra(x_f, x_r)]

    Source: ESRGAN (Wang et al., 2018), sec. 3.2. Both are sums, as in the paper; the reference implementation
    halves both, so its adversarial weight of 5e-3 is 2.5e-3 here. With least squares (targets +1 and -1) and
    hinge these are RaLSGAN and RaHingeGAN of Jolicoeur-Martineau, 2018. The generator's objective is the
    discriminator's with the roles swapped; it depends on the real logits, and the base's label smoothing does
    not enter it.

    The averages are over the whole batch: with several processes (torch.distributed) over all of them, so
    that processes with equal shares of a batch follow one process with the whole batch once their gradients
    are averaged, as DDP does. Every process must then call the same method, and go backward through it, the
    same number of times. In evaluation mode they are over the images that are given, and no process waits.

    Args:
        base: an objective that has a method `separate`: vanilla, least squares or hinge.

    Raises:
        ValueError: a Wasserstein base.
        TypeError: one that has no `separate`.
    """

    def __init__(self, *, base: SeparatingGANLoss) -> None:
        super().__init__()
        if isinstance(base, WassersteinGANLoss):
            raise ValueError(
                "base=WassersteinGANLoss has no relativistic form: it is linear, so the averages cancel and "
                "leave its own E_f[C(x_f)] - E_r[C(x_r)], doubled; use WassersteinGANLoss itself"
            )
        if not isinstance(base, SeparatingGANLoss):
            raise TypeError(f"base={base!r} must be one of VanillaGANLoss, LeastSquaresGANLoss, HingeGANLoss")
        self.base = base

    def generator(self, *, real: Tensor, fake: Tensor) -> Tensor:
        real, fake = _relative(real, fake, over_processes=self.training)
        return self.base.separate(high=fake, low=real)

    def discriminator(self, *, real: Tensor, fake: Tensor) -> Tensor:
        real, fake = _relative(real, fake, over_processes=self.training)
        return self.base.discriminator(real=real, fake=fake)


def _relative(real: Tensor, fake: Tensor, *, over_processes: bool) -> tuple[Tensor, Tensor]:
    real, fake = at_least_float32(real), at_least_float32(fake)
    averages = torch.stack((real.mean(), fake.mean()))
    if over_processes and dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1:
        averages = _MeanOverProcesses.apply(averages)  # type: ignore[no-untyped-call]
    real_average, fake_average = averages.unbind()
    return real - fake_average, fake - real_average


class _MeanOverProcesses(torch.autograd.Function):
    """m = 1/W sum over ranks of m_rank, differentiably.

    The loss of the run is the mean of the ranks' losses and each depends on m, so the gradient to one rank's
    m_rank, in the scale that DDP averages afterwards, is 1/W times the sum of the gradients to m on all
    ranks: the same operation again.
    """

    @staticmethod
    def forward(ctx: Any, local: Tensor) -> Tensor:
        total = local.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total / dist.get_world_size()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        return _MeanOverProcesses.apply(gradient)  # type: ignore[no-untyped-call]


def _checked_smoothing(label_smoothing: float) -> float:
    if not 0 <= label_smoothing < 0.5:
        raise ValueError(f"label_smoothing={label_smoothing} must be at least 0 and less than 0.5")
    return label_smoothing
