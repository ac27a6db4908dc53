"""Checkpoints of every dialect in every wrapping give their weights."""

from pathlib import Path
from typing import Any

import pytest
import torch
from old_esrgan import OldRRDBNet
from safetensors.torch import save_file
from torch import Tensor, nn
from weight_files import names_of_2019, net, same_pictures, write_ours

from sr.archs.rrdbnet import RRDBNet
from sr.archs.srvgg import SRVGGNetCompact
from sr.archs.unet_disc import UNetDiscriminator
from sr.weights.checkpoint import read_checkpoint
from sr.weights.dialects import ESRGAN_2018, ESRGAN_2019, REAL_ESRGAN, RUN
from sr.weights.generator import build_generator, load_generator

SIZES = {"num_feat": 8, "num_block": 2, "num_grow_ch": 4}


def prefixed(prefix: str, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"{prefix}{key}": value for key, value in weights.items()}


def test_ours_gives_the_average_and_builds_its_net(tmp_path: Path) -> None:
    checkpoint = read_checkpoint(write_ours(tmp_path / "a.ckpt"))
    assert (checkpoint.dialect, checkpoint.source) == (RUN, "state_dict / generator_ema")
    assert str(checkpoint).endswith("a.ckpt: checkpoint of a run, weights: state_dict / generator_ema")
    assert checkpoint.discriminator is not None
    assert list(checkpoint.discriminator) == ["conv.weight"]
    trained = build_generator(checkpoint)
    assert (trained.scale, trained.channels) == (4, 3)
    assert not trained.net.training
    same_pictures(trained.net, net(1))
    x = torch.rand(1, 3, 5, 6)
    assert (trained.net(x) - net(0)(x)).abs().max() > 1e-4  # not the weights of the last iteration


OLD = {doublings: OldRRDBNet(doublings=doublings, **SIZES) for doublings in (0, 1, 2, 3)}
OLD_GRAY = OldRRDBNet(doublings=2, channels=1, **SIZES)
NEW = {
    "x1": RRDBNet(scale=1, **SIZES),
    "x2": RRDBNet(scale=2, **SIZES),
    "x2 of 2018": RRDBNet(scale=2, unshuffle=False, **SIZES),
    "x4": RRDBNet(scale=4, **SIZES),
    "x8": RRDBNet(scale=8, **SIZES),
    "compact x2": SRVGGNetCompact(scale=2, num_feat=8, num_conv=2),
    "compact x4": SRVGGNetCompact(scale=4, num_feat=8, num_conv=16),
}
FAMILY: dict[str, tuple[nn.Module, dict[str, Tensor], str, int]] = {
    **{f"2018 x{2**n}": (old, old.state_dict(), ESRGAN_2018, 2**n) for n, old in OLD.items()},
    "2018 gray": (OLD_GRAY, OLD_GRAY.state_dict(), ESRGAN_2018, 4),
    "2019 x2": (NEW["x2 of 2018"], names_of_2019(NEW["x2 of 2018"].state_dict()), ESRGAN_2019, 2),
    "2019 x4": (NEW["x4"], names_of_2019(NEW["x4"].state_dict()), ESRGAN_2019, 4),
    **{name: (new, new.state_dict(), REAL_ESRGAN, new.scale) for name, new in NEW.items()},
}


@pytest.mark.parametrize(
    "how", ["zip", "legacy", "params_ema", "state_dict / netG", "module", "half", "safetensors"]
)
@pytest.mark.parametrize("member", FAMILY)
def test_every_dialect_in_every_wrapping_gives_its_net(tmp_path: Path, member: str, how: str) -> None:
    original, weights, dialect, scale = FAMILY[member]
    path, source = tmp_path / "a.pth", "all of the file"
    if how == "safetensors":
        path = tmp_path / "a.safetensors"
        save_file(weights, path)
    elif how == "params_ema":
        torch.save({"params": prefixed("", {"x": torch.ones(1)}), "params_ema": weights}, path)
        source = "params_ema"
    elif how == "state_dict / netG":
        others = prefixed("netD.", UNetDiscriminator(num_feat=4).state_dict())
        torch.save({"state_dict": prefixed("netG.", weights) | others, "epoch": 3}, path)
        source = "state_dict / netG"
    elif how == "module":
        torch.save(prefixed("module.", weights), path)
    elif how == "half":
        torch.save({key: value.half() for key, value in weights.items()}, path)
    else:
        torch.save(weights, path, _use_new_zipfile_serialization=how == "zip")
    trained = load_generator(path)
    assert (trained.checkpoint.dialect, trained.checkpoint.source, trained.scale) == (dialect, source, scale)
    assert trained.channels == (1 if "gray" in member else 3)
    for parameter in trained.net.parameters():
        assert parameter.dtype == torch.float32
    if how != "half":
        same_pictures(trained.net, original.eval(), channels=trained.channels)


@pytest.mark.parametrize(
    ("key", "nested", "source"),
    [
        ("params_ema", False, "params_ema"),
        ("params-ema", False, "params-ema"),
        ("params", False, "params"),
        ("state_dict", False, "state_dict"),
        ("model_state_dict", False, "model_state_dict"),
        ("model", False, "model"),
        ("net", False, "net"),
        ("anything", False, "anything"),
        ("model", True, "model / params"),
        (None, False, "all of the file"),
    ],
)
def test_the_wrappers_of_the_field(tmp_path: Path, key: str | None, nested: bool, source: str) -> None:
    content: dict[str, Any] = net().state_dict()
    if nested:
        content = {"params": content}
    torch.save({key: content, "iteration": 5} if key else content, tmp_path / "a.pth")
    trained = load_generator(tmp_path / "a.pth")
    assert trained.checkpoint.source == source
    same_pictures(trained.net, net())


def test_the_average_is_preferred(tmp_path: Path) -> None:
    torch.save({"params": net(0).state_dict(), "params_ema": net(1).state_dict()}, tmp_path / "a.pth")
    checkpoint = read_checkpoint(tmp_path / "a.pth")
    assert checkpoint.source == "params_ema"
    assert torch.equal(checkpoint.generator["conv_first.weight"], net(1).conv_first.weight)


def test_only_the_weights_that_are_used_have_to_be_numbers(tmp_path: Path) -> None:
    last = {key: torch.full_like(value, torch.nan) for key, value in net().state_dict().items()}
    torch.save({"params": last, "params_ema": net().state_dict()}, tmp_path / "a.pth")
    same_pictures(load_generator(tmp_path / "a.pth").net, net().eval())


def test_a_file_without_a_checksum_is_told(tmp_path: Path) -> None:
    torch.save(net().state_dict(), tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    save_file(net().state_dict(), tmp_path / "foreign.safetensors")
    torch.save(net().state_dict(), tmp_path / "new.pth")
    for name, told in (("old.pth", True), ("foreign.safetensors", True), ("new.pth", False)):
        assert ("has no checksum" in str(read_checkpoint(tmp_path / name))) == told
