"""What every training module shares: one iteration is one generator update, EMA, exact validation, bad numbers."""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import lightning as L
import numpy as np
import torch
from lightning.pytorch.strategies import ParallelStrategy
from lightning.pytorch.utilities import rank_zero_warn
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from sr.metrics.mean import set_mean
from sr.metrics.precision import full_precision
from sr.metrics.quantity import Metric, check_monitor, measure, quantities_of
from sr.ops.crop import middle
from sr.training.consensus import Consensus
from sr.training.ema import ema_copy, update_ema
from sr.training.image_values import ImageValues
from sr.training.objectives import ContentLoss
from sr.training.optimization import Optimization
from sr.training.running_mean import RunningMean
from sr.training.schedule import OptimizerFactory, SchedulerFactory, build_scheduler
from sr.training.step_values import Losses, Scalars, StepValues

Batch = Mapping[str, Any]
PRECISIONS = ("32-true", "bf16-mixed")


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A net and what updates it.

    Attributes:
        name: the end of the log key `train/learning_rate_<name>`.
        net: the net that is updated; two optimizers may take turns with one net.
        optimizer: parameters -> optimizer.
        scheduler: optimizer -> scheduler, stepped in every iteration in which the optimizer steps.
        steps_at: iteration, counted from 0 -> whether the optimizer steps there.
    """

    name: str
    net: nn.Module
    optimizer: OptimizerFactory
    scheduler: SchedulerFactory
    steps_at: Callable[[int], bool]


class SRModule(L.LightningModule):
    """Trains `generator`, keeps its average `generator_ema`, and validates the average in fp32 on whole images.

    A subclass says how one (micro-)batch becomes gradients (`backward_pass`) and which optimizers step.

    Args:
        generator: (N, C, H, W) -> (N, C, H * scale, W * scale), images in [0, 1].
        content_loss: (sr, target) -> {name: weighted scalar}.
        optimizer_g: parameters -> optimizer.
        scheduler_g: optimizer -> scheduler, stepped once per iteration.
        metric: what validation computes; it says which way each of its values is better.
        monitor: the metric that the progress bar shows.
        optimization: the numbers of an update.
        loss_patch_size: HR pixels on a side of the middle of each validation image, of which validation takes the
            losses too; those of training are comparable if its patches are as large. None takes none.
        seed: of what nets draw (dropout).

    Attributes:
        consensus: what all processes know of one another. An iteration with a loss or gradient that is not finite, on
            any process, changes no weight; a callback decides how many of them are too many.
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
        self.loss_patch_size = loss_patch_size
        self.seed = seed
        self.consensus = Consensus()
        self._running = RunningMean()
        self._statistics: list[Tensor] = []
        self._validated = ImageValues()
        self._image_losses = ImageValues()

    # What a subclass decides

    @abstractmethod
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
        """Add `share` of the gradients of one micro-batch; return its numbers.

        `target` is what the content losses compare with, `hr` what a discriminator sees as real. They differ only in a
        batch that has a "target" of its own: Real-ESRGAN's sharpened HR (Wang et al., 2021, sec. 3.4). With `measured`
        the values include those that cost time: `metrics` and `health`.
        """

    def losses(self, sr: Tensor, hr: Tensor, *, iteration: int) -> Losses:
        """The losses of generated images (N, C, H, W) at an iteration, for validation: no gradient is taken."""
        return Losses(generator=sum(self.content_loss(sr, hr).values(), start=hr.new_zeros(())))

    def trained(self) -> list[Trained]:
        """Everything that is updated, the generator first; at any iteration exactly one steps of the generator's."""
        return [
            Trained(
                name="g",
                net=self.generator,
                optimizer=self.optimizer_g,
                scheduler=self.scheduler_g,
                steps_at=lambda iteration: True,
            )
        ]

    def compile_nets(self) -> None:
        """Compile in place everything that trains, and the content losses: names in `state_dict` stay.

        Not the average, which sees images of every size and is to give the digits that `evaluate.py` gives.
        """
        # The discriminator's graph is used for two gradients, so nothing of it may be reused after the first.
        torch._functorch.config.donated_buffer = False
        losses = [criterion for criterion in self.criteria() if isinstance(criterion, nn.Module)]
        for module in (*dict.fromkeys(each.net for each in self.trained()), *losses):
            module.compile()

    def criteria(self) -> list[ContentLoss]:
        """The content losses, in which there may be nets."""
        return [self.content_loss]

    # Optimization

    def configure_optimizers(self) -> tuple[list[Optimizer], list[LRScheduler]]:
        optimizers, schedulers = [], []
        for each in self.trained():
            optimizer = each.optimizer(each.net.parameters())
            optimizers.append(optimizer)
            schedulers.append(
                build_scheduler(
                    optimizer, each.scheduler, warmup_iterations=self.optimization.warmup_iterations
                )
            )
        return optimizers, schedulers

    @staticmethod
    def check_precision(precision: str) -> None:
        """Raises ValueError for a `trainer.precision` that this module does not train in."""
        if precision not in PRECISIONS:
            raise ValueError(
                f"trainer.precision={precision}: choose one of {', '.join(PRECISIONS)}. Half precision (fp16) is"
                " refused because G and D would share one gradient scaler, so that an overflow in D holds G back;"
                " bf16-mixed is as fast and needs none"
            )

    def on_fit_start(self) -> None:
        self.check_precision(self.trainer.precision)
        modules = [module for each in self.trained() for module in each.net.modules()]
        norms = [module for module in modules if isinstance(module, _BatchNorm)]
        self._statistics = [
            buffer for norm in norms for buffer in norm.buffers() if buffer.is_floating_point()
        ]
        if self.trainer.world_size > 1 and any(type(norm) is nn.BatchNorm2d for norm in norms):
            rank_zero_warn(
                "batch norm takes its statistics per process, so several processes do not follow one exactly;"
                " on GPUs trainer.sync_batchnorm=true makes them"
            )

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        # A function of seed, process and iteration, so that a resumed run draws what an uninterrupted one would.
        sequence = np.random.SeedSequence((self.seed, self.global_rank, self.global_step))
        seed = int(sequence.generate_state(1)[0])
        torch.default_generator.manual_seed(seed)  # torch.manual_seed takes 0.1 ms to look for devices
        if self.device.type == "cuda":
            torch.cuda.manual_seed(seed)

    def training_step(self, batch: Batch, batch_idx: int) -> None:
        iteration = self.global_step
        optimizers = self._raw_optimizers()
        for optimizer in optimizers:
            optimizer.zero_grad()
        statistics = [buffer.clone() for buffer in self._statistics]
        parts = []
        for lr, hr, target, context in self._micro_batches(batch):
            with context:
                values = self.backward_pass(
                    lr,
                    hr,
                    target=target,
                    iteration=iteration,
                    share=1 / self.optimization.accumulate,
                    measured=self._logs_at(iteration),
                )
            parts.append(values)
        values = StepValues.mean(parts)

        trained = self.trained()
        active = [index for index, each in enumerate(trained) if each.steps_at(iteration)]
        finite = self.consensus.ask(
            iteration=iteration + 1,
            losses=values.training(),
            gradients=[self._clipped_norm(trained[index].net) for index in active],
            optimizers=[optimizers[index] for index in active],
            batch=batch,
        )
        for buffer, before in zip(self._statistics, statistics, strict=True):
            buffer.copy_(torch.where(finite > 0, buffer, before))
        self._step(active, optimizers)
        update_ema(self.generator_ema, self.generator, decay=self.optimization.ema_decay, iteration=iteration)
        self._running.add(values.training(), finite)
        if self._logs_at(iteration):
            self._log(values, finite)
            for index in active:
                self.log(
                    f"train/learning_rate_{trained[index].name}", optimizers[index].param_groups[0]["lr"]
                )

    def _raw_optimizers(self) -> list[Optimizer]:
        found = self.optimizers(use_pl_optimizer=False)
        return found if isinstance(found, list) else [found]

    def _micro_batches(
        self, batch: Batch
    ) -> Iterator[tuple[Tensor, Tensor, Tensor, AbstractContextManager[None]]]:
        size, count = batch["lr"].shape[0], self.optimization.accumulate
        if size % count:
            raise ValueError(
                f"data.batch_size={size} must be a multiple of model.optimization.accumulate={count}"
            )
        strategy = self.trainer.strategy
        images = (batch["lr"], batch["hr"], batch.get("target", batch["hr"]))
        parts = zip(*(part.chunk(count) for part in images), strict=True)
        for number, (lr, hr, target) in enumerate(parts, start=1):
            # Gradients are exchanged between processes once, with the last part.
            if isinstance(strategy, ParallelStrategy) and number < count:
                yield lr, hr, target, strategy.block_backward_sync()
            else:
                yield lr, hr, target, nullcontext()

    def _clipped_norm(self, net: nn.Module) -> Tensor:
        """Norm of a net's gradient, which is then clipped."""
        norm = nn.utils.get_total_norm([each.grad for each in net.parameters() if each.grad is not None])
        if self.optimization.gradient_clip is not None:
            nn.utils.clip_grads_with_norm_(net.parameters(), self.optimization.gradient_clip, norm)
        return norm

    def _step(self, active: list[int], optimizers: list[Optimizer]) -> None:
        """Optimizers, then schedulers; what rests keeps its schedule, warm-up included, for when it wakes."""
        counted, schedulers = self.optimizers(), self.lr_schedulers()
        counted = counted if isinstance(counted, list) else [counted]
        schedulers = schedulers if isinstance(schedulers, list) else [schedulers]  # type: ignore[list-item]
        trained = self.trained()
        for index in active:
            # Lightning counts every step of its wrapped optimizers in global_step (its issue #17958). Only the
            # generator's goes through the wrapper, so that one iteration is one generator update everywhere.
            (counted[index] if trained[index].net is self.generator else optimizers[index]).step()
        for index in active:
            scheduler = schedulers[index]
            assert isinstance(scheduler, LRScheduler)
            scheduler.step()

    # Logging

    @torch.no_grad()
    def training_metrics(self, sr: Tensor, hr: Tensor, *, losses: Scalars) -> Scalars:
        """The metric's means over a batch of patches, before the update, as in `train/psnr_y`.

        Without those that have the name of a loss, and none where patches are too small for the metric.
        """
        if min(hr.shape[-2:]) < self.metric.smallest:
            return {}
        values = measure(self.metric, sr.float(), hr)
        return {name: value.mean() for name, value in values.items() if name not in losses}

    def _logs_at(self, iteration: int) -> bool:
        """Whether the iteration, counted from 0, is one of those that are logged."""
        return (iteration + 1) % self.trainer.log_every_n_steps == 0  # type: ignore[attr-defined, no-any-return]

    def _log(self, values: StepValues, finite: Tensor) -> None:
        """Losses are means over the iterations since the last log; a `log` in every iteration costs milliseconds.

        Metrics and health are those of this iteration, and NaN if it was bad.
        """
        means = self._running.take()
        shown = {name: means.pop(name) for name in values.losses.by_name()}
        good = {
            name: torch.where(finite > 0, value.float(), torch.nan) for name, value in values.metrics.items()
        }
        health = {
            name: torch.where(finite > 0, value.float(), torch.nan) for name, value in values.health.items()
        }
        self.log_dict(_keys("train", shown), prog_bar=True, sync_dist=True)
        self.log_dict(_keys("train", means | good) | _keys("health", health), sync_dist=True)
        self.log("train/skipped", float(self.consensus.bad_in_all))

    # Checkpoints

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["training"] = {
            "running": self._running.state_dict(self.trainer.strategy),
            "consensus": self.consensus.state_dict(),
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self._running.load_state_dict(checkpoint["training"]["running"], self.trainer.strategy.root_device)
        self.consensus.load_state_dict(checkpoint["training"]["consensus"])

    # Validation

    @torch.no_grad()
    def super_resolve(self, lr: Tensor) -> Tensor:
        """The averaged generator in fp32 whatever the training precision: the numbers `evaluate.py` will give."""
        with full_precision(self.device):
            output: Tensor = self.generator_ema(lr.float())
        return output

    def validation_step(self, batch: Batch, batch_idx: int) -> Tensor:
        sr = self.super_resolve(batch["lr"])
        self._validated.add(batch["index"], [*measure(self.metric, sr, batch["hr"]).values()])
        if self.loss_patch_size is not None:
            pairs = zip(torch.split(sr, 1), torch.split(batch["hr"], 1), strict=True)
            losses = [self._losses_of_middle(*pair) for pair in pairs]
            self._image_losses.add(batch["index"], torch.stack(losses).unbind(dim=1))
        return sr

    def _losses_of_middle(self, sr: Tensor, hr: Tensor) -> Tensor:
        """(2,) the losses of G and of D of one image, in fp32.

        NaN where there is none, infinite where one is no number.
        """
        size = self.loss_patch_size
        none = hr.new_tensor(torch.nan, dtype=torch.float32)
        if size is None or min(hr.shape[-2:]) < size:
            return torch.stack([none, none])
        # Not compiled, as nets would be anew for batches of one.
        with full_precision(self.device), torch.compiler.set_stance("force_eager"):
            losses = self.losses(middle(sr, size), middle(hr, size), iteration=max(self.global_step - 1, 0))
        found = [losses.generator, losses.discriminator]
        numbers = [
            none if loss is None else loss.nan_to_num(nan=torch.inf, posinf=torch.inf) for loss in found
        ]
        return torch.stack(numbers).float()

    def on_validation_epoch_end(self) -> None:
        gather: Any = self.all_gather
        for name, value in zip(self.metric.quantities, set_mean(self._validated.take(gather)), strict=True):
            self.log(f"val/{name}", value, prog_bar=name == self.monitor)
        if self.loss_patch_size is not None:
            self._log_losses(self._image_losses.take(gather))

    def _log_losses(self, losses: Tensor) -> None:
        """Means over the images that have them."""
        smaller = int(losses[:, 0].isnan().sum())
        if smaller:
            rank_zero_warn(
                f"{smaller} of {len(losses)} validation images are smaller than a patch of {self.loss_patch_size}"
                " pixels (data.hr_patch_size): val/loss_g and val/loss_d leave them out"
            )
        for name, column in zip(("loss_g", "loss_d"), losses.unbind(dim=1), strict=True):
            found = column[~column.isnan()]
            if len(found):
                self.log(f"val/{name}", set_mean(found[:, None])[0])


def _keys(group: str, values: Scalars) -> dict[str, Tensor]:
    return {f"{group}/{name}": value for name, value in values.items()}


def sr_module(module: L.LightningModule) -> SRModule:
    """The same module, for hooks of callbacks, whose signatures are Lightning's. Raises TypeError for another kind."""
    if not isinstance(module, SRModule):
        raise TypeError(f"{type(module).__name__} is no SRModule, which this callback needs")
    return module
