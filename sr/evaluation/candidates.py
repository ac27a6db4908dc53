"""The nets that an evaluation compares: trained ones by name, or interpolations between two of them."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

from torch import nn

from sr.archs.bicubic import Bicubic
from sr.evaluation.arguments import named_paths
from sr.ops.normalisation import normalisation
from sr.weights.checkpoint import Checkpoint
from sr.weights.generator import TrainedGenerator, load_generator
from sr.weights.interpolation import interpolate
from sr.zoo.shipped import weights_file

BASELINE = "bicubic"
UNNAMED = "*"  # stands for the name of a single checkpoint until it is read
FOLDER = "checkpoints"  # of a run directory
NAME = re.compile(r"[\w.=+-]+")


@dataclass(frozen=True)
class Candidates:
    """Nets by name, the bicubic baseline last. Each net is made only when it is needed.

    Attributes:
        nets: name -> function that makes a net in evaluation mode.
        scale: the upscaling factor of all nets.
        channels: the number of channels of all nets; None for the baseline alone, which takes any number.
        normalise: the values that are 0 and 1 for all nets (`sr.ops.normalisation`); None for the full range of
            unsigned ones, and for the baseline alone.
        checkpoints: name -> file, or net in the package; empty for the baseline alone.
        files: name -> description of the file, its dialect and the weights that were read from it.
        alphas: name -> alpha of an interpolation; empty where nothing is interpolated.
    """

    nets: Mapping[str, Callable[[], nn.Module]]
    scale: int
    channels: int | None
    normalise: Mapping[str, Any] | None
    checkpoints: Mapping[str, str]
    files: Mapping[str, str]
    alphas: Mapping[str, float]


def named_checkpoints(*, ckpt: str | None, ckpts: Any) -> dict[str, str]:
    """Name -> file or net in the package (`sr.zoo.shipped`); empty for the baseline alone.

    Args:
        ckpt: a single one, which has the name `UNNAMED` until it is read, or the name of the baseline.
        ckpts: name -> file or net in the package, for several nets.

    Raises:
        ValueError: both are given or none, or `ckpts` is not a mapping.
    """
    if (ckpt is None) == (ckpts is None):
        raise ValueError("give either ckpt=FILE (or ckpt=bicubic) or 'ckpts={name: FILE, ...}'")
    if ckpt is not None:
        return {} if ckpt == BASELINE else {UNNAMED: str(ckpt)}
    return named_paths(ckpts, key="ckpts", kind="file")


def load_candidates(
    files: Mapping[str, str],
    *,
    scale: int | None,
    alphas: Sequence[float] | None = None,
    trust: Sequence[str] = (),
) -> Candidates:
    """The trained nets of the files; with `alphas`, interpolations between two of them instead.

    Args:
        files: name -> checkpoint or net in the package; empty for the baseline alone. `UNNAMED` becomes the name of the
            checkpoint's run.
        scale: the upscaling factor that the user asked for, if any.
        alphas: the positions of the interpolations, 0 for the first net and 1 for the second, rising.
        trust: packages besides `sr.archs` whose nets the files may name.

    Raises:
        FileNotFoundError, CheckpointError: see `sr.weights.checkpoint.load_generator`.
        ValueError: the nets differ in scale or channels, or do not have the scale that was asked for; a name cannot
            be the name of a directory; alphas are not in [0, 1], do not rise, or are given without exactly two nets.
    """
    _check_names(files)
    if alphas is not None:
        _check_alphas(alphas, files)
    loaded = {name: load_generator(weights_file(file), trust=trust) for name, file in files.items()}
    trained = {name_of(net.checkpoint) if name == UNNAMED else name: net for name, net in loaded.items()}
    _check_alike(trained)
    first = next(iter(trained.values()), None)
    if first is not None and scale not in (None, first.scale):
        raise ValueError(f"scale={scale}, but {first.checkpoint.path} enlarges by {first.scale}")
    scale = first.scale if first is not None else scale or 4
    nets: dict[str, Callable[[], nn.Module]] = {name: partial(_net, net) for name, net in trained.items()}
    steps = {f"alpha={alpha:g}": float(alpha) for alpha in alphas or ()}
    if alphas is not None:
        one, other = trained.values()
        # Built later, so that only one interpolated net is in memory at a time.
        nets = {name: partial(_interpolated, one, other, alpha) for name, alpha in steps.items()}
        _interpolated(one, other, 0.0)  # different architectures are refused here, before hours of work
    return Candidates(
        nets={**nets, BASELINE: partial(Bicubic, scale=scale)},
        scale=scale,
        channels=None if first is None else first.channels,
        normalise=None if first is None else first.normalise,
        checkpoints=dict(zip(trained, files.values(), strict=True)),
        files={name: str(net.checkpoint) for name, net in trained.items()},
        alphas=steps,
    )


def name_of(checkpoint: Checkpoint) -> str:
    """The name of a checkpoint's run: that in its configuration, or else that of the run's directory or of the file.

    Characters that the name of a directory should not have become `-`.
    """
    path = checkpoint.path
    named = (checkpoint.config or {}).get("name")
    of_place = path.parent.parent.name if path.parent.name == FOLDER else path.stem
    name = re.sub(r"[^\w.=+-]+", "-", named if isinstance(named, str) and named else of_place).strip("-.")
    return f"{name}-net" if name in ("", BASELINE) else name


def _net(trained: TrainedGenerator) -> nn.Module:
    return trained.net


def _interpolated(first: TrainedGenerator, second: TrainedGenerator, alpha: float) -> nn.Module:
    return interpolate(first, second, alpha=alpha).net


def _check_names(files: Mapping[str, str]) -> None:
    for name in files.keys() - {UNNAMED}:
        if not NAME.fullmatch(name) or name.strip(".") == "":
            raise ValueError(
                f"ckpts.{name}: a name is made of letters, digits, _ . = + and -: its images get a directory"
            )
        if name == BASELINE:
            raise ValueError(f"ckpts.{name}: {BASELINE} is the name of the baseline; choose another one")


def _check_alphas(alphas: Sequence[float], files: Mapping[str, str]) -> None:
    if len(files) != 2:
        found = ", ".join(files) or "none"
        raise ValueError(
            f"alphas={list(alphas)} lie between exactly two nets: ckpts={{psnr: FILE, gan: FILE}}; given: {found}"
        )
    if isinstance(alphas, float | int):
        raise ValueError(f"alphas={alphas}: write alphas=[0,0.5,1]")
    if not alphas or not all(0 <= alpha <= 1 for alpha in alphas):
        raise ValueError(
            f"alphas={list(alphas)}: give one or more in [0, 1]; 0 is the first net, 1 the second"
        )
    if any(later <= earlier for earlier, later in pairwise(alphas)):
        raise ValueError(f"alphas={list(alphas)} must rise, and no value come twice")


def _check_same_range(trained: Mapping[str, TrainedGenerator]) -> None:
    """Raises ValueError where the nets see the same values otherwise."""
    ranges = {name: normalisation(net.normalise).content for name, net in trained.items()}
    first = next(iter(ranges), "")
    for name, found in ranges.items():
        if found != ranges[first]:
            raise ValueError(
                f"ckpts: {first} was trained with data.normalise={ranges[first]} and {name} with {found}; models of one"
                " normalisation can be compared"
            )


def _check_alike(trained: Mapping[str, TrainedGenerator]) -> None:
    kinds = {name: (net.scale, net.channels) for name, net in trained.items()}
    if len(set(kinds.values())) < 2:
        _check_same_range(trained)
        return
    first = next(iter(kinds))
    other = next(name for name in kinds if kinds[name] != kinds[first])
    words = " and ".join(
        f"{name} ({trained[name].checkpoint.path}) enlarges by {kinds[name][0]} and takes {kinds[name][1]} channel(s)"
        for name in (first, other)
    )
    raise ValueError(f"ckpts: {words}; models of one scale and one number of channels can be compared")
