"""A validation in the loggers that have pictures."""

from collections.abc import Iterator
from typing import Any

from lightning.pytorch.loggers import Logger, TensorBoardLogger, WandbLogger

from sr.loggers.sheet import sheet
from sr.loggers.validated import Pictures, ValidatedImage, ValidatedSet

TABLE = "val/images"
VERSIONS = ("LR", "bicubic", "SR", "HR")


def show(found: ValidatedSet, logger: Logger) -> None:
    """Show a validation in TensorBoard or Weights & Biases; other loggers get nothing."""
    if isinstance(logger, WandbLogger):
        show_in_wandb(found, logger)
    elif isinstance(logger, TensorBoardLogger):
        for key, image, pictures in _panels(found):
            drawn = sheet(found, image, pictures)
            logger.experiment.add_image(key, drawn, found.iteration, dataformats="HWC")


def show_in_wandb(found: ValidatedSet, logger: WandbLogger) -> None:
    """A table `val/images` of all images, and below `samples/` a panel with captions for each image that is shown.

    The columns of the table are `name`, LR, bicubic, SR, HR (empty for images that are not shown) and the metrics.
    """
    import wandb  # here, because it takes a second to import

    versions = {
        image.index: [
            wandb.Image(picture, caption=caption)
            for picture, caption in zip(_in_order(image.pictures), _captions(found, image), strict=True)
        ]
        for image in found.images
        if image.pictures is not None
    }
    table = wandb.Table(columns=["name", *VERSIONS, *found.quantities])
    for image in found.images:
        pictures: list[Any] = versions.get(image.index, [None] * len(VERSIONS))
        table.add_data(image.name, *pictures, *(image.values[name] for name in found.quantities))
    panels = {key: versions[image.index] for key, image, _ in _panels(found)}
    logger.log_metrics({TABLE: table, **panels}, step=found.iteration)  # type: ignore[dict-item]


def _panels(found: ValidatedSet) -> Iterator[tuple[str, ValidatedImage, Pictures]]:
    for image, pictures in found.always_shown():
        yield f"samples/{image.name}", image, pictures
    for word, image, pictures in found.extremes():
        yield f"samples/{word}", image, pictures


def _in_order(pictures: Pictures) -> tuple[Any, ...]:
    return pictures.lr, pictures.bicubic, pictures.sr, pictures.hr


def _captions(found: ValidatedSet, image: ValidatedImage) -> list[str]:
    place = found.place(image)
    name = f"{image.name}, {place}" if place else image.name
    return [
        f"LR: {name}",
        f"bicubic: {found.text(image.bicubic)}",
        f"SR after {found.iteration} iterations: {found.text(image.values)}",
        f"HR: {name}",
    ]
