"""Training by content losses alone: what gives the highest PSNR, and the start of every GAN."""

from torch import Tensor

from sr.training.base import SRModule
from sr.training.running_mean import Terms


class PSNRModule(SRModule):
    """Minimises `content_loss(generator(lr), target)`; the arguments are those of `SRModule`."""

    def backward_pass(
        self,
        lr: Tensor,
        hr: Tensor,
        *,
        target: Tensor,
        iteration: int,
        share: float,
        measured: bool = False,
    ) -> Terms:
        sr = self.generator(lr).float()
        content: Terms = self.content_loss(sr, target)
        loss = sum(content.values(), start=target.new_zeros(()))
        self.manual_backward(loss * share)
        numbers = self.training_metrics(sr, hr, losses=content) if measured else {}
        return {**{key: value.detach() for key, value in content.items()}, "loss_g": loss.detach(), **numbers}
