"""Checkpoints that fit, and everything else that people pass for one."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from sr.archs.rrdbnet import RRDBNet
from sr.checkpoint import CheckpointError, build_generator, load_weights, read_checkpoint

SMALL = {"scale": 4, "in_channels": 3, "out_channels": 3, "num_feat": 8, "num_block": 1, "num_grow_ch": 4}


def net(seed: int = 0) -> RRDBNet:
    torch.manual_seed(seed)
    return RRDBNet(**SMALL)


def write_ours(path: Path, **changes: object) -> Path:
    generator, average = net(0).state_dict(), net(1).state_dict()
    state = {f"generator.{key}": value for key, value in generator.items()}
    state |= {f"generator_ema.{key}": value for key, value in average.items()}
    state |= {"discriminator.conv.weight": torch.ones(2)}
    description = {"_target_": "sr.archs.rrdbnet.RRDBNet", **SMALL} | changes
    torch.save({"state_dict": state, "config": {"scale": 4, "channels": 3, "generator": description}}, path)
    return path


def test_ours_gives_the_average_and_builds_its_net(tmp_path: Path) -> None:
    checkpoint = read_checkpoint(write_ours(tmp_path / "a.ckpt"))
    assert checkpoint.source == "generator_ema of a training checkpoint"
    assert checkpoint.discriminator is not None
    assert list(checkpoint.discriminator) == ["conv.weight"]
    built, scale, channels = build_generator(checkpoint)
    assert (scale, channels) == (4, 3)
    assert not built.training
    x = torch.rand(1, 3, 5, 6)
    torch.testing.assert_close(built(x), net(1)(x))
    assert (built(x) - net(0)(x)).abs().max() > 1e-4  # not the weights of the last iteration


@pytest.mark.parametrize("key", ["params_ema", "params", "state_dict", None])
def test_plain_weights_in_the_wrappers_of_the_field(tmp_path: Path, key: str | None) -> None:
    weights = net().state_dict()
    torch.save({key: weights} if key else weights, tmp_path / "a.pth")
    checkpoint = read_checkpoint(tmp_path / "a.pth")
    assert checkpoint.source == (key or "plain weights")
    other = net(5)
    load_weights(other, checkpoint.generator, path=checkpoint.path)
    assert torch.equal(other.conv_first.weight, weights["conv_first.weight"])
    with pytest.raises(CheckpointError, match="plain weights say nothing of their net"):
        build_generator(checkpoint)


def test_the_average_is_preferred(tmp_path: Path) -> None:
    torch.save({"params": net(0).state_dict(), "params_ema": net(1).state_dict()}, tmp_path / "a.pth")
    checkpoint = read_checkpoint(tmp_path / "a.pth")
    assert checkpoint.source == "params_ema"
    assert torch.equal(checkpoint.generator["conv_first.weight"], net(1).conv_first.weight)


def test_safetensors(tmp_path: Path) -> None:
    save_file(net().state_dict(), tmp_path / "a.safetensors")
    assert torch.equal(
        read_checkpoint(tmp_path / "a.safetensors").generator["conv_last.bias"], net().conv_last.bias
    )


def test_what_is_no_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.ckpt does not exist"):
        read_checkpoint(tmp_path / "none.ckpt")
    (tmp_path / "text.ckpt").write_text("no checkpoint")
    with pytest.raises(CheckpointError, match=r"text\.ckpt: no checkpoint, or a truncated one"):
        read_checkpoint(tmp_path / "text.ckpt")
    data = write_ours(tmp_path / "a.ckpt").read_bytes()
    (tmp_path / "half.ckpt").write_bytes(data[: len(data) // 2])
    with pytest.raises(CheckpointError, match=r"half\.ckpt: no checkpoint, or a truncated one"):
        read_checkpoint(tmp_path / "half.ckpt")
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(CheckpointError, match="holds a list"):
        read_checkpoint(tmp_path / "list.pth")
    torch.save({"epoch": 3}, tmp_path / "empty.pth")
    with pytest.raises(CheckpointError, match="no weights in it; its keys are epoch"):
        read_checkpoint(tmp_path / "empty.pth")


class Payload:
    def __reduce__(self) -> tuple:
        return (Path.touch, (Path("ran"),))


def test_a_checkpoint_cannot_run_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"params": Payload()}, tmp_path / "evil.pth")
    with pytest.raises(CheckpointError, match=r"evil\.pth: no checkpoint"):
        read_checkpoint(tmp_path / "evil.pth")
    for changes in (
        {"_target_": "pathlib.Path.touch"},
        {"num_feat": {"_target_": "pathlib.Path", "_args_": ["ran"]}},
        {"num_feat": [{"_target_": "pathlib.Path"}]},
    ):
        with pytest.raises(CheckpointError, match=r"built are nets of sr\.archs alone"):
            build_generator(read_checkpoint(write_ours(tmp_path / "evil.ckpt", **changes)))
    assert not (tmp_path / "ran").exists()


def test_another_architecture_says_what_was_found_and_expected(tmp_path: Path) -> None:
    torch.save(RRDBNet(**SMALL | {"num_feat": 16}).state_dict(), tmp_path / "wide.pth")
    checkpoint = read_checkpoint(tmp_path / "wide.pth")
    with pytest.raises(
        CheckpointError, match=r"RRDBNet: conv_first\.weight is \(16, 3, 3, 3\), expected \(8, 3, 3, 3\)"
    ):
        load_weights(net(), checkpoint.generator, path=checkpoint.path)
    torch.save({"weird.weight": torch.ones(1)}, tmp_path / "other.pth")
    checkpoint = read_checkpoint(tmp_path / "other.pth")
    with pytest.raises(CheckpointError, match=r"missing conv_first\.weight.*not known weird\.weight"):
        load_weights(net(), checkpoint.generator, path=checkpoint.path)
