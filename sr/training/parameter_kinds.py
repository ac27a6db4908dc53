"""What a parameter of a net is, for optimizers that treat biases, norms and hidden weights differently."""

from typing import Literal, get_args

from torch import Tensor, nn

from sr.ops.private_torch import AnyBatchNorm

Kind = Literal["hidden", "end", "depthwise", "bias", "norm", "vector", "table"]
KINDS: tuple[Kind, ...] = get_args(Kind)
NORMS = (AnyBatchNorm, nn.LayerNorm, nn.GroupNorm, nn.InstanceNorm2d, nn.RMSNorm)
# The names of the tensor behind a weight, under spectral norm and weight norm too.
WEIGHTS = ("weight", "weight_orig", "weight_v", "original", "original1")
PIXEL = 4  # the most channels that an image has


def kinds_of(net: nn.Module) -> dict[str, Kind]:
    """Name -> kind of every parameter of a net, in its order.

    - `hidden`: weights that lead from features to features.
    - `end`: weights that take an image, or give one, or logits: the first and the last in the order of the net, and
      those that have as few channels as these.
    - `depthwise`: kernels that see one channel each, so that they are no matrices.
    - `bias`; and `norm`: of a normalization, its bias included.
    - `vector`: others of a single dimension, such as the slopes of a PReLU.
    - `table`: others that are no weights, such as biases of positions.
    """
    named = dict(net.named_parameters())
    kinds = {
        name: _kind(name, parameter, net.get_submodule(name.rpartition(".")[0]))
        for name, parameter in named.items()
    }
    weights = [name for name, kind in kinds.items() if kind == "hidden"]
    if weights:
        first, last = weights[0], weights[-1]
        takes, gives = named[first].shape[1], named[last].shape[0]
        for name in weights:
            outputs, inputs = named[name].shape[:2]
            if name in (first, last):
                kinds[name] = "end"
            elif _has_one_dimension(named[name]):
                kinds[name] = "vector"
            elif inputs == takes <= PIXEL or outputs == gives <= PIXEL:
                kinds[name] = "end"
    return kinds


def kind_of_shape(parameter: Tensor) -> Kind:
    """The kind of a parameter of which nothing but its shape is known."""
    return "vector" if _has_one_dimension(parameter) else _kind("weight", parameter, nn.Module())


def _kind(name: str, parameter: Tensor, owner: nn.Module) -> Kind:
    """The kind by itself: ends and vectors among the weights are told by what is around them."""
    own = name.rpartition(".")[2]
    if isinstance(owner, NORMS) or type(owner).__name__.rstrip("2d").endswith("Norm"):
        return "norm"
    if own == "bias":
        return "bias"
    if parameter.ndim < 2 or (own not in WEIGHTS and _has_one_dimension(parameter)):
        return "vector"
    if own not in WEIGHTS or isinstance(owner, nn.Embedding):
        return "table"
    return "depthwise" if parameter.ndim > 2 and parameter.shape[1] == 1 else "hidden"


def _has_one_dimension(parameter: Tensor) -> bool:
    return sum(size > 1 for size in parameter.shape) <= 1
