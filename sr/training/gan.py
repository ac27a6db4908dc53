"""Adversarial training: the ESRGAN iteration with one discriminator pass and one backward."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from sr.metrics.quantity import Metric
from sr.ops.private_torch import AnyBatchNorm
from sr.training import health
from sr.training.base import SRModule
from sr.training.batch_metrics import batch_metrics
from sr.training.logit_maps import LogitMaps, average, detached, logit_maps, split
from sr.training.micro_batches import MicroBatch
from sr.training.objectives import ContentLoss, GANObjective
from sr.training.optimization import Optimization
from sr.training.schedule import AdversarialRamp, OptimizerFactory, SchedulerFactory
from sr.training.step_values import Losses, Scalars, StepValues
from sr.training.trained import Trained


@dataclass(frozen=True, kw_only=True)
class FirstStage:
    """The losses, optimizer and schedule of a stage in which the generator trains alone (ESRGAN, sec. 4.1).

    Attributes:
        content_loss: (sr, target) -> {name: weighted scalar}.
        optimizer_g: parameters -> optimizer.
        scheduler_g: optimizer -> scheduler.
    """

    content_loss: ContentLoss
    optimizer_g: OptimizerFactory
    scheduler_g: SchedulerFactory


class GANModule(SRModule):
    """Generator on content + adversarial loss, discriminator on the same real and generated images.

    Wang et al., ESRGAN (2018), sec. 3: L_G = content + gan_weight * adversarial. The discriminator sees the images
    generated before the generator's update, so both gradients come from one discriminator pass; the mathematics is
    that of the usual alternation. See `SRModule` for the arguments that are not named here.

    A discriminator gives one map of logits, or a tuple of maps, each with an objective of its own (see
    `sr.training.logit_maps`).

    Args:
        discriminator: the net that judges images, see above.
        gan_loss: the adversarial objective of both nets, on logits.
        optimizer_d: parameters -> optimizer of the discriminator.
        scheduler_d: optimizer -> scheduler of the discriminator, which advances only while that is trained.
        gan_weight: lambda, the weight of the adversarial term once `ramp` is over.
        ramp: the schedule by which the adversarial term gains its weight.
        first_stage: the losses, optimizer and schedule of the generator while `ramp` lets it train alone. Then the GAN
            begins with the averaged generator, and with its own losses, optimizer and schedule from their start. With
            None there is one stage, and the GAN's own are used from the first iteration on.
    """

    def __init__(
        self,
        *,
        generator: nn.Module,
        discriminator: nn.Module,
        content_loss: ContentLoss,
        gan_loss: GANObjective,
        gan_weight: float,
        optimizer_g: OptimizerFactory,
        optimizer_d: OptimizerFactory,
        metric: Metric,
        ramp: AdversarialRamp,
        scheduler_g: SchedulerFactory,
        scheduler_d: SchedulerFactory,
        optimization: Optimization,
        first_stage: FirstStage | None = None,
        monitor: str = "psnr_y",
        loss_patch_size: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(
            generator=generator,
            content_loss=content_loss,
            optimizer_g=optimizer_g,
            metric=metric,
            scheduler_g=scheduler_g,
            monitor=monitor,
            optimization=optimization,
            loss_patch_size=loss_patch_size,
            seed=seed,
        )
        self.discriminator = discriminator
        self.gan_loss = gan_loss
        self.gan_weight = gan_weight
        self.optimizer_d = optimizer_d
        self.scheduler_d = scheduler_d
        self.ramp = ramp
        self.first_stage = first_stage
        # Registered as a submodule, so that it moves to the device with this module.
        self.first_content_loss = first_stage.content_loss if first_stage else None
        if gan_weight < 0:
            raise ValueError(f"gan_weight={gan_weight} must be 0 or more")
        if first_stage and not ramp.generator_only:
            raise ValueError("model.ramp.generator_only=0: it is the length of model.first_stage")

    def trained(self) -> list[Trained]:
        def together(iteration: int) -> bool:
            return self.ramp(iteration) is not None

        (g,) = super().trained()
        d = Trained(
            name="d",
            net=self.discriminator,
            optimizer=self.optimizer_d,
            scheduler=self.scheduler_d,
            steps_at=together,
        )
        if self.first_stage is None:
            return [g, d]
        first = Trained(
            name="g_first",
            net=self.generator,
            optimizer=self.first_stage.optimizer_g,
            scheduler=self.first_stage.scheduler_g,
            steps_at=lambda iteration: not together(iteration),
            within="model.first_stage.",
        )
        return [first, replace(g, steps_at=together), d]

    def criteria(self) -> list[ContentLoss]:
        first = self.first_content_loss
        return super().criteria() if first is None else [*super().criteria(), first]

    def phases(self) -> dict[int, str]:
        return {0: "pixel", self.ramp.generator_only: "GAN"} if self.ramp.generator_only else {0: "GAN"}

    def goes_on_from_average(self, iteration: int) -> bool:
        return self.first_stage is not None and iteration == self.ramp.generator_only

    def backward_pass(
        self, part: MicroBatch, *, iteration: int, share: float, measured: bool = False
    ) -> StepValues:
        sr = self.generator(part.lr).float()
        image = sr.detach().requires_grad_()  # the losses see the image, not the graph behind it
        ramp = self.ramp(iteration)
        content = self._content_loss_at(iteration)(image, part.target)
        # The gradient is taken at once, so that the tensors that VGG keeps for it are freed before D runs.
        scaled = {name: self.scales.scaled("g", term) for name, term in content.items()}
        push, pushes = _content_pushes(scaled, image, singly=measured)
        terms = {name: term.detach() for name, term in content.items()}
        loss_g = sum(terms.values(), start=sr.new_zeros(()))
        metrics = batch_metrics(self.metric, sr=image, hr=part.hr, losses=content) if measured else {}
        seen = {"colour_drift": health.colour_drift(sr=image.detach(), hr=part.hr)} if measured else {}
        if ramp is None:
            # DDP waits for a gradient of every parameter, so the idle discriminator gets gradients of zero.
            idle = 0 * torch.stack([parameter.sum() for parameter in self.discriminator.parameters()]).sum()
            self.manual_backward((sr * push).sum() * share + idle)
            return StepValues(losses=Losses(generator=loss_g), terms=terms, metrics=metrics, health=seen)

        real, fake = self._discriminate(part.hr, image)
        adversarial = (
            self.gan_weight * ramp * average(self.gan_loss.generator, real=detached(real), fake=fake)
        )
        (adversarial_push,) = torch.autograd.grad(
            self.scales.scaled("g", adversarial), image, retain_graph=True
        )
        push = push + adversarial_push
        if measured:
            seen |= self._health(sr, pushes | {"adversarial": adversarial_push}, real=real, fake=fake)
        loss_d = average(self.gan_loss.discriminator, real=real, fake=fake)
        # The gradient of (sr * push) is what G's losses would send through VGG and D. It cannot reach D, nor loss_d G.
        self.manual_backward(((sr * push).sum() + self.scales.scaled("d", loss_d)) * share)
        return StepValues(
            losses=Losses(generator=loss_g + adversarial.detach(), discriminator=loss_d.detach()),
            terms={**terms, "adversarial": adversarial.detach()},
            logits={
                "logits_real": average(_mean, logits=detached(real)),
                "logits_fake": average(_mean, logits=detached(fake)),
            },
            metrics=metrics,
            health=seen,
        )

    def losses(self, sr: Tensor, hr: Tensor, *, iteration: int) -> Losses:
        ramp = self.ramp(iteration)
        content = self._content_loss_at(iteration)(sr, hr)
        loss_g = sum(content.values(), start=hr.new_zeros(()))
        if ramp is None:
            return Losses(generator=loss_g)
        real, fake = self._discriminate(hr, sr)
        adversarial = average(self.gan_loss.generator, real=real, fake=fake)
        loss_d = average(self.gan_loss.discriminator, real=real, fake=fake)
        return Losses(generator=loss_g + self.gan_weight * ramp * adversarial, discriminator=loss_d)

    def _content_loss_at(self, iteration: int) -> ContentLoss:
        """The content loss at an iteration: until the discriminator starts, the one of the first stage, if any."""
        if self.first_content_loss is not None and self.ramp(iteration) is None:
            return self.first_content_loss
        return self.content_loss

    def _health(self, sr: Tensor, pushes: Scalars, *, real: LogitMaps, fake: LogitMaps) -> dict[str, Tensor]:
        weight = health.last_weight(self.generator)
        norms = health.gradient_norms(
            sr=sr, pushes=pushes, weight=weight
        )  # of scaled losses, as the pushes are
        return {
            **{name: self.scales.unscaled("g", norm) for name, norm in norms.items()},
            "accuracy_d": average(health.accuracy, real=real, fake=fake),
            "ema_distance": health.distance(self.generator, self.generator_ema),
        }

    def _discriminate(self, hr: Tensor, fake: Tensor) -> tuple[LogitMaps, LogitMaps]:
        """The logits of real and of generated images, from one pass where that gives the same as two."""
        if any(isinstance(module, AnyBatchNorm) for module in self.discriminator.modules()):
            # Batch statistics of a mixed batch would carry information from real images to generated ones.
            return logit_maps(self.discriminator(hr)), logit_maps(self.discriminator(fake))
        return split(logit_maps(self.discriminator(torch.cat([hr, fake]))))


def _mean(*, logits: Tensor) -> Tensor:
    return logits.float().mean()


def _content_pushes(content: Scalars, image: Tensor, *, singly: bool) -> tuple[Tensor, dict[str, Tensor]]:
    """The gradient at the image of the sum of all content losses, and with `singly` that of each loss."""
    *others, last = content  # the last one, the most costly, is the sum minus the others
    pushes = {
        term: torch.autograd.grad(content[term], image, retain_graph=True)[0] for term in others if singly
    }
    (push,) = torch.autograd.grad(sum(content.values(), start=image.new_zeros(())), image)
    return push, pushes | ({last: push - sum(pushes.values())} if singly else {})
