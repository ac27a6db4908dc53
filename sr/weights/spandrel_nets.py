"""Nets that the library spandrel reads, about forty architectures: the extra `archs`.

spandrel tells a net by its tensors and builds it. It never sees a file, so what protects our files (checksums, no code,
finite values) protects these too.
"""

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from sr.ops.weight_file import CheckpointError
from sr.weights.checkpoint import read_checkpoint
from sr.weights.described import not_larger_than
from sr.weights.private_spandrel import call_of

SPANDREL = "sr.weights.spandrel_nets.spandrel_generator"  # what checkpoints name in the place of a class
INSTALL = "pip install 'sr-lightning[archs]'"


class SpandrelMissingError(RuntimeError):
    """spandrel is not installed, or cannot be imported."""


class SpandrelNet(nn.Module):
    """A net of spandrel's, at any size of the image and without a clamp, so that it can be trained.

    (N, channels, H, W) float in [0, 1] -> (N, channels, H*scale, W*scale). The names in its state dict are those of the
    net alone, so other tools of the field read what is exported.

    Attributes:
        architecture: spandrel's name of the architecture.
        scale: the upscaling factor.
        channels: the number of channels of its input and output.
    """

    def __init__(self, descriptor: Any) -> None:
        super().__init__()
        self.net: nn.Module = descriptor.model
        self.architecture = str(descriptor.architecture.name)
        self.scale, self.channels = int(descriptor.scale), int(descriptor.input_channels)
        self._call = call_of(descriptor)
        self._requirements = descriptor.size_requirements
        self.register_state_dict_post_hook(_drop_prefix)  # type: ignore[no-untyped-call]
        self.register_load_state_dict_pre_hook(_add_prefix)  # type: ignore[no-untyped-call]

    def forward(self, lr: Tensor) -> Tensor:
        height, width = lr.shape[-2:]
        right, below = self._requirements.get_padding(width, height)
        # Reflected as far as the image reaches, as spandrel does.
        inner = (0, min(right, width - 1), 0, min(below, height - 1))
        padded = F.pad(lr, inner, mode="reflect") if any(inner) else lr.clone()  # RCAN changes it
        rest = (0, right - inner[1], 0, below - inner[3])
        padded = F.pad(padded, rest, mode="replicate") if any(rest) else padded
        sr: Tensor = self._call(self.net, padded)
        return sr[..., : height * self.scale, : width * self.scale]


def _drop_prefix(module: nn.Module, state: dict[str, Any], prefix: str, metadata: dict[str, Any]) -> None:
    for key in [key for key in state if key.startswith(f"{prefix}net.")]:
        state[prefix + key.removeprefix(f"{prefix}net.")] = state.pop(key)


def _add_prefix(module: nn.Module, state: dict[str, Any], prefix: str, *_: Any) -> None:
    for key in [key for key in state if key.startswith(prefix)]:
        state[f"{prefix}net.{key.removeprefix(prefix)}"] = state.pop(key)


def spandrel_generator(*, checkpoint: str, scale: int, channels: int) -> SpandrelNet:
    """The net in a file, with its weights, to train it further.

    Args:
        checkpoint: the file. Checkpoints of the run do not need it any more, but going on with the run does.
        scale: the upscaling factor of the run.
        channels: the number of channels of the run's images.

    Raises:
        FileNotFoundError: the file does not exist.
        CheckpointError: spandrel does not know its net.
        SpandrelMissingError: spandrel is not installed.
        ValueError: the net has another scale or number of channels.
    """
    path = Path(checkpoint).expanduser()
    net = recognise(read_checkpoint(path).generator, path=path)
    if (net.scale, net.channels) != (scale, channels):
        raise ValueError(
            f"generator.checkpoint={checkpoint} is a {net.architecture} with scale={net.scale} and"
            f" channels={net.channels}, the run has scale={scale} and channels={channels}"
        )
    return net


def recognise(weights: Mapping[str, Tensor], *, path: Path) -> SpandrelNet:
    """The net that has these weights, filled with them.

    Raises:
        CheckpointError: spandrel does not know the net, or it is not one from an image to an image.
        SpandrelMissingError: spandrel is not installed.
    """
    spandrel = _spandrel()
    try:
        with not_larger_than(weights):
            descriptor = spandrel.ModelLoader().load_from_state_dict(dict(weights))
    except spandrel.UnsupportedModelError as error:
        raise CheckpointError(f"{path}: spandrel does not know its net either") from error
    except Exception as error:  # its checks of shapes raise whatever they like
        raise CheckpointError(f"{path}: spandrel cannot build its net: {error}") from error
    if not isinstance(descriptor, spandrel.ImageModelDescriptor):
        raise CheckpointError(f"{path}: {descriptor.architecture.name} does not make an image of an image")
    if descriptor.input_channels != descriptor.output_channels:
        raise CheckpointError(
            f"{path}: its {descriptor.architecture.name} makes {descriptor.output_channels} channels of"
            f" {descriptor.input_channels}"
        )
    return SpandrelNet(descriptor)


def _spandrel() -> Any:
    try:
        return importlib.import_module("spandrel")
    except Exception as error:  # an incomplete torchvision raises more than ImportError
        raise SpandrelMissingError(
            f"spandrel cannot be imported ({error}); it reads about forty architectures more: {INSTALL}"
        ) from error
