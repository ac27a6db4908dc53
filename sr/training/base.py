"""What all training modules share: the iteration (one update of the generator), the average, and validation."""

from abc import abstractmethod
from collections.abc import Callable, Container, Iterable, Mapping
from functools import partial
from typing import Any

import lightning as L
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from sr.metrics.precision import full_precision
from sr.metrics.quantity import Metric, check_monitor, quantities_of
from sr.training.averaged_weights import TrainedWeights
from sr.training.balance import Balance
from sr.training.batch_metrics import batch_metrics
from sr.training.clipping import clipped_norm
from sr.training.compiling import compile_in_place
from sr.training.consensus import Consensus
from sr.training.ema import ema_copy, update_ema
from sr.training.gradient_scale import GradientScales
from sr.training.log_keys import log_keys
from sr.training.micro_batches import Batch, MicroBatch, micro_batches
from sr.training.norm_statistics import NormStatistics
from sr.training.objectives import ContentLoss, content_terms, named_terms
from sr.training.optimization import Optimization
from sr.training.precision import HALF, check_precision, check_scaler
from sr.training.running_mean import RunningMean
from sr.training.schedule import OptimizerFactory, SchedulerFactory
from sr.training.seeding import seed_iteration
from sr.training.skip import may_step, skips_on_device
from sr.training.step_values import Losses, Scalars, StepValues
from sr.training.trained import Stepping, Trained, listed, stepping_at
from sr.training.validation import Validation


