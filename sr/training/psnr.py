"""Training with content losses alone, which gives the highest PSNR and a start for every GAN."""

from functools import partial

from sr.training.balance import scaled, weighed
from sr.training.base import SRModule
from sr.training.micro_batches import MicroBatch
from sr.training.pulls import push_of
from sr.training.step_values import Losses, StepValues


class PSNRModule(SRModule):
    """Minimises `content_loss(generator(lr), target)`; its arguments are those of `SRModule`."""

    def backward_pass(
        self, part: MicroBatch, *, iteration: int, share: float, measured: bool = False
    ) -> StepValues:
        sr = self.generator(part.lr).float()
        average = partial(self.average_beside_target, part)
        content = self.content(part.beside_target(sr), part.target, iteration=iteration, average=average)
        balance = self.balance_of(content, iteration=iteration)
        compared = balance is not None or (measured and len(content) > 1)
        losses = self.scales.all_scaled("g", content) if compared else {}
        pushes = {name: push_of(term, sr) for name, term in losses.items()}
        factors, seen = weighed(
            balance, self.generator, scales=self.scales, sr=sr, pushes=pushes, measured=measured
        )
        terms = scaled(content, factors)
        loss = sum(terms.values(), start=sr.new_zeros(()))
        self.manual_backward(self.scales.scaled("g", loss) * share)
        return StepValues(
            losses=Losses(generator=loss.detach()),
            terms={name: term.detach() for name, term in terms.items()},
            metrics=self.measured_patches(part, sr, losses=content) if measured else {},
            health=seen,
            factors=factors,
        )
