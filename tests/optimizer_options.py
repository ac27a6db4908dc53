"""The optimizers of conf/optimizer that are more than a class of torch."""

from collections.abc import Callable
from typing import Any

from helpers import ROOT
from hydra.utils import instantiate
from omegaconf import OmegaConf
from torch.optim import Optimizer

OPTIONS = ("adamw_groups", "adan", "lion", "muon", "prodigy", "schedule_free", "soap")


def option(name: str, **changes: Any) -> Callable[..., Optimizer]:
    """parameters -> optimizer, as the YAML of an option has it, with other arguments where `changes` says so."""
    node = OmegaConf.load(ROOT / "conf" / "optimizer" / f"{name}.yaml")
    for key, value in changes.items():
        node[key] = value
    made: Callable[..., Optimizer] = instantiate(node, _convert_="all")
    return made
