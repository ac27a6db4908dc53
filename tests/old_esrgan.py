"""The generator as the ESRGAN code of 2018 built and named it: an independent reference for reading its files."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class OldRRDBNet(nn.Module):
    """A flat list: first convolution, trunk, then (enlarge by 2, convolution, activation) per doubling, two more."""

    def __init__(
        self, *, doublings: int, num_feat: int, num_block: int, num_grow_ch: int, channels: int = 3
    ) -> None:
        super().__init__()
        trunk = [OldBlock(num_feat, num_grow_ch) for _ in range(num_block)]
        layers: list[nn.Module] = [_conv(channels, num_feat), Shortcut(*trunk, _conv(num_feat, num_feat))]
        for _ in range(doublings):
            layers += [nn.Upsample(scale_factor=2), _conv(num_feat, num_feat), nn.LeakyReLU(0.2)]
        layers += [_conv(num_feat, num_feat), nn.LeakyReLU(0.2), _conv(num_feat, channels)]
        self.model = nn.Sequential(*layers)

    def forward(self, lr: Tensor) -> Tensor:
        result: Tensor = self.model(lr)
        return result


class Shortcut(nn.Module):
    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.sub = nn.Sequential(*layers)

    def forward(self, features: Tensor) -> Tensor:
        return features + self.sub(features)


class OldBlock(nn.Module):
    def __init__(self, num_feat: int, num_grow_ch: int) -> None:
        super().__init__()
        for number in (1, 2, 3):
            self.add_module(f"RDB{number}", OldDense(num_feat, num_grow_ch))

    def forward(self, features: Tensor) -> Tensor:
        branch = features
        for dense in self.children():
            branch = dense(branch)
        return features + 0.2 * branch


class OldDense(nn.Module):
    def __init__(self, num_feat: int, num_grow_ch: int) -> None:
        super().__init__()
        for number in range(1, 6):
            outputs = num_feat if number == 5 else num_grow_ch
            conv = _conv(num_feat + (number - 1) * num_grow_ch, outputs)
            self.add_module(f"conv{number}", nn.Sequential(conv))

    def forward(self, features: Tensor) -> Tensor:
        *growing, last = self.children()
        parts = [features]
        for conv in growing:
            parts.append(F.leaky_relu(conv(torch.cat(parts, 1)), 0.2))
        result: Tensor = features + 0.2 * last(torch.cat(parts, 1))
        return result


def _conv(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)
