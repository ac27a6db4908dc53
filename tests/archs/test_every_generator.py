"""What every generator promises: any size, precision, memory, tiles, recognition; see tiny_nets.py for the nets."""

import copy
import pickle

import pytest
import torch
from helpers import ROOT
from omegaconf import OmegaConf
from tiny_nets import BASELINES, DISCRIMINATORS, GENERATORS, lively, noise
from torch import Tensor, nn
from upscaling import enlarge, network

from sr.upscale.alignment import measure_alignment
from sr.upscale.grid import cut
from sr.upscale.reach import measure_reach
from sr.weights.describe import describe
from sr.weights.dialects import translate
from sr.weights.spandrel_nets import SPANDREL

# Nets whose weights alone do not tell what they are, so that a file has to say it.
NOT_RECOGNISED = {"srresnet"}
# Some part of these nets sees the whole picture at once (a mean over all pixels), so tiles are another picture.
GLOBAL = {"hat", "dat", "dat_light", "omnisr", "realplksr_groups", "rcan", "rcan_unshuffled"}


def test_every_option_of_the_groups_is_here() -> None:
    here = {type(make()) for table in (GENERATORS, DISCRIMINATORS) for make in table.values()}
    named = {f"{kind.__module__}.{kind.__name__}" for kind in here} | {"sr.archs.bicubic.Bicubic"}
    assert set(BASELINES) == {"bicubic"}
    for group in ("generator", "discriminator"):
        for file in (ROOT / "conf" / group).glob("[!_]*.yaml"):
            target = OmegaConf.load(file).get("_target_")
            # None is a variant of another option; spandrel's nets are as they come.
            assert target is None or target == SPANDREL or target in named, file


@pytest.mark.parametrize("name", GENERATORS)
@pytest.mark.parametrize("scale", [1, 2, 3, 4])
def test_any_size(name: str, scale: int) -> None:
    net = lively(GENERATORS[name](scale=scale))
    for height, width in ((1, 1), (2, 7), (9, 8), (17, 33)):
        with torch.no_grad():
            assert net(noise(1, 3, height, width)).shape == (1, 3, height * scale, width * scale)


@pytest.mark.parametrize("name", GENERATORS)
def test_bf16_is_close(name: str) -> None:
    net, image = lively(GENERATORS[name](scale=2)), noise(2, 3, 16, 24)
    with torch.no_grad():
        exact = net(image)
        with torch.autocast("cpu", torch.bfloat16):
            rounded = net(image).float()
    # bf16 keeps 8 bits; a layer that lost its meaning would differ by the size of the values themselves.
    assert (rounded - exact).std() < 0.05 * exact.std()


@pytest.mark.parametrize("name", GENERATORS)
def test_copies_and_pickles_compute_the_same_in_double_precision_too(name: str) -> None:
    net, image = lively(GENERATORS[name](scale=2)).double(), noise(1, 3, 9, 8).double()
    with torch.no_grad():
        expected = net(image)
        assert expected.dtype == torch.float64
        assert torch.equal(copy.deepcopy(net)(image), expected)
        assert torch.equal(pickle.loads(pickle.dumps(net))(image), expected)


def gradients(net: nn.Module, image: Tensor) -> dict[str, Tensor]:
    torch.manual_seed(3)
    net.train()(image).square().mean().backward()
    return {name: parameter.grad for name, parameter in net.named_parameters() if parameter.grad is not None}


@pytest.mark.parametrize("name", GENERATORS)
def test_every_parameter_learns(name: str) -> None:
    net = lively(GENERATORS[name](scale=2))
    found = gradients(net, noise(2, 3, 16, 16))
    assert {key for key, _ in net.named_parameters()} == {key for key, grad in found.items() if grad.any()}


@pytest.mark.parametrize("name", GENERATORS)
def test_checkpointing_changes_no_gradient(name: str) -> None:
    try:
        saving = lively(GENERATORS[name](scale=2, memory="checkpoint"))
    except TypeError as error:
        assert "memory" in str(error)
        pytest.skip("a net that is not deep has no such choice")
    image = noise(2, 3, 16, 16)
    expected = gradients(lively(GENERATORS[name](scale=2, memory="plain")), image)
    found = gradients(saving, image)
    assert expected.keys() == found.keys()
    for key, value in expected.items():
        assert (found[key] - value).norm() <= 1e-5 * value.norm(), key


@pytest.mark.parametrize("name", sorted(GENERATORS.keys() - NOT_RECOGNISED))
@pytest.mark.parametrize("scale", [1, 2, 4])
def test_weights_alone_tell_the_net(name: str, scale: int) -> None:
    net = lively(GENERATORS[name](scale=scale))
    description = describe(translate(net.state_dict())[1])
    assert description is not None
    assert description.pop("_target_") == f"{type(net).__module__}.{type(net).__name__}"
    again = type(net)(**description | ({"skip": "bicubic"} if name == "srvgg_bicubic" else {}))
    again.load_state_dict(net.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(again.eval()(noise(1, 3, 9, 8)), net(noise(1, 3, 9, 8)))


@pytest.mark.parametrize("name", sorted(GENERATORS.keys() - GLOBAL))
def test_tiles_equal_the_whole(name: str) -> None:
    net = lively(GENERATORS[name](scale=2)).requires_grad_(False)
    with torch.no_grad():  # into the range of a picture
        sr = net(noise(1, 3, 32, 32))
    placed = network(_InRange(net, 0.2 / float(sr.std()), float(sr.mean())), scale=2)
    align = measure_alignment(placed)
    reach = measure_reach(placed, align=align)
    assert reach.complete
    image = (noise(90, 70, 3) * 255).byte().numpy()
    whole = enlarge(image, network=placed, grid=cut(90, 70, tile=(0, 0), reach=0))
    grid = cut(90, 70, tile=(16, 24), reach=reach.pixels, fade=2, align=align)
    tiled = enlarge(image, network=placed, grid=grid)
    assert abs(whole.astype(int) - tiled).max() <= 1


class _InRange(nn.Module):
    def __init__(self, net: nn.Module, gain: float, mean: float) -> None:
        super().__init__()
        self.net, self.gain, self.mean = net, gain, mean

    def forward(self, lr: Tensor) -> Tensor:
        sr: Tensor = self.net(lr)
        return (sr - self.mean) * self.gain + 0.5
