"""Training with content losses alone, which gives the highest PSNR and a start for every GAN."""

from sr.training.base import SRModule
from sr.training.batch_metrics import batch_metrics
from sr.training.micro_batches import MicroBatch
from sr.training.step_values import Losses, StepValues


class PSNRModule(SRModule):
    """Minimises `content_loss(generator(lr), target)`; its arguments are those of `SRModule`."""

    def backward_pass(
        self, part: MicroBatch, *, iteration: int, share: float, measured: bool = False
    ) -> StepValues:
        sr = self.generator(part.lr).float()
        content = self.content_loss(sr, part.target)
        loss = sum(content.values(), start=sr.new_zeros(()))
        self.manual_backward(self.scales.scaled("g", loss) * share)
        return StepValues(
            losses=Losses(generator=loss.detach()),
            terms={name: term.detach() for name, term in content.items()},
            metrics=batch_metrics(self.metric, sr=sr, hr=part.hr, losses=content) if measured else {},
        )
