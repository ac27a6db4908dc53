"""Measure what an iteration of training costs in time and memory: `python benchmarks/training.py`.

There are two steps: the generator's step (L1) and the GAN step (L1, VGG19-54, relativistic U-Net discriminator). The
modules of sr/training are compared with the usual loop of other projects: fp32, NCHW, five passes through the
discriminator, and losses that are read in every iteration. All variants start from the same weights and get the same
batch; VGG19's weights are random, which costs the same. Everything runs on one thread, and the variants alternate in
every round. On a CPU, times are CPU time, which other processes disturb less than wall-clock time. On a GPU, they are
wall-clock time, and the share of the chip's measured peak is printed. Memory is the peak during a step minus what is in
use after the nets and optimizers are built; each variant is measured in a process of its own.
"""

import argparse
import gc
import json
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from subprocess import run
from tempfile import TemporaryDirectory
from time import perf_counter, thread_time
from typing import Any

import harness
import torch
from harness import Result, interleave
from torch import Tensor, nn
from torch.optim.lr_scheduler import ConstantLR
from torch.utils.flop_counter import FlopCounterMode

from sr.archs.rrdbnet import RRDBNet
from sr.archs.unet_disc import UNetDiscriminator
from sr.losses.gan import RelativisticAverageGANLoss, VanillaGANLoss
from sr.losses.perceptual import PerceptualLoss
from sr.losses.pixel import L1Loss
from sr.losses.weighted import WeightedLoss, WeightedTerm
from sr.metrics.protocol import Protocol
from sr.ops.hardware import training_layout
from sr.training.base import SRModule
from sr.training.ema import update_ema
from sr.training.gan import GANModule
from sr.training.micro_batches import MicroBatch
from sr.training.optimization import Optimization
from sr.training.psnr import PSNRModule
from sr.training.schedule import AdversarialRamp

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
REFERENCE = "field: fp32, NCHW"
# The precision and the generator's `memory` of each variant.
OURS = {
    "ours: fp32": (torch.float32, "plain"),
    "ours: fp32, lean": (torch.float32, "lean"),
    "ours: bf16": (torch.bfloat16, "plain"),
    "ours: bf16, lean": (torch.bfloat16, "lean"),
    "ours: bf16, checkpoint": (torch.bfloat16, "checkpoint"),
}
# Channels and number of convolutions before each pooling.
VGG19 = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))
PUBLISHED_GAN = {"content": 1e-2, "perceptual": 1.0, "adversarial": 5e-3}

Step = Callable[[], None]


def random_vgg(file: Path) -> Path:
    """Write VGG19's convolutions with random weights to a file in torchvision's format, and return its path."""
    weights, channels, index = {}, 3, 0
    for width, count in VGG19:
        for _ in range(count):
            conv = nn.Conv2d(channels, width, 3)
            nn.init.kaiming_normal_(conv.weight)
            weights |= {f"features.{index}.{name}": value for name, value in conv.state_dict().items()}
            channels = width
            index += 2  # its activation has an index too
        index += 1  # and so has pooling
    torch.save(weights, file)
    return file


def make_batch(*, batch: int, lr: int) -> tuple[Tensor, Tensor]:
    """Random LR (batch, 3, lr, lr) and HR (batch, 3, 4 lr, 4 lr) in [0, 1]."""
    generator = torch.Generator().manual_seed(0)
    images = (torch.rand(batch, 3, side, side, generator=generator) for side in (lr, 4 * lr))
    low, high = (image.to(DEVICE) for image in images)
    return low, high


def make_module(kind: type[SRModule], sizes: argparse.Namespace, *, memory: str, fused: bool) -> SRModule:
    torch.manual_seed(0)
    terms = {"l1": WeightedTerm(weight=1.0, loss=L1Loss())}
    settings: dict[str, Any] = {}
    if kind is GANModule:
        terms = {
            "l1": WeightedTerm(weight=PUBLISHED_GAN["content"], loss=L1Loss()),
            "perceptual": WeightedTerm(
                weight=PUBLISHED_GAN["perceptual"], loss=PerceptualLoss(weights=str(sizes.vgg))
            ),
        }
        settings = {
            "discriminator": UNetDiscriminator(),
            "gan_loss": RelativisticAverageGANLoss(base=VanillaGANLoss()),
            "gan_weight": PUBLISHED_GAN["adversarial"],
            "ramp": AdversarialRamp(),
            "optimizer_d": partial(torch.optim.Adam, lr=1e-4, fused=fused),
            "scheduler_d": partial(ConstantLR, factor=1.0, total_iters=0),
        }
    return kind(
        generator=RRDBNet(num_block=sizes.blocks, memory=memory),  # type: ignore[arg-type]
        content_loss=WeightedLoss(terms=terms),
        optimizer_g=partial(torch.optim.Adam, lr=2e-4, fused=fused),
        scheduler_g=partial(ConstantLR, factor=1.0, total_iters=0),
        metric=Protocol(crop_border=4),
        optimization=Optimization(),
        **settings,
    ).to(DEVICE)


