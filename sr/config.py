"""The schema of the configuration's root keys, and what the programs share at their front door."""

import os
import re
import sys
import traceback
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException, InstantiationException
from lightning.fabric.utilities.exceptions import MisconfigurationException
from omegaconf import MISSING, DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from sr.hydra_errors import explain_composition
from sr.pictures.picture import UnreadableImageError
from sr.resume import run_directory

# Our own folder and the two programs: an error raised there is a message to the user.
ROOT = Path(__file__).parents[1]
OURS = (str(ROOT / "sr") + os.sep, str(ROOT / "train.py"), str(ROOT / "evaluate.py"))
MARK = "SR_READABLE_ERRORS"


@dataclass
class TrainConfig:
    """Root keys of conf/train.yaml. Group nodes are checked by the constructors that they name."""

    name: str = MISSING
    seed: int = MISSING
    scale: int = MISSING
    channels: int = MISSING
    monitor: str = MISSING
    init_from: str | None = None
    init_discriminator_from: str | None = None
    init_strict: bool = MISSING
    resume: str | None = None
    on_divergence: str = MISSING
    compile: bool = MISSING
    cpu_threads: int | None = None
    run_dir: str = MISSING
    data: Any = MISSING
    degradation: Any = MISSING
    generator: Any = MISSING
    discriminator: Any = MISSING
    loss: Any = MISSING
    gan_loss: Any = MISSING
    optimizer_g: Any = MISSING
    optimizer_d: Any = MISSING
    scheduler_g: Any = MISSING
    scheduler_d: Any = MISSING
    metric: Any = MISSING
    model: Any = MISSING
    trainer: Any = MISSING
    logger: Any = MISSING
    callbacks: Any = MISSING


@dataclass
class EvaluateConfig:
    """Root keys of conf/evaluate.yaml."""

    protocol: str = MISSING
    ckpt: str | None = None
    ckpts: Any = None
    alphas: Any = None
    hr_dir: str | None = None
    lr_dir: str | None = None
    hr_dirs: Any = None
    squeeze: int | None = None
    out_dir: str = MISSING
    scale: int | None = None
    channels: int = MISSING
    seed: int = MISSING
    draws: int = MISSING
    device: str = MISSING
    perceptual: Any = None
    report_images: int = MISSING
    degradation: Any = MISSING
    metric: Any = MISSING


@dataclass
class PreviewConfig:
    """Root keys of conf/preview.yaml."""

    hr_dir: str = MISSING
    out_dir: str = MISSING
    scale: int = MISSING
    channels: int = MISSING
    count: int = MISSING
    hr_patch_size: int = MISSING
    seed: int = MISSING
    replay: str | None = None
    degradation: Any = MISSING


def register_schemas() -> None:
    """Make the schemas known to Hydra; a key that is not in them is an error."""
    store = ConfigStore.instance()
    store.store(name="train_schema", node=TrainConfig)
    store.store(name="evaluate_schema", node=EvaluateConfig)
    store.store(name="preview_schema", node=PreviewConfig)
    OmegaConf.register_new_resolver("run_directory", run_directory, replace=True)
    OmegaConf.register_new_resolver("output_directory", output_directory, replace=True)


def output_directory() -> str:
    """Of this run; before there is one, as in `--cfg job --resolve`, where it would be."""
    hydra: Any = HydraConfig.get()
    return str(OmegaConf.select(hydra, "runtime.output_dir") or Path(hydra.run.dir).absolute())


def check_root_keys(cfg: DictConfig, schema: type) -> None:
    """`+key=value` adds a key even to a schema; one that is not in it would do nothing.

    Raises:
        ValueError: names the keys.
    """
    known = [entry.name for entry in fields(schema)]
    unknown = sorted(str(key) for key in cfg if key not in known)
    if unknown:
        raise ValueError(f"unknown root key(s) {', '.join(unknown)}: choose from {', '.join(known)}")


