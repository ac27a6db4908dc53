"""Scales of losses, one for each net, which keep gradients within the range of half precision (fp16).

The smallest number of fp16 is 6e-8, and many gradients of images are below. So a loss is multiplied by a large number
before its gradient is taken, and the gradient of the weights, which is in fp32, is divided by it again. The number is
found by trying, as by Micikevicius et al., "Mixed precision training", ICLR 2018, sec. 3.2: it doubles after many
updates, and halves whenever a gradient overflows, for which that net's update is left out.

Generator and discriminator have a scale each, because their losses differ by orders of magnitude. The losses of one
net cannot reach the other in the one backward pass of `sr.training.gan`, and so neither can its overflow.
"""

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn

from sr.ops.private_torch import multiply_each

START = 2.0**16
SMALLEST = 1.0  # a gradient that overflows without a scale is one for which no scale would do
LARGEST = 2.0**32  # where all gradients are zero, it would double for ever
INTERVAL = 2000  # updates in a row, after which it doubles


class GradientScale:
    """The scale of one net. It stays on the device, so that nothing waits for it.

    Args:
        device: the device that trains.

    Attributes:
        value: scalar, a power of two, so that multiplying and dividing by it does not round.
        updates: scalar, the number of updates in a row since it changed.
    """

    def __init__(self, device: torch.device) -> None:
        self.value = torch.tensor(START, device=device)
        self.updates = torch.zeros((), dtype=torch.int64, device=device)

    def learn(self, *, good: Tensor, steps: Tensor) -> None:
        """Adapt to an iteration.

        Args:
            good: 1.0, or 0.0 for a bad iteration, which is as if it had not been.
            steps: 1.0, or 0.0 for a gradient that is not finite; in a good iteration that is an overflow.
        """
        updates = torch.where(steps > 0, self.updates + 1, 0)
        grows = updates >= INTERVAL
        value = torch.where(steps > 0, torch.where(grows, self.value * 2, self.value), self.value / 2)
        self.value = torch.where(good > 0, value.clamp(SMALLEST, LARGEST), self.value)
        self.updates = torch.where(good > 0, torch.where(grows, 0, updates), self.updates)


class GradientScales:
    """The scale of each net by name: `g` and `d`. A net without one has losses and gradients as they are."""

    def __init__(self) -> None:
        self._scales: dict[str, GradientScale] = {}

    def begin(self, nets: Iterable[str], *, device: torch.device) -> None:
        """Have a scale for these nets and no others; those that are there, as of a resumed run, go on."""
        self._scales = {net: self._scales.get(net) or GradientScale(device) for net in nets}

    def scaled(self, net: str, loss: Tensor) -> Tensor:
        """What to take the gradient of, in place of a loss of the net."""
        return loss * self._scales[net].value if net in self._scales else loss

    def all_scaled(self, net: str, losses: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The same for several losses of the net by name."""
        return {name: self.scaled(net, loss) for name, loss in losses.items()}

    def unscaled(self, net: str, value: Tensor) -> Tensor:
        """From a gradient of a scaled loss, or its norm, to that of the loss; NaN where it overflowed."""
        if net not in self._scales:
            return value
        return torch.where(value.isfinite(), value / self._scales[net].value, torch.nan)

    def unscale(self, net: str, module: nn.Module) -> None:
        """Divide the gradients of a net's parameters, which are those of scaled losses, in place."""
        if net in self._scales:
            gradients = [each.grad for each in module.parameters() if each.grad is not None]
            multiply_each(gradients, 1 / self._scales[net].value)

    def can_fall(self, nets: Sequence[str]) -> list[Tensor]:
        """For each net 1.0 if a smaller scale is left to try after an overflow, else 0.0; no net without scales."""
        return [(self._scales[net].value > SMALLEST).float() for net in nets if net in self._scales]

    def learn(self, nets: Sequence[str], *, good: Tensor, steps: Sequence[Tensor]) -> None:
        """Adapt the scales of the nets that an iteration updates; `good` and `steps` as for one of them."""
        for net, stepped in zip(nets, steps, strict=True):
            if net in self._scales:
                self._scales[net].learn(good=good, steps=stepped)

    def values(self) -> dict[str, Tensor]:
        return {net: scale.value for net, scale in self._scales.items()}

    def state_dict(self) -> dict[str, dict[str, Tensor]]:
        return {net: {"value": each.value, "updates": each.updates} for net, each in self._scales.items()}

    def load_state_dict(self, state: Mapping[str, Mapping[str, Tensor]], device: torch.device) -> None:
        self.begin(state, device=device)
        for net, saved in state.items():
            self._scales[net].value = saved["value"].to(device)
            self._scales[net].updates = saved["updates"].to(device)
