"""A generator that no program could read from a checkpoint is refused before training."""

from pathlib import Path
from typing import Any

import pytest
import torch
from hydra.utils import instantiate

from sr.run.rebuilding import check_rebuilding, packages_to_trust, say_what_to_trust

PACKAGE = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, *, factor=2, bands=3, act=None):
        super().__init__()
        self.conv = nn.Conv2d(bands, bands * factor**2, 3, padding=1)
        self.act = act or nn.Identity()
        self.shuffle = nn.PixelShuffle(factor)
    def forward(self, lr):
        return self.shuffle(self.act(self.conv(lr)))

class Act(nn.Module):
    def __init__(self, *, slope):
        super().__init__()
        self.slope = slope
    def forward(self, x):
        return torch.where(x > 0, x, self.slope * x)

class Fickle(Net):
    built = 0
    def __init__(self):
        super().__init__()
        Fickle.built += 1
        self.extra = nn.Parameter(torch.zeros(Fickle.built))

class Even(Net):
    def forward(self, lr):
        return super().forward(lr)[..., :-1]

class Dotted(Net):
    def __init__(self, *, body):
        super().__init__(bands=body.width)

class Strict(Net):
    def forward(self, lr):
        assert lr.shape[-1] % 64 == 0
        return super().forward(lr)

def make_net():
    return Net()
"""


@pytest.fixture(autouse=True)
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_nets").mkdir()
    (tmp_path / "own_nets" / "__init__.py").write_text("from own_nets.nets import Net as Shown\n")
    (tmp_path / "own_nets" / "nets.py").write_text(PACKAGE)
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("own_nets", "own_nets.nets"):
        monkeypatch.delitem(__import__("sys").modules, name, raising=False)


def check(description: dict[str, Any], *, scale: int = 2, channels: int = 3) -> None:
    check_rebuilding(instantiate(description), description, scale=scale, channels=channels)


@pytest.mark.parametrize(
    "description",
    [
        {"_target_": "own_nets.nets.Net"},
        {"_target_": "own_nets.Shown", "_convert_": "all"},  # under another name in its own package
        {"_target_": "own_nets.nets.Net", "act": {"_target_": "own_nets.nets.Act", "slope": 0.1}},
        {"_target_": "sr.archs.srvgg.SRVGGNetCompact", "num_feat": 4, "num_conv": 1, "scale": 2},
    ],
)
def test_what_can_be_built_again_passes_and_leaves_the_random_state_alone(
    description: dict[str, Any],
) -> None:
    net = instantiate(description)
    torch.manual_seed(0)
    check_rebuilding(net, description, scale=2, channels=3)
    state = torch.random.get_rng_state()
    torch.manual_seed(0)
    assert torch.equal(state, torch.random.get_rng_state())


@pytest.mark.parametrize(
    ("description", "message"),
    [
        (
            {"_target_": "own_nets.nets.make_net"},
            r"no program could build it .*make_net is a function, not a class",
        ),
        (
            {"_target_": "own_nets.nets.Net", "_recursive_": False},
            "described with _recursive_, which is for Hydra",
        ),
        (
            {"_target_": "own_nets.nets.Fickle"},
            r"other tensors when it is built again.*extra is \(\d,\), expected",
        ),
        (
            {"_target_": "own_nets.nets.Net", "factor": 3},
            r"makes \(1, 3, 96, 144\) of \(1, 3, 32, 48\), but with scale=2 and channels=3 it should be",
        ),
        (
            {"_target_": "own_nets.nets.Net", "bands": 1},
            r"cannot take an image of 48 x 32 with 3 channel\(s\)",
        ),
        ({"_target_": "own_nets.nets.Even"}, r"makes \(1, 3, 64, 95\)"),
    ],
)
def test_what_could_not_be_read_is_refused(description: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check(description)


def test_every_package_to_trust_is_named_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    inner = {"_target_": "other.Act", "parts": [{"_target_": "own_nets.nets.Act"}]}
    description = {"_target_": "own_nets.nets.Net", "act": inner}
    assert packages_to_trust(description) == ["own_nets", "other"]
    say_what_to_trust(description)
    assert (
        "trust=[own_nets,other], sr-upscale and sr-export with --trust own_nets --trust other" in caplog.text
    )
    caplog.clear()
    assert packages_to_trust({"_target_": "sr.archs.rrdbnet.RRDBNet"}) == []
    say_what_to_trust({"_target_": "sr.archs.rrdbnet.RRDBNet"})
    assert not caplog.messages


def test_a_net_that_wants_more_than_plain_arguments_is_told_before_training() -> None:
    description = {"_target_": "own_nets.nets.Dotted", "body": {"width": 3}}
    with pytest.raises(ValueError, match=r"plain lists and tables: AttributeError.*With _convert_: all"):
        check(description)


def test_whatever_a_net_raises_is_said() -> None:
    with pytest.raises(
        ValueError, match=r"cannot take an image of 48 x 32 with 3 channel\(s\): AssertionError"
    ):
        check({"_target_": "own_nets.nets.Strict"})
