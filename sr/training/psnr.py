"""Training by content losses alone: what gives the highest PSNR, and the start of every GAN."""

from torch import Tensor, nn

from sr.metrics.protocol import Protocol
from sr.training.base import SRModule, Terms
from sr.training.schedule import OptimizerFactory, SchedulerFactory


class PSNRModule(SRModule):
    """Minimises `content_loss(generator(lr), hr)`; see `SRModule` for the other arguments.

    Args:
        content_loss: (sr, hr) -> {name: weighted scalar}.
    """

    def __init__(
        self,
        *,
        generator: nn.Module,
        content_loss: nn.Module,
        optimizer_g: OptimizerFactory,
        metric: Protocol,
        scheduler_g: SchedulerFactory,
        monitor: str = "psnr_y",
        ema_decay: float = 0.999,
        warmup_iterations: int = 0,
        gradient_clip: float | None = None,
        accumulate: int = 1,
    ) -> None:
        super().__init__(
            generator=generator,
            optimizer_g=optimizer_g,
            metric=metric,
            scheduler_g=scheduler_g,
            monitor=monitor,
            ema_decay=ema_decay,
            warmup_iterations=warmup_iterations,
            gradient_clip=gradient_clip,
            accumulate=accumulate,
        )
        self.content_loss = content_loss

    def backward_pass(self, lr: Tensor, hr: Tensor, *, iteration: int, share: float) -> Terms:
        content: Terms = self.content_loss(self.generator(lr).float(), hr)
        loss = sum(content.values(), start=hr.new_zeros(()))
        self.manual_backward(loss * share)
        return {**{key: value.detach() for key, value in content.items()}, "loss_g": loss.detach()}
