"""Measure what Lightning, callbacks and loggers add to a training step: `python benchmarks/lightning_overhead.py`.

`Trainer.fit`, set up as in `train.py` (all default callbacks, progress bar, CSV logger), is compared with the same step
in a plain loop: forward, backward, optimizer, average and schedule of the same module on the same batch. The two
alternate within one process: the loader that feeds Lightning runs the plain loop between two rounds, so that both meet
the same conditions. A round has as many iterations as there are from one logging of the losses to the next. The numbers
are CPU time per iteration, or wall-clock time on a GPU. Everything runs on one thread.
"""

import contextlib
import io
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

import harness
import lightning as L
import torch
from harness import Result
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import DictConfig

from sr.cli.shipped import shipped_configuration
from sr.config import register_schemas
from sr.run.directory import register_resolvers
from sr.run.preflight import settle_precision
from sr.training.base import SRModule
from sr.training.ema import update_ema
from sr.training.micro_batches import MicroBatch

PLAIN, LIGHTNING = "plain loop", "Trainer.fit"
NETS = {
    "RRDBNet of 6 blocks": ("generator=rrdbnet", "generator.num_block=6", "data.batch_size=4"),
    "a tiny net": (
        "generator=srvgg_compact",
        "generator.num_feat=8",
        "generator.num_conv=2",
        "data.batch_size=1",
    ),
}
GPU = torch.cuda.is_available()

Batch = dict[str, torch.Tensor]
Step = Callable[[Batch], None]


class Alternating:
    """Batches for `Trainer.fit`. Before each round the plain loop gets the same number of them.

    Args:
        batch: the batch that both loops get in every iteration.
        plain_step: the function that makes one iteration of the plain loop.
        iterations: the number of iterations that each loop makes in a round.
        rounds: the number of rounds.

    Attributes:
        plain: the milliseconds per iteration of the plain loop, one number for each round.
        fitted: the milliseconds per iteration of `Trainer.fit`, one number for each round.
    """

    def __init__(self, batch: Batch, plain_step: Step, *, iterations: int, rounds: int) -> None:
        self.batch = batch
        self.plain_step = plain_step
        self.iterations = iterations
        self.rounds = rounds
        self.plain: list[float] = []
        self.fitted: list[float] = []

    def __len__(self) -> int:
        # One more than is measured: an iteration has ended only when the batch of the next one is asked for.
        return self.rounds * self.iterations + 1

    def __iter__(self) -> Iterator[Batch]:
        for _ in range(self.rounds):
            start = now()
            for _ in range(self.iterations):
                self.plain_step(self.batch)
            between = now()
            for _ in range(self.iterations):
                yield self.batch
            self.plain.append(1000 * (between - start) / self.iterations)
            self.fitted.append(1000 * (now() - between) / self.iterations)
        yield self.batch


class Terminal(io.StringIO):
    """An output that calls itself a terminal, so that the progress bar is drawn as often as for a user."""

    def isatty(self) -> bool:
        return True


def now() -> float:
    """CPU time in seconds; on a GPU wall-clock time, after all of its work has ended."""
    if not GPU:
        return process_time()
    torch.cuda.synchronize()
    return perf_counter()


def settings(overrides: Sequence[str], *, folder: Path, iterations: int) -> DictConfig:
    """The configuration that `python train.py model=psnr loss=l1 logger=csv ...` composes."""
    common = (
        "model=psnr",
        "loss=l1",
        "logger=csv",
        "trainer.devices=1",
        "trainer.max_epochs=1",
        "trainer.limit_val_batches=0",
        f"trainer.log_every_n_steps={iterations}",
        f"run_dir={folder}",
    )
    register_schemas()
    register_resolvers()
    with initialize_config_dir(str(shipped_configuration()), version_base="1.3"):
        cfg = compose("train", overrides=[*common, *overrides])
    settle_precision(cfg.trainer)
    return cfg


def make_module(cfg: DictConfig) -> SRModule:
    L.seed_everything(0, verbose=False)
    module: SRModule = instantiate(cfg.model).to(memory_format=torch.channels_last)
    return module.cuda() if GPU else module


def make_plain_step(module: SRModule, *, precision: str) -> Step:
    """The step of `SRModule` as one would write it without Lightning."""
    optimizers, schedulers = module.configure_optimizers()
    module.manual_backward = lambda loss: loss.backward()  # type: ignore[method-assign, assignment]
    module.train()
    device = "cuda" if GPU else "cpu"

    def step(batch: Batch) -> None:
        optimizers[0].zero_grad()
        with torch.autocast(device, torch.bfloat16, enabled=precision == "bf16-mixed"):
            part = MicroBatch(lr=batch["lr"], hr=batch["hr"], target=batch["hr"], exchange=nullcontext())
            module.backward_pass(part, iteration=1000, share=1.0)
        optimizers[0].step()
        update_ema(
            module.generator_ema, module.generator, decay=module.optimization.ema_decay, iteration=1000
        )
        schedulers[0].step()

    return step


def make_batch(cfg: DictConfig, *, lr: int) -> Batch:
    generator = torch.Generator().manual_seed(0)
    sides = {"lr": lr, "hr": lr * cfg.scale}
    batch = {
        name: torch.rand(cfg.data.batch_size, 3, side, side, generator=generator)
        for name, side in sides.items()
    }
    return {name: images.cuda() for name, images in batch.items()} if GPU else batch


def measure(
    overrides: Sequence[str], *, lr: int, iterations: int, rounds: int
) -> tuple[list[float], list[float]]:
    """The milliseconds per iteration of the plain loop, and those of `Trainer.fit`, one number for each round."""
    with TemporaryDirectory() as folder:
        cfg = settings(overrides, folder=Path(folder), iterations=iterations)
        plain_step = make_plain_step(make_module(cfg), precision=cfg.trainer.precision)
        batches = Alternating(make_batch(cfg, lr=lr), plain_step, iterations=iterations, rounds=rounds + 1)
        trainer: L.Trainer = instantiate(
            cfg.trainer,
            callbacks=[*instantiate(cfg.callbacks).values()],
            logger=[*instantiate(cfg.logger).values()],
        )
        with contextlib.redirect_stdout(Terminal()):
            trainer.fit(make_module(cfg), train_dataloaders=batches)
    return batches.plain[1:], batches.fitted[1:]  # the first round warms up


def main() -> None:
    options = harness.parser(__doc__, rounds=5)
    options.add_argument(
        "--nets", nargs="+", choices=NETS, default=list(NETS), help="nets that are trained; default: both"
    )
    options.add_argument("--lr", type=int, default=32, help="side of the LR patches in pixels")
    options.add_argument(
        "--iterations",
        type=int,
        nargs=2,
        default=[10, 50],
        metavar=("LARGE", "TINY"),
        help="number of iterations in a round, for the large and for the tiny net; default: 10 50",
    )
    arguments = options.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    results = []
    for (name, overrides), iterations in zip(NETS.items(), arguments.iterations, strict=True):
        if name not in arguments.nets:
            continue
        plain, fitted = measure(overrides, lr=arguments.lr, iterations=iterations, rounds=arguments.rounds)
        results.append(Result(f"iteration of {name}", "ms", {PLAIN: plain, LIGHTNING: fitted}, PLAIN))
        added = [with_it - without for with_it, without in zip(fitted, plain, strict=True)]
        results.append(Result(f"{LIGHTNING} adds to {name}", "ms", {"all of it": added}))
    harness.publish(results, file=arguments.json)


if __name__ == "__main__":
    main()
