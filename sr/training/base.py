"""What every training module shares: one iteration is one generator update, EMA, exact validation, fail-stop."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import lightning as L
import torch
from lightning.pytorch.strategies import ParallelStrategy
from lightning.pytorch.utilities import rank_zero_warn
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from sr.metrics.mean import set_mean
from sr.metrics.precision import full_precision
from sr.metrics.protocol import Protocol
from sr.training.ema import ema_copy, update_ema
from sr.training.finite import FiniteWatch
from sr.training.schedule import OptimizerFactory, SchedulerFactory, build_scheduler

Batch = Mapping[str, Any]
Terms = dict[str, Tensor]
PRECISIONS = ("32-true", "bf16-mixed")


class SRModule(L.LightningModule):
    """Trains `generator`, keeps its average `generator_ema`, and validates the average in fp32 on whole images.

    A subclass says how one (micro-)batch becomes gradients (`backward_pass`) and which optimizers step.

    Args:
        generator: (N, C, H, W) -> (N, C, H * scale, W * scale), images in [0, 1].
        content_loss: (sr, target) -> {name: weighted scalar}.
        optimizer_g: parameters -> optimizer.
        scheduler_g: optimizer -> scheduler, stepped once per iteration.
        metric: what validation computes.
        monitor: the metric that the progress bar shows.
        ema_decay: see `sr.training.ema`.
        warmup_iterations: length of the linear learning-rate warm-up.
        gradient_clip: largest norm of the gradient of each net; None does not clip.
        accumulate: micro-batches that a batch is cut into to save memory. The batch size stays what it is, so an
            iteration, an epoch and a learning rate mean the same with any value; only what looks at a batch as a
            whole (relativistic averages, batch norm) sees the parts.
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
        super().__init__()
        if not 0 <= ema_decay < 1:
            raise ValueError(f"ema_decay={ema_decay} must be in [0, 1)")
        if accumulate < 1:
            raise ValueError(f"accumulate={accumulate} must be 1 or more")
        if gradient_clip is not None and gradient_clip <= 0:
            raise ValueError(f"gradient_clip={gradient_clip} must be positive, or null for none")
        rising = [name for name in metric.names if name != "mse"]  # best.ckpt is that of the highest value
        if monitor not in rising:
            raise ValueError(f"monitor={monitor}: choose one of {', '.join(rising)}")
        self.automatic_optimization = False
        self.generator = generator
        self.generator_ema = ema_copy(generator)
        self.content_loss = content_loss
        self.optimizer_g = optimizer_g
        self.scheduler_g = scheduler_g
        self.metric = metric
        self.monitor = monitor
        self.ema_decay = ema_decay
        self.warmup_iterations = warmup_iterations
        self.gradient_clip = gradient_clip
        self.accumulate = accumulate
        self._running = _RunningMean()
        self._watch = FiniteWatch()
        self._validated: list[Tensor] = []

    # What a subclass decides

    @abstractmethod
    def backward_pass(self, lr: Tensor, hr: Tensor, *, target: Tensor, iteration: int, share: float) -> Terms:
        """Add `share` of the gradients of one micro-batch; return its loss terms, detached, by log key.

        `target` is what the content losses compare with, `hr` what a discriminator sees as real. They differ only in a
        batch that has a "target" of its own: Real-ESRGAN's sharpened HR (Wang et al., 2021, sec. 3.4).
        """

    def trained_nets(self) -> list[tuple[nn.Module, OptimizerFactory, SchedulerFactory]]:
        """Every net with its optimizer and scheduler, the generator first."""
        return [(self.generator, self.optimizer_g, self.scheduler_g)]

    def resting(self, iteration: int) -> set[nn.Module]:
        """Nets whose optimizer does not step at this iteration."""
        return set()

    def compile_nets(self) -> None:
        """Compile everything that trains and what judges it, in place: names in `state_dict` stay.

        Not the average, which sees images of every size and is to give the digits that `evaluate.py` gives.
        """
        # The discriminator's graph is used for two gradients, so nothing of it may be reused after the first.
        torch._functorch.config.donated_buffer = False
        for module in (*(net for net, _, _ in self.trained_nets()), self.content_loss):
            module.compile()

    # Optimization

    def configure_optimizers(self) -> tuple[list[Optimizer], list[LRScheduler]]:
        optimizers, schedulers = [], []
        for net, make_optimizer, make_scheduler in self.trained_nets():
            optimizer = make_optimizer(net.parameters())
            scheduler = build_scheduler(optimizer, make_scheduler, warmup_iterations=self.warmup_iterations)
            optimizers.append(optimizer)
            schedulers.append(scheduler)
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
        nets = [net for net, _, _ in self.trained_nets()]
        plain_norm = any(type(module) is nn.BatchNorm2d for net in nets for module in net.modules())
        if self.trainer.world_size > 1 and plain_norm:
            rank_zero_warn(
                "batch norm takes its statistics per process, so several processes do not follow one exactly;"
                " on GPUs trainer.sync_batchnorm=true makes them"
            )

    def training_step(self, batch: Batch, batch_idx: int) -> None:
        iteration = self.global_step
        optimizers = self._raw_optimizers()
        for optimizer in optimizers:
            optimizer.zero_grad()
        terms: Terms = {}
        for lr, hr, target, context in self._micro_batches(batch):
            with context:
                part = self.backward_pass(
                    lr, hr, target=target, iteration=iteration, share=1 / self.accumulate
                )
            terms = {key: terms.get(key, 0) + value / self.accumulate for key, value in part.items()}
        self._watch.look(terms, batch=batch, iteration=iteration, module=self)
        self._step_optimizers(optimizers, iteration)
        update_ema(self.generator_ema, self.generator, decay=self.ema_decay, iteration=iteration)
        self._log_terms(terms, iteration, optimizers)
        self._step_schedulers(iteration)

    def _raw_optimizers(self) -> list[Optimizer]:
        found = self.optimizers(use_pl_optimizer=False)
        return found if isinstance(found, list) else [found]

    def _micro_batches(
        self, batch: Batch
    ) -> Iterator[tuple[Tensor, Tensor, Tensor, AbstractContextManager[None]]]:
        size = batch["lr"].shape[0]
        if size % self.accumulate:
            raise ValueError(
                f"data.batch_size={size} must be a multiple of model.accumulate={self.accumulate}"
            )
        strategy = self.trainer.strategy
        images = (batch["lr"], batch["hr"], batch.get("target", batch["hr"]))
        parts = zip(*(part.chunk(self.accumulate) for part in images), strict=True)
        for number, (lr, hr, target) in enumerate(parts, start=1):
            # Gradients are exchanged between processes once, with the last part.
            if isinstance(strategy, ParallelStrategy) and number < self.accumulate:
                yield lr, hr, target, strategy.block_backward_sync()
            else:
                yield lr, hr, target, nullcontext()

    def _step_optimizers(self, optimizers: list[Optimizer], iteration: int) -> None:
        resting = self.resting(iteration)
        counted = self.optimizers()
        counted = counted[0] if isinstance(counted, list) else counted
        for (net, _, _), optimizer in zip(self.trained_nets(), optimizers, strict=True):
            if net in resting:
                continue
            if self.gradient_clip is not None:
                nn.utils.clip_grad_norm_(net.parameters(), self.gradient_clip)
            # Lightning counts every step of its wrapped optimizers in global_step (its issue #17958). Only the
            # generator's goes through the wrapper, so that one iteration is one generator update everywhere.
            (counted if net is self.generator else optimizer).step()

    def _step_schedulers(self, iteration: int) -> None:
        """A net that rests keeps its schedule, warm-up included, for when it wakes."""
        resting = self.resting(iteration)
        found = self.lr_schedulers()
        schedulers = found if isinstance(found, list) else [found]
        for (net, _, _), scheduler in zip(self.trained_nets(), schedulers, strict=True):
            assert isinstance(scheduler, LRScheduler)
            if net not in resting:
                scheduler.step()

    # Fail-stop, before anything is saved

    def on_train_epoch_end(self) -> None:
        self._watch.settle(self)

    def on_validation_start(self) -> None:
        self._watch.settle(self)

    # Logging

    def _log_terms(self, terms: Terms, iteration: int, optimizers: list[Optimizer]) -> None:
        """Means over the iterations since the last log; a call of `log` in every iteration costs milliseconds."""
        self._running.add(terms)
        if (iteration + 1) % self.trainer.log_every_n_steps:  # type: ignore[attr-defined]
            return
        means = {f"train/{key}": value for key, value in self._running.take().items()}
        bar = {key: value for key, value in means.items() if key in ("train/loss_g", "train/loss_d")}
        rest = {key: value for key, value in means.items() if key not in bar}
        self.log_dict(bar, prog_bar=True, sync_dist=True)
        self.log_dict(rest, sync_dist=True)
        for name, optimizer in zip(("g", "d"), optimizers, strict=False):
            self.log(f"train/learning_rate_{name}", optimizer.param_groups[0]["lr"])

    # Validation

    @torch.no_grad()
    def super_resolve(self, lr: Tensor) -> Tensor:
        """The averaged generator in fp32 whatever the training precision: the numbers `evaluate.py` will give."""
        with full_precision(self.device):
            output: Tensor = self.generator_ema(lr.float())
        return output

    def validation_step(self, batch: Batch, batch_idx: int) -> Tensor:
        sr = self.super_resolve(batch["lr"])
        values = torch.stack([*self.metric(sr, batch["hr"]).values()], dim=1)
        self._validated.append(torch.cat([batch["index"][:, None].to(values), values], dim=1))
        return sr

    def on_validation_epoch_end(self) -> None:
        gathered = self.all_gather(torch.cat(self._validated))
        self._validated.clear()
        assert isinstance(gathered, Tensor)
        # A sampler over several processes fills up the shorter shares with images that another has too.
        rows = {int(row[0]): row[1:] for row in gathered.reshape(-1, gathered.shape[-1]).cpu()}
        means = set_mean(torch.stack([rows[index] for index in sorted(rows)]))
        for name, value in zip(self.metric.names, means, strict=True):
            self.log(f"val/{name}", value, prog_bar=name == self.monitor)


class _RunningMean:
    """Sums on the device, without waiting for it."""

    def __init__(self) -> None:
        self._sums: Terms = {}
        self._counts: dict[str, int] = {}

    def add(self, terms: Terms) -> None:
        for key, value in terms.items():
            self._sums[key] = self._sums[key] + value if key in self._sums else value.clone()
            self._counts[key] = self._counts.get(key, 0) + 1

    def take(self) -> Terms:
        means = {key: value / self._counts[key] for key, value in self._sums.items()}
        self._sums, self._counts = {}, {}
        return means
