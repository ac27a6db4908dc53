"""The convolutional parts of four ImageNet nets, layer by layer, in the order of torchvision's `features`.

Sources: VGG: Simonyan and Zisserman, ICLR 2015, table 1, configurations D (16) and E (19), without batch normalisation.
AlexNet: Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014. SqueezeNet 1.1: Iandola et
al., 2016, with the authors' later changes.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

Layer = Callable[[], nn.Module]
"""Makes a layer. What has weights makes them on the device that is the default, so "meta" draws nothing."""


def _vgg(*convolutions: int) -> dict[str, Layer]:
    """`conv{block}_{number}`, its `relu{block}_{number}`, and `pool{block}` at the end of each block."""
    layers: dict[str, Layer] = {}
    channels = 3
    for block, (width, count) in enumerate(zip((64, 128, 256, 512, 512), convolutions, strict=True), start=1):
        for number in range(1, count + 1):
            layers[f"conv{block}_{number}"] = _conv(channels, width, 3, padding=1)
            layers[f"relu{block}_{number}"] = nn.ReLU  # not in place: it would overwrite what is handed out
            channels = width
        layers[f"pool{block}"] = lambda: nn.MaxPool2d(2)
    return layers


def _conv(channels: int, width: int, kernel: int, *, stride: int = 1, padding: int = 0) -> Layer:
    return lambda: nn.Conv2d(channels, width, kernel, stride=stride, padding=padding)


def _pool(*, ceil: bool = False) -> Layer:
    return lambda: nn.MaxPool2d(3, stride=2, ceil_mode=ceil)


class Fire(nn.Module):
    """A 1 x 1 convolution that squeezes, and one of 1 x 1 beside one of 3 x 3 that expand; ReLU after each."""

    def __init__(self, channels: int, squeezed: int, expanded: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, squeezed, 1)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, 1)
        self.expand3x3 = nn.Conv2d(squeezed, expanded, 3, padding=1)

    def forward(self, value: Tensor) -> Tensor:
        squeezed = self.squeeze(value).relu()
        return torch.cat([self.expand1x1(squeezed), self.expand3x3(squeezed)], dim=1).relu()


def _fire(channels: int, squeezed: int, expanded: int) -> Layer:
    return lambda: Fire(channels, squeezed, expanded)


STACKS: dict[str, dict[str, Layer]] = {
    "vgg19": _vgg(2, 2, 4, 4, 4),
    "vgg16": _vgg(2, 2, 3, 3, 3),
    "alexnet": {
        "conv1": _conv(3, 64, 11, stride=4, padding=2),
        "relu1": nn.ReLU,
        "pool1": _pool(),
        "conv2": _conv(64, 192, 5, padding=2),
        "relu2": nn.ReLU,
        "pool2": _pool(),
        "conv3": _conv(192, 384, 3, padding=1),
        "relu3": nn.ReLU,
        "conv4": _conv(384, 256, 3, padding=1),
        "relu4": nn.ReLU,
        "conv5": _conv(256, 256, 3, padding=1),
        "relu5": nn.ReLU,
        "pool5": _pool(),
    },
    "squeezenet": {
        "conv1": _conv(3, 64, 3, stride=2),
        "relu1": nn.ReLU,
        "pool1": _pool(ceil=True),
        "fire2": _fire(64, 16, 64),
        "fire3": _fire(128, 16, 64),
        "pool3": _pool(ceil=True),
        "fire4": _fire(128, 32, 128),
        "fire5": _fire(256, 32, 128),
        "pool5": _pool(ceil=True),
        "fire6": _fire(256, 48, 192),
        "fire7": _fire(384, 48, 192),
        "fire8": _fire(384, 64, 256),
        "fire9": _fire(512, 64, 256),
    },
}
"""net -> {layer: what makes it}; the position of a layer is that in torchvision's `features`."""


def output_size(layer: nn.Module, size: int) -> int:
    """The height or width that a layer gives; 0 or less where the image is too small for it."""
    if isinstance(layer, nn.Conv2d):
        kernel, stride, padding = layer.kernel_size[0], layer.stride[0], int(layer.padding[0])
        return (size + 2 * padding - kernel) // stride + 1
    if isinstance(layer, nn.MaxPool2d):
        kernel, stride = (
            each[0] if isinstance(each, tuple) else each for each in (layer.kernel_size, layer.stride)
        )
        rest = size - kernel
        return (-(-rest // stride) if layer.ceil_mode else rest // stride) + 1
    return size
