"""Measure what it costs that a run can be trusted: `python benchmarks/safety_overhead.py`.

`Trainer.fit` is set up as in `train.py`. In every iteration, it spends time on seeding, gradient norms, the consensus
of the processes, and the callbacks that keep checkpoints, obey signals, watch for bad numbers and look at the health of
the GAN. In every 50th iteration, it also computes the `health/` numbers. Each part is timed where it is called, since
all of them together are less than the noise of an iteration. Times are CPU time; on a GPU they are wall-clock time,
with the work that the GPU has to do for the part. Everything runs on one thread. The GAN step has L1 and the U-Net
discriminator; with VGG19 it takes longer, and the share is smaller. A checkpoint is timed too: by default, one is saved
every 15 minutes, so divide its seconds by 900 to get the share of the time.
"""

import io
import logging
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import harness
import lightning as L
import torch
from harness import Result
from hydra.utils import instantiate
from lightning_overhead import make_batch, make_module, now, settings
from torch.utils.data import DataLoader

from sr.callbacks.checkpoints import Checkpoints
from sr.callbacks.divergence import Divergence
from sr.callbacks.gan_health import GANHealth
from sr.run.whole_checkpoints import WholeCheckpointIO
from sr.training import base
from sr.training.consensus import Consensus
from sr.training.gan import GANModule

STEP, MEASURED, SAVE = "the iteration", "the same with health numbers", "a checkpoint"
# The methods and functions that are called in every iteration, and the name under which each is shown.
PARTS: list[tuple[Any, str, str]] = [
    (GANModule, "on_train_batch_start", "seeding"),
    (base, "clipped_norm", "gradient norms"),
    (Consensus, "ask", "consensus"),
    (Checkpoints, "on_train_batch_start", "callbacks"),
    (Checkpoints, "on_train_batch_end", "callbacks"),
    (Divergence, "on_train_batch_end", "callbacks"),
    (GANHealth, "on_train_batch_end", "callbacks"),
]


class Clock:
    """The milliseconds of timed calls, by name, one number for each call."""

    def __init__(self) -> None:
        self.spent: dict[str, list[float]] = defaultdict(list)

    def around(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        """The same function, but the time of each call is recorded under a name."""

        def timed(*arguments: Any, **settings: Any) -> Any:
            start = now()
            result = function(*arguments, **settings)
            self.spent[name].append(1000 * (now() - start))
            return result

        return timed

    def around_step(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same training step, but timed; iterations that are logged are recorded apart from the others."""

        def timed(module: Any, *arguments: Any) -> Any:
            name = MEASURED if module.logs_at(module.global_step) else STEP
            return self.around(function, name)(module, *arguments)

        return timed


@contextmanager
def timed_parts(clock: Clock) -> Iterator[None]:
    """Time the parts, the training step and the writing of checkpoints while the context is open."""
    wrapped = [(kind, method, clock.around(getattr(kind, method), name)) for kind, method, name in PARTS]
    wrapped.append((GANModule, "training_step", clock.around_step(GANModule.training_step)))
    wrapped.append((Checkpoints, "_save", clock.around(Checkpoints._save, SAVE)))
    before = [(kind, method, getattr(kind, method)) for kind, method, _ in wrapped]
    for kind, method, function in wrapped:
        setattr(kind, method, function)
    try:
        yield
    finally:
        for kind, method, function in before:
            setattr(kind, method, function)


def measure(*, blocks: int, iterations: int, lr: int) -> dict[str, list[float]]:
    """The milliseconds of each timed call during a training, by name."""
    overrides = [
        "model=gan",
        "generator=rrdbnet",
        f"generator.num_block={blocks}",
        "data.batch_size=4",
        "callbacks.samples.count=0",
    ]
    clock = Clock()
    with TemporaryDirectory() as folder:
        cfg = settings(overrides, folder=Path(folder), iterations=2)  # every other iteration is logged
        batch = make_batch(cfg, lr=lr)
        trainer: L.Trainer = instantiate(
            cfg.trainer,
            callbacks=[*instantiate(cfg.callbacks).values()],
            logger=[*instantiate(cfg.logger).values()],
            plugins=[WholeCheckpointIO()],
        )
        with timed_parts(clock), redirect_stdout(io.StringIO()):
            trainer.fit(make_module(cfg), DataLoader([batch] * iterations, batch_size=None))
    return dict(clock.spent)


def per_iteration(spent: dict[str, list[float]]) -> dict[str, list[float]]:
    """The mean milliseconds of each part in an iteration; several calls in one iteration are added."""
    iterations = len(spent["seeding"])
    parts = {name: spent[name] for name in dict.fromkeys(name for _, _, name in PARTS)}
    parts = {name: [sum(values) / iterations] for name, values in parts.items()}
    extra = max(median(spent[MEASURED]) - median(spent[STEP]), 0.0)
    return parts | {"health numbers, every 50th": [extra / 50]}


def main() -> None:
    options = harness.parser(__doc__, rounds=None)
    options.add_argument("--blocks", type=int, default=6, help="number of blocks of RRDBNet")
    options.add_argument("--iterations", type=int, default=12, help="number of iterations that are trained")
    options.add_argument("--lr", type=int, default=32, help="side of the LR patches in pixels")
    arguments = options.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    spent = measure(blocks=arguments.blocks, iterations=arguments.iterations, lr=arguments.lr)
    parts = per_iteration(spent)
    parts["all of it"] = [sum(sum(values) for values in parts.values())]
    step = median(spent[STEP])
    name = f"RRDBNet of {arguments.blocks} blocks, GAN step"
    results = [
        Result(f"an iteration of {name}", "ms", {STEP: spent[STEP]}),
        Result(f"safety in an iteration of {name}", "ms", parts),
        Result(
            f"safety in an iteration of {name}, share",
            "%",
            {"all of it": [100 * parts["all of it"][0] / step]},
        ),
        Result(f"saving, {name}", "ms", {SAVE: spent[SAVE]}),
    ]
    harness.publish(results, file=arguments.json)


if __name__ == "__main__":
    main()
