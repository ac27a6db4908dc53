"""What a run needs that is not here, asked before anything large is imported.

Hydra has composed the configuration by then. Importing torch and Lightning takes many seconds more, after which a first
command would say one by one what it lacks.
"""

import http.client
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from sr.config import TrainConfig, check_least, check_root_keys
from sr.features.files import FILES, wait_for_answer
from sr.losses.without_weights import otherwise

DIRECTORIES = ("train_dir", "train_lr_dir", "val_dir", "val_lr_dir")  # of images, in the group `data`
# What has the weights of an ImageNet net -> the net where none is chosen.
NETS = {
    "sr.losses.perceptual.PerceptualLoss": "vgg19",
    "sr.losses.style.StyleLoss": "vgg19",
    "sr.losses.contextual.ContextualLoss": "vgg19",
    "sr.losses.lpips.LPIPSLoss": "vgg16",
    "sr.losses.dists.DISTSLoss": "vgg16",
}


def check_root(cfg: DictConfig) -> None:
    """Raises ValueError for a root key that is unknown, or below its least value."""
    check_root_keys(cfg, TrainConfig)
    check_least(cfg, seed=0, scale=1, channels=1, cpu_threads=1)


def check_at_hand(cfg: DictConfig) -> None:
    """Name everything at once that is missing: keys without a value, directories of images, the weights of VGG19.

    Root keys are checked before, because they need nothing. What cannot be told yet, such as a value that cannot be
    resolved, is left to the checks of the run.

    Raises:
        ValueError: a root key is unknown, or below its least value.
        FileNotFoundError: something is missing; the message has a line for each thing.
    """
    check_root(cfg)
    lacking = [*_keys(cfg), *_directories(cfg.data), *_weights(cfg.loss)]
    if lacking:
        raise FileNotFoundError("\n  ".join(["this run lacks:", *lacking]) if lacking[1:] else lacking[0])


def _keys(cfg: DictConfig) -> Iterator[str]:
    copies = ("model.", "run_dir")
    for key in sorted(OmegaConf.missing_keys(cfg)):
        if not key.startswith(copies):
            yield f"{key} is missing: write {key}={'DIRECTORY' if key.endswith('_dir') else 'VALUE'}"


def _directories(data: DictConfig) -> Iterator[str]:
    for key in DIRECTORIES:
        if key not in data or OmegaConf.is_missing(data, key) or OmegaConf.is_interpolation(data, key):
            continue
        value = data[key]
        for each in [value] if isinstance(value, str) else value or []:
            path = Path(str(each)).expanduser()
            if not path.is_dir():
                wrong = "is not a directory" if path.exists() else "does not exist"
                yield f"data.{key}={each} {wrong}: name a directory of images"


def _weights(loss: DictConfig) -> Iterator[str]:
    """A line for each net whose weights a term needs while neither the cache has them nor the network is there."""
    if os.environ.get("LOCAL_RANK", "0") != "0":  # the first process asks
        return
    asked = set()
    terms: Any = OmegaConf.to_container(loss, resolve=False)
    for name, term in terms.items():
        for key, node in _nodes(term, f"loss.{name}"):
            net = node.get("net", NETS.get(node.get("_target_", "")))
            if node.get("_target_") not in NETS or net not in FILES or node.get("weights") or net in asked:
                continue
            asked.add(net)
            file = FILES[net]
            if file.cached().is_file():
                continue
            try:
                wait_for_answer(file.url)
            except (OSError, http.client.HTTPException) as error:
                yield file.without(file.cached(), error, key=f"{key}.weights", otherwise=otherwise(str(name)))


def _nodes(node: Any, key: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every mapping inside a node with its key."""
    if isinstance(node, Mapping):
        yield key, node
        for name, inner in node.items():
            yield from _nodes(inner, f"{key}.{name}")
