"""Small nets, and what people put into files of weights."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sr.archs.rrdbnet import RRDBNet

SMALL = {"scale": 4, "in_channels": 3, "out_channels": 3, "num_feat": 8, "num_block": 1, "num_grow_ch": 4}


def net(seed: int = 0) -> RRDBNet:
    torch.manual_seed(seed)
    return RRDBNet(**SMALL)


def names_of_2019(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    changed = {"conv_body": "trunk_conv", "conv_up1": "upconv1", "conv_up2": "upconv2", "conv_hr": "HRconv"}
    renamed = {}
    for key, value in weights.items():
        first, _, rest = key.partition(".")
        rest = rest.replace("rdb", "RDB")
        renamed[f"{'RRDB_trunk' if first == 'body' else changed.get(first, first)}.{rest}"] = value
    return renamed


class Payload:
    """A pickle that calls `function` as it is read."""

    def __init__(self, function: Any) -> None:
        self.function = function

    def __reduce__(self) -> tuple:
        return (self.function, (Path("ran"),))


def write_ours(path: Path, **changes: object) -> Path:
    """A checkpoint of a run of this project; `changes` are made to its description of the generator."""
    generator, average = net(0).state_dict(), net(1).state_dict()
    state = {f"generator.{key}": value for key, value in generator.items()}
    state |= {f"generator_ema.{key}": value for key, value in average.items()}
    state |= {"discriminator.conv.weight": torch.ones(2)}
    description = {"_target_": "sr.archs.rrdbnet.RRDBNet", **SMALL} | changes
    torch.save({"state_dict": state, "config": {"scale": 4, "channels": 3, "generator": description}}, path)
    return path


def same_pictures(first: nn.Module, second: nn.Module, *, channels: int = 3) -> None:
    """Assert that two nets give the same result for the same image."""
    x = torch.rand(1, channels, 5, 6, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(first(x), second(x))
