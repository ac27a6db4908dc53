"""Engines tried on a tile: which agree with fp32, and which of those is the fastest."""

import time
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sr.ops.hardware import synchronise
from sr.upscale.engines.engine import Candidate, Engine, EngineError
from sr.upscale.engines.in_torch import TorchEngine

# How far an engine may be from torch in fp32, in levels of 255: the root of the mean square, and at most. bf16 has
# a root mean square of .18 for a photograph (63 dB).
RMS, LARGEST = 0.35, 3.0
LONG_ENOUGH = 0.1  # seconds of a run that can be timed
SIDES = (32, 64, 128)  # of the tile, of which the first with a run that is long enough is taken
ROUNDS = 3


@dataclass(frozen=True)
class Tried:
    """What the trial of an engine found.

    Attributes:
        title: the engine and its precision.
        seconds: its fastest run, or None where it cannot be used.
        why_not: why it cannot be used; empty where it can.
    """

    title: str
    seconds: float | None
    why_not: str = ""


def trial_tile(engine: Engine, *, channels: int, device: torch.device) -> Tensor:
    """A tile with edges and areas, as large as a run of the engine needs to be timed."""
    for side in SIDES:
        tile = _picture(side, channels).to(device)
        engine(tile)  # allocates
        if seconds_of(engine, tile) >= LONG_ENOUGH:
            break
    return tile


def try_all(
    candidates: Sequence[Candidate], *, reference: Engine, tile: Tensor
) -> tuple[Engine, list[Tried]]:
    """The fastest of those that agree with the reference, and what was found of each, the fastest first.

    Raises:
        EngineError: none can be used.
    """
    expected = reference(tile)
    failed: list[Tried] = []
    working: list[Engine] = []
    for candidate in candidates:
        try:
            engine = candidate.make()
            check(engine, tile=tile, expected=expected)
            working.append(engine)
        except EngineError as error:
            failed.append(Tried(candidate.title, None, str(error)))
    if not working:
        raise EngineError("; ".join(f"{each.title}: {each.why_not}" for each in failed))
    # Alternating, so that what else the machine does meets all of them.
    times = [[seconds_of(engine, tile) for engine in working] for _ in range(ROUNDS)]
    best = [min(each) for each in zip(*times, strict=True)]
    ordered = sorted(zip(best, working, strict=True), key=lambda pair: pair[0])
    return ordered[0][1], [*(Tried(engine.title, seconds) for seconds, engine in ordered), *failed]


def check_device(net: nn.Module, *, channels: int, device: torch.device) -> None:
    """Raises EngineError if torch in fp32 gives something else on the device than on the CPU.

    Some versions of torch did on Apple's GPUs, without a word.
    """
    tile = _picture(SIDES[0], channels)
    expected = TorchEngine(deepcopy(net).to("cpu"), precision="fp32")(tile)
    try:
        check(TorchEngine(net, precision="fp32"), tile=tile.to(device), expected=expected.to(device))
    except EngineError as error:
        raise EngineError(f"device={device}: torch {error}: take device=cpu") from error


def check(engine: Engine, *, tile: Tensor, expected: Tensor) -> None:
    """Raises EngineError if the engine gives something else than torch in fp32."""
    found = engine(tile)
    if found.shape != expected.shape:
        raise EngineError(f"gives {tuple(found.shape)} where torch gives {tuple(expected.shape)}")
    levels = 255 * (found - expected).abs()
    rms, largest = float(levels.square().mean().sqrt()), float(levels.max())
    if not (rms <= RMS and largest <= LARGEST):  # not finite is neither
        raise EngineError(
            f"differs from fp32 by {rms:.2f} of 255 levels (root mean square) and {largest:.1f} at most; allowed are"
            f" {RMS} and {LARGEST}"
        )


def seconds_of(engine: Engine, tile: Tensor) -> float:
    """The wall-clock time of a run."""
    synchronise(tile.device)
    start = time.perf_counter()
    engine(tile)
    synchronise(tile.device)
    return time.perf_counter() - start


def _picture(side: int, channels: int) -> Tensor:
    """(1, channels, side, side) in [0, 1]: areas with sharp outlines and a fine grain."""
    noise = torch.randn(2, channels, side, side, generator=torch.Generator().manual_seed(0))
    outlines = F.avg_pool2d(noise[0], 9, stride=1, padding=4, count_include_pad=False).sign()
    return (0.5 + 0.3 * outlines + 0.03 * noise[1]).clamp(0, 1)[None]
