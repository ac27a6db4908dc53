"""Checkpoints that fit, and everything else that people pass for one."""

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from old_esrgan import OldRRDBNet
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.modules.module import register_module_parameter_registration_hook
from weight_files import SMALL, Payload, names_of_2019, net

from sr.archs.rrdbnet import RRDBNet
from sr.archs.srvgg import SRVGGNetCompact
from sr.archs.unet_disc import UNetDiscriminator
from sr.ops.weight_file import CheckpointError
from sr.weights.checkpoint import DESCRIPTION_KEY, read_checkpoint
from sr.weights.dialects import ESRGAN_2018, ESRGAN_2019, REAL_ESRGAN, RUN
from sr.weights.generator import build_generator, load_generator, load_weights

SIZES = {"num_feat": 8, "num_block": 2, "num_grow_ch": 4}


def write_ours(path: Path, **changes: object) -> Path:
    generator, average = net(0).state_dict(), net(1).state_dict()
    state = {f"generator.{key}": value for key, value in generator.items()}
    state |= {f"generator_ema.{key}": value for key, value in average.items()}
    state |= {"discriminator.conv.weight": torch.ones(2)}
    description = {"_target_": "sr.archs.rrdbnet.RRDBNet", **SMALL} | changes
    torch.save({"state_dict": state, "config": {"scale": 4, "channels": 3, "generator": description}}, path)
    return path


def prefixed(prefix: str, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"{prefix}{key}": value for key, value in weights.items()}


def same_pictures(first: nn.Module, second: nn.Module, *, channels: int = 3) -> None:
    x = torch.rand(1, channels, 5, 6, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(first(x), second(x))


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


def test_a_net_that_tensors_do_not_tell_is_built_from_the_description_beside_them(tmp_path: Path) -> None:
    torch.manual_seed(0)
    bicubic = SRVGGNetCompact(num_feat=8, num_conv=2, skip="bicubic").eval()
    description = {
        "_target_": "sr.archs.srvgg.SRVGGNetCompact",
        "num_feat": 8,
        "num_conv": 2,
        "skip": "bicubic",
    }
    torch.save({"params_ema": bicubic.state_dict(), DESCRIPTION_KEY: description}, tmp_path / "a.pth")
    trained = load_generator(tmp_path / "a.pth")
    same_pictures(trained.net, bicubic)
    assert trained.description == {**description, "scale": 4, "in_channels": 3, "out_channels": 3}


def test_the_average_is_preferred(tmp_path: Path) -> None:
    torch.save({"params": net(0).state_dict(), "params_ema": net(1).state_dict()}, tmp_path / "a.pth")
    checkpoint = read_checkpoint(tmp_path / "a.pth")
    assert checkpoint.source == "params_ema"
    assert torch.equal(checkpoint.generator["conv_first.weight"], net(1).conv_first.weight)


def test_what_is_no_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.ckpt does not exist"):
        read_checkpoint(tmp_path / "none.ckpt")
    (tmp_path / "text.ckpt").write_text("no checkpoint")
    with pytest.raises(CheckpointError, match=r"text\.ckpt: no checkpoint, or a damaged or truncated one"):
        read_checkpoint(tmp_path / "text.ckpt")
    data = write_ours(tmp_path / "a.ckpt").read_bytes()
    (tmp_path / "half.ckpt").write_bytes(data[: len(data) // 2])
    with pytest.raises(CheckpointError, match=r"half\.ckpt: no checkpoint, or a damaged or truncated one"):
        read_checkpoint(tmp_path / "half.ckpt")
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(CheckpointError, match="holds a list"):
        read_checkpoint(tmp_path / "list.pth")
    torch.save({"epoch": 3}, tmp_path / "empty.pth")
    with pytest.raises(CheckpointError, match="no weights in it; its keys are epoch"):
        read_checkpoint(tmp_path / "empty.pth")


@pytest.mark.parametrize(
    ("function", "name"), [(Path.touch, "getattr"), (open, "_?io.open"), (__import__, "__import__")]
)
@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_that_would_run_code_is_refused_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: Any, name: str, zipped: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"params": Payload(function)}, tmp_path / "evil.pth", _use_new_zipfile_serialization=zipped)
    with pytest.raises(CheckpointError, match=rf"evil\.pth: refused, .* would run code \({name}\)"):
        read_checkpoint(tmp_path / "evil.pth")
    assert not (tmp_path / "ran").exists()


def test_a_pickle_of_another_writer_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "evil.pth").write_bytes(pickle.dumps({"params": Payload(open)}))
    with pytest.raises(CheckpointError, match=r"evil\.pth: refused unread"):
        read_checkpoint(tmp_path / "evil.pth")
    assert not (tmp_path / "ran").exists()


@pytest.mark.filterwarnings("ignore:.*torch.jit.trace")
def test_torchscript_holds_code_and_is_refused(tmp_path: Path) -> None:
    torch.jit.trace(net().eval().requires_grad_(False), torch.rand(1, 3, 4, 4)).save(str(tmp_path / "a.pt"))
    with pytest.raises(CheckpointError, match=r"a\.pt: a TorchScript program, which holds code"):
        read_checkpoint(tmp_path / "a.pt")


