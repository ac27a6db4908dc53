"""The image sets of an evaluation, by name."""

from collections.abc import Mapping
from pathlib import Path

from sr.data.pairs import match_pairs
from sr.data.sources import ImageFiles, sample_photographs
from sr.data.whole_images import WholeImages
from sr.degradations.pipeline import Degradation
from sr.evaluation.squeezed_images import SqueezedImages
from sr.ops.normalisation import FULL_RANGE, Normalisation

EvaluationSet = WholeImages | SqueezedImages


def find_sets(
    *,
    hr_dir: str | None,
    hr_dirs: Mapping[str, str] | None,
    lr_dir: str | None,
    lr_name: str | None = None,
    squeeze: int | None,
    degradation: Degradation,
    scale: int,
    channels: int,
    seed: int,
    draws: int,
    by: Normalisation = FULL_RANGE,
) -> dict[str, EvaluationSet]:
    """The image sets. Without a directory these are the photographs inside scikit-image.

    Args:
        hr_dir: the directory of the HR images, for a single set with the name of the directory.
        hr_dirs: name of a set -> directory of its HR images.
        lr_dir: the directory of the LR images that belong to `hr_dir`; None where LR is made from HR.
        lr_name: the names of the LR files, see `sr.data.pairs.match_pairs`.
        squeeze: the side in pixels of the squares that HR is squeezed to; None where LR has the shape of HR.
        degradation: HR -> LR, where neither `lr_dir` nor `squeeze` is given.
        scale: the upscaling factor.
        channels: the number of channels that the images are read with.
        seed: the seed of a random degradation.
        draws: the number of times that a random degradation is drawn for each image.
        by: the way from the values of files to those of the nets.

    Raises:
        FileNotFoundError, NotADirectoryError: a directory is missing, or contains no image.
        ValueError: the arguments contradict each other, or LR and HR files are not pairs.
    """
    _check_directories(hr_dir=hr_dir, hr_dirs=hr_dirs, lr_dir=lr_dir)
    if squeeze is not None:
        _check_squeeze(squeeze, lr_dir=lr_dir, degradation=degradation, draws=draws, by=by)
    if hr_dir and lr_dir:
        hr = ImageFiles.from_directory(hr_dir, channels=channels)
        lr = ImageFiles.from_directory(lr_dir, channels=channels)
        hr, lr = match_pairs(hr, lr, scale=scale, lr_name=lr_name)
        return {
            Path(hr_dir).resolve().name: WholeImages(hr=hr, lr=lr, scale=scale, draws=draws, normalisation=by)
        }
    directories = {Path(hr_dir).resolve().name: hr_dir} if hr_dir else hr_dirs or {}
    files = {
        name: ImageFiles.from_directory(path, channels=channels) for name, path in directories.items()
    } or {"samples": sample_photographs("val", channels=channels)}
    if squeeze is not None:
        return {name: SqueezedImages(hr=hr, side=squeeze) for name, hr in files.items()}
    if degradation.is_identity(channels=channels):
        raise ValueError(
            f"scale={scale}: this degradation leaves images as they are, so there is nothing to measure: choose"
            " another, as degradation=mild, or bring LR of your own (lr_dir=<directory>)"
        )
    return {
        name: WholeImages(
            hr=hr, scale=scale, degradation=degradation, seed=seed, draws=draws, normalisation=by
        )
        for name, hr in files.items()
    }


def _check_directories(*, hr_dir: str | None, hr_dirs: Mapping[str, str] | None, lr_dir: str | None) -> None:
    """Raises ValueError where the directories contradict each other, or a name cannot be that of a directory."""
    if hr_dir and hr_dirs:
        raise ValueError("give hr_dir=<directory> or hr_dirs={name: directory, ...}, not both")
    if lr_dir and not hr_dir:
        raise ValueError(f"lr_dir={lr_dir} needs hr_dir=<directory> of the same names")
    for name in hr_dirs or {}:
        if Path(name).name != name or name == "..":
            raise ValueError(
                f"hr_dirs.{name}: the images of a set get a directory of its name, so no / or .. in it"
            )


def _check_squeeze(
    squeeze: int, *, lr_dir: str | None, degradation: Degradation, draws: int, by: Normalisation
) -> None:
    if by.content is not None:
        raise ValueError(
            f"squeeze={squeeze} rounds to 8 bits, and the net was trained with data.normalise: take another protocol"
        )
    if lr_dir:
        raise ValueError(f"squeeze={squeeze} makes LR of HR; lr_dir={lr_dir} cannot be given beside it")
    if list(degradation.stages) != ["bicubic"]:
        raise ValueError(
            f"squeeze={squeeze} makes LR by itself, and the stages {', '.join(degradation.stages)} would not be"
            " applied: leave degradation out, or take another protocol"
        )
    if draws != 1:
        raise ValueError(f"draws={draws}: squeeze={squeeze} draws nothing; take draws=1")