def our_step(kind: type[SRModule], sizes: argparse.Namespace, *, dtype: torch.dtype, memory: str) -> Step:
    """`SRModule.training_step` without Lightning around it, which benchmarks/lightning_overhead.py measures."""
    module = make_module(kind, sizes, memory=memory, fused=True)
    module = module.to(memory_format=training_layout(DEVICE))
    module.manual_backward = lambda loss: loss.backward()  # type: ignore[method-assign, assignment]
    optimizers = [each.optimizer(each.net.parameters()) for each in module.trained()]
    lr, hr = make_batch(batch=sizes.batch, lr=sizes.lr)
    part = MicroBatch(lr=lr, hr=hr, target=hr, exchange=nullcontext())
    create_states(optimizers)

    def step() -> None:
        for optimizer in optimizers:
            optimizer.zero_grad()
        with autocast(dtype):
            module.backward_pass(part, iteration=100, share=1.0)
        for optimizer in optimizers:
            optimizer.step()
        update_ema(module.generator_ema, module.generator, decay=0.999, iteration=100)

    return step


def autocast(dtype: torch.dtype) -> AbstractContextManager[Any]:
    return nullcontext() if dtype == torch.float32 else torch.autocast(DEVICE.type, dtype)


def field_step(kind: type[SRModule], sizes: argparse.Namespace) -> Step:
    """An iteration of ESRGAN's training as in its reference implementations, on the same nets and losses."""
    module: Any = make_module(kind, sizes, memory="plain", fused=False)
    optimizers = [each.optimizer(each.net.parameters()) for each in module.trained()]
    lr, hr = make_batch(batch=sizes.batch, lr=sizes.lr)
    create_states(optimizers)

    def step() -> None:
        field_generator_step(module, optimizers[0], lr, hr)
        for average, mine in zip(
            module.generator_ema.parameters(), module.generator.parameters(), strict=True
        ):
            average.data.mul_(0.999).add_(mine.data, alpha=0.001)

    def gan_step() -> None:
        discriminator, loss = module.discriminator, module.gan_loss
        discriminator.requires_grad_(False)
        optimizers[0].zero_grad()
        fake = module.generator(lr)
        content = sum(module.content_loss(fake, hr).values())
        real_logits = discriminator(hr).detach()
        adversarial = loss.generator(real=real_logits, fake=discriminator(fake))
        total = content + PUBLISHED_GAN["adversarial"] * adversarial
        total.backward()
        optimizers[0].step()
        discriminator.requires_grad_(True)
        optimizers[1].zero_grad()
        # Each half of the discriminator's loss takes the logits of the other side as a constant.
        fake_logits = discriminator(fake.detach()).detach()
        real_logits = discriminator(hr)
        loss_real = nn.functional.softplus(-(real_logits - fake_logits.mean())).mean()
        loss_real.backward()
        fake_logits = discriminator(fake.detach())
        loss_fake = nn.functional.softplus(fake_logits - real_logits.detach().mean()).mean()
        loss_fake.backward()
        optimizers[1].step()
        for average, mine in zip(
            module.generator_ema.parameters(), module.generator.parameters(), strict=True
        ):
            average.data.mul_(0.999).add_(mine.data, alpha=0.001)
        for value in (content, adversarial, loss_real, loss_fake):
            value.item()

    return gan_step if kind is GANModule else step


def field_generator_step(module: Any, optimizer: torch.optim.Optimizer, lr: Tensor, hr: Tensor) -> None:
    optimizer.zero_grad()
    loss = sum(module.content_loss(module.generator(lr), hr).values())
    loss.backward()
    optimizer.step()
    loss.item()


