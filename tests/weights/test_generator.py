"""The net that a file describes: built as described, or refused before it takes memory."""

import resource
from importlib import import_module
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
from sr.commands.export import parse
from sr.export.other_tools import warnings_for
from sr.ops.weight_file import CheckpointError
from sr.programs.export import run
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


OWN = """
from torch import nn

class Net(nn.Module):
    def __init__(self, *, act: type = nn.ReLU, sizes=(1, 1), name="model"):
        super().__init__()
        self.add_module(name, nn.ModuleDict({"conv": nn.Conv2d(3, 12, 3, padding=1)}))
        self.name, self.act, self.shuffle = name, act(), nn.PixelShuffle(2)
    def forward(self, lr):
        return self.shuffle(self.act(getattr(self, self.name)["conv"](lr)))

class RRDBNet(Net):
    pass
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a package with nets that look like others: by their names, by those of their tensors."""
    (tmp_path / "look_alikes.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    return "look_alikes"


@pytest.mark.parametrize("name", ["model", "module", "generator", "net_g"])
def test_tensors_of_a_users_net_keep_their_names(tmp_path: Path, own: str, name: str) -> None:
    made = import_module(own).Net(name=name).eval()
    generator = {"_target_": f"{own}.Net", "name": name}
    config = {"generator": generator, "scale": 2, "channels": 3}
    state = {f"generator_ema.{key}": value for key, value in made.state_dict().items()}
    torch.save({"state_dict": state, "config": config}, tmp_path / "last.ckpt")
    trained = load_generator(tmp_path / "last.ckpt", trust=[own])
    same_pictures(trained.net, made)
    out = tmp_path / "net.safetensors"
    run(
        parse(
            ["--ckpt", f"{tmp_path}/last.ckpt", "--trust", own, "--format", "safetensors", "--out", str(out)]
        )
    )
    same_pictures(load_generator(out, trust=[own]).net, made)


def test_a_users_net_with_the_name_of_ours_is_another(tmp_path: Path, own: str) -> None:
    made = import_module(own).RRDBNet()
    content = {"params": made.state_dict(), DESCRIPTION_KEY: {"_target_": f"{own}.RRDBNet"}}
    torch.save(content | {"sr_sizes": {"scale": 2, "channels": 3}}, tmp_path / "a.pth")
    trained = load_generator(tmp_path / "a.pth", trust=[own])
    (warning,) = warnings_for(trained, "pth")
    assert "do not know the architecture RRDBNet" in warning
    assert trained.description == {"_target_": f"{own}.RRDBNet", "sizes": [1, 1], "name": "model"}


@pytest.mark.parametrize("described", [{"window_size": 200, "img_size": 400}, {"img_size": 8000}])
def test_tables_of_a_size_that_a_file_chooses_take_no_memory(
    tmp_path: Path, described: dict[str, Any]
) -> None:
    description = {"_target_": "sr.archs.swinir.SwinIR", "depths": [2], "num_heads": [1], "embed_dim": 4}
    torch.save({"params": net().state_dict(), DESCRIPTION_KEY: description | described}, tmp_path / "a.pth")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(
        CheckpointError, match=r"a\.pth: its SwinIR cannot be built: its tables .*as the file"
    ):
        load_generator(tmp_path / "a.pth")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500_000  # KiB
