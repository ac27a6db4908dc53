"""Network interpolation: between a net trained for PSNR and its adversarial successor."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace

from torch import Tensor

from sr.ops.normalisation import normalisation
from sr.ops.weight_file import CheckpointError
from sr.weights.generator import TrainedGenerator, load_weights


def interpolate(first: TrainedGenerator, second: TrainedGenerator, *, alpha: float) -> TrainedGenerator:
    """The net whose every parameter is (1 - alpha) * first + alpha * second.

    Source: Wang et al., "ESRGAN", 2018, sec. 3.4, where `first` is the net trained for PSNR and `second` the one that
    adversarial training made of it. Between nets with different origins there are no useful nets.

    Raises:
        ValueError: alpha is not in [0, 1].
        CheckpointError: the two nets have different architectures.
    """
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha={alpha} must be in [0, 1]: 0 is the first net, 1 the second")
    _check_same_net(first, second)
    mixed = _mix(first.net.state_dict(), second.net.state_dict(), alpha)
    source = f"{1 - alpha:g} x {first.checkpoint.path.name} + {alpha:g} x {second.checkpoint.path.name}"
    checkpoint = replace(first.checkpoint, source=source, generator=mixed, stored=mixed, discriminator=None)
    net = deepcopy(first.net)
    load_weights(net, mixed, path=checkpoint.path)
    return replace(first, net=net, checkpoint=checkpoint)


def _mix(first: Mapping[str, Tensor], second: Mapping[str, Tensor], alpha: float) -> dict[str, Tensor]:
    mixed = {}
    for key, value in first.items():
        if not value.is_floating_point():  # the step counter of a batch norm
            mixed[key] = value
        else:
            # In double precision, so that alpha = 0 and 1 give the weights of the files.
            mixed[key] = ((1 - alpha) * value.double() + alpha * second[key].double()).to(value.dtype)
    return mixed


def _check_same_net(first: TrainedGenerator, second: TrainedGenerator) -> None:
    here, there = first.description, second.description
    names = sorted(here.keys() | there.keys())
    differing = [
        f"{name} is {here.get(name)} and {there.get(name)}"
        for name in names
        if here.get(name) != there.get(name)
    ]
    ranges = [normalisation(each.normalise).content for each in (first, second)]
    if ranges[0] != ranges[1]:
        differing.append(f"data.normalise is {ranges[0]} and {ranges[1]}")
    if differing:
        raise CheckpointError(
            f"{first.checkpoint.path} and {second.checkpoint.path} have different architectures: {'; '.join(differing)}"
        )