def create_states(optimizers: list[torch.optim.Optimizer]) -> None:
    """Create the states of optimizers by a step that changes no weight: they do not belong to the cost of a step."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            rate, group["lr"] = group["lr"], 0.0
            for parameter in group["params"]:
                parameter.grad = torch.zeros_like(parameter)
            optimizer.step()
            optimizer.zero_grad()
            group["lr"] = rate


def make_steps(kind: type[SRModule], sizes: argparse.Namespace) -> dict[str, Callable[[], Step]]:
    """The functions that build the step of each chosen variant."""
    ours = {
        name: partial(our_step, kind, sizes, dtype=dtype, memory=memory)
        for name, (dtype, memory) in OURS.items()
    }
    steps = {REFERENCE: partial(field_step, kind, sizes), **ours}
    return {name: steps[name] for name in sizes.variants}


def seconds(step: Step) -> float:
    """The CPU time of a step in seconds; on a GPU its wall-clock time."""
    if DEVICE.type == "cpu":
        start = thread_time()
        step()
        return thread_time() - start
    torch.cuda.synchronize()
    start = perf_counter()
    step()
    torch.cuda.synchronize()
    return perf_counter() - start


def time_steps(name: str, kind: type[SRModule], sizes: argparse.Namespace) -> Result:
    steps = {variant: make() for variant, make in make_steps(kind, sizes).items()}
    for step in steps.values():  # algorithms are chosen and memory is allocated once
        step()
    measured = interleave(
        {variant: partial(seconds, step) for variant, step in steps.items()}, rounds=sizes.rounds
    )
    if DEVICE.type == "cuda":
        print(f"{name}: {utilisation(steps, measured, batch=sizes.batch)}")
    values = {variant: [1000 * value for value in each] for variant, each in measured.items()}
    title = f"{name} step, {sizes.blocks} blocks, batch {sizes.batch}, LR {sizes.lr}"
    return Result(title, "ms", values, sizes.variants[0])


def utilisation(steps: Mapping[str, Step], measured: Mapping[str, list[float]], *, batch: int) -> str:
    """A line with images per second, TFLOP/s, and their share of what a large matrix product reaches in bf16."""
    with FlopCounterMode(display=False) as counter:
        next(step for name, step in steps.items() if name != REFERENCE or len(steps) == 1)()
    matrix = torch.randn(8192, 8192, device=DEVICE, dtype=torch.bfloat16)
    peak = 2 * 8192**3 / min(seconds(lambda: torch.mm(matrix, matrix)) for _ in range(10))
    shown = []
    for variant, values in measured.items():
        rate = counter.get_total_flops() / min(values)
        shown.append(
            f"{variant} {batch / min(values):.0f} images/s, {rate / 1e12:.1f} TFLOP/s, {rate / peak:.0%}"
        )
    return "; ".join(shown) + f" of {peak / 1e12:.0f} TFLOP/s"


def memory_in_a_process(variant: str, kind: str, sizes: argparse.Namespace) -> float:
    """The result of `one_measurement` in a process of its own, in MB."""
    options = [
        f"--{name}={value}" for name, value in vars(sizes).items() if name in ("blocks", "batch", "lr")
    ]
    command = [sys.executable, __file__, "--measure", variant, kind, *options]
    # With these settings, every large block of memory goes back to the system when it is freed, so that the peak is
    # the memory in use.
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "0"}
    done = run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        sys.exit(done.stderr)
    return float(json.loads(done.stdout.splitlines()[-1]))


def one_measurement(variant: str, kind: str, sizes: argparse.Namespace) -> None:
    """Print the peak of memory during a step minus the memory in use before it, in MB."""
    step = make_steps(KINDS[kind], sizes)[variant]()
    gc.collect()
    if DEVICE.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        step()
        peak = torch.cuda.max_memory_allocated()
    else:
        Path("/proc/self/clear_refs").write_text("5")  # sets the recorded peak back
        before = resident("VmRSS")
        step()
        peak = resident("VmHWM")
    print(json.dumps((peak - before) / 1e6))


def resident(key: str) -> int:
    """An entry of /proc/self/status in bytes: VmRSS is the resident memory, VmHWM its peak."""
    (line,) = (each for each in Path("/proc/self/status").read_text().splitlines() if each.startswith(key))
    return int(line.split()[1]) * 1024


def compare_memory(name: str, sizes: argparse.Namespace) -> Result:
    values = {
        variant: [memory_in_a_process(variant, name, sizes)] for variant in make_steps(KINDS[name], sizes)
    }
    title = f"{name} memory, {sizes.blocks} blocks, batch {sizes.batch}, LR {sizes.lr}"
    return Result(title, "MB", values, sizes.variants[0])


KINDS: dict[str, type[SRModule]] = {"generator": PSNRModule, "GAN": GANModule}


def main() -> None:
    options = harness.parser(__doc__, rounds=5)
    options.add_argument(
        "--kinds", nargs="+", choices=KINDS, default=list(KINDS), help="steps to measure; default: both"
    )
    every = (REFERENCE, *OURS)
    options.add_argument(
        "--variants",
        nargs="+",
        choices=every,
        default=list(every),
        help="the first one is the reference; default: all",
    )
    options.add_argument("--blocks", type=int, default=6, help="number of blocks of RRDBNet; published: 23")
    options.add_argument("--batch", type=int, default=4, help="batch size")
    options.add_argument("--lr", type=int, default=32, help="side of the LR patches in pixels")
    options.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options.add_argument("--only", choices=("time", "memory"), help="measure only one of the two")
    arguments = options.parse_args()
    torch.set_num_threads(1)
    with TemporaryDirectory() as folder:
        arguments.vgg = random_vgg(Path(folder, "vgg19.pth"))
        if arguments.measure:
            one_measurement(*arguments.measure, arguments)
            return
        results = []
        if arguments.only in (None, "time"):
            results += [time_steps(name, KINDS[name], arguments) for name in arguments.kinds]
        if arguments.only in (None, "memory"):
            results += [compare_memory(name, arguments) for name in arguments.kinds]
    harness.publish(results, file=arguments.json)


if __name__ == "__main__":
    main()
