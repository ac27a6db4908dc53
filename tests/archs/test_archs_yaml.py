"""conf/generator and conf/discriminator: every argument written out, and the published sizes come out."""

import inspect
from pathlib import Path

import pytest
import torch
from hydra.utils import get_class, instantiate
from omegaconf import DictConfig, OmegaConf

CONF = Path(__file__).parents[2] / "conf"
PARAMETERS = {
    "generator/rrdbnet": 16_697_987,
    "generator/srvgg_compact": 1_213_296,
    "generator/srresnet": 1_548_547,
    "generator/bicubic": 0,
    "discriminator/unet": 4_376_897,
    "discriminator/vgg": 14_499_401,
    "discriminator/patch": 2_765_633,
}


def load(name: str, *, scale: int = 4, channels: int = 3) -> DictConfig:
    root = OmegaConf.create(
        {
            "scale": scale,
            "channels": channels,
            "data": {"hr_patch_size": 128},
            "net": OmegaConf.load(CONF / f"{name}.yaml"),
        }
    )
    net = root.net
    assert isinstance(net, DictConfig)
    return net


@pytest.mark.parametrize("name", PARAMETERS)
def test_names_every_argument_and_builds_the_published_net(name: str) -> None:
    config = load(name)
    arguments = set(inspect.signature(get_class(config._target_).__init__).parameters) - {"self"}
    assert {str(key) for key in config} == arguments | {"_target_"}
    with torch.device("meta"):
        net = instantiate(config)
    assert sum(parameter.numel() for parameter in net.parameters()) == PARAMETERS[name]


@pytest.mark.parametrize("name", PARAMETERS)
def test_scale_and_channels_come_from_the_root(name: str) -> None:
    with torch.device("meta"):
        net = instantiate(load(name, scale=2, channels=1))
        image = torch.rand(1, 1, 128, 128)
        output = net.eval()(image)
    if name.startswith("generator"):
        assert output.shape == (1, 1, 256, 256)
    else:
        assert output.shape[:2] == (1, 1)


def test_there_is_no_file_without_a_test() -> None:
    files = [*CONF.glob("generator/*.yaml"), *CONF.glob("discriminator/*.yaml")]
    assert {f"{file.parent.name}/{file.stem}" for file in files} == set(PARAMETERS)
