"""The net that a file describes: built as described, or refused before it takes memory."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch.nn.modules.module import register_module_parameter_registration_hook
from weight_files import SMALL, net, same_pictures, write_ours

from sr.archs.rrdbnet import RRDBNet
from sr.archs.srvgg import SRVGGNetCompact
from sr.archs.unet_disc import UNetDiscriminator
from sr.ops.weight_file import CheckpointError
from sr.weights.checkpoint import DESCRIPTION_KEY, read_checkpoint
from sr.weights.generator import load_generator, load_weights


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
    defaults = {"scale": 4, "in_channels": 3, "out_channels": 3, "activation": "prelu"}
    assert trained.description == {**description, **defaults}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"_target_": "pathlib.Path.touch"}, r"pathlib\.Path\.touch is not in sr\.archs, and a file alone"),
        # What a net's own file imports is no net.
        ({"_target_": "sr.archs.rrdbnet.torch.load"}, r"there is no module sr\.archs\.rrdbnet\.torch"),
        ({"_target_": "sr.archs.rrdbnet.nn.Conv2d"}, r"there is no module sr\.archs\.rrdbnet\.nn"),
        ({"_target_": "sr.archs.rrdbnet.Tensor"}, r"is torch\.Tensor, which is not in sr\.archs"),
        ({"_target_": "sr.archs.none.Net"}, r"there is no module sr\.archs\.none"),
        ({"_target_": "sr.archs.rrdbnet.checkpoint"}, "is nothing, not a class"),
        ({"_target_": "sr.archs.lean_dense.lean_dense"}, "is a function, not a class"),
        ({"_target_": "sr.archs.lean_dense._LeanDense"}, r"is not a torch\.nn\.Module"),
        ({"num_feat": {"_target_": "pathlib.Path", "_args_": ["ran"]}}, "with _args_, which is for Hydra"),
        ({"num_feat": [{"_target_": "pathlib.Path"}]}, r"pathlib\.Path is not in sr\.archs"),
        ({"_partial_": True}, "with _partial_, which is for Hydra alone"),
    ],
)
def test_a_description_can_name_nets_alone(tmp_path: Path, changes: dict[str, Any], why: str) -> None:
    path = write_ours(tmp_path / "evil.ckpt", **changes)
    with pytest.raises(CheckpointError, match=rf"evil\.ckpt: its generator is not built: .*{why}"):
        load_generator(path)


def test_a_part_of_a_net_is_not_the_net(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"its RRDB cannot be built: .*unexpected keyword argument"):
        load_generator(write_ours(tmp_path / "a.ckpt", _target_="sr.archs.rrdbnet.RRDB"))


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


def test_a_damaged_description_is_named(tmp_path: Path) -> None:
    for words in ("{", "[" * 10**5):
        save_file(net().state_dict(), tmp_path / "a.safetensors", metadata={DESCRIPTION_KEY: words})
        with pytest.raises(CheckpointError, match="its description of the net is not JSON"):
            read_checkpoint(tmp_path / "a.safetensors")
