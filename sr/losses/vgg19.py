"""The convolutions of an ImageNet VGG19 as a frozen feature extractor, under torchvision's key names.

Source: Simonyan and Zisserman, ICLR 2015, table 1, configuration E (without batch normalisation).
"""

import http.client
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sr.losses import vgg19_file
from sr.ops.paths import why_no_file
from sr.ops.weight_file import CheckpointError, check_finite, check_name, read_weight_file

STALL = 30.0  # seconds without a byte after which a download is given up

# (channels, convolutions) of each block, which ends with a max-pooling.
_BLOCKS = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))
_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)


def _conv_positions() -> dict[str, int]:
    positions: dict[str, int] = {}
    position = 0
    for block, (_, convolutions) in enumerate(_BLOCKS, start=1):
        for number in range(1, convolutions + 1):
            positions[f"conv{block}_{number}"] = position
            position += 2  # the convolution and its ReLU
        position += 1  # the max-pooling
    return positions


LAYERS = _conv_positions()
"""conv{block}_{number} -> position in `features`: conv1_1 is 0, conv5_4 is 34."""


class VGG19Features(nn.Module):
    """(N, 3, H, W) RGB in [0, 1] -> {layer: (N, C, h, w)}: outputs of convolutions, before their ReLU.

    `layers` are names in `LAYERS`; the net ends at the deepest. Block b sees the image at 1/2^(b-1) of its
    size, so H and W must be at least that factor (16 for conv5_*). `weights` is a file in torchvision's
    format (other keys in it, such as the classifier's, are ignored); without it the torch hub cache is used,
    and filled by a download when empty.

    The net is frozen (eval, no parameter requires a gradient). Raises ValueError for unknown layers, for
    unsuitable images and for a file that is damaged or does not hold these weights; FileNotFoundError when
    there is no file and none can be downloaded.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, *, layers: Iterable[str], weights: str | None = None) -> None:
        super().__init__()
        names = tuple(layers)
        if not names or not set(names) <= set(LAYERS):
            raise ValueError(f"layers={list(names)} must be one or more of {', '.join(LAYERS)}")
        self.names = {LAYERS[name]: name for name in names}

        stages: list[nn.Module] = []
        channels = 3
        for width, convolutions in _BLOCKS:
            for _ in range(convolutions):
                # On "meta" nothing is drawn: the run's random numbers do not depend on this loss being there.
                # The ReLU must not work in place: it would overwrite the features handed out.
                stages += [nn.Conv2d(channels, width, 3, padding=1, device="meta"), nn.ReLU()]
                channels = width
            stages.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*stages[: max(self.names) + 1])
        self.min_size = 2 ** sum(isinstance(stage, nn.MaxPool2d) for stage in self.features)

        file, found = _read(weights)
        self.load_state_dict(_select(found, like=self.state_dict(), file=file), assign=True)
        for name, values in (("mean", _IMAGENET_MEAN), ("std", _IMAGENET_STD)):
            self.register_buffer(
                name, torch.tensor(values, dtype=torch.float32).view(1, 3, 1, 1), persistent=False
            )
        self.eval().requires_grad_(False)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        if image.ndim != 4 or image.shape[1] != 3:
            raise ValueError(f"VGG19 needs RGB images (N, 3, H, W), got shape {tuple(image.shape)}")
        if min(image.shape[2:]) < self.min_size:
            deepest = self.names[max(self.names)]
            raise ValueError(
                f"images of {image.shape[2]}x{image.shape[3]} pixels are too small for VGG19's {deepest}: "
                f"it needs at least {self.min_size}x{self.min_size}"
            )
        features: dict[str, Tensor] = {}
        value = (image - self.mean) / self.std
        for position, stage in enumerate(self.features):
            value = stage(value)
            if position in self.names:
                features[self.names[position]] = value
        return features


def _read(weights: str | None) -> tuple[Path, Any]:
    """The path and the content of the file of weights: the given one, else the cached one, else the download."""
    cached = Path(torch.hub.get_dir(), "checkpoints", vgg19_file.WEIGHTS_FILE)
    if weights is None and not cached.is_file():
        return cached, _download(cached)
    file = cached if weights is None else Path(weights).expanduser()
    if wrong := why_no_file(file):
        raise FileNotFoundError(f"VGG19 weights (loss.perceptual.loss.weights): {file} {wrong}: name a file")
    try:
        content = read_weight_file(file)
        if content.checksum is None:  # as in torchvision's own file, which is older than checksums
            check_name(file)
    except CheckpointError as error:
        raise ValueError(f"VGG19 weights {error}") from error
    return file, content.content


def _download(cached: Path) -> Any:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(STALL)  # torch.hub would wait without end
    try:
        vgg19_file.wait_for_answer(vgg19_file.WEIGHTS_URL)
        return torch.hub.load_state_dict_from_url(
            vgg19_file.WEIGHTS_URL,
            map_location="cpu",
            check_hash=True,
            weights_only=True,
            file_name=vgg19_file.WEIGHTS_FILE,
        )
    except (OSError, http.client.HTTPException, RuntimeError) as error:  # no network, no room, a wrong hash
        raise FileNotFoundError(vgg19_file.without_weights(cached, error)) from error
    finally:
        socket.setdefaulttimeout(before)


def _select(found: Any, *, like: Mapping[str, Tensor], file: Path) -> dict[str, Tensor]:
    """The tensors of `found` under the keys of `like`, in float32; ValueError for the first that does not fit."""
    if not isinstance(found, Mapping):
        raise ValueError(f"VGG19 weights {file}: expected a dict of tensors, found a {type(found).__name__}")
    selected: dict[str, Tensor] = {}
    for key, parameter in like.items():
        value = found.get(key)
        expected = tuple(parameter.shape)
        if not isinstance(value, Tensor):
            state = f"is a {type(value).__name__}" if key in found else "is missing"
            raise ValueError(
                f"VGG19 weights {file}: key {key} {state}, expected a tensor of shape {expected}"
            )
        if tuple(value.shape) != expected:
            raise ValueError(
                f"VGG19 weights {file}: key {key} has shape {tuple(value.shape)}, expected {expected}"
            )
        selected[key] = value.to(torch.float32).contiguous()
    try:
        check_finite(selected, path=file)
    except CheckpointError as error:
        raise ValueError(f"VGG19 weights {error}") from error
    return selected
