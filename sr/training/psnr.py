"""Training by content losses alone: what gives the highest PSNR, and the start of every GAN."""

from torch import Tensor

from sr.training.base import SRModule
from sr.training.step_values import Losses, StepValues


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
    ) -> StepValues:
        sr = self.generator(lr).float()
        content = self.content_loss(sr, target)
        loss = sum(content.values(), start=target.new_zeros(()))
        self.manual_backward(loss * share)
        return StepValues(
            losses=Losses(generator=loss.detach()),
            terms={name: term.detach() for name, term in content.items()},
            metrics=self.training_metrics(sr, hr, losses=content) if measured else {},
        )