def check_least(cfg: DictConfig, **least: int) -> None:
    """Raises ValueError for a number below what it can be; null is none."""
    for key, value in least.items():
        if cfg[key] is not None and cfg[key] < value:
            raise ValueError(f"{key}={cfg[key]} must be {value} or more")


def changed_keys(cfg: DictConfig, file: Path) -> list[str]:
    """`key=value` for what the command line made different from a choice of a group, which is named after it.

    Args:
        cfg: the composed configuration.
        file: the YAML of the choice, `@package _global_`.
    """
    chosen = OmegaConf.load(file)
    assert isinstance(chosen, DictConfig)
    changed = []
    for key, node in ((str(name), value) for name, value in chosen.items()):
        if key == "defaults":
            continue
        leaves = {f"{key}.{inner!s}" for inner in node} if isinstance(node, DictConfig) else {key}
        # Both resolved in the composed configuration, whose scale may be known by now.
        wanted = OmegaConf.merge(cfg, {key: node})
        changed += [
            f"{leaf}={OmegaConf.select(cfg, leaf)}"
            for leaf in sorted(leaves)
            if OmegaConf.select(cfg, leaf) != OmegaConf.select(wanted, leaf)
        ]
    return changed


@contextmanager
def readable_errors() -> Iterator[None]:
    """Turn what a user can mend into one message on standard error and exit status 1.

    That is every error of Hydra, OmegaConf and Lightning's argument checks, every OSError that names a file, and every
    ValueError, OSError and RuntimeError raised by our own code. Anything else is a bug, ours or a library's, and keeps
    its traceback; HYDRA_FULL_ERROR=1 keeps all of them. The function that Hydra calls needs one of its own: to an
    exception that leaves it Hydra adds a line with all overrides, to the end of the program it does not.
    """
    if os.environ.get("HYDRA_FULL_ERROR") == "1" and MARK not in os.environ:
        yield
        return
    before = {name: os.environ.get(name) for name in ("HYDRA_FULL_ERROR", MARK)}
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra hands errors on instead of printing them itself
    os.environ[MARK] = "1"  # processes started from here see that it was not the user who asked for them
    try:
        yield
    except Exception as error:
        message = explain(error)
        if message is None:
            raise
        print(f"error: {message}", file=sys.stderr)
        print("(HYDRA_FULL_ERROR=1 shows the traceback)", file=sys.stderr)
        sys.exit(1)
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def explain(error: BaseException) -> str | None:
    """The message for a user; None for a bug."""
    if isinstance(error, InstantiationException) and error.__cause__ is not None:
        key = re.search(r"full_key: (\S+)", str(error))
        place = f" (in the configuration under {key.group(1)})" if key else ""
        return f"{_text(error.__cause__)}{place}"
    if isinstance(error, HydraException | OmegaConfBaseException):
        return explain_composition(error)
    if isinstance(error, RuntimeError) and re.search("Connection (closed|reset) by peer", str(error)):
        return "another process of this run has ended; its own message says why, unless it was killed"
    if isinstance(error, RuntimeError) and str(error).startswith("DataLoader worker (pid"):
        return (
            f"a loader process was killed ({str(error).split('. ')[0]}), perhaps for want of memory: try a smaller"
            " data.num_workers; resume=auto goes on from the last checkpoint"
        )
    if isinstance(error, BrokenProcessPool):
        return "a process was killed that was at work for this one, perhaps for want of memory: try fewer --workers"
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, MisconfigurationException | UnreadableImageError) or _raised_by_us(error):
        return _text(error)
    return None


def _raised_by_us(error: BaseException) -> bool:
    if not isinstance(error, ValueError | OSError | RuntimeError):
        return False
    # A loader process sends its traceback as the text of the message.
    frames = re.findall(r'File "([^"]+)"', str(error)) if "Original Traceback" in str(error) else []
    frames = frames or [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    return bool(frames) and frames[-1].startswith(OURS)


def _text(error: BaseException) -> str:
    """The message without the traceback that a loader process wraps around it."""
    text = str(error)
    if "Original Traceback" in text:
        text = re.split(r"\n[\w.]+(?:Error|Exception): ", text)[-1].strip()
    return text
