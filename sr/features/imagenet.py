"""The convolutional part of an ImageNet net as a frozen feature extractor, under torchvision's key names."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from sr.features.files import FILES
from sr.features.stacks import STACKS, output_size
from sr.features.weights import find_weights

_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)


class ImageNetFeatures(nn.Module):
    """(N, 3, H, W) RGB in [0, 1] -> {layer: (N, C, h, w)}, from the first layer to the last.

    The net is frozen (eval, no parameter requires a gradient), is built without drawing random numbers, and ends at the
    deepest layer. `conv*` is the output of a convolution before its ReLU, `relu*` after it.

    Args:
        net: vgg19, vgg16, alexnet or squeezenet.
        layers: names of layers in `sr.features.stacks.STACKS`, as conv5_4, relu3_3 or fire9.
        weights: a file in torchvision's format (other keys in it, such as the classifier's, are ignored); None takes
            the torch hub cache, which a download fills where it is empty.
        pool: channels -> the layer that takes the place of a max-pooling; None leaves it as it is.
        key: the key of the configuration that takes `weights`, for messages.
        otherwise: the way to do without these weights, for messages, as `, or train without this loss`.

    Raises:
        ValueError: unknown nets or layers; images that are not RGB or too small for the deepest layer; a file that is
            damaged or does not hold these weights.
        FileNotFoundError: there is no file and none can be downloaded.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        *,
        net: str = "vgg19",
        layers: Iterable[str],
        weights: str | None = None,
        pool: Callable[[int], nn.Module] | None = None,
        key: str = "weights",
        otherwise: str = "",
    ) -> None:
        super().__init__()
        if net not in STACKS:
            raise ValueError(f"net={net}: choose one of {', '.join(STACKS)}")
        names, wanted = tuple(STACKS[net]), tuple(layers)
        if not wanted or not set(wanted) <= set(names):
            raise ValueError(f"layers={list(wanted)} must be one or more of {', '.join(names)}")
        self.title = FILES[net].title
        self.names = {position: name for position, name in enumerate(names) if name in wanted}
        with torch.device("meta"):  # nothing is drawn: the run's random numbers do not depend on this net
            stages = [make() for make in STACKS[net].values()][: max(self.names) + 1]
        self.features = nn.Sequential(*stages)
        self.min_size = next(size for size in range(1, 1000) if self._reaches_the_end(size))
        found = find_weights(FILES[net], weights, like=self.state_dict(), key=key, otherwise=otherwise)
        self.load_state_dict(found, assign=True)
        if pool is not None:
            self._replace_poolings(pool)
        for name, values in (("mean", _MEAN), ("std", _STD)):
            self.register_buffer(
                name, torch.tensor(values, dtype=torch.float32).view(1, 3, 1, 1), persistent=False
            )
        self.eval().requires_grad_(False)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        if image.ndim != 4 or image.shape[1] != 3:
            raise ValueError(f"{self.title} needs RGB images (N, 3, H, W), got shape {tuple(image.shape)}")
        if min(image.shape[2:]) < self.min_size:
            deepest = self.names[max(self.names)]
            raise ValueError(
                f"images of {image.shape[2]}x{image.shape[3]} pixels are too small for {self.title}'s {deepest}: "
                f"it needs at least {self.min_size}x{self.min_size}"
            )
        features: dict[str, Tensor] = {}
        value = (image - self.mean) / self.std
        for position, stage in enumerate(self.features):
            value = stage(value)
            if position in self.names:
                features[self.names[position]] = value
        return features

    def _reaches_the_end(self, size: int) -> bool:
        for stage in self.features:
            size = output_size(stage, size)
            if size < 1:
                return False
        return True

    def _replace_poolings(self, pool: Callable[[int], nn.Module]) -> None:
        channels = 3
        for position, stage in enumerate(self.features):
            if isinstance(stage, nn.Conv2d):
                channels = stage.out_channels
            elif isinstance(stage, nn.MaxPool2d):
                self.features[position] = pool(channels)