class SRModule(L.LightningModule):
    """Trains `generator`, keeps its average `generator_ema`, and validates the average in fp32 on whole images.

    A subclass says how one (micro-)batch becomes gradients (`backward_pass`) and which optimizers step.

    Args:
        generator: (N, C, H, W) -> (N, C, H * scale, W * scale), images in [0, 1].
        content_loss: (sr, target) -> {name: weighted scalar}.
        optimizer_g: parameters -> optimizer.
        scheduler_g: optimizer -> scheduler, stepped once per iteration.
        metric: the metric of validation; it says which way each of its values is better.
        monitor: the metric that the progress bar shows.
        optimization: the numbers of an update (`sr.training.optimization`).
        balance: term -> the share of the gradient that it keeps, as {perceptual: 0.2} (`sr.training.balance`). Factors
            are those of training: validation has the weights alone. None leaves all weights as they are.
        loss_patch_size: the side, in HR pixels, of the central patch of each validation image, for which validation
            computes the losses too; they are comparable with those of training if its patches are as large. None
            computes no losses.
        seed: the seed of the random numbers that nets draw (dropout).

    Attributes:
        consensus: the agreement between all processes. An iteration with a number that is not finite, on any process,
            changes no trained weight (the average still moves towards them); a callback counts such iterations.
        scales: the factors of the losses whose gradients are taken, in fp16; in other precisions there are none.
    """

    def __init__(
        self,
        *,
        generator: nn.Module,
        content_loss: ContentLoss,
        optimizer_g: OptimizerFactory,
        metric: Metric,
        scheduler_g: SchedulerFactory,
        optimization: Optimization,
        monitor: str = "psnr_y",
        balance: Mapping[str, float] | None = None,
        loss_patch_size: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        check_monitor(monitor, quantities_of(metric))
        self.automatic_optimization = False
        self.generator = generator
        self.generator_ema = ema_copy(generator)
        self.content_loss = content_loss
        self.optimizer_g = optimizer_g
        self.scheduler_g = scheduler_g
        self.metric = metric
        self.monitor = monitor
        self.optimization = optimization
        self.balance = None if balance is None else Balance(balance)
        self.seed = seed
        self.consensus = Consensus()
        self.scales = GradientScales()
        self._running = RunningMean()
        self._norm_statistics = NormStatistics(())
        self._validation = Validation(metric=metric, loss_patch_size=loss_patch_size)

    # What a subclass decides

    @abstractmethod
    def backward_pass(
        self, part: MicroBatch, *, iteration: int, share: float, measured: bool = False
    ) -> StepValues:
        """Compute the gradients of a part of a batch and add them, multiplied by `share`; return its numbers.

        The gradients are those of scaled losses: every loss of a net goes through `self.scales.scaled`. With `measured`
        the numbers include those that cost time: `metrics` and `health`.
        """

    def losses(self, sr: Tensor, hr: Tensor, *, iteration: int) -> Losses:
        """The losses of generated images (N, C, H, W) at an iteration, for validation: no gradient is taken."""
        content = self.content(sr, hr, iteration=iteration, average=lambda: sr)
        return Losses(generator=sum(content.values(), start=hr.new_zeros(())))

    def content_loss_at(self, iteration: int) -> tuple[ContentLoss, int]:
        """The content loss of the stage that an iteration lies in, and the iteration as counted from its beginning."""
        return self.content_loss, iteration

    def trained(self) -> list[Trained]:
        """Everything that is updated, the generator first.

        Of several entries with the same net, exactly one steps at any iteration.
        """
        return [Trained(name="g", net=self.generator, optimizer=self.optimizer_g, scheduler=self.scheduler_g)]

    def updated(self, stepping: list[Stepping], values: StepValues, *, iteration: int) -> list[Stepping]:
        """The nets that are updated in this iteration; the others rest, with their optimizers and schedules.

        Asked once in every iteration, when the gradients of the whole batch are there; all processes must say the same.

        Args:
            stepping: the nets whose turn it is by `Trained.steps_at`.
            values: the numbers of the batch on this process.
            iteration: the iteration, counted from 0.
        """
        return stepping

    def shares(self, stepping: list[Stepping], updated: list[Stepping]) -> Scalars:
        """Numbers of 0.0 or 1.0 by name, whose means over the iterations since the last log are logged."""
        return {}

    def goes_on_from_average(self, iteration: int) -> bool:
        """Whether a stage begins at this iteration whose generator is the average of the stage before."""
        return False

    @property
    def further_terms(self) -> tuple[str, ...]:
        """The names of the generator's terms that are not those of its content loss."""
        return ()

    def phases(self) -> dict[int, str]:
        """The iterations, counted from 0, at which a phase of the run begins -> a short name of the phase."""
        return {0: "pixel"}

    def compile_nets(self) -> None:
        """Compile in place everything that trains, and the content losses.

        The average is left as it is: it sees images of every size, and must give the same digits as `evaluate.py`.
        """
        losses = [criterion for criterion in self.criteria() if isinstance(criterion, nn.Module)]
        compile_in_place([*dict.fromkeys(each.net for each in self.trained()), *losses])

    def criteria(self) -> list[ContentLoss]:
        """The content losses, which may contain nets."""
        return [self.content_loss]

    def content(
        self, sr: Tensor, target: Tensor, *, iteration: int, average: Callable[[], Tensor]
    ) -> Mapping[str, Tensor]:
        """The weighted terms of the content loss at an iteration of the run, counted from 0.

        `average` computes the image of the averaged generator, for losses that want it.
        """
        loss, since = self.content_loss_at(iteration)
        return content_terms(loss, sr, target, iteration=since, average=average)

    @torch.no_grad()
    def averaged(self, lr: Tensor) -> Tensor:
        """The image of the averaged generator in the precision of training, beside which its losses see it."""
        output: Tensor = self.generator_ema(lr)
        return output.float()

    def average_beside_target(self, part: MicroBatch) -> Tensor:
        """`averaged` as the losses see it beside their target."""
        return part.beside_target(self.averaged(part.lr))

    def measured_patches(self, part: MicroBatch, sr: Tensor, *, losses: Container[str]) -> Scalars:
        """See `batch_metrics`."""
        return batch_metrics(self.metric, sr=sr, hr=part.hr, losses=losses, valid=part.valid)

    def balance_of(self, terms: Iterable[str], *, iteration: int) -> Balance | None:
        """What keeps shares between the terms that there are at an iteration; None where no term has a share.

        The losses of a first stage have none.
        """
        loss, _ = self.content_loss_at(iteration)
        if self.balance is None or loss is not self.content_loss:
            return None
        found = list(terms)
        self.balance.check_terms([*found, *self.further_terms])
        return self.balance if any(term in self.balance.shares for term in found) else None

    # Optimization

    def configure_optimizers(self) -> tuple[list[Optimizer], list[LRScheduler]]:
        if self.balance is not None and (terms := named_terms(self.content_loss)):
            self.balance.check_terms([*terms, *self.further_terms])
        warmup = self.optimization.warmup_iterations
        built = [each.build(warmup_iterations=warmup) for each in self.trained()]
        return [optimizer for optimizer, _ in built], [scheduler for _, scheduler in built]

    def on_fit_start(self) -> None:
        check_precision(self.trainer.precision)
        check_scaler(self.trainer.precision_plugin)
        self._begin_scales()
        # Not earlier: Lightning may replace batch norms (trainer.sync_batchnorm) before this hook.
        self._norm_statistics = NormStatistics(dict.fromkeys(each.net for each in self.trained()))
        if self.trainer.world_size > 1:
            self._norm_statistics.warn_of_several_processes()

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        seed_iteration(
            seed=self.seed, process=self.global_rank, iteration=self.global_step, device=self.device
        )

    def training_step(self, batch: Batch, batch_idx: int) -> None:
        iteration = self.global_step
        if self.goes_on_from_average(iteration):
            self.generator.load_state_dict(self.generator_ema.state_dict())

        stepping = stepping_at(iteration, self.trained(), module=self)
        optimizers = [each.optimizer for each in stepping]
        statistics = self._norm_statistics.saved()
        weights = [TrainedWeights([optimizer]) for optimizer in optimizers]
        values = self._gradients(batch, iteration)
        updated = self.updated(stepping, values, iteration=iteration)
        nets = [each.letter for each in updated]
        for each in updated:
            self.scales.unscale(each.letter, each.net)
        norms = [clipped_norm(each.net, largest=self.optimization.gradient_clip) for each in updated]

        on_device = skips_on_device(optimizers, self.device)
        verdict = self.consensus.ask(
            iteration=iteration + 1,
            losses=values.training(),
            gradients=norms,
            batch=batch,
            wait=not on_device,
            excused=self.scales.can_fall(nets),
        )
        stepped = {
            each.letter: may_step([each.optimizer], unless=steps, on_device=on_device)
            for each, steps in zip(updated, verdict.steps, strict=True)
        }
        self._norm_statistics.restore(statistics, unless=verdict.good)
        self._step(updated, taken=[*stepped.values()])
        for each, trained in zip(stepping, weights, strict=True):
            trained.leave(stepped=stepped.get(each.letter, False))
        self.scales.learn(nets, good=verdict.good, steps=verdict.steps)
        update_ema(self.generator_ema, self.generator, decay=self.optimization.ema_decay, iteration=iteration)

        self._running.add({**values.training(), **self.shares(stepping, updated)}, verdict.good)
        if self.logs_at(iteration):
            self._log(values, verdict.good, stepping)

    def _gradients(self, batch: Batch, iteration: int) -> StepValues:
        """Compute the gradients of a whole batch, part by part, and its numbers."""
        for optimizer in listed(self.optimizers(use_pl_optimizer=False)):
            optimizer.zero_grad()
        self.optimization.check_batch_size(len(batch["lr"]))
        count = self.optimization.accumulate
        parts = []
        for part in micro_batches(batch, count=count, strategy=self.trainer.strategy):
            with part.exchange:
                values = self.backward_pass(
                    part, iteration=iteration, share=1 / count, measured=self.logs_at(iteration)
                )
            parts.append(values)
        return StepValues.mean(parts)

    def _step(self, stepping: list[Stepping], *, taken: list[bool]) -> None:
        """Optimizers, then schedulers; an idle net keeps its schedule, warm-up included, for when it starts."""
        for each, takes in zip(stepping, taken, strict=True):
            # Lightning counts every step of its wrapped optimizers in global_step (its issue #17958). Only the
            # generator's goes through the wrapper, so that one iteration is one generator update everywhere.
            each.step(counts=each.net is self.generator, taken=takes)
        for each in stepping:
            each.scheduler.step()

    # Logging

    def logs_at(self, iteration: int) -> bool:
        """Whether the iteration, counted from 0, is one of those that are logged."""
        return (iteration + 1) % self.trainer.log_every_n_steps == 0  # type: ignore[attr-defined, no-any-return]

    def _log(self, values: StepValues, finite: Tensor, stepping: list[Stepping]) -> None:
        """Means over the iterations since the last log; a call of `log` in every iteration costs milliseconds."""
        shown, others = log_keys(values, means=self._running.take(), finite=finite)
        self.log_dict(shown, prog_bar=True, sync_dist=True)
        self.log_dict(others, sync_dist=True)
        self.log_dict(self._position())
        self.log("train/skipped", float(self.consensus.bad_in_all))
        for each in stepping:
            self.log(f"train/learning_rate_{each.name}", each.learning_rate())
        for net, scale in self.scales.values().items():
            self.log(f"train/scale_{net}", scale)

    def _position(self) -> dict[str, float]:
        """Where every logger puts what is logged with it: Lightning takes `step` as the position, and counts from 0
        where it is missing."""
        return {"step": float(self.global_step), "epoch": float(self.current_epoch)}

    # Checkpoints

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["training"] = {
            "running": self._running.state_dict(self.trainer.strategy),
            "consensus": self.consensus.state_dict(),
            "scales": self.scales.state_dict(),
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        saved = checkpoint["training"]
        self._running.load_state_dict(saved["running"], self.trainer.strategy.root_device)
        self.consensus.load_state_dict(saved["consensus"])
        self.restore_scales(saved)

    def restore_scales(self, saved: Mapping[str, Any]) -> None:
        """Go on with the gradient scales of a checkpoint, `saved` being its "training"; older ones have none."""
        self.scales.load_state_dict(saved.get("scales", {}), self.trainer.strategy.root_device)
        self._begin_scales()

    def _begin_scales(self) -> None:
        scaled = [each.letter for each in self.trained()] if self.trainer.precision == HALF else []
        self.scales.begin(scaled, device=self.trainer.strategy.root_device)

    # Validation

    @torch.no_grad()
    def super_resolve(self, lr: Tensor) -> Tensor:
        """Apply the averaged generator in fp32, whatever the training precision, exactly as `evaluate.py` does."""
        with full_precision(self.device):
            output: Tensor = self.generator_ema(lr.float())
        return output

    def validation_step(self, batch: Batch, batch_idx: int) -> dict[str, Any]:
        """`sr` (N, C, H, W), and `values`: name of the metric -> (N,)."""
        sr = self.super_resolve(batch["lr"])
        losses = partial(self.losses, iteration=max(self.global_step - 1, 0))
        values = self._validation.add(
            batch["index"], sr=sr, hr=batch["hr"], losses=losses, valid=batch.get("valid")
        )
        return {"sr": sr, "values": values}

    def on_validation_epoch_end(self) -> None:
        gather: Any = self.all_gather
        self.log_dict(self._position())
        for name, value in self._validation.take_metrics(gather).items():
            self.log(f"val/{name}", value, prog_bar=name == self.monitor)
        for name, value in self._validation.take_losses(gather).items():
            self.log(f"val/{name}", value)
