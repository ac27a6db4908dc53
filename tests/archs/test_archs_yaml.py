"""conf/generator and conf/discriminator: every argument written out, and the published sizes come out."""

import inspect
from copy import deepcopy
from functools import cache

import pytest
import torch
from helpers import ROOT, compose_config
from hydra.utils import get_class, instantiate
from omegaconf import DictConfig

OPTIONS = [
    f"{file.parent.name}/{file.stem}"
    for group in ("generator", "discriminator")
    for file in sorted((ROOT / "conf" / group).glob("[!_]*.yaml"))
    if "???" not in file.read_text()  # what wants a file of the user's has no size of its own
]
# Parameters at x4 of the published nets. The other tests need no entry here.
PUBLISHED = {
    "generator/rrdbnet": 16_697_987,
    "generator/rrdbnet_6b": 4_467_779,
    "generator/srvgg_compact": 1_213_296,
    "generator/srresnet": 1_548_547,
    "generator/swinir_classical": 11_900_199,
    "generator/swinir_light": 929_628,
    "generator/swinir_real_m": 11_715_559,
    "generator/swinir_real_l": 28_013_059,
    "generator/hat": 20_772_507,
    "generator/hat_small": 9_621_183,
    "generator/hat_large": 40_846_575,
    "generator/dat": 14_802_051,
    "generator/dat_small": 11_212_131,
    "generator/dat_2": 11_212_131,
    "generator/dat_light": 572_766,
    "generator/omnisr": 805_376,
    # All four convolutions of each merged one; test_span.py has the sizes that the paper counts.
    "generator/span": 2_157_136,
    "generator/span_s": 1_840_488,
    "generator/plksr": 7_386_096,
    "generator/plksr_tiny": 2_370_544,
    "generator/realplksr": 7_389_680,
    "generator/realplksr_small": 2_372_080,
    "generator/edsr_baseline": 1_517_571,
    "generator/edsr": 43_089_923,
    "generator/rcan": 15_592_355,
    "generator/rrdbnet_plus": 16_839_299,
    "generator/bicubic": 0,
    "discriminator/unet": 4_376_897,
    "discriminator/vgg": 14_499_401,
    "discriminator/patch": 2_765_633,
    "discriminator/patch_multiscale": 3 * 2_765_633,
}
# What these compute is quick to see in a shallower relative, or in tiny_nets.py.
DEEP = {
    "generator/hat",
    "generator/hat_large",
    "generator/dat",
    "generator/dat_2",
    "generator/dat_small",
    "generator/swinir_real_l",
    "generator/swinir_classical",
    "generator/rrdbnet",
    "generator/rrdbnet_plus",
    "generator/edsr",
    "generator/rcan",
    "generator/plksr",
    "generator/realplksr",
    "generator/span",
}


@cache
def composed(name: str) -> DictConfig:
    group, choice = name.split("/")
    return compose_config(f"{group}={choice}", "data.hr_patch_size=128")


def load(name: str, *, scale: int = 4, channels: int = 3) -> DictConfig:
    cfg = deepcopy(composed(name))
    cfg.scale, cfg.channels = scale, channels
    net = cfg[name.split("/")[0]]
    assert isinstance(net, DictConfig)
    return net


@pytest.mark.parametrize("name", OPTIONS)
def test_names_every_argument(name: str) -> None:
    config = load(name)
    arguments = set(inspect.signature(get_class(config._target_).__init__).parameters) - {"self"}
    assert {str(key) for key in config} == arguments | {"_target_"}


@pytest.mark.parametrize("name", PUBLISHED)
def test_builds_the_published_net(name: str) -> None:
    with torch.device("meta"):
        net = instantiate(load(name))
    assert sum(parameter.numel() for parameter in net.parameters()) == PUBLISHED[name]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name in DEEP)) for name in OPTIONS]
)
def test_scale_and_channels_come_from_the_root(name: str) -> None:
    with torch.device("meta"):
        net = instantiate(load(name, scale=2, channels=1))
        image = torch.rand(1, 1, 128, 128)
        output = net.eval()(image)
        output = output[-1] if isinstance(output, tuple) else output
    if name.startswith("generator"):
        assert output.shape == (1, 1, 256, 256)
    else:
        assert output.shape[:2] == (1, 1)
