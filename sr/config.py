"""The schema of the configuration's root keys."""

from dataclasses import dataclass, field, fields
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING, DictConfig, ListConfig, OmegaConf

from sr.metrics.monitor import monitored


@dataclass
class TrainConfig:
    """Root keys of conf/train.yaml. Group nodes are checked by the constructors that they name.

    Attributes:
        name: the name of the run, which is the folder in runs/ and the name in dashboards.
        seed: the seed of everything that is drawn at random, 0 or more.
        scale: the factor from LR to HR, 1 or more.
        channels: the channels of the images, 3 for RGB.
        monitor: the metric of validation, as psnr_y, whose best value `checkpoints/best.ckpt` keeps, or a choice by
            several (docs/reliability.md).
        init_from: a file of weights to start from, in any format that is read (docs/export.md), or the name of a net in
            the package (docs/zoo.md).
        init_discriminator_from: a file of weights for the discriminator, where that is a file of its own.
        init_strict: true if every tensor must fit; false takes those that fit and says which do not.
        resume: auto for the newest run of this name, or a checkpoint of a run.
        on_divergence: stop, or rollback (once), after many iterations in a row with bad numbers.
        compile: true if torch.compile compiles nets and losses.
        cpu_threads: the number of torch threads of each process; null leaves it to torch.
        run_dir: the run directory, which follows hydra.run.dir.
        data: the training and validation images.
        degradation: the way from HR to LR.
        mixing: mixes of the pairs of a batch, each under a name of its own, as mixing=[mixup,cutblur].
        generator: the net that enlarges.
        discriminator: the net that tells generated images from real ones.
        loss: the content losses, each under a name of its own.
        gan_loss: the adversarial objective.
        gan_penalty: a penalty on the gradients of the discriminator; null for none.
        optimizer_g: the optimizer of the generator.
        optimizer_d: the optimizer of the discriminator.
        scheduler_g: the schedule of the generator's learning rate, stepped once per iteration.
        scheduler_d: the schedule of the discriminator's learning rate, stepped once per iteration of its training.
        metric: the metrics of validation.
        measure: further metrics of validation, each under a name of its own, as measure=[niqe,lpips].
        model: the Lightning module, which holds the nets, losses and optimizers.
        trainer: the Lightning trainer: devices, precision, length, intervals.
        logger: the loggers, each under a name of its own.
        callbacks: the callbacks, each under a name of its own.
    """

    name: str = MISSING
    seed: int = MISSING
    scale: int = MISSING
    channels: int = MISSING
    monitor: Any = MISSING
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
    mixing: Any = field(default_factory=dict)
    generator: Any = MISSING
    discriminator: Any = MISSING
    loss: Any = MISSING
    gan_loss: Any = MISSING
    gan_penalty: Any = None
    optimizer_g: Any = MISSING
    optimizer_d: Any = MISSING
    scheduler_g: Any = MISSING
    scheduler_d: Any = MISSING
    metric: Any = MISSING
    measure: Any = field(default_factory=dict)
    model: Any = MISSING
    trainer: Any = MISSING
    logger: Any = MISSING
    callbacks: Any = MISSING


@dataclass
class EvaluateConfig:
    """Root keys of conf/evaluate.yaml.

    Attributes:
        protocol: the name of the chosen protocol, which says how metrics are computed.
        ckpt: a checkpoint or a file of weights, the name of a net in the package (docs/zoo.md), or `bicubic`.
        ckpts: several files or nets in the package by names of your own, as {psnr: FILE, gan: FILE}.
        trust: the packages of your own whose nets the checkpoints may name.
        alphas: rising values in [0, 1], for interpolations between two checkpoints.
        hr_dir: the directory of HR images; null takes the photographs inside scikit-image.
        lr_dir: the directory of LR images; null makes LR from HR by `degradation`.
        lr_name: the names of LR files, as "{name}x4"; null recognises the usual ones.
        hr_dirs: several directories of HR images by name, as {set5: DIR, set14: DIR}.
        squeeze: the side in pixels of the square that HR is squeezed to; null for none.
        out_dir: the directory of the results.
        scale: the factor from LR to HR, for ckpt=bicubic alone; checkpoints have their own.
        channels: the channels of the images, for ckpt=bicubic alone.
        normalise: the values that become 0 and 1, as data.normalise of training, for ckpt=bicubic alone.
        seed: the seed of a random degradation.
        draws: the number of times that a random degradation is drawn for each image.
        device: auto, cpu, or cuda.
        report_images: the number of images of each set in report.html; 0 writes no report.
        bands: three bands, counted from 0, that pictures show as red, green and blue; null shows the first three of
            many.
        degradation: the way from HR to LR.
        metric: the metrics of the protocol.
        measure: further metrics, each under a name of its own, as measure=[niqe,lpips].
    """

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
    normalise: Any = None
    seed: int = MISSING
    draws: int = MISSING
    device: str = MISSING
    report_images: int = MISSING
    bands: Any = None
    degradation: Any = MISSING
    metric: Any = MISSING
    measure: Any = field(default_factory=dict)


@dataclass
class PreviewConfig:
    """Root keys of conf/preview.yaml.

    Attributes:
        hr_dir: the directory of HR images.
        out_dir: the directory of the pictures and records.
        scale: the factor from LR to HR, 1 or more.
        channels: the channels of the images, 3 for RGB.
        count: the number of samples.
        hr_patch_size: the side of a sample in HR pixels.
        seed: the seed of the samples.
        normalise: the values that become 0 and 1, as data.normalise of training; null for the full range of the type.
        replay: a file of records, whose samples are made once more.
        trust: the packages of your own whose steps the records may name.
        degradation: the way from HR to LR.
    """

    hr_dir: str = MISSING
    out_dir: str = MISSING
    scale: int = MISSING
    channels: int = MISSING
    count: int = MISSING
    hr_patch_size: int = MISSING
    seed: int = MISSING
    normalise: Any = None
    replay: str | None = None
    trust: list[str] = field(default_factory=list)
    degradation: Any = MISSING


ROOTS: dict[str, type] = {"train": TrainConfig, "evaluate": EvaluateConfig, "preview": PreviewConfig}


def register_schemas() -> None:
    """Make the schemas known to Hydra, where a key that is not in them is an error, and our resolvers."""
    store = ConfigStore.instance()
    for name, root in ROOTS.items():
        store.store(name=f"{name}_schema", node=root)
    OmegaConf.register_new_resolver("colour_spaces", colour_spaces, replace=True)
    OmegaConf.register_new_resolver("monitored", monitored, replace=True)


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
