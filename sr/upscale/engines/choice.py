"""The engine for a net: the one that was asked for, or the fastest that agrees with fp32."""

from collections.abc import Callable, Sequence

import torch

from sr.ops.hardware import has_bf16
from sr.upscale.engines.candidates import candidates
from sr.upscale.engines.engine import Candidate, Engine
from sr.upscale.engines.in_torch import TorchEngine
from sr.upscale.engines.remembered import Remembered, choice_key
from sr.upscale.engines.trial import Tried, check, check_device, seconds_of, trial_tile, try_all
from sr.weights.generator import TrainedGenerator

# Seconds of work below which a trial, which exports the net and tries every engine, does not pay. torch.compile takes
# about a minute of its own on a CPU.
WORTH_A_TRIAL, WORTH_COMPILING = 60.0, 1200.0


def choose_engine(
    trained: TrainedGenerator,
    *,
    graph: Callable[[], bytes],
    device: torch.device,
    engine: str = "auto",
    precision: str = "auto",
    pixels: int | None = None,
    memory: Remembered | None = None,
    report: Callable[[str], None] = print,
) -> Engine:
    """The engine to run a net with, after a line that says which and why.

    `auto` takes what an earlier trial found for this net and machine; else it tries all engines where there is enough
    work for that, and keeps the result; else it takes torch. A named engine is checked against fp32 and taken.

    Args:
        trained: the net in evaluation mode, on the device.
        graph: makes the ONNX graph of the net, for the engines that need one.
        device: a CPU or a GPU.
        engine: one of `sr.upscale.engines.names.ENGINES`.
        precision: auto, fp32 or bf16.
        pixels: the number of input pixels that there are to do; None for a number that nobody knows, as in a server,
            for which a trial pays.
        memory: the choices of earlier trials; None remembers nothing.
        report: a function that is called with what the user should know.

    Raises:
        ValueError: the engine is none of the device, cannot be had, or differs from fp32.
    """
    possible = candidates(trained, graph=graph, device=device, precision=precision, engine=engine)
    reference = TorchEngine(trained.net, precision="fp32")
    usual = _usual(possible, device)
    if device.type == "mps":
        with torch.inference_mode():
            check_device(trained.net, channels=trained.channels, device=device)
    if engine != "auto":
        made = usual.make()
        tile = trial_tile(reference, channels=trained.channels, device=device)
        with torch.inference_mode():
            check(made, tile=tile, expected=reference(tile))
        return made
    key = choice_key(trained, device=device, precision=precision)
    if found := _of_title(possible, memory.get(key) if memory else None):
        report(f"engine {found.title}: the fastest in an earlier trial")
        return found.make()
    with torch.inference_mode():
        tile = trial_tile(reference, channels=trained.channels, device=device)
        seconds = _seconds_of_work(reference, tile, pixels)
        if seconds < WORTH_A_TRIAL:
            return usual.make()
        possible = [each for each in possible if each.name != "compiled" or seconds >= WORTH_COMPILING]
        fastest, tried = try_all(possible, reference=reference, tile=tile)
    report(described(tried))
    if memory is not None:
        _keep(memory, key, fastest.title, report)
    return fastest


def described(tried: Sequence[Tried]) -> str:
    """One line for the choice and one for every engine that is not in it."""
    usable = [each for each in tried if each.seconds is not None]
    best = usable[0]
    assert best.seconds
    others = ", ".join(f"{each.title} {(each.seconds or 0) / best.seconds:.2f}" for each in usable[1:])
    lines = [
        f"engine {best.title}: the fastest here" + (f" (times of the others: {others})" if others else "")
    ]
    lines += [f"engine {each.title} not used: {each.why_not}" for each in tried if each.seconds is None]
    return "\n".join(lines)


def _usual(possible: Sequence[Candidate], device: torch.device) -> Candidate:
    """What is taken without a trial: the first engine, in bf16 where the hardware has it."""
    of_first = [each for each in possible if each.name == possible[0].name]
    return of_first[-1] if has_bf16(device) else of_first[0]


def _of_title(possible: Sequence[Candidate], title: str | None) -> Candidate | None:
    return next((each for each in possible if each.title == title), None)


def _seconds_of_work(reference: Engine, tile: torch.Tensor, pixels: int | None) -> float:
    if pixels is None:
        return float("inf")
    return seconds_of(reference, tile) * pixels / (tile.shape[2] * tile.shape[3])


def _keep(memory: Remembered, key: str, title: str, report: Callable[[str], None]) -> None:
    try:
        memory.keep(key, title)
    except OSError as error:
        report(f"{memory.file}: {error.strerror}: the choice of the engine is not kept for the next time")
