"""Transformer blocks in a row, the convolution that ends them, and a residual around both."""

from collections.abc import Iterable

from torch import Tensor, nn

from sr.archs.memory import Memory, run_block

# One for all blocks, or one for each form of their windows.
Masks = Tensor | tuple[Tensor, Tensor]


class Blocks(nn.Module):
    """Blocks one after the other, under the name that published files give them."""

    def __init__(self, blocks: Iterable[nn.Module]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)

    def forward(self, features: Tensor, masks: Masks, gains: Tensor | None, memory: Memory) -> Tensor:
        """Every block gets the masks and its own part of `gains`, see `sr.archs.stochastic_depth`."""
        for number, block in enumerate(self.blocks):
            gain = None if gains is None else gains[number]
            features = run_block(block, features, masks, gain, memory=memory)
        return features


class ResidualGroup(nn.Module):
    """Blocks, a convolution, and a residual around both: (N, H, W, C) -> the same shape."""

    def __init__(self, blocks: Blocks, conv: nn.Module) -> None:
        super().__init__()
        self.residual_group = blocks
        self.conv = conv

    def forward(self, features: Tensor, masks: Masks, gains: Tensor | None, memory: Memory) -> Tensor:
        return features + channels_first(self.conv, self.residual_group(features, masks, gains, memory))


def channels_first(layer: nn.Module, features: Tensor) -> Tensor:
    """A layer that wants (N, C, H, W), of features (N, H, W, C)."""
    result: Tensor = layer(features.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
    return result


def residual_conv(embed_dim: int, kind: str) -> nn.Module:
    """What ends a group: "1conv", "3conv" with a fourth of the channels inside, or "identity" for nothing."""
    if kind == "identity":
        return nn.Identity()
    if kind == "1conv":
        return nn.Conv2d(embed_dim, embed_dim, 3, padding=1)
    inside = embed_dim // 4
    return nn.Sequential(
        nn.Conv2d(embed_dim, inside, 3, padding=1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(inside, inside, 1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(inside, embed_dim, 3, padding=1),
    )
