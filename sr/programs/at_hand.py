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
from sr.losses.vgg19_file import WEIGHTS_URL, cached_file, wait_for_answer, without_weights

DIRECTORIES = ("train_dir", "train_lr_dir", "val_dir", "val_lr_dir")  # of images, in the group `data`
PERCEPTUAL = "sr.losses.perceptual.PerceptualLoss"


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
    """A line where a term needs the weights of VGG19 and neither the cache has them nor the network is there."""
    terms: Any = OmegaConf.to_container(loss, resolve=False)
    needed = [
        each for each in _nodes(terms) if each.get("_target_") == PERCEPTUAL and not each.get("weights")
    ]
    other_process = os.environ.get("LOCAL_RANK", "0") != "0"  # the first one asks
    if not needed or other_process or cached_file().is_file():
        return
    try:
        wait_for_answer(WEIGHTS_URL)
    except (OSError, http.client.HTTPException) as error:
        yield without_weights(cached_file(), error)


def _nodes(node: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(node, Mapping):
        yield node
        for inner in node.values():
            yield from _nodes(inner)
