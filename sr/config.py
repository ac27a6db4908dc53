"""The schema of the configuration's root keys."""

from dataclasses import dataclass, field, fields
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING, DictConfig, ListConfig, OmegaConf


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
    trust: Any = None
    alphas: Any = None
    hr_dir: str | None = None
    lr_dir: str | None = None
    lr_name: str | None = None
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
    trust: list[str] = field(default_factory=list)
    degradation: Any = MISSING


def register_schemas() -> None:
    """Make the schemas known to Hydra, where a key that is not in them is an error, and `${colour_spaces:...}`."""
    store = ConfigStore.instance()
    store.store(name="train_schema", node=TrainConfig)
    store.store(name="evaluate_schema", node=EvaluateConfig)
    store.store(name="preview_schema", node=PreviewConfig)
    OmegaConf.register_new_resolver("colour_spaces", colour_spaces, replace=True)


def colour_spaces(channels: int) -> ListConfig:
    """The spaces of `sr.metrics.protocol` that suit images with that many channels."""
    # OmegaConf.resolve refuses a plain list as the value of an interpolation.
    return OmegaConf.create(["y", "rgb"] if channels == 3 else ["channels"])


def check_root_keys(cfg: DictConfig, schema: type) -> None:
    """Refuse keys that are not in the schema: `+key=value` can add them, and they would do nothing.

    Raises:
        ValueError: the message names the unknown keys.
    """
    known = [entry.name for entry in fields(schema)]
    unknown = sorted(str(key) for key in cfg if key not in known)
    if unknown:
        raise ValueError(f"unknown root key(s) {', '.join(unknown)}: choose from {', '.join(known)}")


def check_least(cfg: DictConfig, **least: int) -> None:
    """Raises ValueError for a number below its smallest value; null is allowed."""
    for key, value in least.items():
        if cfg[key] is not None and cfg[key] < value:
            raise ValueError(f"{key}={cfg[key]} must be {value} or more")