@pytest.mark.parametrize(
    "changes",
    [
        {"_target_": "pathlib.Path.touch"},
        {"_target_": "sr.archs.rrdbnet.torch.load"},  # what a net's own file imports is no net
        {"_target_": "sr.archs.rrdbnet.nn.Conv2d"},
        {"_target_": "sr.archs.none.Net"},
        {"_target_": "sr.archs.rrdbnet.RRDB"},  # a part of a generator
        {"num_feat": {"_target_": "pathlib.Path", "_args_": ["ran"]}},
        {"num_feat": [{"_target_": "pathlib.Path"}]},
    ],
)
def test_a_description_can_name_nets_alone(tmp_path: Path, changes: dict[str, Any]) -> None:
    path = write_ours(tmp_path / "evil.ckpt", **changes)
    with pytest.raises(CheckpointError, match=r"its generator is .*; only nets of sr\.archs are built"):
        load_generator(path)


def test_a_description_that_does_not_suit_its_net_is_named(tmp_path: Path) -> None:
    for changes, found in (({"scale": 5}, "scale=5 must be one of"), ({"depth": 3}, "'depth'")):
        with pytest.raises(CheckpointError, match=rf"a\.ckpt: its RRDBNet cannot be built: .*{found}"):
            load_generator(write_ours(tmp_path / "a.ckpt", **changes))


def test_an_unknown_dialect_shows_the_keys_that_were_seen(tmp_path: Path) -> None:
    torch.save(
        {"layers.0.attention.weight": torch.ones(1), "layers.0.bias": torch.ones(1)}, tmp_path / "a.pth"
    )
    with pytest.raises(
        CheckpointError,
        match=r"no generator that is known\. Its keys are layers\.0\.attention\.weight, layers\.0\.bias\.",
    ):
        load_generator(tmp_path / "a.pth")
    weights = net().state_dict() | {"conv_first.weight": torch.zeros(8, 5, 3, 3)}
    torch.save(weights, tmp_path / "odd.pth")
    with pytest.raises(CheckpointError, match=r"odd\.pth: an RRDBNet with 5 input channels"):
        load_generator(tmp_path / "odd.pth")


def test_a_discriminator_is_no_generator(tmp_path: Path) -> None:
    torch.save({"params": UNetDiscriminator(num_feat=4).state_dict()}, tmp_path / "d.pth")
    with pytest.raises(CheckpointError, match=r"Its keys are conv0\.weight, conv0\.bias, conv1\.weight_orig"):
        load_generator(tmp_path / "d.pth")


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


FAR_TOO_LARGE: dict[str, dict[str, Any]] = {
    "a billion layers": {"num_block": 10**9},
    "a billion features": {"num_feat": 10**9},
    "more features than numbers reach": {"num_feat": 10**30},
    "ten thousand features": {"num_feat": 10**4, "num_grow_ch": 10**4},
    "fewer than none": {"num_feat": -3},
}


@pytest.mark.parametrize("described", FAR_TOO_LARGE)
def test_an_absurd_net_is_refused_before_it_takes_memory(tmp_path: Path, described: str) -> None:
    path = write_ours(tmp_path / "a.ckpt", **FAR_TOO_LARGE[described])
    made: list[int] = []  # values of each parameter that was filled: one that is refused is not
    counting = register_module_parameter_registration_hook(
        lambda module, name, parameter: made.append(parameter.numel())
    )
    try:
        with pytest.raises(CheckpointError, match=r"a\.ckpt: its RRDBNet cannot be built: "):
            load_generator(path)
    finally:
        counting.remove()
    assert len(made) <= 300
    assert sum(made[:-1]) <= 2 * 2**20


def test_layers_that_names_of_tensors_count_are_bounded_too(tmp_path: Path) -> None:
    weights = net().state_dict() | {"body.999999999.rdb1.conv1.weight": torch.zeros(4, 8, 3, 3)}
    torch.save(weights, tmp_path / "a.pth")
    with pytest.raises(
        CheckpointError, match=r"it is several times as large as the file, which has \d+ tensors"
    ):
        load_generator(tmp_path / "a.pth")


def test_tensors_of_no_known_shape_are_named(tmp_path: Path) -> None:
    for value in (torch.zeros(3), torch.zeros(()), torch.zeros(0, 0, 3, 3)):
        torch.save(
            net().state_dict() | {"conv_first.weight": value, "conv_last.weight": value}, tmp_path / "a.pth"
        )
        with pytest.raises(CheckpointError, match=r"a\.pth: "):
            load_generator(tmp_path / "a.pth")


def test_a_configuration_that_refers_to_itself_is_refused(tmp_path: Path) -> None:
    content = torch.load(write_ours(tmp_path / "a.ckpt"), weights_only=True)
    content["config"]["generator"]["skip"] = [content["config"]]
    torch.save(content, tmp_path / "a.ckpt")
    with pytest.raises(CheckpointError, match="a table in it refers to itself"):
        load_generator(tmp_path / "a.ckpt")


def test_a_weight_that_is_no_number_is_named(tmp_path: Path) -> None:
    for value, dtype in ((torch.nan, torch.float32), (-torch.inf, torch.float16), (1e300, torch.float64)):
        weights = {key: each.clone() for key, each in net().state_dict().items()}
        weights["conv_hr.bias"] = weights["conv_hr.bias"].to(dtype)
        weights["conv_hr.bias"][3] = value  # which fp32 does not reach in the last case
        torch.save(weights, tmp_path / "a.pth")
        with pytest.raises(CheckpointError, match=r"a\.pth: conv_hr\.bias has 1 of 8 values that are not fi"):
            load_generator(tmp_path / "a.pth")


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


def test_a_damaged_description_is_named(tmp_path: Path) -> None:
    for words in ("{", "[" * 10**5):
        save_file(net().state_dict(), tmp_path / "a.safetensors", metadata={DESCRIPTION_KEY: words})
        with pytest.raises(CheckpointError, match="its description of the net is not JSON"):
            read_checkpoint(tmp_path / "a.safetensors")
