"""What the layers of a net give in a pass, besides what the net gives."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from torch import Tensor, nn

from sr.training.objectives import FeatureObjective

Outputs = dict[str, list[Tensor]]


class LayerOutputs:
    """The outputs of submodules of a net, taken by forward hooks.

    The hooks stay for good, since torch.compile does not look for hooks that come later; outside of `kept` they do
    nothing. `named` says of which layers; they are in the order in which the net has them.

    Args:
        net: the net.
        names: the names of submodules.
        key: the key of the configuration that names them, for messages.

    Raises:
        ValueError: the net has no submodule of that name; the message has the choices.
    """

    def __init__(self, net: nn.Module, names: Sequence[str], *, key: str) -> None:
        modules = {name: module for name, module in net.named_modules() if name}
        unknown = [name for name in names if name not in modules]
        if unknown:
            raise ValueError(
                f"{key}: {type(net).__name__} has no {', '.join(unknown)}: choose from {', '.join(modules)}"
            )
        self.key = key
        self.named = tuple(name for name in modules if name in names)
        self._kept: Outputs | None = None
        for name in self.named:
            modules[name].register_forward_hook(partial(self._keep, name))

    @contextmanager
    def kept(self) -> Iterator[Outputs]:
        """name -> outputs, one for each call of the layer within the context; complete when it ends.

        Raises:
            ValueError: a layer had no part in the pass.
        """
        found: Outputs = {name: [] for name in self.named}
        self._kept = found
        try:
            yield found
        finally:
            self._kept = None
        idle = [name for name, outputs in found.items() if not outputs]
        if idle:
            raise ValueError(f"{self.key}: {', '.join(idle)} took no part in the pass of the discriminator")

    def _keep(self, name: str, module: nn.Module, given: object, output: Tensor) -> None:
        if self._kept is None:
            return
        if not isinstance(output, Tensor):
            raise ValueError(f"{self.key}: {name} gives {type(output).__name__}, and no tensor of features")
        self._kept[name].append(output)


def layers_to_match(objective: FeatureObjective | None, net: nn.Module) -> LayerOutputs | None:
    """The layers of a discriminator that an objective compares; None where nothing is compared.

    Raises:
        ValueError: a name is unknown, or there is no layer to choose without names.
    """
    if objective is None or not objective.weight:
        return None
    key = "model.feature_matching.layers"
    names = hidden_convolutions(net) if objective.layers is None else tuple(objective.layers)
    if not names:
        choices = ", ".join(name for name, _ in net.named_modules() if name)
        raise ValueError(
            f"{key}=null: {type(net).__name__} has no hidden convolution; name some of {choices}"
        )
    return LayerOutputs(net, names, key=key)


def hidden_convolutions(net: nn.Module) -> tuple[str, ...]:
    """The names of all convolutions but the last one and those that give one channel, which is a map of logits."""
    convolutions = {name: each for name, each in net.named_modules() if isinstance(each, nn.Conv2d)}
    return tuple(name for name in [*convolutions][:-1] if convolutions[name].out_channels > 1)


def halves(outputs: Outputs, *, together: bool) -> tuple[Outputs, Outputs]:
    """The outputs for the real images and those for the generated ones.

    Args:
        outputs: the outputs of one pass over both, or of two passes.
        together: whether it was one pass, in which the first half of the batch is real.
    """
    if together:
        chunks = {name: [each.chunk(2) for each in found] for name, found in outputs.items()}
        first, second = (
            {name: [pair[side] for pair in found] for name, found in chunks.items()} for side in (0, 1)
        )
        return first, second
    count = {name: len(found) // 2 for name, found in outputs.items()}
    return (
        {name: found[: count[name]] for name, found in outputs.items()},
        {name: found[count[name] :] for name, found in outputs.items()},
    )
