"""Adversarial training: the ESRGAN iteration with one discriminator pass and one backward."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from lightning.pytorch.utilities import rank_zero_only
from torch import Tensor, nn

from sr.metrics.quantity import Metric
from sr.training import health
from sr.training.balance import scaled, weighed
from sr.training.base import SRModule
from sr.training.discriminator_steps import DiscriminatorSteps
from sr.training.judged import Judged
from sr.training.layer_outputs import halves, layers_to_match
from sr.training.logit_maps import LogitMaps, average, detached, logit_maps, split
from sr.training.micro_batches import MicroBatch
from sr.training.norm_statistics import has_batch_norm
from sr.training.objectives import ContentLoss, FeatureObjective, GANObjective, GANPenalty
from sr.training.optimization import Optimization
from sr.training.penalised import check_penalised, penalised
from sr.training.pulls import pushes_of, total
from sr.training.schedule import AdversarialRamp, OptimizerFactory, SchedulerFactory
from sr.training.step_values import Losses, Scalars, StepValues
from sr.training.trained import Stepping, Trained

log = logging.getLogger(__name__)


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
        gan_weight: lambda, the weight of the adversarial term once `ramp` is over; a number, since `ramp` is its
            schedule.
        ramp: the schedule by which the adversarial term gains its weight, and its share, if `balance` gives it one.
        feature_matching: a term of the generator that compares features of the discriminator, which gains its weight
            and its share by `ramp` too; None, or a weight of 0, for none.
        gan_penalty: a second term of the discriminator's loss, by its gradients at images; None for none.
        discriminator_steps: the rules by which the discriminator is not updated in every iteration; while it rests it
            still judges, and its optimizer and its schedule stand still. None updates it in every iteration.
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
        feature_matching: FeatureObjective | None = None,
        gan_penalty: GANPenalty | None = None,
        discriminator_steps: DiscriminatorSteps | None = None,
        first_stage: FirstStage | None = None,
        monitor: str = "psnr_y",
        balance: Mapping[str, float] | None = None,
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
            balance=balance,
            loss_patch_size=loss_patch_size,
            seed=seed,
        )
        self.discriminator = discriminator
        self.gan_loss = gan_loss
        self.gan_penalty = gan_penalty
        self.feature_matching = feature_matching
        self._layers = layers_to_match(feature_matching, discriminator)
        self.gan_weight = gan_weight
        self.optimizer_d = optimizer_d
        self.scheduler_d = scheduler_d
        self.ramp = ramp
        self.discriminator_steps = discriminator_steps or DiscriminatorSteps()
        self.first_stage = first_stage
        # Registered as a submodule, so that it moves to the device with this module.
        self.first_content_loss = first_stage.content_loss if first_stage else None
        if gan_weight < 0:
            raise ValueError(f"gan_weight={gan_weight} must be 0 or more")
        if gan_penalty is not None:
            check_penalised(discriminator)
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

    @property
    def further_terms(self) -> tuple[str, ...]:
        return ("adversarial",) if self._layers is None else ("adversarial", "feature_matching")

    def goes_on_from_average(self, iteration: int) -> bool:
        return self.first_stage is not None and iteration == self.ramp.generator_only

    def updated(self, stepping: list[Stepping], values: StepValues, *, iteration: int) -> list[Stepping]:
        objective = values.losses.adversarial
        if objective is None or self.discriminator_steps.take(self._together(iteration), objective=objective):
            return stepping
        return [each for each in stepping if each.net is not self.discriminator]

    def shares(self, stepping: list[Stepping], updated: list[Stepping]) -> Scalars:
        before, after = (any(each.name == "d" for each in some) for some in (stepping, updated))
        if not (before and self.discriminator_steps.is_rule):
            return {}
        return {"discriminator_updates": torch.tensor(float(after), device=self.device)}

    def backward_pass(
        self, part: MicroBatch, *, iteration: int, share: float, measured: bool = False
    ) -> StepValues:
        sr = self.generator(part.lr).float()
        image = sr.detach().requires_grad_()  # the losses see the image, not the graph behind it
        ramp = self.ramp(iteration)
        average_image = partial(self.average_beside_target, part)
        content = self.content(
            part.beside_target(image), part.target, iteration=iteration, average=average_image
        )
        terms = {name: term.detach() for name, term in content.items()}
        names = [*terms, *(self.further_terms if ramp is not None else ())]
        balance = self.balance_of(names, iteration=iteration)
        taken = partial(pushes_of, image=image, singly=measured, exactly=balance is not None)
        # The gradient is taken at once, so that the tensors that VGG keeps for it are freed before D runs.
        push, pushes = taken(self.scales.all_scaled("g", content))
        del content
        metrics = self.measured_patches(part, image, losses=terms) if measured else {}
        shown = part.beside_hr(image)
        seen = {"colour_drift": health.colour_drift(sr=shown.detach(), hr=part.hr)} if measured else {}
        if ramp is None:
            judged = Judged(pull=self._idle())
        else:
            judged = self._judged(
                part.hr, shown, iteration=iteration, ramp=ramp, taken=taken, measured=measured
            )
        pushes, terms = {**pushes, **judged.pushes}, {**terms, **judged.terms}
        factors, looked = weighed(
            balance,
            self.generator,
            scales=self.scales,
            sr=sr,
            pushes=pushes,
            measured=measured,
            grown=dict.fromkeys(judged.terms, ramp or 0.0),
        )
        if factors:
            push = total(scaled(pushes, factors))
        elif judged.push is not None:
            push = push + judged.push
        terms = scaled(terms, factors)
        # The gradient of (sr * push) is what G's losses would send through VGG and D. It cannot reach D, nor `pull` G.
        self.manual_backward(((sr * push).sum() + self.scales.scaled("d", judged.pull)) * share)
        return StepValues(
            losses=Losses(generator=total(terms), discriminator=judged.loss_d, adversarial=judged.objective),
            terms=terms,
            logits=judged.logits,
            penalties=judged.penalties,
            metrics=metrics,
            health={**seen, **looked, **judged.health},
            factors=factors,
        )

    def _judged(
        self,
        hr: Tensor,
        image: Tensor,
        *,
        iteration: int,
        ramp: float,
        taken: Callable[..., tuple[Tensor, dict[str, Tensor]]],
        measured: bool,
    ) -> Judged:
        """What the discriminator has to say of real images and of generated ones, (N, C, H, W) both."""
        real, fake, matching = self._judge(hr, image)
        objective = average(self.gan_loss.generator, real=detached(real), fake=fake)
        terms = {"adversarial": self.gan_weight * ramp * objective}
        terms |= {name: ramp * value for name, value in matching.items()}
        push, pushes = taken(self.scales.all_scaled("g", terms), keep_graph=True)
        loss_d = average(self.gan_loss.discriminator, real=real, fake=fake)
        pull, penalties = self._pull(loss_d, iteration=iteration, real=hr, fake=image)
        return Judged(
            pull=pull,
            push=push,
            pushes=pushes,
            terms={name: term.detach() for name, term in terms.items()},
            objective=objective.detach(),
            loss_d=loss_d.detach(),
            penalties=penalties,
            logits={
                "logits_real": average(_mean, logits=detached(real)),
                "logits_fake": average(_mean, logits=detached(fake)),
            },
            health=self._health(real=real, fake=fake) if measured else {},
        )

    def losses(self, sr: Tensor, hr: Tensor, *, iteration: int) -> Losses:
        ramp = self.ramp(iteration)
        content = self.content(sr, hr, iteration=iteration, average=lambda: sr)
        loss_g = sum(content.values(), start=hr.new_zeros(()))
        if ramp is None:
            return Losses(generator=loss_g)
        real, fake, matching = self._judge(hr, sr)
        adversarial = average(self.gan_loss.generator, real=real, fake=fake)
        loss_d = average(self.gan_loss.discriminator, real=real, fake=fake)
        loss_g = loss_g + self.gan_weight * ramp * adversarial
        return Losses(
            generator=sum((ramp * value for value in matching.values()), start=loss_g), discriminator=loss_d
        )

    def on_fit_start(self) -> None:
        super().on_fit_start()
        if self._layers is not None:
            rank_zero_only(log.info)("feature matching of layers %s", ", ".join(self._layers.named))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_save_checkpoint(checkpoint)
        checkpoint["training"]["discriminator_steps"] = self.discriminator_steps.state_dict()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_load_checkpoint(checkpoint)
        # A checkpoint from before there were rules has none; they begin with it.
        if state := checkpoint["training"].get("discriminator_steps"):
            self.discriminator_steps.load_state_dict(state)

    def _pull(
        self, loss_d: Tensor, *, iteration: int, real: Tensor, fake: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """What the discriminator's gradients are taken of in an iteration, and the penalties in it by name."""
        if not self.discriminator_steps.due(self._together(iteration)):
            return self._idle(), {}
        if self.gan_penalty is None or not self.gan_penalty.taken_at(self.discriminator_steps.updates):
            return loss_d, {}
        penalty, pull = penalised(self.gan_penalty, self.discriminator, real=real, fake=fake)
        return loss_d + pull, {"penalty_d": penalty}

    def _together(self, iteration: int) -> int:
        """The iteration, counted from the first in which both nets train."""
        return iteration - self.ramp.generator_only

    def _idle(self) -> Tensor:
        """0, with gradients of zero: DDP waits for a gradient of every parameter of the discriminator."""
        return 0 * torch.stack([parameter.sum() for parameter in self.discriminator.parameters()]).sum()

    def content_loss_at(self, iteration: int) -> tuple[ContentLoss, int]:
        if self.first_content_loss is None:
            return self.content_loss, iteration
        if self.ramp(iteration) is None:
            return self.first_content_loss, iteration
        return self.content_loss, iteration - self.ramp.generator_only

    def _health(self, *, real: LogitMaps, fake: LogitMaps) -> dict[str, Tensor]:
        return {
            "accuracy_d": average(health.accuracy, real=real, fake=fake),
            "ema_distance": health.distance(self.generator, self.generator_ema),
        }

    def _judge(self, hr: Tensor, fake: Tensor) -> tuple[LogitMaps, LogitMaps, dict[str, Tensor]]:
        """The logits of real and of generated images, and of the same pass the term of features, if there is one."""
        if self._layers is None or self.feature_matching is None:
            return *self._discriminate(hr, fake), {}
        with self._layers.kept() as outputs:
            logits = self._discriminate(hr, fake)
        real, generated = halves(outputs, together=not has_batch_norm(self.discriminator))
        return *logits, {"feature_matching": self.feature_matching(real=real, fake=generated)}

    def _discriminate(self, hr: Tensor, fake: Tensor) -> tuple[LogitMaps, LogitMaps]:
        """The logits of real and of generated images, from one pass where that gives the same as two."""
        if has_batch_norm(self.discriminator):
            # Batch statistics of a mixed batch would carry information from real images to generated ones.
            return logit_maps(self.discriminator(hr)), logit_maps(self.discriminator(fake))
        return split(logit_maps(self.discriminator(torch.cat([hr, fake]))))


def _mean(*, logits: Tensor) -> Tensor:
    return logits.float().mean()
